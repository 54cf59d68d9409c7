import Foundation
import Ledger
import Readings
import Store

/// A month of loans as a gate records them: each said twice when it begins and twice when it ends.
struct LoanMonth {
    static let gateway = "CRIB1"
    static let epoch: UInt64 = 0x0123_4567_89AB_CDEF
    static let loans = 50_000
    static let items = 5_000
    static let people = 500
    static let start = WallTime(milliseconds: 1_793_462_400_000, offsetMinutes: 480, quality: .synchronised)

    /// Every tool, and as many that nobody borrows.
    let classes: [ItemKey: String?] = {
        var classes: [ItemKey: String?] = [:]
        for item in 0..<2 * items { if let key = ItemKey("TOOL-\(100_000 + item)") { classes[key] = "class-\(item % 40)" } }
        return classes
    }()

    private var state = LedgerState()
    private var random: UInt64 = 7

    mutating func fill(_ store: EventStore) {
        let answered = DispatchSemaphore(value: 8)
        var open: [(item: Int, loan: LoanNumber, person: String)] = []
        var free = Array(0..<Self.items)
        for loan in 0..<Self.loans {
            let time = Self.start.milliseconds + Int64(loan) * 2_505_600_000 / Int64(Self.loans)
            if open.count > 2_000 {
                let (item, number, person) = open.remove(at: next(below: open.count))
                commit(
                    "loan.returned", ["loan": .string(number.description), "item": .string(name(item)), "borrower": .string(person)],
                    at: time, to: store, answered)
                free.append(item)
            }
            let item = free.remove(at: next(below: free.count))
            let number = LoanNumber(gateway: Self.gateway, epoch: Self.epoch, counter: state.loanCounter + 1)
            let person = "p-\(String(0x1_0000_0000_0000 + next(below: Self.people), radix: 16))"
            let due = WallTime(milliseconds: time + Int64(1 + next(below: 7)) * 86_400_000, offsetMinutes: 480, quality: .synchronised)
            commit(
                "loan.checked_out",
                [
                    "loan": .string(number.description), "item": .string(name(item)), "epc": "3034F4E4A4002DC0A0000001",
                    "person": .string(person), "due": .string(due.rfc3339),
                ], at: time, to: store, answered)
            open.append((item, number, person))
        }
        for _ in 0..<8 { answered.wait() }
        for _ in 0..<8 { answered.signal() }
    }

    private func name(_ item: Int) -> String { "TOOL-\(100_000 + item)" }

    private mutating func next(below bound: Int) -> Int {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(random >> 33) % bound
    }

    private mutating func commit(_ type: String, _ data: JSON, at time: Int64, to store: EventStore, _ answered: DispatchSemaphore) {
        let provisional = event(type, data, at: time, corrects: nil)
        let first = Decision(events: [provisional], rows: state.apply(provisional))
        let final = event(type, data, at: time, corrects: provisional.sequence)
        let second = Decision(events: [final], rows: state.apply(final))
        store.commit(first, generation: 1) { if case .failed(let error) = $0 { fatalError("\(error)") } }
        answered.wait()
        store.commit(second, generation: 1) {
            if case .failed(let error) = $0 { fatalError("\(error)") }
            answered.signal()
        }
    }

    private func event(_ type: String, _ data: JSON, at time: Int64, corrects: Int64?) -> Event {
        let time = WallTime(milliseconds: time, offsetMinutes: 480, quality: .synchronised)
        let json = JSON.compact([
            "schema": 1, "seq": .integer(state.nextSequence), "type": .string(type), "certainty": corrects == nil ? "provisional" : "final",
            "corrects": corrects.map(JSON.integer), "time": .string(time.rfc3339), "clock": "synchronised",
            "boot": "00000000000000aa", "uptime": .integer(time.milliseconds - Self.start.milliseconds),
            "station": .string("gate-\(state.nextSequence % 3)"),
            "subject": ["https://id.example.com/item/TOOL-1"], "actor": "gateway", "master": 1, "data": data,
            "evidence": ["antennas": [1, 2], "reads": 42, "rssi": .number(-57.5)],
        ])
        guard let event = try? Event(json: json) else { fatalError("the ledger does not read \(json.canonicalText)") }
        return event
    }
}
