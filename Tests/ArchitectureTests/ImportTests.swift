import Foundation
import Testing

/// The table of docs/architecture.md, as a test: what each target may import.
@Suite("Imports point one way")
struct ImportTests {
    static let pure: [String: Set<String>] = [
        "Identifiers": [],
        "Readings": ["Identifiers"],
        "Decoding": ["Readings", "Identifiers"],
        "SiteConfiguration": ["Readings", "Identifiers"],
        "Presence": ["Readings", "Identifiers"],
        "Stations": ["Presence", "SiteConfiguration", "Readings", "Identifiers"],
        "Ledger": ["Readings", "SiteConfiguration", "Identifiers"],
        "Simulation": ["Presence", "SiteConfiguration", "Readings", "Identifiers"],
        "OperatorText": ["Ledger", "Readings", "SiteConfiguration", "Identifiers"],
        "Reports": ["Ledger", "OperatorText", "Readings", "SiteConfiguration", "Identifiers"],
        "Engine": ["Decoding", "Stations", "Ledger", "Presence", "SiteConfiguration", "Readings", "Identifiers"],
    ]

    static let system: Set<String> = ["Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Dispatch"]
    static let ledger: Set<String> = ["Ledger", "Readings", "SiteConfiguration", "Identifiers"]

    static let effectful: [String: Set<String>] = [
        "Profiles": ["Decoding", "Readings", "Identifiers", "TOMLKit"],
        "Store": ledger.union(["GRDB", "GRDBSQLite", "CCrypto", "CSQLite"]),
        "MasterImport": ledger,
        "Devices": ["Readings", "Identifiers", "CLinux", "CTLS", "CUdev", "CModbus", "NIOCore", "NIOPosix", "NIOConcurrencyHelpers"],
        "Probing": ["Profiles", "Decoding", "Devices", "Readings", "Identifiers"],
        "HTTPClient": ["CCurl", "Readings"],
        "Upstream": ledger.union(["HTTPClient", "CCrypto", "CTLS", "CMosquitto", "CPostgres"]),
        "Control": ledger.union([
            "OperatorText", "HTTPClient", "CLinux", "CCurl", "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "NIOPosix",
            "NIOHTTP1",
            "Logging", "ServiceLifecycle",
        ]),
        "DeviceSimulators": [
            "Simulation", "Presence", "Devices", "SiteConfiguration", "Readings", "Identifiers", "Decoding", "CLinux",
            "NIOConcurrencyHelpers",
        ],
    ]

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func imports(of target: String) throws -> [(file: String, module: String)] {
        let folder = root.appending(path: "Sources/\(target)")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        return try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line -> (String, String)? in
                let words = line.split(separator: " ").map(String.init)
                guard let position = words.firstIndex(of: "import"),
                    words[..<position].allSatisfy({ $0.hasPrefix("@") || ["public", "internal", "private", "package"].contains($0) }),
                    position + 1 < words.count
                else { return nil }
                let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
                let name = kinds.contains(words[position + 1]) && position + 2 < words.count ? words[position + 2] : words[position + 1]
                return (file.lastPathComponent, String(name.prefix { $0 != "." }))
            }
        }
    }

    @Test("A pure target imports the standard library and pure targets below it", arguments: pure.keys.sorted())
    func pureTargets(target: String) throws {
        let allowed = try #require(Self.pure[target])
        for (file, module) in try Self.imports(of: target) where module != "Swift" {
            #expect(allowed.contains(module), "\(target)/\(file) imports \(module)")
        }
    }

    @Test("A target with effects imports what the table allows", arguments: effectful.keys.sorted())
    func effectfulTargets(target: String) throws {
        let allowed = try #require(Self.effectful[target]).union(Self.system)
        for (file, module) in try Self.imports(of: target) {
            #expect(allowed.contains(module), "\(target)/\(file) imports \(module)")
        }
    }

    @Test("Every folder of Sources stands in a table")
    func complete() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "Sources").path(percentEncoded: false))
        let known = Set(Self.pure.keys).union(Self.effectful.keys).union([
            "Gateway", "stockgate", "stockgated", "CUdev", "CModbus", "CCrypto", "CMosquitto", "CPostgres", "CLinux", "CCurl", "CSQLite",
            "CTLS",
        ])
        #expect(Set(folders.filter { !$0.hasPrefix(".") }) == known)
    }
}
