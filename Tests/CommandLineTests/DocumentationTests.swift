import ControlTestSupport
import Foundation
import Readings
import Testing

/// `docs/cli.md` is the document of record: every verb and option stands in it.
@Suite struct DocumentationTests {
    private static let document: String? = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/cli.md")
        return try? String(contentsOf: file, encoding: .utf8)
    }()

    @Test func everyVerbAndOptionIsDocumented() async throws {
        let document = try #require(Self.document)
        let dump = try await Program(socket: "/nowhere").run(["--experimental-dump-help"])
        let root = try #require(try JSON(parsing: dump.output.trimmingCharacters(in: .newlines))["command"])
        var seen = 0
        func walk(_ command: JSON, _ path: String) {
            let path = path.isEmpty ? command["commandName"]?.string ?? "" : "\(path) \(command["commandName"]?.string ?? "")"
            let children = (command["subcommands"]?.array ?? []).filter { $0["commandName"] != "help" && $0["shouldDisplay"] != false }
            for child in children { walk(child, path) }
            guard children.isEmpty else { return }
            seen += 1
            // `decode bytes` is what `decode` alone does.
            let heading = path.replacingOccurrences(of: "decode bytes", with: "decode --profile")
            #expect(document.contains("`\(heading)"), "\(path)")
            for argument in command["arguments"]?.array ?? [] where argument["shouldDisplay"] != false {
                for name in argument["names"]?.array ?? [] where name["kind"] == "long" {
                    let option = "--\(name["name"]?.string ?? "")"
                    #expect(document.contains(option), "\(path) \(option)")
                }
            }
        }
        walk(root, "")
        #expect(seen >= 25)
    }

    @Test func exitCodesAreDocumented() throws {
        let document = try #require(Self.document)
        for code in 0...5 { #expect(document.contains("| \(code) |")) }
    }
}
