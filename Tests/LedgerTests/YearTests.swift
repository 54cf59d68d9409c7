import Foundation
import Identifiers
import Readings
import SiteConfiguration
import TestSupport
import Testing

@testable import Ledger

/// A site day by day: who borrows what, who is told what and when, and that the log gives it all back.
@Suite("Ledger: a year of a site")
struct YearTests {
    struct Size: Sendable {
        var people: Int
        var tools: Int
        var loans: Int
        /// Local days.
        var first: String
        var days: Int
    }

    /// Thirty days around each change of the clocks always; the whole year in long runs.
    static let sizes =
        [
            Size(people: 50, tools: 900, loans: 3_000, first: "2026-03-10", days: 30),
            Size(people: 50, tools: 900, loans: 3_000, first: "2026-10-10", days: 30),
        ] + (LongRuns.areAsked ? [Size(people: 500, tools: 5_000, loans: 200_000, first: "2026-01-01", days: 365)] : [])

    @Test("Every reminder is sent when it is due, once; the log folds to the same state", arguments: sizes)
    func year(size: Size) throws {
        let begin = ContinuousClock.now
        var site = try SimulatedYear(size: size, seed: 2_026)
        try site.run()
        let elapsed = ContinuousClock.now - begin
        let slowest = site.decisions.sorted()[site.decisions.count * 99 / 100]
        print(
            "year: \(site.borrowed) loans, \(site.told) reminders, \(site.events) events in \(elapsed); 99 of 100 decisions within \(slowest)"
        )
        #expect(site.borrowed > size.loans)
        #expect(site.problems.isEmpty, "\(site.problems.prefix(5))")
        #expect(site.told > size.loans / 20)
        #expect(try LedgerState(nextSequence: site.ledger.state.nextSequence, rows: site.ledger.state.rows) == site.ledger.state)
        #expect(site.folded == site.ledger.state)
    }

    @Test("Fifty gateways without a network for a year: no loan number is given twice")
    func numbers() {
        var generator = SeededGenerator(seed: 50)
        var numbers: Set<String> = []
        let loans = LongRuns.areAsked ? 200_000 : 2_000
        for gateway in 0..<50 {
            // Two of them were restored in between, and count from a lower number under a new epoch.
            for (epoch, range) in [(generator.next(), 1...loans), (generator.next(), loans - 100...loans)].prefix(gateway < 2 ? 2 : 1) {
                for counter in range {
                    let number = LoanNumber(gateway: "G\(gateway)", epoch: epoch, counter: Int64(counter)).description
                    guard numbers.insert(number).inserted else { return #expect(Bool(false), "\(number) twice") }
                }
            }
        }
        #expect(numbers.count == 50 * loans + 202)
    }
}
