import Foundation
import Gateway
import Profiles
import SiteConfiguration
import Testing

/// `docs/configuration.md` and the reader of the site file say the same.
@Suite("The document of the site file")
struct ConfigurationDocumentTests {
    /// One table of the document, with a site around it that is good and holds only what it must.
    struct Place: CustomTestStringConvertible {
        var title: String
        /// The header under which its keys stand.
        var header: String
        /// What must stand beside a key, by its name, as TOML.
        var base: [String: String]
        /// The site around the table.
        var before = ""
        var after = ""

        var testDescription: String { title }

        /// The site file with one key set, or left as it must be.
        func file(_ key: String? = nil, _ value: String = "") -> String {
            var lines = base
            if let key { lines[key] = value }
            // Keys of the table before keys of tables in it.
            let own = lines.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
            return "\(before)\n\(header)\n\(own.joined(separator: "\n"))\n\(after)\n"
        }
    }

    private static let gateway = "[gateway]\ncode = \"CRIB1\"\nsite = \"Works\""
    private static let device = "[[device]]\nname = \"reader\"\nprofile = \"r2000/a0-uhf\"\nport = \"/dev/ttyS0\""
    private static let outside = "[[station.antenna]]\ndevice = \"reader\"\nport = 2\nside = \"outside\""
    private static let inside = "[[station.antenna]]\ndevice = \"reader\"\nport = 1\nside = \"inside\""
    private static let whole =
        "\(gateway)\n\(device)\n[[station]]\nname = \"gate\"\nkind = \"gate\"\n\(inside)\n"
        + outside.replacingOccurrences(of: "port = 2", with: "port = 255")
    private static let gate = ["name": "\"gate\"", "kind": "\"gate\""]

    private static let cabinet = [
        "name": "\"box\"", "kind": "\"cabinet\"", "location": "\"CAB-1\"", "badge_readers": "[\"reader\"]",
    ]
    private static let box =
        "\(gateway)\n\(device)\n[[station]]\n"
        + cabinet.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(separator: "\n")

    static let places = [
        Place(title: "[gateway]", header: "[gateway]", base: ["code": "\"CRIB1\"", "site": "\"Works\""]),
        Place(title: "[gateway.recorder]", header: "[gateway.recorder]", base: ["directory": "\"/ring\""], before: gateway),
        Place(title: "[policy]", header: "[policy]", base: [:], before: gateway),
        Place(
            title: "[policy.overdue_block]", header: "[policy.overdue_block]", base: ["count": "3", "days": "90", "block_days": "14"],
            before: gateway),
        Place(title: "[[policy.approval]]", header: "[[policy.approval]]", base: ["from_value": "1", "levels": "2"], before: gateway),
        Place(title: "[policy.reminders]", header: "[policy.reminders]", base: [:], before: gateway),
        Place(title: "[policy.rules]", header: "[policy.rules]", base: [:], before: gateway),
        Place(title: "[[device]]", header: "[[device]]", base: ["name": "\"reader\"", "profile": "\"r2000/a0-uhf\""], before: gateway),
        Place(title: "[device.radio]", header: "[device.radio]", base: [:], before: "\(gateway)\n\(device)"),
        Place(
            title: "[device.tls]", header: "[device.tls]", base: ["certificate_file": "\"/gateway.pem\""],
            before: "\(gateway)\n[[device]]\nname = \"reader\"\nprofile = \"r2000/a0-uhf\"\naddress = \"10.0.0.5:4001\""),
        Place(title: "[[station]]", header: "[[station]]", base: gate, before: "\(gateway)\n\(device)", after: "\(inside)\n\(outside)"),
        Place(
            title: "kind = \"gate\"", header: "[[station]]", base: gate, before: "\(gateway)\n\(device)", after: "\(inside)\n\(outside)"),
        Place(
            title: "[[station.antenna]]", header: "[[station.antenna]]",
            base: [
                "device": "\"reader\"", "port": "7", "side": "\"inside\"", "x_cm": "-30", "y_cm": "0", "facing_deg": "90",
            ],
            before: "\(gateway)\n\(device)\n[[station]]\nname = \"gate\"\nkind = \"gate\"",
            after: outside + "\nx_cm = 30\ny_cm = 0\nfacing_deg = 90"),
        Place(title: "[[tuning]]", header: "[[tuning]]", base: ["station": "\"gate\""], before: whole),
        Place(
            title: "[[tuning.antenna]]", header: "[[tuning.antenna]]", base: ["device": "\"reader\"", "port": "1"],
            before: "\(whole)\n[[tuning]]\nstation = \"gate\""),
        Place(
            title: "kind = \"putaway\"", header: "[[station]]",
            base: ["name": "\"bench\"", "kind": "\"putaway\"", "scanners": "[\"reader\"]"],
            before: "\(gateway)\n\(device)"),
        Place(
            title: "kind = \"dwell\"", header: "[[station]]",
            base: ["name": "\"shelf\"", "kind": "\"dwell\"", "readers": "[\"reader\"]"], before: "\(gateway)\n\(device)"),
        Place(
            title: "kind = \"cabinet\"", header: "[[station]]", base: cabinet.merging(["door": "{ device = \"reader\" }"]) { $1 },
            before: "\(gateway)\n\(device)", after: "[[station.antenna]]\ndevice = \"reader\""),
        Place(
            title: "[[station.antenna]] of a cabinet", header: "[[station.antenna]]", base: ["device": "\"reader\""],
            before: "\(box)\n[station.door]\ndevice = \"reader\""),
        Place(
            title: "[station.door]", header: "[station.door]", base: ["device": "\"reader\""], before: box,
            after: "[[station.antenna]]\ndevice = \"reader\""),
        Place(
            title: "[station.lock]", header: "[station.lock]", base: ["device": "\"reader\""], before: box,
            after: "[station.door]\ndevice = \"reader\"\n[[station.antenna]]\ndevice = \"reader\""),
        Place(
            title: "[[destination]]", header: "[[destination]]", base: ["name": "\"out\"", "kind": "\"file\"", "path": "\"/out\""],
            before: gateway),
        Place(
            title: "kind = \"file\"", header: "[[destination]]",
            base: ["name": "\"out\"", "kind": "\"file\"", "path": "\"/out\"", "rotate_mb": "64"], before: gateway),
        Place(
            title: "kind = \"epcis\"", header: "[[destination]]",
            base: ["name": "\"out\"", "kind": "\"epcis\"", "url": "\"https://example.com\""], before: gateway),
        Place(
            title: "kind = \"webhook\"", header: "[[destination]]",
            base: ["name": "\"out\"", "kind": "\"webhook\"", "url": "\"https://example.com\""], before: gateway),
        Place(
            title: "kind = \"mqtt\"", header: "[[destination]]",
            base: ["name": "\"out\"", "kind": "\"mqtt\"", "url": "\"mqtts://example.com\""], before: gateway),
        Place(
            title: "kind = \"postgresql\"", header: "[[destination]]",
            base: ["name": "\"out\"", "kind": "\"postgresql\"", "connection": "\"host=/run/postgresql dbname=stock\""], before: gateway),
        Place(
            title: "kind = \"mail\"", header: "[[destination]]",
            base: ["name": "\"out\"", "kind": "\"mail\"", "url": "\"smtp://mail.example\"", "from": "\"a@example.com\""], before: gateway),
        Place(
            title: "[[source]]", header: "[[source]]", base: ["name": "\"in\"", "kind": "\"folder\"", "path": "\"/in\""], before: gateway),
        Place(
            title: "kind = \"pull\"", header: "[[source]]",
            base: ["name": "\"in\"", "kind": "\"pull\"", "url": "\"https://example.com\""], before: gateway),
        Place(
            title: "kind = \"folder\"", header: "[[source]]", base: ["name": "\"in\"", "kind": "\"folder\"", "path": "\"/in\""],
            before: gateway),
        Place(
            title: "kind = \"mqtt\" (source)", header: "[[source]]",
            base: ["name": "\"in\"", "kind": "\"mqtt\"", "url": "\"mqtts://example.com\""], before: gateway),
    ]

    /// A site with every key.
    private static func example() throws -> String { try Document.contents("docs/site-example.toml") }

    private static func document() throws -> Document { try Document("docs/configuration.md") }

    private static func rows(_ place: Place) throws -> [[String]] {
        try #require(document().section(place.title), "no section \(place.title)").rows
    }

    private static func key(_ row: [String]) -> String { Document.codes(in: row[0]).first ?? "" }

    private static func problems(_ text: String) -> [String] {
        guard case .failure(let failure) = SiteFile.parse(text, file: "site.toml") else { return [] }
        return failure.problems.map(\.reason)
    }

    @Test("Each table stands on a good site", arguments: places)
    func base(place: Place) {
        #expect(Self.problems(place.file()) == [])
    }

    @Test("Every key of the document is known to the code", arguments: places)
    func documentedKeys(place: Place) throws {
        for row in try Self.rows(place) {
            let key = Self.key(row)
            guard place.base[key] == nil, key != "antenna" else { continue }
            let problems = Self.problems(place.file(key, "[[]]"))
            #expect(!problems.isEmpty && !problems.contains { $0.hasPrefix("unknown key") }, "\(place.title) \(key): \(problems)")
        }
        #expect(Self.problems(place.file("no_such_key_at_all", "0")).contains { $0.hasPrefix("unknown key") })
    }

    @Test("Every key that the code reads is in the document")
    func readKeys() throws {
        let source = try ["", "+Cabinets", "+Destinations", "+Devices", "+Mail", "+Policy", "+Sources", "+Stations"].map {
            try Document.contents("Sources/Gateway/SiteCollector\($0).swift")
        }.joined()
        let pattern =
            /(?:(\w+)\.(?:string|strings|integer|integers|number|bool|bytes|milliseconds|choice|table|tables)|deviceNames)\(\s*"(\w+)"/
        var read: Set<String> = []
        for match in source.matches(of: pattern) where !["root"].contains(match.1.map(String.init) ?? "") {
            // A table in a table has a section of its own.
            if !["recorder", "radio", "overdue_block", "approval", "reminders", "rules"].contains(match.2) { read.insert(String(match.2)) }
        }
        // These are read by the names of the rules.
        for rule in LoanRule.allCases where rule != .permit { read.insert(rule.rawValue) }
        var documented: Set<String> = []
        for place in Self.places { documented.formUnion(try Self.rows(place).map(Self.key)) }
        #expect(read.count > 30)
        #expect(documented == read)
        let roots = source.matches(of: /root\.tables?\("(\w+)"/).map { String($0.1) }
        for root in roots { #expect(Self.places.contains { $0.title == "[\(root)]" || $0.title == "[[\(root)]]" }, "\(root)") }
    }

    @Test("Required keys are required, the others are not", arguments: places)
    func required(place: Place) throws {
        for row in try Self.rows(place) where row[2] == "**R**" {
            let key = Self.key(row)
            #expect(place.base[key] != nil, "\(place.title) \(key) can be left out")
            var without = place
            without.base[key] = nil
            #expect(Self.problems(without.file()).contains("is missing"), "\(place.title) \(key)")
        }
    }

    @Test("Defaults are what a missing key stands for", arguments: places)
    func defaults(place: Place) throws {
        for row in try Self.rows(place) {
            guard let value = Document.codes(in: row[2]).first else { continue }
            let key = Self.key(row)
            let written = try SiteFile.parse(place.file(key, value), file: "site.toml").get()
            let missing = try SiteFile.parse(place.file(), file: "site.toml").get()
            #expect(written == missing, "\(place.title) \(key) = \(value)")
        }
    }

    @Test("Ranges are those of the code", arguments: places)
    func ranges(place: Place) throws {
        for row in try Self.rows(place) {
            let (key, type, range) = (Self.key(row), row[1], row[3])
            switch type {
            case "integer":
                let bounds = range.split(separator: "–").map(String.init)
                let upper = try #require(bounds.last.flatMap(Int.init))
                #expect(Self.problems(place.file(key, "\(upper + 1)")).contains("must be between \(bounds[0]) and \(bounds[1])"), "\(key)")
                #expect(Self.problems(place.file(key, bounds[0])) == [] || key == "port", "\(key)")
            case "word":
                let words = Document.codes(in: range)
                #expect(Self.problems(place.file(key, "\"?\"")).contains("must be one of \(words.joined(separator: ", "))"), "\(key)")
            case "text":
                guard let limit = range.firstMatch(of: /at most (\d+) bytes/).flatMap({ Int($0.1) }) else { continue }
                let long = "\"" + String(repeating: "x", count: limit + 1) + "\""
                #expect(Self.problems(place.file(key, long)).contains("is longer than \(limit) bytes"), "\(key)")
            case "list of texts":
                let limit = try #require(range.firstMatch(of: /at most (\d+)/).flatMap { Int($0.1) }, "\(key)")
                let long = "[" + Array(repeating: "\"x\"", count: limit + 1).joined(separator: ",") + "]"
                #expect(Self.problems(place.file(key, long)).contains("must be a list of at most \(limit) strings"), "\(key)")
            default: #expect(["table", "list of tables", "list of integers", "number", "true, false"].contains(type), "\(key): \(type)")
            }
        }
    }

    @Test("The full example is good, and has every key")
    func example() throws {
        let text = try Self.example()
        let site = try SiteFile.parse(text, file: "example").get()
        #expect(site.devices.count >= 3 && site.stations.count == 4)
        #expect(site.destinations.count == 6 && site.sources.count == 3)
        for place in Self.places {
            for row in try Self.rows(place) {
                let key = Self.key(row)
                #expect(
                    text.contains(try Regex("(?m)^(\\[\\[station\\.|\\[\\[tuning\\.|\\[device\\.|\\[station\\.)?\(key)( =|\\]\\]|\\])")),
                    "\(key)")
            }
        }
    }

    @Test("The profiles of the example are shipped")
    func profiles() throws {
        let library = ProfileLibrary(directories: [Document.root.appending(path: "DeviceProfiles").path(percentEncoded: false)])
        for device in try SiteFile.parse(Self.example(), file: "example").get().devices {
            #expect(device.profile.flatMap { library[$0] } != nil, "\(device.name)")
        }
    }
}
