import Ledger
import Readings
import TestSupport
import Testing

@testable import Reports
@testable import Store

@Suite struct ReportPropertyTests {
    private static let classes: [ItemKey: String?] = {
        var classes: [ItemKey: String?] = [:]
        for item in RandomMonths.items { classes[ItemKey(item)!] = .some(RandomMonths.itemClass(item)) }
        return classes
    }()

    @Test(
        "Sums over people, classes, stations and items agree with each other and with the list of events",
        arguments: [("2026-10", "2027-01-10"), ("2026-11", "2026-11-20"), ("2026-12", "2027-01-10")])
    func sums(month: String, day: String) throws {
        for seed in UInt64(1)...5 {
            let months = RandomMonths(seed: seed, steps: 500)
            let index = try EventIndex(directory: IndexFolder().path)
            try index.take(months.stored)
            let now = WallTime(rfc3339: "\(day)T12:00:00+08:00")!
            // What happens after now is not in the log yet.
            let past = months.events.filter { (WallTime(rfc3339: $0["time"]!.string!)?.milliseconds ?? 0) <= now.milliseconds }
            let current = try EventIndex(directory: IndexFolder().path)
            try current.take(past.map { StoredEvent(sequence: $0["seq"]!.integer!, bytes: $0.canonicalBytes) })
            let period = ReportPeriod(east: month)
            let report = try current.report(period, now: now.rfc3339, classes: Self.classes)
            let naive = NaiveReport(past, period, asOf: report.asOf.milliseconds)

            func sum(_ figures: [LoanFigures]) -> LoanFigures {
                var sum = LoanFigures()
                for figure in figures { sum.add(figure) }
                return sum
            }
            #expect(sum(report.people.map(\.figures)) == report.totals, "seed \(seed)")
            #expect(sum(report.stations.map(\.figures)) == report.totals, "seed \(seed)")
            for other in [report.classes.map(\.figures), report.items.map(\.figures)] {
                var other = sum(other)
                #expect(other.loans >= report.totals.loans)
                other.loans = report.totals.loans
                #expect(other == report.totals, "seed \(seed)")
            }
            #expect(report.days.reduce(0) { $0 + $1.taken } == report.totals.items)
            #expect(report.days.reduce(0) { $0 + $1.returned } == report.received.values.reduce(0, +))
            #expect(report.received.values.reduce(0, +) == report.totals.returned + report.totals.found)
            #expect(report.totals.items > 20 && report.totals.late > 0 && report.totals.refused > 0)

            #expect(report.totals == naive.figures { _, _, _ in true }, "seed \(seed)")
            for group in report.people {
                #expect(
                    group.figures == naive.figures { _, person, _ in person == group.key?.text },
                    "seed \(seed) \(String(describing: group.key))")
            }
            for group in report.classes {
                #expect(group.figures == naive.figures { item, _, _ in RandomMonths.itemClass(item) == group.name }, "seed \(seed)")
            }
            for group in report.stations {
                #expect(group.figures == naive.figures { _, _, station in station == group.key }, "seed \(seed)")
            }
        }
    }

    @Test("An index that is fed step by step is the one that is made anew")
    func steps() throws {
        var generator = SeededGenerator(seed: 11)
        for seed in UInt64(20)...24 {
            let events = RandomMonths(seed: seed, steps: 400).stored
            let (whole, steps) = (try EventIndex(directory: IndexFolder().path), try EventIndex(directory: IndexFolder().path))
            try whole.take(events)
            var done = 0
            while done < events.count {
                let next = min(events.count, done + Int.random(in: 1...40, using: &generator))
                // Two readers of the log at once, and one that was late.
                let again = max(0, done - Int.random(in: 0...20, using: &generator))
                try steps.take(Array(events[again..<next]))
                done = next
            }
            #expect(try whole.loanHistory(from: .min, to: .max) == steps.loanHistory(from: .min, to: .max), "seed \(seed)")
            #expect(try !whole.loanHistory(from: .min, to: .max).lines.isEmpty)
        }
    }
}
