import ArgumentParser
import Control
import Dispatch
import Glibc
import OperatorText
import Readings
import SiteConfiguration

/// Shows the product at work without any hardware: the real daemon on simulated devices.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Show a gate, a bench and a cabinet at work, with simulated devices on pseudo-terminals.",
        discussion: "The daemon is the real one; only the devices are simulated. Ctrl-C ends it.",
        subcommands: [DemoRun.self, DemoWalk.self, DemoScan.self, DemoVisit.self, DemoDays.self], defaultSubcommand: DemoRun.self)
}

struct DemoRun: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Run the demonstration until Ctrl-C.")

    @Option(help: "The folder with site.toml, master.json and story.json.")
    var files = "/usr/share/stockgate/demo"

    @Option(help: "The folder of device profiles.")
    var profiles: String?

    @Option(help: "Where the store, the recording and the simulated devices go; what a demonstration left there is removed.")
    var directory = "run/demo"

    @Flag(help: "Do nothing by itself: everything is asked for with `stockgate demo walk`, `scan`, `cabinet` and `days`.")
    var quiet = false

    @Flag(help: "End when the story has been told once.")
    var once = false

    @OptionGroup var output: OutputOptions

    func run() throws {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGCHLD] { sigaddset(&signals, signal) }
        // Blocked before any thread begins, so that only the wait below hears them.
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let directory = Self.absolute(directory)
        try removeOldRun(directory)
        let language = output.language
        let story = try story(language)
        let site = try DemoSite(files: Self.absolute(files), profiles: Self.absolute(profiles ?? "DeviceProfiles"), directory: directory)
        defer { site.close() }
        let daemon = try DemoProcess(
            program: Self.program("stockgated"), arguments: ["--config", site.siteFile, "--clock-ahead", site.clock.path],
            log: "\(directory)/stockgated.log")
        let client = try waitUntilReady(site, daemon, language)
        _ = try client.importMaster(site.master, dryRun: false)
        try DemoRemote(path: "\(directory)/demo.sock").serve { site.perform($0) }
        introduce(site, language)
        follow(site, language)
        if !quiet { tell(story, at: site, language) }
        var signal: Int32 = 0
        while true {
            sigwait(&signals, &signal)
            if signal != SIGCHLD { break }
            if daemon.ended(waiting: false) != nil {
                throw CommandFailure.file("\(directory)/stockgated.log", DemoText.daemonEnded(language), language)
            }
        }
        daemon.end()
        _ = daemon.ended(waiting: true)
        Terminal.output.write("")
        for line in DemoText.farewell(language, directory: self.directory) { Terminal.output.write(line) }
    }

    private func removeOldRun(_ directory: String) throws {
        for name in [
            "state/events.db", "state/events.db-wal", "state/events.db-shm", "state/master.db", "state/index.db", "state/lock",
            "state/reserve", "events.ndjson",
        ] {
            unlink("\(directory)/\(name)")
        }
    }

    private func waitUntilReady(_ site: DemoSite, _ daemon: DemoProcess, _ language: Site.Language) throws -> ControlClient {
        let client = try ControlClient(socket: site.socket)
        for _ in 0..<300 {
            if (try? client.get(["status"])) != nil { return client }
            if daemon.ended(waiting: false) != nil { break }
            usleep(50_000)
        }
        throw CommandFailure.file("\(site.directory)/stockgated.log", DemoText.daemonEnded(language), language)
    }

    private func introduce(_ site: DemoSite, _ language: Site.Language) {
        for (line, style) in DemoText.introduction(language, directory: directory) { Terminal.output.write(line, style) }
        Terminal.output.write("")
    }

    /// Prints events as they are committed.
    private func follow(_ site: DemoSite, _ language: Site.Language) {
        let (socket, wantsJSON) = (site.socket, output.json)
        DispatchQueue(label: "demonstration").async {
            guard let client = try? ControlClient(socket: socket) else { return }
            try? client.lines(["events"], [("follow", "true"), ("limit", "1000")]) { event in
                if wantsJSON {
                    Terminal.output.write(json: event)
                } else if event["type"] != "master.applied", !EventSentence.isConfirmation(event) {
                    // What is confirmed was shown when it was provisional.
                    EventLine.print(event, language)
                }
                return true
            }
        }
    }

    private func story(_ language: Site.Language) throws -> [DemoAct] {
        let path = "\(Self.absolute(files))/story.json"
        return try (JSON(parsing: try FileFailure.contents(of: path)).array ?? []).enumerated().map { place, json in
            guard let act = DemoAct(json: json) else {
                throw CommandFailure.file(path, DemoText.actNotUnderstood(language, number: place + 1), language)
            }
            return act
        }
    }

    private func tell(_ acts: [DemoAct], at site: DemoSite, _ language: Site.Language) {
        let (once, json) = (once, output.json)
        DispatchQueue(label: "demonstration").async {
            usleep(1_500_000)
            repeat {
                for act in acts {
                    if !json, let text = act.texts[language.rawValue] {
                        Terminal.output.write([("  ▸ ", .faint), (Printable(escaping: text), .heading)])
                    }
                    if case .command(let words) = act.deed {
                        if !json { type(words, at: site, language) }
                    } else {
                        _ = site.perform(act)
                    }
                    usleep(UInt32(act.wait) * 1_000_000)
                }
            } while !once
            kill(getpid(), SIGTERM)
        }
    }

    /// Runs a command as the storekeeper would, and shows both it and its answer.
    private func type(_ words: [String], at site: DemoSite, _ language: Site.Language) {
        Terminal.output.write(Printable(escaping: "  $ stockgate " + words.joined(separator: " ")), .good)
        let command = try? DemoProcess(
            program: Self.program("stockgate"), arguments: words + ["--lang", language.rawValue, "--socket", site.socket])
        _ = command?.ended(waiting: true)
    }

    /// A program that was built or installed beside this one.
    private static func program(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folder = own.split(separator: "/").dropLast().joined(separator: "/")
        return "/\(folder)/\(name)"
    }

    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return "\(String(cString: folder))/\(path)"
    }
}

/// Makes somebody walk through the gate of a running demonstration.
struct DemoWalk: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walk", abstract: "Make somebody carry tools through the gate of the running demonstration.",
        discussion: "stockgate demo walk --person 1001 DRILL-01 SAW-01\nstockgate demo walk --back DRILL-01")

    @Option(help: "The employee number whose badge is held up; without it, nobody's.")
    var person: String?

    @Flag(help: "Into the store instead of out of it.")
    var back = false

    @Argument(help: "The tools.")
    var items: [String]

    @Option(help: "Where the demonstration runs.")
    var directory = "run/demo"

    func run() throws {
        try DemoScan.ask(
            .compact([
                "act": "walk", "person": person.map(JSON.string), "items": .array(items.map(JSON.string)), "direction": back ? "in" : "out",
            ]), directory)
    }
}

/// Scans codes at the bench of a running demonstration.
struct DemoScan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Scan codes at the bench of the running demonstration.",
        discussion: "stockgate demo scan ]E09501101530003 LOC-B-02-01")

    @Argument(help: "The codes, in order.")
    var codes: [String]

    @Option(help: "Where the demonstration runs.")
    var directory = "run/demo"

    func run() throws {
        try Self.ask(["act": "scan", "codes": .array(codes.map(JSON.string))], directory)
    }

    static func ask(_ act: JSON, _ directory: String) throws {
        let problem = try DemoRemote(path: "\(DemoRun.absolute(directory))/demo.sock").request(act)
        if let problem { throw CommandFailure(.refused, code: "refused", [Printable(escaping: problem)]) }
    }
}

/// Opens the cabinet of a running demonstration.
struct DemoVisit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cabinet", abstract: "Make somebody open the cabinet of the running demonstration.",
        discussion: "stockgate demo cabinet --person 1001 --take CALIPER-01 LASER-01\nstockgate demo cabinet --person 1001 --put CALIPER-01"
    )

    @Option(help: "The employee number whose badge is held up.")
    var person: String

    @Option(parsing: .upToNextOption, help: "Tools to take out.")
    var take: [String] = []

    @Option(parsing: .upToNextOption, help: "Tools to put in.")
    var put: [String] = []

    @Option(help: "Where the demonstration runs.")
    var directory = "run/demo"

    func run() throws {
        try DemoScan.ask(
            [
                "act": "cabinet", "person": .string(person), "take": .array(take.map(JSON.string)), "put": .array(put.map(JSON.string)),
            ], directory)
    }
}

/// Lets days pass in a running demonstration.
struct DemoDays: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "days", abstract: "Let days pass in the running demonstration, for reminders and what is overdue.",
        discussion: "stockgate demo days 3\nstockgate demo days 1 --hour 17")

    @Argument(help: "How many, 0 to 366; 0: until that hour strikes.")
    var count: Int64

    @Option(help: "The hour of the last day at which it goes on, 0 to 23.")
    var hour: Int64 = 9

    @Option(help: "Where the demonstration runs.")
    var directory = "run/demo"

    func run() throws { try DemoScan.ask(["act": "days", "count": .integer(count), "hour": .integer(hour)], directory) }
}
