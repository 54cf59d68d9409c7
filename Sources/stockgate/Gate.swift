import ArgumentParser
import OperatorText
import Presence
import Readings
import SiteConfiguration

struct Gate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpGate), subcommands: [Tune.self])

    struct Tune: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpTune), discussion: help(.helpTuneMore))

        @Argument(help: ArgumentHelp(.helpTuneGate))
        var gate: String

        @Option(name: .long, help: ArgumentHelp(.helpTuneTag, value: "epc"))
        var tag: String?

        @Option(name: .long, help: ArgumentHelp(.helpTuneWalks, value: "list"))
        var walks: String?

        @Option(name: .long, help: ArgumentHelp(.helpTuneFolder, value: "path"))
        var folder: String = "/etc/stockgate/site.d"

        @Flag(name: .long, help: ArgumentHelp(.helpTuneYes))
        var yes = false

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let language = connection.language
            let plan = try plan(language)
            let station = try station(of: connection)
            let antennas = (station["antennas"]?.array ?? []).compactMap(TunedAntenna.init)
            guard !antennas.isEmpty else {
                throw CommandFailure(.negative, code: "no_antennas", [WalkText.noAntennas(language, ["gate": name])])
            }
            guard station["mode"] == "running" else {
                let mode = Text.code(station["mode"]?.string, of: "mode", language)
                throw CommandFailure(.refused, code: "conflict", [WalkText.busy(language, ["gate": name, "mode": mode])])
            }
            let feed = WatchFeed(try daemon.connect())
            // From here on Ctrl-C must not leave the gate in testing.
            let signals = Interrupts()
            try set("testing", connection)
            var guide = WalkGuide(
                gate: gate, antennas: antennas, plan: plan, tag: tag?.uppercased(), feed: feed, signals: signals,
                terminal: daemon.json ? .errors : .output, language: language)
            let outcome = Result { try guide.walk() }
            try set("running", connection)
            let test = try outcome.get()
            let report = WalkReport(gate: gate, test: test, antennas: antennas, language: language)
            if daemon.json { Terminal.output.write(json: report.json) }
            guard test.walks.count == plan.count else {
                throw CommandFailure(.negative, code: "aborted", [WalkText.aborted(language)])
            }
            if !daemon.json { report.print() }
            try report.offer(folder: folder, isAgreed: yes, isAsking: !daemon.json)
        }

        private var name: Printable { Printable(escaping: gate, limit: 64) }

        private func plan(_ language: Site.Language) throws -> [WalkTest.Task] {
            guard let walks else { return WalkTest.plan }
            let plan = walks.split(separator: ",").map { WalkTest.Task(rawValue: String($0)) }
            guard !plan.isEmpty, plan.count <= 100, !plan.contains(nil) else {
                throw CommandFailure.usage(WalkText.badWalks(language, ["walks": Printable(escaping: walks)]))
            }
            return plan.compactMap { $0 }
        }

        private func station(of connection: Daemon) throws -> JSON {
            let gates = try connection.get(["stations"])["stations"]?.array?.filter { $0["kind"] == "gate" } ?? []
            if let station = gates.first(where: { $0["name"]?.string == gate }) { return station }
            let names = gates.compactMap { $0["name"]?.string }.joined(separator: ", ")
            throw CommandFailure(
                .negative, code: "not_found",
                [WalkText.noGate(connection.language, ["gate": name, "gates": Printable(escaping: names)])])
        }

        private func set(_ mode: String, _ connection: Daemon) throws {
            _ = try connection.send("PUT", ["stations", gate, "mode"], body: ["mode": .string(mode)])
        }
    }
}

/// An antenna of a gate, as the daemon tells it.
struct TunedAntenna: Equatable {
    var device: String
    var port: UInt8
    var side: GateSide

    init?(_ json: JSON) {
        guard let device = json["device"]?.string, let port = json["port"]?.integer.flatMap(UInt8.init(exactly:)),
            let side = json["side"]?.string.flatMap(GateSide.init)
        else { return nil }
        (self.device, self.port, self.side) = (device, port, side)
    }

    var name: String { "\(device):\(port)" }
}
