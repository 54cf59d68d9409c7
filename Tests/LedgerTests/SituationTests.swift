import Foundation
import Identifiers
import Readings
import SiteConfiguration
import Testing

@testable import Ledger

/// The table of `Situations/loans.md`, a line at a time.
@Suite("Ledger: situations")
struct SituationTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var line: Int
        var cells: [String]
        var testDescription: String { "line \(line): \(cells.filter { !$0.isEmpty }.joined(separator: " | "))" }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Situations")

    static let rows: [Row] = {
        let text = (try? String(contentsOf: folder.appending(path: "loans.md"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            guard line.hasPrefix("|") else { return nil }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
            return cells.first == "site" || cells.first == "---" ? nil : Row(line: index + 1, cells: cells)
        }
    }()

    static let master: MasterData = {
        let text = (try? String(contentsOf: folder.appending(path: "master.ndjson"), encoding: .utf8)) ?? ""
        let rows = text.split(separator: "\n").compactMap { line in
            (try? JSON(parsing: Array(line.utf8))).flatMap { try? MasterRow(json: $0) }
        }
        return (try? MasterData().applying(rows)) ?? MasterData()
    }()

    @Test("There are as many as there should be")
    func count() {
        #expect(Self.rows.count >= 150)
        #expect(Self.master.items.count == 15)
        #expect(Set(Self.rows.map(\.cells)).count == Self.rows.count)
    }

    @Test("Situation", arguments: rows)
    func situation(row: Row) throws {
        try #require(row.cells.count == 5)
        var world = try SituationWorld(policy: row.cells[0], master: Self.master)
        for step in Self.steps(row.cells[1]) { _ = try world.run(step) }
        var events: [String] = []
        var signal = "-"
        for step in Self.steps(row.cells[2]) {
            let outcome = try world.run(step)
            events += outcome.events
            signal = outcome.signal
        }
        #expect(events == Self.steps(row.cells[3]))
        #expect(signal == row.cells[4])
        // Whatever happened, the rows and the log say the same as the image.
        try world.check()
    }

    private static func steps(_ cell: String) -> [String] {
        cell.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
