import Foundation
import Ledger
import OperatorText
import Readings
import SiteConfiguration
import TestSupport
import Testing

@testable import Reports
@testable import Store

/// The page and the table of values, as other people's parsers read them (`check_report.py`).
@Suite struct FormTests {
    private static let names = [
        "ann": "Anna \"An\" Kowalska", "bob": "</td></table><script>alert('x')</script>&amp;", "cat": "=cmd|' /C calc'!A1",
        "dan": "李\u{202E}雷\u{1B}[31m,\r\n;x", "DRILL-01": "+1 Bohrmaschine; 18 V", "DRILL-02": "\u{0301}\"\u{0301},\"=A1",
        "SAW-9": "@SUM(1)",
        "TORQUE-01": "－1 扭力扳手", "LADDER-1": "]]><svg onload=\"x\">", "CALIPER-3": "\t-2",
    ]

    /// November with names of strangers.
    private func report() throws -> JSON {
        let script = try EventScript(file: "november.txt")
        let index = try EventIndex(directory: IndexFolder().path)
        try index.take(script.events)
        return try index.report(ReportPeriod(east: "2026-11"), now: "2026-12-15T12:00:00+08:00", classes: script.tools).eastern.named(
            Self.names)
    }

    private func checked(_ kind: String, _ text: String) throws -> JSON {
        let folder = try IndexFolder()
        let file = "\(folder.path)/report.\(kind)"
        try Data(text.utf8).write(to: URL(filePath: file))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] ?? "python3", "-B",
            URL(filePath: #filePath).deletingLastPathComponent().appending(path: "check_report.py").path, kind, file,
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return try JSON(parsing: Array(output))
    }

    @Test(
        "The page is HTML and XML, needs nothing and runs nothing, whatever people are called",
        arguments: [Site.Language.english, .chinese])
    func page(language: Site.Language) throws {
        let report = try report()
        let page = try checked("page", ReportPage.html(of: report, language))
        #expect(page["problems"] == [])
        #expect(page["invisible"] == [])
        #expect(page["language"]?.string == (language == .chinese ? "zh-CN" : "en"))
        #expect(page["title"]?.string == (language == .chinese ? "2026-11 借用报表" : "Loans in 2026-11"))
        #expect(
            page["sections"]?.array?.compactMap(\.string)
                == ["days", "people", "classes", "stations", "wanted", "used", "overdue", "damage", "lost", "idle"])
        // Five days with something taken, four with something returned, two colours explained. Of people: two have something on time, one late,
        // one overdue, and three colours.
        #expect((page["bars"]?.array ?? []).prefix(2).compactMap(\.integer) == [11, 7])
        let cells = Set((page["cells"]?.array ?? []).compactMap(\.string))
        for name in Self.names.keys where !["SAW-9", "CALIPER-3"].contains(name) {
            let shown = Printable(escaping: Self.names[name]!, limit: 64).text
            #expect(cells.contains { $0.contains(shown) }, "\(name)")
        }
    }

    @Test("The table is read back as it was, and nothing in it is a formula")
    func sheet() throws {
        let report = try report()
        let sheet = try checked("sheet", ReportSheet.text(of: report))
        #expect(sheet["problems"] == [])
        let rows = sheet["rows"]?.array ?? []
        func row(_ section: String, _ key: String) -> JSON? { rows.first { $0["section"]?.string == section && $0["key"]?.string == key } }
        #expect(rows.count { $0["section"] == "person" } == 4 && rows.count { $0["section"] == "class" } == 3)
        #expect(rows.count { $0["section"] == "item" } == 4 && rows.count { $0["section"] == "dead" } == 2)
        #expect(row("person", "ann")?["name"] == "Anna \"An\" Kowalska")
        #expect(row("person", "cat")?["name"] == "'=cmd|' /C calc'!A1")
        #expect(row("person", "dan")?["name"] == "李\\u{202E}雷\\x1B[31m,\\r\\n;x")
        #expect(row("item", "DRILL-01")?["name"] == "'+1 Bohrmaschine; 18 V")
        #expect(row("item", "DRILL-02")?["name"]?.string?.hasSuffix(",\"=A1") == true)
        #expect(row("dead", "SAW-9")?["name"] == "'@SUM(1)")
        #expect(row("dead", "CALIPER-3")?["last"] == "2026-04-12T10:00:00.000+08:00")
        // Figures are the same as in the answer.
        for column in ReportSheet.columns.dropFirst(4).dropLast() {
            let value = report["totals"]?[column]?.double
            #expect(rows.first?[column]?.string.flatMap { $0.isEmpty ? nil : Double($0) } == value, "\(column)")
        }
    }

    @Test("Answers of another version, and ones that are no answers, make a page all the same")
    func strangeAnswers() throws {
        var generator = SeededGenerator(seed: 5)
        let whole = try report()
        for _ in 0..<200 {
            let report = whole.mutilated(&generator)
            for language in [Site.Language.english, .chinese] {
                _ = ReportPage.html(of: report, language)
                _ = ReportSection.all(of: report, limit: 5, language)
            }
            _ = ReportSheet.text(of: report)
        }
        for report in [whole.mutilated(&generator), [:], [], .null, "x"] {
            #expect(try checked("page", ReportPage.html(of: report, .english))["problems"] == [])
            #expect(try checked("sheet", ReportSheet.text(of: report))["problems"] == [])
        }
    }

    @Test("Steps of a scale are round, and there are at most ten")
    func scale() {
        for (largest, step) in [(1, 1), (5, 1), (6, 2), (12, 5), (40, 10), (99, 20), (2_000, 500)] as [(Int64, Int64)] {
            #expect(ReportPlot.niceStep(largest) == step, "\(largest)")
        }
        for exponent in 0..<30 {
            let largest = Int64(1) << exponent
            #expect(largest / ReportPlot.niceStep(largest) <= 10)
        }
        let plot = ReportPlot.days([("01", [.max, 3])], title: "x", legend: ["a", "b"])
        #expect(plot.contains("<rect"))
    }
}

extension JSON {
    /// With names beside keys, as the gateway puts them there.
    func named(_ names: [String: String]) -> JSON {
        switch self {
        case .array(let elements): return .array(elements.map { $0.named(names) })
        case .object(let members):
            var named = members.mapValues { $0.named(names) }
            if let key = members["person"]?.string { named["name"] = names[key].map(JSON.string) }
            if let key = members["item"]?.string { named["item_name"] = names[key].map(JSON.string) }
            return .object(named)
        default: return self
        }
    }

    /// Something in it is something else.
    fileprivate func mutilated(_ generator: inout SeededGenerator) -> JSON {
        if Int.random(in: 0..<40, using: &generator) == 0 {
            let strange: [JSON] = [
                .null, "", "<b>", -1, .integer(.max), .integer(.min), .number(.infinity), .number(-1e300), .bool(true), [], [:],
                ["x": ["y": 1]],
            ]
            return strange.randomElement(using: &generator) ?? .null
        }
        switch self {
        case .array(let elements):
            var result: [JSON] = []
            for element in elements { result.append(element.mutilated(&generator)) }
            return .array(result)
        case .object(let members):
            var result: [String: JSON] = [:]
            for (name, member) in members.sorted(by: { $0.key < $1.key }) { result[name] = member.mutilated(&generator) }
            return .object(result)
        default: return self
        }
    }
}
