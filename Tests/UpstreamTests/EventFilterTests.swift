import Ledger
import Testing
import Upstream

@Suite struct EventFilterTests {
    @Test(
        arguments: [
            ([], ["loan.checked_out", "loan.returned", "stock.put_away", "exception.raised", "exception.assigned", "exception.resolved"]),
            (["*"], Event.Body.types), (["loan.returned"], ["loan.returned"]),
            (["tag.*", "loan.returned"], ["loan.returned", "tag.bound", "tag.unbound", "tag.observed_late"]),
            (["loan"], []),
        ] as [([String], [String])]) func passes(types: [String], expected: [String])
    {
        let filter = EventFilter(types: types)
        #expect(Event.Body.types.filter { filter.passes(type: $0) } == expected)
    }
}
