import Foundation
import Ledger
import Testing

/// `docs/master-data.md` has exactly the members that the code knows.
@Suite struct MasterDocumentTests {
    @Test func membersAreDocumented() throws {
        let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("docs/master-data.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        var documented: [MasterRow.Set: Set<String>] = [:]
        var sets: [MasterRow.Set] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("### ") {
                sets = MasterRow.Set.allCases.filter { line.contains("\($0.rawValue):") }
            } else if line.hasPrefix("## ") {
                sets = []
            } else if line.hasPrefix("| `"), let cell = line.split(separator: "|").first {
                let names = cell.split(separator: "`").filter { $0.contains { $0.isLetter } }.map(String.init)
                for set in sets { documented[set, default: []].formUnion(names) }
            }
        }
        for set in MasterRow.Set.allCases { #expect(documented[set] == Set(set.members.map(\.name)), "\(set)") }
        for code in MasterProblem.Code.allCases { #expect(text.contains("`\(code.rawValue)`"), "\(code)") }
    }
}
