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
}
