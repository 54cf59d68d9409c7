import Engine
import Foundation
import Identifiers
import OperatorText
import Readings
import SiteConfiguration
import Testing

@testable import Gateway
@testable import Ledger

/// What the engine tells a watcher has the form of `docs/api.yaml`, and the command line has words for all of it.
@Suite("Happenings")
struct HappeningTests {
    private static let device = DeviceIndex(0)
    private static let site = Site(
        gateway: .init(code: "CRIB1", site: "Works"), devices: [.init(name: "uhf", port: "/dev/x")],
        stations: [.init(name: "gate", kind: .gate(.init(antennas: [])))])
    private static let epc = EPC(hex: "3476451FD400000000000001")!
    private static let stranger = EPC(hex: "E28011606000020A")!

    private static let ledger: Ledger = {
        var master = MasterData()
        let (drill, person) = (ItemKey("DRILL")!, PersonKey("p-1")!)
        master.items[drill] = Item(key: drill, name: "Drill 18 V", itemClass: "power", dueDays: nil, uri: nil)
        master.people[person] = Person(key: person, number: nil, name: "李雷", isBlocked: false, quota: nil)
        master.credentials = ["0006012345": person]
        master.tags = [epc: .item(drill)]
        return Ledger(site: site, epoch: 1, master: master)
    }()

    private static func sighting(_ kind: Sighting.Kind, _ epc: EPC = epc) -> Happening {
        .sighting(
            station: "gate",
            Sighting(
                epc: epc, kind: kind, first: .zero, last: .zero + .seconds(2), inside: .init(reads: 3, strongest: -5_100),
                outside: .init(reads: 4), firstSide: .inside, lastSide: .outside))
    }

    /// Every case, with the line that a technician sees.
    private static let told: [(happening: Happening, line: String)] = [
        (
            .reading(device, .tag(TagRead(epc: epc, antenna: 2, rssi: -5_150))),
            "tag 3476451FD400000000000001 item Drill 18 V (DRILL) antenna 2 -51.5 dBm"
        ),
        (.reading(device, .late(TagRead(epc: stranger, antenna: 1))), "kept by the reader: tag E28011606000020A antenna 1"),
        (.reading(device, .scan(Scan(data: Array("BOLT-M8".utf8), symbology: AIMIdentifier("]C0")))), "code BOLT-M8 Code 128"),
        (.reading(device, .scan(Scan(data: [0x41, 0xFF, 0x42]))), "code A\u{FFFD}B"),
        (.reading(device, .badge(BadgeRead(credential: "0006012345"))), "badge 0006012345 李雷"),
        (.reading(device, .badge(BadgeRead(credential: "77"))), "badge 77"),
        (.reading(device, .input(InputChange(line: 2, isActive: true))), "input 2 is 1"),
        (.reading(device, .input(InputChange(line: 0, isActive: false))), "input 0 is 0"),
        (.deviceState(device, .silent(reason: "nothing heard for 3000 ms")), "device uhf: silent nothing heard for 3000 ms"),
        (.deviceState(device, .reading), "device uhf: reading"),
        (sighting(.appeared), "item Drill 18 V (DRILL) appeared"),
        (sighting(.passed(.out)), "item Drill 18 V (DRILL) went out"),
        (sighting(.passed(.in)), "item Drill 18 V (DRILL) came in"),
        (sighting(.stayed), "item Drill 18 V (DRILL) turned back, did not pass"),
        (sighting(.uncertain), "item Drill 18 V (DRILL) may have passed, it cannot be told"),
        (sighting(.unknown, stranger), "tag E28011606000020A: unknown, its reader was not reading"),
        (
            .tested(
                station: "gate",
                Plan(
                    events: [
                        Event(
                            sequence: 1, time: WallTime(rfc3339: "2026-11-21T10:00:00+08:00")!, station: "gate", episode: nil,
                            actor: .gateway,
                            subjects: [], place: nil, certainty: .final, corrects: nil, masterVersion: 1,
                            body: .tagBound(epc: epc, bearer: .item(ItemKey("DRILL")!)), evidence: .null)
                    ], feedback: .accepted)), "test only: The gateway bound tag 3476451FD400000000000001 to item Drill 18 V (DRILL)"
        ),
        (.feedback(station: "gate", .accepted), "recorded"), (.feedback(station: "gate", .notRecorded), "NOT recorded, try again"),
    ]

    @Test("Each has its line on the screen")
    func lines() {
        let lines = Self.told.map { told -> String in
            let line = WatchLine.of(told.happening.json(site: Self.site, ledger: Self.ledger), .english)
            return line?.text.split(separator: " ").joined(separator: " ") ?? "nothing"
        }
        #expect(lines == Self.told.map(\.line))
    }

    @Test("Each has the form of the description of the API, by a validator of JSON schemas")
    func schema() throws {
        let lines = Self.told.map { told -> String in
            var members = told.happening.json(site: Self.site, ledger: Self.ledger).object ?? [:]
            // The server adds it to every line.
            members["time"] = "2026-11-21T10:00:00.000+08:00"
            return JSON.object(members).canonicalText + "\n"
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("happenings-\(UInt64.random(in: 0 ... .max)).ndjson")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(lines.joined().utf8).write(to: file)
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] ?? "python3", "-B",
            tests.appendingPathComponent("ControlTests/check_api.py").path,
            tests.appendingPathComponent("../docs/api.yaml").path, "--schema", "Happening", file.path,
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")
        #expect(output == "\(Self.told.count) lines\n")
    }
}
