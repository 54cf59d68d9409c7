import Foundation
import Ledger
import Profiles
import Readings
import SiteConfiguration
import Testing

@testable import Gateway

@Suite("Cabinets: the site file, and captures")
struct CabinetFileTests {
    private static let cabinet = """
        [gateway]
        code = "CRIB1"
        site = "Works"
        [[device]]
        name = "uhf"
        profile = "r2000/a0-uhf"
        [[device]]
        name = "badge"
        profile = "em4100/serial-ascii"
        [[device]]
        name = "io"
        profile = "advantech/adam-6050"
        address = "10.0.0.7"
        [[station]]
        name = "cab"
        kind = "cabinet"
        location = "CAB-1"
        badge_readers = ["badge"]
        people = 2
        door = { device = "io", input = 3, open = "active" }
        [[station.antenna]]
        device = "uhf"

        """

    private static func problems(_ text: String) -> [String] {
        guard case .failure(let failure) = SiteFile.parse(text, file: "site.toml") else { return [] }
        return failure.problems.map(\.description)
    }

    @Test func isRead() throws {
        let site = try SiteFile.parse(Self.cabinet, file: "site.toml").get()
        guard case .cabinet(let cabinet) = site.stations[0].kind else {
            Issue.record("no cabinet")
            return
        }
        #expect(cabinet.door == .init(device: "io", input: 3, open: .active))
        #expect(cabinet.people == 2 && cabinet.lock == nil && cabinet.readers == ["uhf"])
        #expect(site.stations[0].inputDevices == ["uhf", "badge", "io"])
    }

    @Test(
        "What is wrong is named with its line",
        arguments: [
            ("location = \"CAB-1\"\n", "", "site.toml:14: station[1].location: a cabinet needs one"),
            ("badge_readers = [\"badge\"]\n", "", "badge_readers"),
            ("door = { device = \"io\", input = 3, open = \"active\" }\n", "", "door"),
            ("input = 3", "input = 256", "must be between 0 and 255"), ("\"active\"", "\"up\"", "must be one of \"active\", \"inactive\""),
            ("people = 2", "people = 3", "must be between 1 and 2"),
            ("{ device = \"io\"", "{ device = \"oi\"", "there is no device \"oi\""),
            ("people = 2", "reference_tags = [\"xyz\"]", "must be the hexadecimal EPC of a tag"),
            ("people = 2", "lock = { device = \"io\", pulse = 5 }", "must be between 1 and 4"),
        ])
    func problem(old: String, new: String, expected: String) {
        let found = Self.problems(Self.cabinet.replacingOccurrences(of: old, with: new))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test func anAntennaStandsOnce() {
        #expect(Self.problems(Self.cabinet + "[[station.antenna]]\ndevice = \"uhf\"\nport = 1\n").contains { $0.contains("stands twice") })
    }

    /// How somebody is let in, and what the log says of that.
    private static let ways = [
        (#""d":"badge","badge":{"id":"77"}"#, ["cabinet.opened final"]),
        (
            #""cmd":{"client":"uid:0 (root)","command":{"do":"station.open","station":"cab","person":"p-li","reason":"filter change"}}"#,
            ["cabinet.unlocked final", "cabinet.opened final"]
        ),
    ]

    @Test("A capture of readings tells what was done at the door, and what was taken", arguments: ways)
    func replay(way: String, begin: [String]) throws {
        var lines: [(Int64, String)] = [(100, #""d":"io","in":[3,0]"#)]
        // Found out first, then a badge, the door, and one of four tags is gone.
        for time in stride(from: Int64(200), to: 260_000, by: 100) {
            for tag in 1...4 where tag != 1 || time < 121_000 {
                lines.append((time, #""d":"uhf","tag":{"epc":"34764520000000000000000\#(tag)","ant":1}"#))
            }
        }
        lines += [
            (120_000, way), (121_000, #""d":"io","in":[3,1]"#), (125_000, #""d":"io","in":[3,0]"#),
        ]
        lines.sort { $0.0 < $1.0 }
        let header = #"{"capture":1,"recorded":"2026-11-21T10:00:00+08:00","note":"a cabinet"}"#
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).capture").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = ([header] + lines.map { #"{"t":\#($0.0)000000,\#($0.1)}"# }).joined(separator: "\n") + "\n"
        try Data(text.utf8).write(to: URL(filePath: path))
        var rows = [
            MasterRow(set: .people, id: "1", body: ["key": "p-li", "name": "Li"]),
            MasterRow(set: .credentials, id: "77", body: ["person": "p-li"]),
        ]
        for tag in 1...4 {
            rows.append(MasterRow(set: .items, id: "T-\(tag)", body: ["name": "Tool"]))
            rows.append(MasterRow(set: .tags, id: "34764520000000000000000\(tag)", body: ["item": .string("T-\(tag)")]))
        }
        var file = try CaptureFile(path: path)
        let site = Self.cabinet.replacingOccurrences(of: "people = 2", with: "people = 1\nlock = { device = \"io\" }")
        var replay = try Replay(
            site: try SiteFile.parse(site, file: "site.toml").get(), library: ProfileLibrary(), master: try MasterData().applying(rows),
            header: file.header)
        var said: [String] = []
        replay.onEvent = { event in
            let json = (try? event.json()) ?? .null
            said.append("\(json["type"]?.string ?? "") \(json["certainty"]?.string ?? "")")
        }
        while let line = try file.next() { try replay.take(line, number: file.lineNumber) }
        replay.finish()
        #expect(said == begin + ["cabinet.closed final", "loan.checked_out provisional", "loan.checked_out final"])
    }
}
