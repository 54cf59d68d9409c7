import Ledger
import Readings
import Testing
import Upstream

@Suite struct EventFilterTests {
    @Test(
        arguments: [
            (
                [],
                [
                    "loan.checked_out", "loan.returned", "loan.reminded", "loan.renewed", "loan.transferred", "loan.inspected",
                    "loan.lost", "loan.flagged", "tool.found", "tool.maintenance_due", "tool.serviced", "permit.requested",
                    "permit.approved", "permit.rejected", "permit.withdrawn", "crossing.retracted", "stock.put_away", "stock.consumed",
                    "exception.raised", "exception.assigned", "exception.resolved", "clock.corrected",
                ]
            ),
            (["*"], Event.Body.types), (["loan.returned"], ["loan.returned"]),
            (["tag.*", "loan.returned"], ["loan.returned", "tag.bound", "tag.unbound", "tag.observed_late"]),
            (["loan"], []),
        ] as [([String], [String])]) func passes(types: [String], expected: [String])
    {
        let filter = EventFilter(types: types)
        #expect(Event.Body.types.filter { filter.passes(type: $0) } == expected)
    }

    @Test(arguments: [(Certainty.final, false), (.provisional, true)])
    func provisionalEventsMustBeAskedFor(certainty: Certainty, passes: Bool) {
        let filter = EventFilter(types: [], certainty: certainty)
        #expect(filter.passes(type: "loan.returned", isFinal: true))
        #expect(filter.passes(type: "loan.returned", isFinal: false) == passes)
        #expect(filter.passes(type: "crossing.retracted", isFinal: false) == passes)
        #expect(!filter.passes(type: "tag.bound", isFinal: false))
    }
}
