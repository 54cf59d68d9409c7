import ArgumentParser
import Gateway
import Identifiers
import Ledger
import OperatorText
import Readings
import Simulation
import SiteConfiguration

/// `stockgate sim --scenario NAME`: the default of `sim`.
struct SimScene: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scene", abstract: help(.helpScene), discussion: help(.helpSceneMore))

    @Option(name: .long, help: ArgumentHelp(.helpScenario, value: "name"))
    var scenario: String?

    @Flag(name: .long, help: ArgumentHelp(.helpScenarios))
    var list = false

    @Option(name: .long, help: ArgumentHelp(.helpSeed))
    var seed: UInt64 = 1

    @Option(name: .long, help: ArgumentHelp(.helpSceneCapture, value: "file"))
    var capture: String?

    @Option(name: .long, help: ArgumentHelp(.helpSceneTruth, value: "file"))
    var truth: String?

    @Option(name: .long, help: ArgumentHelp(.helpSceneMaster, value: "file"))
    var master: String?

    @Option(name: .long, help: ArgumentHelp(.helpSceneSite, value: "file"))
    var site: String?

    @Option(name: .long, help: ArgumentHelp(.helpSceneStation, value: "name"))
    var station: String?

    @Option(name: .long, help: ArgumentHelp(.helpSceneGate, value: "angled|pedestal"))
    var gate: String = "angled"

    @Option(name: .long, help: ArgumentHelp(.helpSceneDwell, value: "ms"))
    var dwell: Int64 = 60

    @Option(name: .long, help: ArgumentHelp(.helpSceneWrong, value: "percent"))
    var wrong: Double = 0

    @Option(name: .long, help: ArgumentHelp(.helpSceneBadges, value: "tags|held|none"))
    var badges: String = "tags"

    @OptionGroup var output: OutputOptions

    func run() throws {
        let language = output.language
        let names = GateScenario.allCases.map(\.rawValue) + OtherScene.allCases.map(\.rawValue)
        if list {
            if output.json { return Terminal.output.write(json: ["scenarios": .array(names.map { .string($0) })]) }
            for name in names { Terminal.output.write(Printable(escaping: name)) }
            return
        }
        guard (5...5_000).contains(dwell) else { throw CommandFailure.usage(SceneText.sceneDwell(language)) }
        guard (0...100).contains(wrong) else { throw CommandFailure.usage(SceneText.sceneWrong(language)) }
        guard capture != nil || truth != nil || master != nil else { throw CommandFailure.usage(SceneText.sceneNothing(language)) }
        guard GateSceneOptions.Badges(rawValue: badges) != nil else { throw CommandFailure.usage(SceneText.sceneBadges(language)) }
        if let other = scenario.flatMap(OtherScene.init(rawValue:)) { return try play(other) }
        guard let name = scenario, let known = GateScenario(rawValue: name) else {
            throw CommandFailure.usage(
                SceneText.sceneUnknown(
                    language,
                    [
                        "name": Printable(escaping: scenario ?? "", limit: 64), "names": Printable(escaping: names.joined(separator: ", ")),
                    ]))
        }
        try play(known, at: try place())
    }

    /// A gate, with the device and port of each antenna of the layout.
    private struct Place {
        var layout: GateLayout
        var station: String
        var code: String
        var ports: [(device: String, port: UInt8)]
        var badgeReader = "badge"
    }

    private func place() throws -> Place {
        let language = output.language
        guard let path = site else {
            guard let layout = GateLayout.named(gate) else { throw CommandFailure.usage(SceneText.sceneGate(language)) }
            return Place(
                layout: layout.dwelling(.milliseconds(dwell)), station: "gate", code: "SIM",
                ports: layout.antennas.map { ("reader", $0.port) })
        }
        let loaded: Site
        switch SiteFile.load(path: path) {
        case .success(let site): loaded = site
        case .failure(let error): throw ProblemList.failure(error.problems, language)
        }
        for candidate in loaded.stations where station == nil || candidate.name == station {
            guard case .gate(let gate) = candidate.kind else { continue }
            let antennas = gate.placements.enumerated().map { GateLayout.Antenna(port: UInt8($0 + 1), placement: $1) }
            let layout = GateLayout(name: candidate.name, antennas: antennas, dwell: .milliseconds(dwell))
            return Place(
                layout: layout, station: candidate.name, code: loaded.gateway.code, ports: gate.antennas.map { ($0.device, $0.port) },
                badgeReader: gate.badgeReaders.first ?? "badge")
        }
        throw CommandFailure.file(path, SceneText.sceneNoGate(language, ["name": Printable(escaping: station ?? "")]).text, language)
    }

    // MARK: A gate

    private var options: GateSceneOptions {
        GateSceneOptions(wrongRecords: wrong / 100, badges: GateSceneOptions.Badges(rawValue: badges) ?? .tags)
    }

    private func play(_ scenario: GateScenario, at place: Place) throws {
        var simulation = GateSimulation(scenario, layout: place.layout, seed: seed, options: options)
        var badges = simulation.badges[...]
        let file = try capture.map { try SceneFile($0, output.language) }
        try start(file, simulation.truth, place)
        var reads: [TimedRead] = []
        var changes: [ReaderChange] = []
        var count = 0
        let isDirect = simulation.reports == .none
        while simulation.next(into: &reads, changes: &changes) {
            guard isDirect else { continue }
            // A day of reads is too much to be kept.
            for change in changes where !change.isReading { try outage(change, place, file) }
            for read in reads {
                try hold(&badges, until: read.time, place, file)
                try file?.write(line(read, place).json)
            }
            count += reads.count
            reads.removeAll(keepingCapacity: true)
            changes.removeAll(keepingCapacity: true)
        }
        if !isDirect {
            let arrivals = simulation.reports.arrivals(of: reads, seed: seed)
            for read in arrivals {
                try hold(&badges, until: read.time, place, file)
                try file?.write(line(read, place).json)
            }
            count = arrivals.count
        }
        try hold(&badges, until: Instant(nanoseconds: .max), place, file)
        try file?.close()
        var truth = simulation.truth
        truth.station = place.station
        try finish(truth, reads: count)
    }

    private func hold(_ badges: inout ArraySlice<TimedBadge>, until time: Instant, _ place: Place, _ file: SceneFile?) throws {
        while let badge = badges.first, badge.time <= time {
            badges.removeFirst()
            let read = BadgeRead(credential: badge.credential)
            try file?.write(Capture.Line(time: badge.time, device: place.badgeReader, content: .badge(read)).json)
        }
    }

    private func line(_ read: TimedRead, _ place: Place) -> Capture.Line {
        var read = read
        // The layout counts its antennas from 1.
        let (device, port) = place.ports[Int(read.read.antenna) - 1]
        read.read.antenna = port
        return read.captureLine(reader: device)
    }

    private func outage(_ change: ReaderChange, _ place: Place, _ file: SceneFile?) throws {
        for device in Set(place.ports.map(\.device)).sorted() {
            try file?.write(
                Capture.Line(time: change.time, device: device, content: .device(.closed(reason: "simulated restart"))).json)
        }
    }

    /// The header, and as open loans what the records have outside.
    private func start(_ file: SceneFile?, _ truth: Truth, _ place: Place) throws {
        guard let file else { return }
        try file.write(truth.captureHeader(note: "gate \(place.layout.name), dwell \(dwell) ms").json)
        var loans: Int64 = 0
        for tool in truth.tools where tool.recorded == .outside {
            loans += 1
            let loan: JSON = [
                "loan": .string(LoanNumber(gateway: place.code, epoch: 0, counter: loans).description), "item": .string(Self.key(tool)),
                "person": .string(truth.people.first?.id ?? "p1"), "since": .string(truth.began),
                "due": "2026-01-12T18:00:00.000+00:00", "event": 0,
            ]
            try file.write(Capture.Line(time: .zero, content: .state(["key": .string("loan/\(Self.key(tool))"), "value": loan])).json)
        }
        guard loans > 0 else { return }
        let counters: JSON = ["key": "counters", "value": ["loan": .integer(loans), "episode": 0]]
        try file.write(Capture.Line(time: .zero, content: .state(counters)).json)
    }

    private static func key(_ tool: Truth.Tool) -> String { "TOOL-\(tool.epc.hex.suffix(14))" }

    // MARK: What really happened

    func finish(_ truth: Truth, reads: Int, _ sentence: SceneText = .sceneDone) throws {
        if let path = self.truth {
            let file = try SceneFile(path, output.language)
            for line in truth.lines { try file.write(line) }
            try file.close()
        }
        if let path = master { try write(masterOf: truth, to: path) }
        // Standard output may be the capture.
        guard capture != "-", self.truth != "-", master != "-" else { return }
        let readable = truth.crossings.count { $0.isReadable }
        if output.json {
            return Terminal.output.write(json: [
                "scenario": .string(truth.scenario), "seed": .string(String(seed)), "reads": .integer(Int64(reads)),
                "tools": .integer(Int64(truth.tools.count)), "crossings": .integer(Int64(truth.crossings.count)),
                "readable": .integer(Int64(readable)), "closes": .integer(Int64(truth.closes.count)),
                "presences": .integer(Int64(truth.presences.count)), "scans": .integer(Int64(truth.scans.count)),
            ])
        }
        Terminal.output.write(
            sentence(
                output.language,
                [
                    "scenario": Printable(escaping: truth.scenario), "seed": Printable(seed), "reads": Printable(reads),
                    "tools": Printable(truth.tools.count), "crossings": Printable(truth.crossings.count),
                    "readable": Printable(readable), "closes": Printable(truth.closes.count),
                    "presences": Printable(truth.presences.count), "scans": Printable(truth.scans.count),
                ]))
    }

    /// Tools that are recorded nowhere are bound to nothing.
    private func write(masterOf truth: Truth, to path: String) throws {
        var rows: [JSON] = []
        for person in truth.people {
            rows.append(["set": "people", "id": .string(person.id), "key": .string(person.id), "name": .string(person.id)])
            if badges != GateSceneOptions.Badges.none.rawValue {
                let set: JSON = options.badges == .held ? "credentials" : "tags"
                rows.append(["set": set, "id": .string(person.badge), "person": .string(person.id)])
            }
        }
        for tool in truth.tools where tool.recorded != nil {
            rows.append(["set": "items", "id": .string(Self.key(tool)), "name": .string(Self.key(tool))])
            rows.append(["set": "tags", "id": .string(tool.epc.hex), "item": .string(Self.key(tool))])
        }
        let file = try SceneFile(path, output.language)
        try file.write(.array(rows))
        try file.close()
    }
}
