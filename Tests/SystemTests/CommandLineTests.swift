import Foundation
import Readings
import Testing

extension SystemTests {
    /// The technician's program against a daemon that began with nothing, every verb at least once.
    @Suite struct CommandLineTests {
        @Test func everyVerb() async throws {
            try await story { place in
                try GateDay.site(place)
                let day = try GateDay(at: place, seed: 3)
                let unreachable = try await place.stockgate("status", "--json")
                try #require(unreachable.status == 3, "\(unreachable.errors)")

                let gateway = try await RunningGateway.start(at: place)
                let shell = Shell(place: place)
                let events = try Follower(eventsOf: gateway)
                try await day.isReady(gateway)

                // A clean state is shown as such.
                for verb in ["status", "devices", "exceptions", "loans", "stock", "tag", "station"] {
                    try await shell.answers([verb], lines: 1)
                }
                try await shell.answers(["report", "loans"], lines: 1)
                try await shell.answers(["events"], lines: 0)
                try await shell.fails(["explain", "1"], status: 1)
                try await shell.fails(["explain", "first"], status: 2)
                try await shell.fails(["exceptions", "show", "1"], status: 1)
                try await shell.fails(["tag", "show", GateDay.meter], status: 1)
                try await shell.fails(["station", "pause", "nowhere"], status: 1)
                try await shell.fails(["no-such-verb"], status: 2)

                // Master data, from a file as the owner keeps it.
                try place.write("master.json", JSON.array(Bench.master).canonicalText)
                let dry = try await shell.answers(["import", "--dry-run", place.file("master.json")], lines: 1)
                try #require(dry[0]["dry_run"] == true && dry[0]["version"] == 0, "\(dry)")
                let done = try await shell.answers(["import", place.file("master.json")], lines: 1)
                try #require(done[0]["version"] == 1)
                try place.write("people.csv", "工号;姓名;卡号\n1003;Jim Green;0000100003\n1.00E+03;x;y\n")
                try await shell.fails(["import", place.file("people.csv")], status: 5)

                // Something happens, and is shown.
                let watching = place.file("watch.json")
                let watch = try Child(
                    Setting.program("stockgate"), ["watch", "--json", "--socket", place.file("control.sock")], output: watching,
                    errors: watching)
                try await eventually("stockgate watches") { place.read("watch.json").isEmpty ? nil : true }
                let following = place.file("follow.json")
                let follow = try Child(
                    Setting.program("stockgate"), ["events", "-f", "--json", "--after", "0", "--socket", place.file("control.sock")],
                    output: following,
                    errors: following)
                day.walk(GateDay.drill, badge: "0000100001", to: .out)
                try await events.next(type: "loan.checked_out")
                try await day.scanner.putAway(lot: "LOT-1")
                day.scanner.scan("WHAT-IS-THIS")
                let raised = try #require(try await events.next(exception: "unknown_code")["seq"]?.integer)
                try await eventually("stockgate events -f shows it") { place.read("follow.json").contains("WHAT-IS-THIS") ? true : nil }
                try await eventually("stockgate watch shows it") { place.read("watch.json").contains("unknown_code") ? true : nil }
                for child in [watch, follow] { child.send(SIGTERM) }
                for text in [place.read("watch.json"), place.read("follow.json")] { _ = try Shell.json(text) }

                try #require(try await shell.answers(["loans"], lines: 1)[0]["loans"]?.array?.first?["item"] == "DRILL-01")
                let report = try await shell.answers(["report", "loans"], lines: 1)[0]["report"]
                try #require(report?["totals"]?["items"] == 1, "said twice, counted once: \(report ?? .null)")
                try #require(report?["items"]?.array?.first?["item_name"]?.string?.isEmpty == false)
                try #require(report?["people"]?.array?.first?["name"]?.string?.isEmpty == false)
                try #require(try await shell.answers(["stock", "--location", "A-01-03"], lines: 1)[0]["stock"]?.array?.count == 1)
                try #require(try await shell.answers(["events", "--type", "loan.*"], lines: 1)[0]["type"] == "loan.checked_out")
                try await shell.answers(["events", "--item", "DRILL-01", "--station", "gate"], lines: 1)
                let story = try await shell.answers(["explain", "2"], lines: 1)
                try #require(story[0]["event"]?["type"] == "loan.checked_out" && story[0]["delivery"]?.array?.count == 1)
                try await shell.answers(["exceptions", "show", "\(raised)"], lines: 1)

                // Something is changed; each change is an event that says who asked.
                try await shell.changes(["exceptions", "assign", "\(raised)", "--to", "shift-leader"])
                try await shell.changes(["exceptions", "resolve", "\(raised)", "--as", "false-read", "--note", "a wrong label"])
                try await shell.fails(["exceptions", "resolve", "\(raised)", "--as", "twice"], status: 1)
                try await shell.changes(["tag", "bind", GateDay.meter, "--item", "METER-01"])
                try await shell.answers(["tag", "show", GateDay.meter], lines: 1)
                try await shell.changes(["tag", "unbind", GateDay.meter])
                try await shell.changes(["station", "pause", "bench"])
                try await shell.changes(["station", "test", "bench"])
                try await day.scanner.putAway(lot: "ONLY-A-TEST")
                try await shell.changes(["station", "resume", "bench"])
                let changes = try await shell.answers(["events", "--after", "\(raised)", "--limit", "100"], lines: nil)
                // Between them a word about the walk before can be said for good.
                let asked = changes.filter { $0["actor"]?["client"]?.string?.contains("uid:\(getuid())") == true }
                try #require(asked.count == 7, "\(changes)")

                try await shell.answers(["profile", "explain", "scanner"], lines: 1)
                try await shell.answers(["profile", "check", Setting.profiles], lines: 1)
                try await shell.answers(["config", "check", place.file("site.toml")], lines: 1)
                try await shell.answers(["reload"], lines: 1)
                try await day.isReady(gateway)

                // Without a daemon: bytes, tags and barcodes taken apart; a recording replayed.
                let tag = try await shell.answers(["decode", "epc", GateDay.drill], lines: 1)
                try #require(tag[0]["epc"]?.string == GateDay.drill)
                let code = try await shell.answers(["decode", "barcode", "]C1010950600013435210LOT7"], lines: 1)
                try #require(code[0]["content"] == "gs1")
                try await shell.answers(
                    ["decode", "--profile", "generic/serial-scanner", "--profiles", Setting.profiles, "--hex", "5D4330410D"], lines: 1)
                try await shell.fails(
                    ["decode", "--profile", "generic/serial-scanner", "--profiles", Setting.profiles, "--hex", "01"], status: 1)
                let recorded = try FileManager.default.contentsOfDirectory(atPath: place.file("recordings")).sorted()[0]
                let replayed = try await place.stockgate(
                    "replay", "--config", place.file("site.toml"), place.file("recordings/\(recorded)"))
                try #require(replayed.status == 0 && !replayed.output.isEmpty, "\(replayed.errors)")
                try await shell.fails(["replay", "--config", place.file("site.toml"), place.file("master.json")], status: 5)

                // For people, in both languages.
                for language in ["en", "zh"] {
                    for verb in ["status", "devices", "events", "exceptions", "loans", "stock", "tag", "station"] {
                        let run = try await place.stockgate(verb, "--lang", language)
                        try #require(run.status == 0 && !run.output.isEmpty, "\(verb) \(language): \(run.errors)")
                    }
                }
                try #require(try await gateway.stop() == 0)
                try #require(try await EventLogCheck(of: place).problems == [])
                print("command line: \(shell.count) runs")
            }
        }

        @Test func recordOnDemand() async throws {
            try await story { place in
                try Bench.set(up: place)
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                let file = place.file("mine.capture")
                let recording = try Child(
                    Setting.program("stockgate"),
                    ["record", "--output", file, "--note", "two boxes", "--json", "--socket", place.file("control.sock")],
                    output: place.file("record.json"), errors: place.file("record.err"))
                try await eventually("it records") { try gateway.get("status")["recording"] }
                let second = try await place.stockgate("record", "--for", "1")
                #expect(second.status == 4, "two at a time: \(second.errors)")
                try await scanner.putAway(lot: "ONE")
                try await scanner.putAway(lot: "TWO")
                recording.send(SIGINT)
                #expect(try await recording.end() == 0, "\(place.read("record.err"))")
                #expect(try JSON(parsing: Array(place.read("record.json").utf8.dropLast()))["file"]?.string == file)
                #expect(try await gateway.stop() == 0)

                // What it replays to is what the log has behind the beginning.
                try place.write("master.json", JSON.array(Bench.master).canonicalText)
                let replayed = try await place.stockgate(
                    "replay", "--config", place.file("site.toml"), "--master", place.file("master.json"), file)
                try #require(replayed.status == 0, "\(replayed.errors)")
                let check = try await EventLogCheck(of: place)
                try #require(replayed.output.split(separator: "\n").map(String.init) == Array(check.bodies.dropFirst()))
            }
        }
    }
}

/// Runs `stockgate … --json` and looks at what it says.
private final class Shell {
    let place: Workplace
    private(set) var count = 0

    init(place: Workplace) { self.place = place }

    static func json(_ text: String) throws -> [JSON] { try text.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) } }

    private func run(_ arguments: [String]) async throws -> Run {
        count += 1
        return try await place.run(
            Setting.program("stockgate"), arguments + ["--json"],
            environment: ["STOCKGATE_SOCKET": place.file("control.sock"), "LC_ALL": "C"])
    }

    /// It ends with 0 and prints so many JSON values, one a line; nil: any number.
    @discardableResult
    func answers(_ arguments: [String], lines: Int?) async throws -> [JSON] {
        let run = try await run(arguments)
        try #require(run.status == 0, "\(arguments): \(run.errors)")
        let values = try Self.json(run.output)
        try #require(lines == nil || values.count == lines, "\(arguments): \(run.output)")
        return values
    }

    /// It ends with 0 and names the events that record the change.
    func changes(_ arguments: [String]) async throws {
        let answer = try await answers(arguments, lines: 1)
        try #require(answer[0]["events"]?.array?.count == 1, "\(arguments): \(answer)")
    }

    /// It ends with a status and says why, on standard error.
    func fails(_ arguments: [String], status: Int32) async throws {
        let run = try await run(arguments)
        try #require(run.status == status, "\(arguments): \(run.status) \(run.errors)")
        try #require(!run.errors.isEmpty)
        // What the parser of arguments says of a wrong word is text.
        if status != 2 { try #require(try Self.json(run.errors).first?["exit"]?.integer == Int64(status)) }
    }
}
