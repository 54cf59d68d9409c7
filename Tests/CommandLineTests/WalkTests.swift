import OperatorText
import Presence
import Readings
import SiteConfiguration
import Testing

@testable import stockgate

@Suite struct WalkTests {
    private static let tag = "3476451FD40000000000000A"
    private static let other = "3476451FD40000000000000B"

    private func read(_ epc: String, antenna: Int64, rssi: Double?, milliseconds: Int) -> JSON {
        .compact([
            "kind": "reading", "device": "reader",
            "time": .string("2026-11-21T10:15:\(30 + milliseconds / 1_000).\(String(milliseconds % 1_000 + 1_000).dropFirst())+08:00"),
            "tag": .compact(["epc": .string(epc), "ant": .integer(antenna), "rssi": rssi.map(JSON.number)]),
        ])
    }

    private func sighting(_ epc: String, _ word: String, certainty: String = "final", station: String = "gate") -> JSON {
        [
            "kind": "sighting", "station": .string(station), "epc": .string(epc), "sighting": .string(word),
            "certainty": .string(certainty),
        ]
    }

    private func recorder(_ task: WalkTest.Task = .out, tag: String? = nil, bystanders: Set<String> = []) -> WalkRecorder {
        WalkRecorder(station: "gate", places: ["reader:1": 0, "reader:2": 1], task: task, tag: tag, bystanders: bystanders)
    }

    @Test func aWalkIsGatheredUntilItsLastWord() {
        var recorder = recorder(bystanders: [Self.other])
        _ = recorder.take(read(Self.other, antenna: 1, rssi: -40, milliseconds: 0))
        #expect(recorder.tag == nil)
        _ = recorder.take(read(Self.tag, antenna: 1, rssi: -61.5, milliseconds: 100))
        _ = recorder.take(read(Self.tag, antenna: 2, rssi: nil, milliseconds: 900))
        _ = recorder.take(read(Self.tag, antenna: 3, rssi: -50, milliseconds: 950))
        _ = recorder.take(sighting(Self.other, "stayed"))
        _ = recorder.take(sighting(Self.tag, "passed_out", station: "other"))
        _ = recorder.take(sighting(Self.tag, "appeared"))
        #expect(!recorder.isOver)
        _ = recorder.take(sighting(Self.tag, "passed_out", certainty: "provisional"))
        #expect(!recorder.isOver)
        #expect(recorder.decision == .passed(.out))
        _ = recorder.take(sighting(Self.tag, "stayed"))
        #expect(recorder.isOver)
        #expect(recorder.tag == Self.tag)
        let walk = recorder.walk
        #expect(walk.reads.map(\.antenna) == [0, 1])
        #expect(walk.reads.map(\.rssi) == [-6_150, TagRead.noRSSI])
        #expect(walk.reads[1].at - walk.reads[0].at == .milliseconds(800))
        #expect(walk.decision == .none)
        #expect(!walk.isRight)
    }

    @Test func aNamedTagIsTheOnlyOne() {
        var recorder = recorder(tag: Self.tag)
        _ = recorder.take(read(Self.other, antenna: 1, rssi: -40, milliseconds: 0))
        #expect(recorder.walk.reads.isEmpty)
        // What Presence says of a visit before this walk is not about it.
        _ = recorder.take(sighting(Self.tag, "stayed"))
        #expect(!recorder.isOver)
    }

    @Test(arguments: [
        ("passed_in", WalkTest.Decision.passed(.in)), ("uncertain", .uncertain), ("unknown", .uncertain), ("stayed", .none),
    ])
    func wordsOfPresence(word: String, decision: WalkTest.Decision) {
        var recorder = recorder(tag: Self.tag)
        _ = recorder.take(read(Self.tag, antenna: 1, rssi: -40, milliseconds: 0))
        _ = recorder.take(sighting(Self.tag, word))
        #expect(recorder.decision == decision)
    }

    @Test func thePlotShowsEachAntennaOverTime() {
        let reads = [
            WalkTest.Read(at: .zero, antenna: 0, rssi: -4_000), WalkTest.Read(at: .zero + .milliseconds(300), antenna: 0, rssi: -6_000),
            WalkTest.Read(at: .zero + .milliseconds(590), antenna: 1, rssi: TagRead.noRSSI),
            WalkTest.Read(at: .zero + .milliseconds(600), antenna: 1, rssi: -9_000),
        ]
        let lines = WalkPlot.lines(of: reads, antennas: 2).map(\.text)
        #expect(lines[0] == "█" + String(repeating: " ", count: 29) + "▅" + String(repeating: " ", count: 29))
        #expect(lines[1] == String(repeating: " ", count: 59) + "▁")
        #expect(WalkPlot.bar(TagRead.noRSSI).text == "•")
        #expect(WalkPlot.lines(of: [], antennas: 2).map(\.text) == ["", ""])
    }

    @Test func theSettingsAreADropIn() throws {
        var test = WalkTest(antennas: [.init(name: "reader:1", side: .inside), .init(name: "reader:2", side: .outside)])
        for task in WalkTest.plan {
            let isNear = task == .standNear
            let reads = [
                WalkTest.Read(at: .zero, antenna: 0, rssi: isNear ? -7_040 : -5_000),
                WalkTest.Read(at: .zero + .milliseconds(500), antenna: 1, rssi: isNear ? -7_500 : -5_300),
            ]
            test.add(WalkTest.Walk(task: task, reads: reads, decision: .none))
        }
        let antennas = [1, 2].compactMap { port in
            TunedAntenna(["device": "reader", "port": .integer(port), "side": port == 1 ? "inside" : "outside"])
        }
        let report = WalkReport(gate: "gate", test: test, antennas: antennas, language: .english)
        #expect(
            report.settings == [
                "# Measured by: stockgate gate tune gate", "[[tuning]]", "station = \"gate\"", "floor_dbm = -70.4", "antenna = [",
                "    { device = \"reader\", port = 1, bias_db = 1.5 },", "    { device = \"reader\", port = 2, bias_db = -1.5 },", "]",
            ])
        #expect(report.json["walks"]?.array?.count == 10)
        #expect(report.json["good"] == false)
    }

    @Test(arguments: [(Int16(0), "0.0"), (-5, "-0.1"), (-4, "0.0"), (149, "1.5"), (-7_040, "-70.4")])
    func levelsHaveOneDigit(hundredths: Int16, text: String) {
        #expect(WalkReport.decibels(hundredths) == text)
    }
}
