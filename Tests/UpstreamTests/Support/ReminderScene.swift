import Identifiers
import Ledger
import Readings
import SiteConfiguration
import Testing
import Upstream

/// A crib with loans that come due, as the gateway would know them.
struct ReminderScene {
    static let gateway = Site.Gateway(
        code: "CRIB1", site: "Plant 2", language: .english, uriPrefix: "https://gateway.example.com")
    static let due = "2026-11-28T18:00:00.000+08:00"

    let board = ReminderBoard()
    private(set) var state = LedgerState()

    static func loan(_ number: Int64) -> LoanNumber { LoanNumber(gateway: "CRIB1", epoch: 0x9F4A_0000_0000_0000, counter: number) }

    /// People 1 and 2 with addresses, 2 the supervisor of 1; 3 without; 4 Chinese.
    static let people: [MasterRow] = [
        MasterRow(
            set: .people, id: "1", body: ["key": "p-1", "name": "Ann Li", "email": "ann.li@example.com", "supervisor": "2"]),
        MasterRow(set: .people, id: "2", body: ["key": "p-2", "name": "Bo", "email": "bo@example.com", "language": "zh"]),
        MasterRow(set: .people, id: "3", body: ["key": "p-3", "name": "Cy"]),
        MasterRow(
            set: .people, id: "4",
            body: ["key": "p-4", "name": "李雷", "email": "lei@example.com", "language": "zh", "supervisor": "3"]),
    ]

    static let items: [MasterRow] = (1...9).map {
        MasterRow(set: .items, id: "TOOL-\($0)", body: ["name": .string($0 == 2 ? "电钻" : "Drill \($0)")])
    }

    /// - Parameter loans: item, number of the loan, and borrower.
    init(_ loans: [(item: String, number: Int64, person: String)] = [], rows: [MasterRow] = people + items) throws {
        for (index, loan) in loans.enumerated() { try checkOut(loan.item, loan.number, loan.person, sequence: Int64(index + 1)) }
        board.replace(with: state)
        board.update(try MasterData().applying(rows))
    }

    private mutating func checkOut(_ item: String, _ number: Int64, _ person: String, sequence: Int64) throws {
        _ = state.apply(
            try Event(
                json: SampleEvents.event(
                    sequence, type: "loan.checked_out",
                    data: [
                        "loan": .string(Self.loan(number).description), "item": .string(item), "person": .string(person),
                        "due": .string(Self.due),
                    ], subject: []
                ).json()))
    }

    /// Commits an event as the gateway does: the log has it, and then the board.
    mutating func commit(_ event: StoredEvent) throws -> StoredEvent {
        let rows = state.apply(try Event(json: event.json()))
        board.take(rows, upTo: event.sequence)
        return event
    }

    static func reminder(
        _ sequence: Int64, loan number: Int64, _ items: [String], borrower: String, step: ReminderStep = .overdueFirst,
        to: [ReminderRecipient] = [.borrower], due: String = due
    ) -> StoredEvent {
        SampleEvents.event(
            sequence, type: "loan.reminded",
            data: [
                "loan": .string(loan(number).description), "items": .array(items.map(JSON.string)), "borrower": .string(borrower),
                "step": .string(step.rawValue), "to": .array(to.map { .string($0.rawValue) }), "due": .string(due),
            ], subject: [], place: nil)
    }

    static func giveBack(_ sequence: Int64, loan number: Int64, _ item: String, borrower: String) -> StoredEvent {
        SampleEvents.event(
            sequence, type: "loan.returned",
            data: ["loan": .string(loan(number).description), "item": .string(item), "borrower": .string(borrower)], subject: [])
    }
}
