import Foundation
import Ledger
import Presence
import Profiles
import Readings
import SiteConfiguration
import Testing

@testable import Gateway

@Suite("Replay of captures: places where things stay")
struct StayReplayTests {
    private static let site = """
        [gateway]
        code = "CRIB1"
        site = "Works"
        [[device]]
        name = "uhf"
        profile = "r2000/a0-uhf"
        [[station]]
        name = "shelf"
        kind = "dwell"
        readers = ["uhf"]
        floor_dbm = -70
        """

    @Test("What came and left is told to the end, though the capture ends with the last read")
    func stays() throws {
        // No signal, so the tag is believed to move; the second tag is too weak.
        let lines = stride(from: 500, to: 10_000, by: 500).flatMap { time in
            [
                #"{"t":\#(time)000000,"d":"uhf","tag":{"epc":"3476451FD400000000000001","ant":1}}"#,
                #"{"t":\#(time)000000,"d":"uhf","tag":{"epc":"3476451FD400000000000002","ant":1,"rssi":-75}}"#,
            ]
        }
        let header = #"{"capture":1,"recorded":"2026-11-21T10:00:00+08:00","note":"a shelf"}"#
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).capture").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(([header] + lines).joined(separator: "\n").appending("\n").utf8).write(to: URL(filePath: path))
        var file = try CaptureFile(path: path)
        var replay = try Replay(
            site: try SiteFile.parse(Self.site, file: "site.toml").get(), library: ProfileLibrary(), master: .init(), header: file.header)
        var said: [String] = []
        var last: [Instant] = []
        replay.onStay = { station, stay in
            said.append("\(station) \(stay.kind.rawValue) \(stay.certainty.rawValue)")
            last.append(stay.last)
        }
        while let line = try file.next() { try replay.take(line, number: file.lineNumber) }
        replay.finish()
        #expect(said == ["shelf noticed final", "shelf arrived final", "shelf departed provisional", "shelf departed final"])
        #expect(last.last == Instant(nanoseconds: 9_500_000_000))
    }
}
