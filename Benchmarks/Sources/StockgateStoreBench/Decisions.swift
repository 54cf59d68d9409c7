import Identifiers
import Ledger
import Readings

/// What a gateway decides, for as long as somebody asks: every event with the state rows that it changes, as the ledger gives them.
struct Decisions {
    enum Kind {
        /// A tool is put on a shelf: one row.
        case putAway
        /// A tool is lent on a permit: the rows of the tool, of the permit and of the counters.
        case checkout
    }

    static let gateway = "CRIB1"
    static let epoch: UInt64 = 0x0123_4567_89AB_CDEF
    /// Things and permits that the state knows: enough that two of them seldom share a page.
    static let items = 10_000
    static let permits = 2_000

    private var state = LedgerState()
    private var random: UInt64 = 7
    private let time = WallTime(milliseconds: 1_795_248_930_123, offsetMinutes: 480, quality: .synchronised)

    /// Every thing on a shelf, so that later rows are found anywhere in a tree of usual size.
    mutating func fill() -> [Decision] {
        var decisions: [Decision] = []
        for item in 0..<Self.items { decisions.append(putAway(item)) }
        for item in 0..<Self.items { decisions.append(checkOut(item, permit: item % Self.permits)) }
        return decisions
    }

    mutating func some(_ count: Int, of kind: Kind) -> [Decision] {
        (0..<count).map { _ in
            switch kind {
            case .putAway: putAway(next(below: Self.items))
            case .checkout: checkOut(next(below: Self.items), permit: next(below: Self.permits))
            }
        }
    }

    private mutating func next(below bound: Int) -> Int {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(random >> 33) % bound
    }

    /// Never where it was before: SQLite does not write a row that stays the same.
    private mutating func putAway(_ item: Int) -> Decision {
        decide(
            [
                "stock": ["item": .string("TOOL-\(100_000 + item)")], "quantity": 1, "location": .string("A-\(state.nextSequence % 1_000)"),
                "location_uri": "urn:x:shelf",
            ], "stock.put_away", episode: nil)
    }

    private mutating func checkOut(_ item: Int, permit: Int) -> Decision {
        let loan = LoanNumber(gateway: Self.gateway, epoch: Self.epoch, counter: state.loanCounter + 1)
        return decide(
            [
                "loan": .string(loan.description), "item": .string("TOOL-\(100_000 + item)"), "epc": "3034F4E4A4002DC0A0000001",
                "person": .string("p-0123456789abcdef"), "permit": .string("REQ-\(10_000 + permit)"),
                "due": "2026-11-22T08:15:30.123+08:00",
            ], "loan.checked_out", episode: "gate/\(state.nextSequence)")
    }

    private mutating func decide(_ data: JSON, _ type: String, episode: String?) -> Decision {
        let json = JSON.compact([
            "schema": 1, "seq": .integer(state.nextSequence), "type": .string(type), "certainty": "final",
            "time": .string(time.rfc3339), "clock": "synchronised", "station": "gate", "episode": episode.map(JSON.string),
            "subject": ["https://id.example.com/item/TOOL-1"], "actor": ["person": "p-0123456789abcdef"], "master": 1, "data": data,
            "evidence": ["antennas": [1, 2], "reads": 42, "rssi": .number(-57.5), "rule": "gate.direction", "llr": .number(7.125)],
        ])
        guard let event = try? Event(json: json) else { fatalError("the ledger does not read \(json.canonicalText)") }
        return Decision(events: [event], rows: state.apply(event))
    }
}
