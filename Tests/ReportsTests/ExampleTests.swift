import Ledger
import Readings
import Testing

@testable import Reports
@testable import Store

/// A month that was reckoned by hand: `Examples/november.txt`.
@Suite struct ExampleTests {
    private static let figures = [
        "loans", "items", "returned", "on_time", "late", "transferred", "renewed", "overdue", "damaged", "incomplete", "lost", "found",
        "refused", "hours_out",
    ]
    private static let optional = ["mean_days", "utilisation", "tools", "received"]

    private func report(_ script: EventScript, pieces: Int, now: String) throws -> JSON {
        let index = try EventIndex(directory: IndexFolder().path)
        for start in stride(from: 0, to: script.events.count, by: pieces) {
            try index.take(Array(script.events[start..<min(start + pieces, script.events.count)]))
        }
        return try index.report(ReportPeriod(east: "2026-11"), now: now, classes: script.tools).eastern
    }

    /// Everything that the file says, and nothing else.
    private func check(_ report: JSON, _ script: EventScript) {
        let keys = [
            "person": ("people", "person"), "class": ("classes", "class"), "station": ("stations", "station"), "item": ("items", "item"),
        ]
        var order: [String: [String]] = [:]
        var days: [String: JSON] = [:]
        for words in script.expectations {
            switch words[0] {
            case "figures":
                let isTotal = words[1] == "total"
                var found: JSON? = report["totals"]
                if let (list, member) = keys[words[1]] {
                    order[list, default: []].append(words[2])
                    found = report[list]?.array?.first { $0[member]?.string ?? "-" == words[2] }
                }
                let expected = Dictionary(
                    uniqueKeysWithValues: words.dropFirst(isTotal ? 2 : 3).map { word in
                        let parts = word.split(separator: "=")
                        return (String(parts[0]), Double(parts[1]))
                    })
                for name in Self.figures { #expect(found?[name]?.double == expected[name, default: 0], "\(words) \(name)") }
                for name in Self.optional where expected[name] != nil || name == "mean_days" {
                    #expect(found?[name]?.double == expected[name, default: nil], "\(words) \(name)")
                }
            case "day":
                days[words[1]] = .object(
                    Dictionary(
                        uniqueKeysWithValues: words.dropFirst(2).map { word in
                            let parts = word.split(separator: "=")
                            return (String(parts[0]), .integer(Int64(parts[1])!))
                        }))
            default: break
            }
        }
        for (list, names) in order {
            let member = keys.values.first { $0.0 == list }!.1
            let found = (report[list]?.array ?? []).map { $0[member]?.string ?? "-" }
            if list == "people" || list == "classes" { #expect(Set(found) == Set(names)) } else { #expect(found == names) }
        }
        #expect(report["days"]?.array?.count == 30)
        for day in report["days"]?.array ?? [] {
            for name in ["taken", "returned"] {
                #expect(day[name]?.integer == days[day["day"]?.string ?? ""]?[name]?.integer ?? 0, "\(day) \(name)")
            }
        }
        func lines(_ word: String) -> [[String]] { script.expectations.filter { $0[0] == word }.map { Array($0.dropFirst()) } }
        func moment(_ json: JSON?) -> String { String((json?.string ?? "never").prefix(16)) }
        #expect(
            (report["dead_stock"]?["items"]?.array ?? []).map { [$0["item"]?.string ?? "", moment($0["last"])] } == lines("dead"))
        for word in ["overdue", "lost"] {
            #expect(
                (report[word]?.array ?? []).map {
                    [$0["loan"]?.string ?? "", $0["item"]?.string ?? "", $0["person"]?.string ?? "", "due", moment($0["due"])]
                } == lines(word))
        }
        #expect((report["damage"]?.array ?? []).map { [$0["item"]?.string ?? "", $0["result"]?.string ?? ""] } == lines("damage"))
    }

    @Test("A month as reckoned by hand, whether its events come at once or one by one", arguments: [1, 2, 7, 100])
    func november(pieces: Int) throws {
        let script = try EventScript(file: "november.txt")
        #expect(script.events.count == 27)
        check(try report(script, pieces: pieces, now: "2026-12-15T12:00:00+08:00"), script)
    }

    @Test("A month that is not over is told as of now")
    func running() throws {
        let script = try EventScript(file: "november.txt")
        let events = script.events.prefix { $0.sequence < 17 }
        let index = try EventIndex(directory: IndexFolder().path)
        try index.take(Array(events))
        // cat has the second drill since the 9th at 10:00, due on the 10th.
        let report = try index.report(ReportPeriod(east: "2026-11"), now: "2026-11-13T10:00:00+08:00", classes: script.tools).eastern
        #expect(report["as_of"] == "2026-11-13T10:00:00.000+08:00")
        #expect(report["hours"]?.double == 298)
        #expect(report["totals"]?["overdue"] == 1)
        #expect(report["overdue"]?.array?.compactMap { $0["loan"]?.string } == ["L5"])
        // 33 + 96 + 228 + 96 hours.
        #expect(report["totals"]?["hours_out"]?.double == 453)
        // 453 of 6 × 298.
        #expect(report["totals"]?["utilisation"]?.double == 0.253)
    }

    @Test("What was renewed after the month was overdue at its end")
    func renewedLater() throws {
        let script = try EventScript(
            text: """
                tool A -
                1 2026-11-02T08:00 crib take L1 A ann due 2026-11-20T18:00
                2 2026-12-01T08:00 crib renew L1 A due 2026-12-20T18:00
                """)
        let index = try EventIndex(directory: IndexFolder().path)
        try index.take(script.events)
        func overdue(_ month: String) throws -> JSON? {
            try index.report(ReportPeriod(east: month), now: "2026-12-10T00:00:00+08:00", classes: script.tools).eastern["totals"]?[
                "overdue"]
        }
        #expect(try overdue("2026-11") == 1)
        #expect(try overdue("2026-12") == 0)
    }

    @Test("A lost item is found by whoever looks at it or brings it, once", arguments: ["found A", "inspect L1 A fine", "back L1 A"])
    func found(how: String) throws {
        let script = try EventScript(
            text: """
                tool A -
                1 2026-11-02T08:00 crib take L1 A ann due 2026-11-20T18:00
                2 2026-11-03T08:00 crib lost L1 A
                3 2026-11-04T08:00 gate \(how)
                4 2026-11-05T08:00 crib inspect L1 A damaged
                5 2026-11-06T08:00 crib found A
                """)
        let index = try EventIndex(directory: IndexFolder().path)
        try index.take(script.events)
        let report = try index.report(ReportPeriod(east: "2026-11"), now: "2026-12-10T00:00:00+08:00", classes: script.tools)
        #expect((report.totals.lost, report.totals.found, report.totals.damaged, report.totals.returned) == (1, 1, 1, 0))
        #expect(report.received == ["gate": 1] && report.days[3].returned == 1)
    }

    @Test("Days of 23 and 25 hours, and a month before all loans")
    func days() {
        // Berlin, October 2026: summer time ends on the 25th, so that day has 25 hours.
        let starts = (1...32).map { day in
            WallTime(
                milliseconds: WallTime(rfc3339: "2026-10-01T00:00:00+02:00")!.milliseconds + Int64(day - 1) * 86_400_000
                    + (day > 25 ? 3_600_000 : 0), offsetMinutes: day > 25 ? 60 : 120, quality: .synchronised)
        }
        let first = CivilDate(year: 2026, month: 10, day: 1)!
        let period = ReportPeriod(CivilDate(year: 2026, month: 10, day: 17)!, deadMonths: 12) { day in
            day < first ? WallTime(rfc3339: "\(day)T00:00:00+01:00")! : starts[Int(day.daysSince1970 - first.daysSince1970)]
        }
        #expect(period.name == "2026-10")
        #expect(period.quiet.localDate.description == "2025-11-01")
        #expect((period.end.milliseconds - period.start.milliseconds) / 3_600_000 == 745)
        for (day, start) in starts.dropLast().enumerated() {
            #expect(period.day(of: start.milliseconds) == day)
            #expect(period.day(of: start.milliseconds - 1) == (day == 0 ? nil : day - 1))
        }
        #expect(period.day(of: period.end.milliseconds) == nil)
        let report = LoanReport(
            period: period, now: starts[4], deadMonths: 12, history: LoanHistory(), classes: [:], lastOut: [:])
        #expect(report.eastern["totals"]?["items"] == 0 && report.eastern["totals"]?["utilisation"] == nil)
    }

    @Test("Every time is told by the clock of its day, and classes have their names")
    func clocksAndNames() throws {
        let script = try EventScript(file: "november.txt")
        let index = try EventIndex(directory: IndexFolder().path)
        try index.take(script.events)
        let report = try index.report(ReportPeriod(east: "2026-11"), now: "2026-12-10T00:00:00+08:00", classes: script.tools)
        // As if clocks had been put back on 15 November at 00:00.
        let change = WallTime(rfc3339: "2026-11-15T00:00:00+08:00")!.milliseconds
        let json = report.json(offset: { $0 < change ? 480 : 420 }, classNames: ["gauge": "量具"])
        #expect(json["damage"]?.array?.first?["time"] == "2026-11-12T21:00:00.000+08:00")
        #expect(json["lost"]?.array?.first?["ended"] == "2026-11-21T09:00:00.000+07:00")
        #expect(json["classes"]?.array?.first { $0["class"] == "gauge" }?["class_name"] == "量具")
        #expect(json["classes"]?.array?.first { $0["class"] == "power-tool" }?["class_name"] == nil)
    }
}
