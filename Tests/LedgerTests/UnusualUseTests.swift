import Readings
import Testing

@testable import Ledger

/// A loan is said twice, provisionally and for good: it is counted once.
@Suite("Ledger: unusual use of what was provisional")
struct UnusualUseTests {
    private static let drill = ItemKey("DRILL-01")!

    /// - Parameter loans: of this month, closed.
    private static func ledger(loans: Int) -> Ledger {
        var ledger = Fixture.ledger()
        var times = [Fixture.now, Fixture.now]
        times[0].milliseconds -= 70 * 86_400_000
        times[1].milliseconds -= 40 * 86_400_000
        times += Array(repeating: Fixture.now, count: loans)
        for time in times {
            _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: time)
            _ = ledger.decide(Fixture.crossing(.in, [Fixture.drill]), at: time)
        }
        return ledger
    }

    private static func flags(_ decision: Decision) -> [JSON] {
        decision.events.compactMap { if case .flagged(let flag) = $0.body { flag.figures } else { nil } }
    }

    @Test("The loan that passes the bound is flagged when it is certain, and no other", arguments: [11, 12, 13])
    func rate(loans: Int) {
        var ledger = Self.ledger(loans: loans)
        let first = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill], badges: ["1001"]))
        #expect(Self.flags(first).isEmpty)
        let last = ledger.decide(Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1001"]))
        // Twelve are usual for anybody; the thirteenth is the first that is not.
        #expect(Self.flags(last) == (loans == 12 ? [["loans": 13, "bound": 12, "months": 2]] : []))
    }
}
