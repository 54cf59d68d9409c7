import Foundation
import Testing

/// `docs/architecture.md` describes the targets that there are, and the imports that `ArchitectureTests` allows.
@Suite("The document of the architecture")
struct ArchitectureDocumentTests {
    private static func table() throws -> [String: Set<String>] {
        let section = try #require(Document("docs/architecture.md").section("Targets"))
        return Dictionary(uniqueKeysWithValues: section.rows.map { (Document.codes(in: $0[0]).joined(), Set(Document.codes(in: $0[2]))) })
    }

    @Test("The table of imports is that of the test of imports")
    func imports() throws {
        let source = try Document.contents("Tests/ArchitectureTests/ImportTests.swift")
        var allowed: [String: Set<String>] = [:]
        var ledger: Set<String> = []
        func names(_ list: Substring) -> Set<String> { Set(list.matches(of: /"(\w+)"/).map { String($0.1) }) }
        if let match = source.firstMatch(of: /static let ledger: Set<String> = \[([^\]]*)\]/) { ledger = names(match.1) }
        for match in source.matches(of: /"(\w+)": (ledger)?(?:\.union\()?(?:\[([^\]]*)\])?/) {
            allowed[String(match.1)] = (match.2 == nil ? [] : ledger).union(match.3.map(names) ?? [])
        }
        #expect(allowed.count > 15)
        let documented = try Self.table()
        #expect(Set(documented.keys) == Set(allowed.keys))
        for (target, modules) in allowed { #expect(documented[target] == modules, "\(target)") }
    }

    @Test("Every folder of Sources is described")
    func targets() throws {
        let text = try Document("docs/architecture.md").text
        for folder in try FileManager.default.contentsOfDirectory(
            atPath: Document.root.appending(path: "Sources").path(percentEncoded: false))
        where !folder.hasPrefix(".") {
            #expect(text.contains("**\(folder)**") || text.contains("`\(folder)`"), "\(folder)")
        }
    }

    @Test("Every package is explained")
    func packages() throws {
        let section = try #require(Document("docs/architecture.md").section("Dependencies"))
        let explained = section.rows.map { $0[0].lowercased() }.joined(separator: " ")
        for match in try Document.contents("Package.swift").matches(of: /\.package\(url: "https:\/\/[^"]*\/([\w.-]+)"/) {
            let name = match.1.lowercased().replacing(".swift", with: "")
            #expect(explained.contains(name), "\(name)")
        }
    }
}

/// `docs/capture-format.md` has every member that the code writes.
@Suite("The document of captures")
struct CaptureDocumentTests {
    @Test("Every member that is written is described")
    func members() throws {
        let text = try Document("docs/capture-format.md").text
        let source = try Document.contents("Sources/Readings/Capture+Text.swift")
        let written = Set(source.matches(of: /members\["(\w+)"\]/).map { String($0.1) })
        #expect(written.count > 15)
        for member in written { #expect(text.contains("`\(member)`"), "\(member)") }
    }
}

/// Links between documents lead somewhere.
@Suite("Links")
struct LinkTests {
    @Test(
        "Relative links lead to files",
        arguments: [
            "README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/README.md", "docs/architecture.md",
            "docs/configuration.md", "docs/events.md", "docs/adding-a-device.md", "docs/capture-format.md", "docs/master-data.md",
            "docs/upstream.md", "docs/devices.md", "docs/cli.md", "DeviceProfiles/README.md",
        ])
    func links(path: String) throws {
        let folder = Document.root.appending(path: path).deletingLastPathComponent()
        for match in try Document.contents(path).matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/) {
            let target = folder.appending(path: String(match.1)).standardizedFileURL.path(percentEncoded: false)
            #expect(FileManager.default.fileExists(atPath: target), "\(path): \(match.1)")
        }
    }

    /// What is looked up, key by key and type by type, may be longer than what is read.
    @Test(
        "Documents keep to their length",
        arguments: [
            ("README.md", 400), ("docs/architecture.md", 400), ("docs/loans.md", 250), ("docs/configuration.md", 550),
            ("docs/events.md", 800),
        ])
    func lengths(path: String, lines: Int) throws {
        #expect(try Document.contents(path).split(separator: "\n", omittingEmptySubsequences: false).count <= lines)
    }
}
