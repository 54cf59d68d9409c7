import Readings
import Testing

@testable import Ledger

@Suite("Ledger: reminders as facts")
struct ReminderTests {
    private static let drill = ItemKey("DRILL-01")!
    private static let saw = ItemKey("SAW-01")!

    private static func event(_ reminder: Event.Reminder, _ sequence: Int64) -> Event {
        Event(
            sequence: sequence, time: Fixture.now, actor: .gateway, subjects: [], certainty: .final, masterVersion: 7,
            body: .reminded(reminder), evidence: .null)
    }

    @Test("The step is noted in the lines of the loan that it names, and comes back from the rows")
    func noted() throws {
        var ledger = Fixture.ledger()
        for tool in [Fixture.drill, Fixture.saw] { _ = ledger.decide(Fixture.crossing(.out, [tool], badges: ["1001"])) }
        var state = ledger.state
        let loan = try #require(state.loans[Self.drill])
        let reminder = Event.Reminder(
            loan: loan.number, items: [Self.drill, Self.saw, ItemKey("METER-01")!], borrower: loan.person, step: .overdueFirst,
            to: [.borrower, .supervisor], due: loan.due)
        let rows = state.apply(Self.event(reminder, state.nextSequence))
        // The saw is out on another loan, the meter on none.
        #expect(rows.map(\.key) == ["loan/DRILL-01"])
        #expect(state.loans[Self.drill]?.reminded == .overdueFirst)
        #expect(state.loans[Self.saw]?.reminded == nil)
        #expect(try LedgerState(nextSequence: state.nextSequence, rows: state.rows) == state)
    }

    @Test("What was said belongs to a loan: the next one of the same tool begins anew")
    func nextLoan() throws {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
        let loan = try #require(ledger.state.loans[Self.drill])
        let plan = Plan(
            events: [
                Self.event(
                    .init(loan: loan.number, items: [Self.drill], borrower: loan.person, step: .dueSoon, to: [.borrower], due: loan.due),
                    ledger.state.nextSequence)
            ], feedback: nil)
        _ = ledger.commit(plan)
        #expect(ledger.state.loans[Self.drill]?.reminded == .dueSoon)
        _ = ledger.decide(Fixture.crossing(.in, [Fixture.drill]))
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
        #expect(ledger.state.loans[Self.drill]?.reminded == nil)
    }

    @Test("Steps come in the order of their names")
    func order() {
        #expect(ReminderStep.allCases.sorted() == ReminderStep.allCases)
        #expect(ReminderStep.dueSoon < .dueToday && ReminderStep.overdueSecond < .overdueThird)
    }

    @Test("Nothing to be told, or nobody to tell, is no reminder")
    func incomplete() throws {
        let whole: JSON = [
            "loan": "DEMO-577R-00001-9", "items": ["DRILL-01"], "borrower": "p-1", "step": "due_today", "to": ["storekeeper"],
            "due": "2026-11-28T18:00:00.000+08:00",
        ]
        #expect(Event.Body(type: "loan.reminded", json: whole)?.json == whole)
        for (name, value) in [("items", []), ("to", []), ("to", ["owner"]), ("step", "overdue_9"), ("due", "soon")] as [(String, JSON)] {
            var members = whole.object ?? [:]
            members[name] = value
            #expect(Event.Body(type: "loan.reminded", json: .object(members)) == nil, "\(name)")
        }
    }
}
