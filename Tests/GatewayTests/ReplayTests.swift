import Foundation
import Identifiers
import Ledger
import Profiles
import Readings
import SiteConfiguration
import Testing

@testable import Gateway

@Suite("Replay of captures")
struct ReplayTests {
    static let site = """
        [gateway]
        code = "CRIB1"
        site = "Works"
        [[device]]
        name = "uhf"
        profile = "r2000/a0-uhf"
        [[device]]
        name = "badge"
        profile = "em4100/serial-ascii"
        [[station]]
        name = "gate"
        kind = "gate"
        badge_readers = ["badge"]
        [[station.antenna]]
        device = "uhf"
        port = 1
        side = "inside"
        [[station.antenna]]
        device = "uhf"
        port = 2
        side = "outside"
        """

    static let rows: [MasterRow] = [
        MasterRow(set: .people, id: "1", body: ["key": "p-li", "name": "Li"]),
        MasterRow(set: .credentials, id: "77", body: ["person": "p-li"]),
        MasterRow(set: .items, id: "DRILL", body: ["name": "Drill"]),
        MasterRow(set: .tags, id: "3476451FD400000000000001", body: ["item": "DRILL"]),
    ]

    /// A walk out of `tag` lines, as a foreign data set has them.
    static var capture: String {
        var lines = [
            #"{"capture":1,"recorded":"2026-11-21T10:00:00+08:00","note":"a walk out"}"#, #"{"t":0,"d":"badge","badge":{"id":"77"}}"#,
        ]
        for read in 0..<10 {
            lines.append(
                #"{"t":\#(1_000_000_000 + read * 100_000_000),"d":"uhf","tag":{"epc":"3476451FD400000000000001","ant":\#(read < 5 ? 1 : 2),"rssi":-60.5}}"#
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    @Test("What presence says is told before any ledger, with its evidence, though nobody knows the tag")
    func sightings() throws {
        let site = try SiteFile.parse(Self.site, file: "site.toml").get()
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).capture").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(Self.capture.utf8).write(to: URL(filePath: path))
        var file = try CaptureFile(path: path)
        var replay = try Gateway.Replay(site: site, library: ProfileLibrary(), master: MasterData(), header: file.header)
        var seen: [(station: String, sighting: Sighting)] = []
        replay.onSighting = { seen.append(($0, $1)) }
        while let line = try file.next() { try replay.take(line, number: file.lineNumber) }
        replay.finish()
        let last = try #require(seen.last { $0.sighting.certainty == .final })
        #expect(last.station == "gate" && last.sighting.kind == .passed(.out))
        #expect(last.sighting.first == Instant(nanoseconds: 1_000_000_000) && last.sighting.last == Instant(nanoseconds: 1_900_000_000))
        #expect(last.sighting.evidence["inside"]?["reads"] == 5 && last.sighting.evidence["outside"]?["reads"] == 5)
        #expect(last.sighting.json(station: "gate")["sighting"] == "passed_out")
    }

    private func events(of capture: String, site: String = Self.site, library: ProfileLibrary = ProfileLibrary()) throws -> [JSON] {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).capture").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(capture.utf8).write(to: URL(filePath: path))
        var file = try CaptureFile(path: path)
        _ = try file.startState()
        var replay = try Replay(
            site: try SiteFile.parse(site, file: "site.toml").get(), library: library,
            master: try MasterData().applying(Self.rows),
            header: file.header)
        var events: [JSON] = []
        replay.onEvent = { stored in if let json = try? stored.json() { events.append(json) } }
        while let line = try file.next() { try replay.take(line, number: file.lineNumber) }
        replay.finish()
        return events
    }

    @Test("Readings without bytes become events, at the times of the capture")
    func tagLines() throws {
        let events = try events(of: Self.capture)
        #expect(events.map { $0["type"]?.string } == ["loan.checked_out", "loan.checked_out"])
        #expect(events.map { $0["certainty"]?.string } == ["provisional", "final"])
        // Between the last read inside, at 1.4 s, and the first outside, at 1.5 s.
        #expect(events.first?["time"] == "2026-11-21T10:00:01.469+08:00")
        #expect(events.first?["data"]?["item"] == "DRILL")
        #expect(events.first?["evidence"]?["inside"]?["rssi"]?.double == -60.5)
    }

    /// Between the release of all devices and their closing, what still comes is not read: live not, and in a replay neither.
    @Test("What comes after a release is not read", arguments: [true, false])
    func released(isReleased: Bool) throws {
        let folder = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/DeviceProfiles"
        let site = """
            [gateway]
            code = "CRIB1"
            site = "Works"
            [[device]]
            name = "scanner"
            profile = "generic/serial-scanner"
            [[station]]
            name = "bench"
            kind = "putaway"
            scanners = ["scanner"]
            """
        func scan(_ text: String) -> String { Hex.text(Array("\(text)\r".utf8)) }
        var lines = [
            #"{"capture":1,"recorded":"2026-11-21T10:00:00+08:00","note":"the gateway ends"}"#,
            #"{"t":0,"d":"scanner","dev":"opened","profile":"generic/serial-scanner"}"#,
            #"{"t":1000000000,"d":"scanner","rx":"\#(scan("WHO-KNOWS-THIS"))"}"#,
        ]
        if isReleased { lines.append(#"{"t":10000000000,"released":true}"#) }
        lines += [
            #"{"t":10100000000,"d":"scanner","rx":"\#(scan("WHO-KNOWS-THAT"))"}"#,
            #"{"t":10200000000,"d":"scanner","dev":"closed","reason":"the gateway is closing"}"#, #"{"t":10200000000,"finished":true}"#,
        ]
        let events = try events(of: lines.joined(separator: "\n") + "\n", site: site, library: ProfileLibrary(directories: [folder]))
        #expect(events.count == (isReleased ? 1 : 2), "\(events)")
    }

    /// The gateway was killed between the two words about a walk: its next recording begins with what was provisional, and a replay of it
    /// settles that as the gateway did, and knows what the stations had learned.
    @Test("What was provisional when a recording began is settled in its replay, the same each time")
    func settled() throws {
        let site = try SiteFile.parse(Self.site, file: "site.toml").get()
        let master = try MasterData().applying(Self.rows)
        var ledger = Ledger(site: site, epoch: 5, master: master)
        let epc = try #require(EPC(hex: "3476451FD400000000000001"))
        let sighting = Sighting(
            epc: epc, kind: .passed(.out), first: .zero, last: Instant(nanoseconds: 1_900_000_000), inside: .init(reads: 5),
            outside: .init(reads: 5), firstSide: .inside, lastSide: .outside)
        let proposal = Proposal(
            station: "gate",
            content: .crossing(.init(direction: .out, certainty: .provisional, decision: 1, tags: [sighting], credentials: ["77"])))
        let time = try #require(WallTime(rfc3339: "2026-11-21T10:00:00+08:00"))
        let learned = StateRow(key: "learned/gate/bias", value: ["1": 2])
        _ = ledger.commit(ledger.plan(proposal, at: time), learned: [learned])
        // Through the form of `state` lines.
        let rows = try ledger.state.rows.map { row in
            StateRow(key: row.key, value: try row.value.map { try JSON(parsing: $0.canonicalBytes) })
        }
        #expect(rows.contains { $0.key == "provisional/1" } && rows.contains(learned))
        let header = Capture.Header(
            recorded: time.rfc3339, note: "",
            gateway: .init(
                gateway: "CRIB1", epoch: "0000000000000005", nextSequence: 2, previousHash: String(repeating: "a", count: 64),
                nextTicket: 1, configurationDigest: "", masterDigest: "", masterVersion: 1))
        func replayed() throws -> [StoredEvent] {
            var replay = try Gateway.Replay(site: site, library: ProfileLibrary(), master: master, state: rows, header: header)
            var events: [StoredEvent] = []
            replay.onEvent = { events.append($0) }
            let lines = [
                Capture.Line(
                    time: .zero,
                    content: .wall(
                        WallAnchor(instant: .zero, milliseconds: time.milliseconds + 60_000, offsetMinutes: 480, quality: .synchronised))),
                Capture.Line(time: Instant(nanoseconds: 5_001_000_000), content: .committed(ticket: 1)),
                Capture.Line(time: Instant(nanoseconds: 60_000_000_000), content: .finished),
            ]
            for (number, line) in lines.enumerated() { try replay.take(line, number: number + 2) }
            replay.finish()
            return events
        }
        let events = try replayed()
        let event = try Event(json: try #require(events.first).json())
        #expect(events.count == 1 && event.sequence == 2 && event.corrects == 1 && event.certainty == .final)
        #expect(event.time == time && event.recorded?.milliseconds == time.milliseconds + 65_000)
        #expect(event.evidence["unchecked"] == true)
        #expect(try replayed() == events)
    }

    @Test("Twice the same capture is twice the same events")
    func deterministic() throws {
        #expect(try events(of: Self.capture) == events(of: Self.capture))
    }

    @Test(
        "What cannot be replayed is told with its line",
        arguments: [
            (#"{"t":5,"d":"nowhere","rx":"00"}"#, "line 13: there is no device \"nowhere\""), (#"{"t":5,"rx":"00"}"#, "line 13: \"d\""),
            (#"{"t":5,"d":"uhf","rx":"0"}"#, "line 13: \"rx\""), ("nonsense", "line 13"), (#"{"t":5,"d":"uhf","what":1}"#, "line 13"),
            (#"{"t":5,"d":"uhf","dev":"opened","profile":"no/such"}"#, "line 13: the profile no/such"),
        ])
    func wrong(line: String, message: String) throws {
        let error = try #require(throws: ReplayError.self) { _ = try events(of: Self.capture + line + "\n") }
        #expect(error.description.hasPrefix(message), "\(error)")
    }

    @Test("A file that is no capture is told at once", arguments: ["", "{}\n", "\u{FF}\n", #"{"capture":99}"#])
    func noCapture(text: String) {
        #expect(throws: ReplayError.self) { _ = try events(of: text) }
    }
}
