import Readings
import TestSupport

@testable import Ledger

/// Decides as an engine does: on an image in memory, one decision after the other, each with events, rows, or both.
struct Workload {
    var image: LedgerState
    /// The number of the next decision; it stands in the events, so that each is known wherever it turns up.
    private(set) var nextDecision: Int64 = 1
    private let gateway: String
    private let epoch: UInt64

    static let learnedKey = "learned/gate/mark"

    init(image: LedgerState = LedgerState(), gateway: String, epoch: UInt64) {
        self.image = image
        self.gateway = gateway
        self.epoch = epoch
    }

    /// - Parameter milliseconds: virtual time.
    mutating func decide(_ random: inout SeededGenerator, at milliseconds: Int64) -> (number: Int64, decision: Decision) {
        let number = nextDecision
        nextDecision += 1
        if random.chance(0.05) {
            let row = StateRow(key: Self.learnedKey, value: .integer(number))
            image.learn(row)
            return (number, Decision(rows: [row]))
        }
        let count = random.chance(0.2) ? random.below(4) + 1 : 1
        var decision = Decision()
        for _ in 0..<count {
            let event = Event(
                sequence: image.nextSequence, time: Self.time(milliseconds), station: "gate", episode: "gate/\(number)", actor: .unknown,
                subjects: [], place: nil, certainty: .final, corrects: nil, masterVersion: 0, body: body(&random, milliseconds),
                evidence: .null)
            decision.rows += image.apply(event)
            decision.events.append(event)
        }
        return (number, decision)
    }

    /// The decision that an event was part of.
    static func decision(of json: JSON) -> Int64? {
        json["episode"]?.string?.split(separator: "/").last.flatMap { Int64($0) }
    }

    private static func time(_ milliseconds: Int64) -> WallTime {
        WallTime(milliseconds: 1_795_248_930_000 + milliseconds, offsetMinutes: 480, quality: .synchronised)
    }

    private func body(_ random: inout SeededGenerator, _ milliseconds: Int64) -> Event.Body {
        let item = Self.items[random.below(Self.items.count)]
        switch random.below(10) {
        case 0..<4:
            if let loan = image.loans[item] {
                return .returned(.init(loan: loan.number, item: item, epc: nil, borrower: loan.person))
            }
            return .checkedOut(
                .init(
                    loan: LoanNumber(gateway: gateway, epoch: epoch, counter: image.loanCounter + 1), item: item, epc: nil,
                    person: Self.people[random.below(Self.people.count)], permit: random.chance(0.5) ? PermitKey("REQ-7") : nil,
                    due: Self.time(milliseconds + 86_400_000)))
        case 4..<9:
            return .putAway(
                .init(
                    subject: .product(Self.products[random.below(Self.products.count)], lot: nil), quantity: Int64(random.below(9) + 1),
                    location: Self.locations[random.below(Self.locations.count)], locationURI: "urn:x:shelf", from: nil))
        default:
            return .stationModeChanged(random.chance(0.5) ? .paused : .running)
        }
    }

    private static let items = (1...12).map { ItemKey("DRILL-\($0)")! }
    private static let people = (0...4).map { PersonKey("p-0123456789abcde\($0)")! }
    private static let products = (1...7).map { ProductKey("BOLT-M\($0)")! }
    private static let locations = (1...3).map { LocationKey("A-\($0)")! }
}
