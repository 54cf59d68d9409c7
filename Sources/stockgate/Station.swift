import ArgumentParser
import Ledger
import OperatorText
import Readings
import SiteConfiguration

struct Station: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: help(.helpStation), subcommands: [List.self, Open.self, Pause.self, Test.self, Resume.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpStationList))

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let answer = try connection.get(["stations"])
            if daemon.json { return Terminal.output.write(json: answer) }
            StationTable.print(answer, connection.language)
        }
    }

    struct Open: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpStationOpen))

        @Argument(help: ArgumentHelp(.helpStationName))
        var name: String

        @Option(name: .long, help: ArgumentHelp(.helpOpenPerson, value: "person"))
        var person: String?

        @Option(name: .long, help: ArgumentHelp(.helpNoteWhy, value: "text"))
        var reason: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            try daemon.connect().change(
                ["stations", name, "open"], ["person": person.map(JSON.string), "reason": .string(reason)], json: daemon.json)
        }
    }

    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpStationPause))
        @OptionGroup var options: ModeOptions
        func run() throws { try options.set(.paused) }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpStationTest))
        @OptionGroup var options: ModeOptions
        func run() throws { try options.set(.testing) }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpStationResume))
        @OptionGroup var options: ModeOptions
        func run() throws { try options.set(.running) }
    }

    struct ModeOptions: ParsableArguments {
        @Argument(help: ArgumentHelp(.helpStationName))
        var name: String

        @OptionGroup var daemon: DaemonOptions

        func set(_ mode: StationMode) throws {
            let connection = try daemon.connect()
            let answer = try connection.send("PUT", ["stations", name, "mode"], body: ["mode": .string(mode.rawValue)])
            if daemon.json { return Terminal.output.write(json: answer) }
            let language = connection.language
            let values = ["station": Printable(escaping: name, limit: 64), "mode": Text.code(mode.rawValue, of: "mode", language)]
            Terminal.output.write(
                (mode == .testing ? Text.doneModeTesting : .doneMode)(language, values), mode == .running ? .good : .warning)
        }
    }
}

/// Stations, what they do and whether they decide.
enum StationTable {
    static func print(_ answer: JSON, _ language: Site.Language) {
        let stations = answer["stations"]?.array ?? []
        guard !stations.isEmpty else { return Terminal.output.write(Text.emptyStations(language)) }
        var table = Table([.headStation, .headKind, .headMode, .headState, .headLocation, .headOwner, .headReason], language)
        for station in stations {
            func text(_ member: String) -> Printable { Printable(escaping: station[member]?.string ?? "", limit: 200) }
            let isStopped = station["state"] == "stopped"
            table.add([
                .init(text("name")), .init(Text.code(station["kind"]?.string, of: "station", language)),
                .init(Text.code(station["mode"]?.string, of: "mode", language), station["mode"] == "running" ? .plain : .warning),
                .init(Text.code(station["state"]?.string, of: "station", language), isStopped ? .bad : .good),
                .init(Naming(language).location(of: station)), .init(text("owner")), .init(text("reason")),
            ])
        }
        table.print()
        for station in stations {
            printCabinet(station, language)
            printHints(of: station, language)
        }
    }

    /// Where a cabinet is in the course of an opening.
    private static func printCabinet(_ station: JSON, _ language: Site.Language) {
        guard let stage = station["stage"]?.string else { return }
        Terminal.output.write(
            Text.cabinetState(
                language,
                [
                    "station": Printable(escaping: station["name"]?.string ?? "", limit: 64),
                    "stage": Text.code(stage, of: "cabinet", language),
                    "tags": Printable(station["inside_tags"]?.integer ?? 0),
                ]))
    }

    /// What should be looked at, though the station works.
    static func printHints(of station: JSON, _ language: Site.Language) {
        for hint in station["hints"]?.array ?? [] {
            guard let text = Text(rawValue: "hint.\(hint["hint"]?.string ?? "")") else { continue }
            let values = [
                "station": Printable(escaping: station["name"]?.string ?? "", limit: 64),
                "device": Printable(escaping: hint["device"]?.string ?? "", limit: 80), "ms": Printable(hint["ms"]?.integer ?? 0),
            ]
            Terminal.output.write(text(language, values), .warning)
        }
    }
}
