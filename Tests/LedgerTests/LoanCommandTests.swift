import Readings
import SiteConfiguration
import Testing

@testable import Ledger

/// What people ask about loans, where the table of situations has no words for it.
@Suite("Ledger: commands about loans")
struct LoanCommandTests {
    private static let drill = ItemKey("DRILL-01")!

    private static func lent(_ ledger: inout Ledger) throws -> Loan {
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
        return try #require(ledger.state.loans[drill])
    }

    @Test("Who is in the master data no more renews nothing, and brings back all the same")
    func gone() throws {
        var ledger = Fixture.ledger()
        let loan = try Self.lent(&ledger)
        var master = Fixture.master
        master.people[Fixture.liLei] = nil
        ledger.loadMaster(master)
        #expect(throws: CommandRefusal.self) {
            try ledger.plan(.loan(.renew(loan: loan.number, item: nil)), by: "anna", at: Fixture.now)
        }
        #expect(ledger.decide(Fixture.crossing(.in, [Fixture.drill])).events.map(\.summary) == ["loan.returned DRILL-01 p-li"])
    }

    @Test("A quantity that is no number is no quantity")
    func quantity() {
        func read(_ quantity: JSON?) -> LoanCommand? {
            LoanCommand(json: .compact(["do": "permit.request", "person": "p-li", "items": ["DRILL-01"], "quantity": quantity]))
        }
        #expect(read(nil) != nil && read(2) != nil)
        for quantity in ["2", 0, 100_001, true, []] as [JSON] { #expect(read(quantity) == nil, "\(quantity)") }
    }

    @Test("What becomes final because nobody looks at it again has its consequences")
    func orphans() throws {
        var master = Fixture.master
        master.classes["power"] = ItemClass(name: "Power tools", maintenanceUses: 1)
        var ledger = Fixture.ledger(master: master)
        _ = try Self.lent(&ledger)
        _ = ledger.decide(Fixture.word(1, .provisional, .in, [Fixture.drill]))
        ledger.abandon(station: nil)
        let decision = ledger.commit(ledger.settleOrphans(at: Fixture.now))
        #expect(decision.events.map(\.body.type) == ["loan.returned", "tool.maintenance_due"])
        #expect(ledger.state.tools[Self.drill]?.isMaintenanceTold == true)
    }

    // MARK: While the station has still to say its last word

    /// Takes the drill provisionally, does something with its loan, and hears the last word of the station.
    private static func between(
        policy: LoanPolicy = LoanPolicy(), _ command: (Loan) -> LoanCommand, last: Proposal? = nil
    ) throws -> (ledger: Ledger, asked: [Event], last: [Event]) {
        var ledger = Fixture.ledger(policy)
        _ = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill], badges: ["1001"]))
        let loan = try #require(ledger.state.loans[drill])
        let asked = ledger.commit(try ledger.plan(.loan(command(loan)), by: "anna", at: Fixture.now)).events
        let last = ledger.decide(last ?? Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1001"])).events
        #expect(ledger.state.provisional.isEmpty)
        return (ledger, asked, last)
    }

    @Test("A loan that is renewed before it is certain is certain then, and due when it was said")
    func renewed() throws {
        let (ledger, asked, last) = try Self.between { .renew(loan: $0.number, item: nil) }
        #expect(asked.map(\.word) == ["loan.checked_out DRILL-01 p-li <1", "loan.renewed"])
        #expect(last.isEmpty)
        let loan = try #require(ledger.state.loans[Self.drill])
        #expect(loan.due.rfc3339.hasPrefix("2026-12-05T18:00") && loan.renewals == 1)
        // Nor may the station take it back, or think that it was somebody else.
        for last in [Fixture.retraction(1), Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1002"])] {
            let (ledger, _, said) = try Self.between({ .renew(loan: $0.number, item: nil) }, last: last)
            #expect(said.isEmpty && ledger.state.loans[Self.drill] == loan)
        }
    }

    @Test("A tool that was handed on before it was certain who took it stays where it was handed")
    func transferred() throws {
        let (ledger, asked, last) = try Self.between { _ in .transfer(item: Self.drill, to: Fixture.hanMei) }
        #expect(asked.map(\.word) == ["loan.checked_out DRILL-01 p-li <1", "loan.transferred"])
        #expect(last.isEmpty)
        #expect(ledger.state.loans[Self.drill]?.person == Fixture.hanMei)
    }

    @Test("What was handed on is not withdrawn with the crossing, nor is what a rule said of it")
    func withdrawn() throws {
        let policy = LoanPolicy(withoutPermit: .flag)
        let (ledger, _, last) = try Self.between(
            policy: policy, { _ in .transfer(item: Self.drill, to: Fixture.hanMei) }, last: Fixture.retraction(1))
        #expect(last.map(\.word) == ["exception.raised not_permitted DRILL-01 p-li <2"])
        #expect(ledger.state.loans[Self.drill]?.person == Fixture.hanMei)
        #expect(ledger.state.exceptions.count == 2)
    }

    @Test("A tool that was lost, taken back or never lent by what a person says is not lent again by the last word")
    func closed() throws {
        let lost = try Self.between { _ in .lost(item: Self.drill, note: "") }
        #expect(lost.asked.map(\.body.type) == ["loan.checked_out", "loan.lost"] && lost.last.isEmpty)
        let back = try Self.between { .takeBack(loan: $0.number, item: nil) }
        #expect(back.asked.map(\.body.type) == ["loan.checked_out", "loan.returned"] && back.last.isEmpty)
        let void = try Self.between { .void(loan: $0.number, item: nil, note: "") }
        #expect(void.asked.map(\.word) == ["loan.checked_out DRILL-01 p-li <1", "crossing.retracted (loan.checked_out DRILL-01 p-li) <2"])
        #expect(void.last.isEmpty)
        for ledger in [lost.ledger, back.ledger, void.ledger] { #expect(ledger.state.loans.isEmpty) }
    }

    @Test("Other tools of the same happening are decided as before")
    func others() throws {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill, Fixture.saw], badges: ["1001"]))
        _ = ledger.commit(try ledger.plan(.loan(.transfer(item: Self.drill, to: Fixture.hanMei)), by: "anna", at: Fixture.now))
        let last = ledger.decide(Fixture.word(1, .final, .out, [Fixture.drill, Fixture.meter], badges: ["1001"]))
        #expect(
            last.events.map(\.word) == ["~crossing.retracted (loan.checked_out SAW-01 p-li) <2", "loan.checked_out METER-01 p-li"])
        #expect(ledger.state.loans.values.map(\.item.text).sorted() == ["DRILL-01", "METER-01"])
    }

    @Test("A return is certain once somebody has looked at the tool")
    func inspected() throws {
        var master = Fixture.master
        master.classes["power"] = ItemClass(name: "Power tools", maintenanceUses: 1)
        var ledger = Fixture.ledger(master: master)
        _ = try Self.lent(&ledger)
        _ = ledger.decide(Fixture.word(1, .provisional, .in, [Fixture.drill]))
        let asked = ledger.commit(
            try ledger.plan(.loan(.inspect(.init(item: Self.drill, result: .fine))), by: "anna", at: Fixture.now))
        #expect(asked.events.map(\.body.type) == ["loan.returned", "tool.maintenance_due", "loan.inspected"])
        #expect(ledger.decide(Fixture.retraction(1)).events.isEmpty && ledger.state.loans.isEmpty)
    }
}
