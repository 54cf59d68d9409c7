import Control
import ControlTestSupport
import Foundation
import Identifiers
import Ledger
import Readings
import ServiceLifecycle
import Testing

/// Every verb, as a process, against a server with known contents.
@Suite struct VerbTests {
    private static let epc = Fixtures.tag.hex

    private static let reading: [[String]] = [
        ["status"], ["devices"], ["devices", "gate-1"], ["station"], ["events"], ["events", "--type", "exception.*"],
        ["events", "--item", "DRILL-01", "--limit", "1"],
        ["events", "--after", "2", "--limit", "2"], ["explain", "3"], ["explain", "4"],
        ["explain", "12345678-9abc-8def-8000-000000000007"],
        ["exceptions"], ["exceptions", "show", "4"], ["exceptions", "show", "2"], ["loans"], ["loan", "show", Fixtures.oldLoanNumber],
        ["explain", Fixtures.oldLoanNumber], ["permit"], ["permit", "show", Fixtures.requestKey], ["permit", "show", "REQ-9"],
        ["may", "1001"], ["may", "1001", "METER-07"], ["may", "p-1a", "DRILL-02", "--station", "gate", "--with", "1002"],
        ["report", "loans", "--month", "2026-11"], ["report", "loans", "--format", "csv"],
        ["stock"], ["stock", "--location", "B-03"],
        ["tag"],
        ["tag", "show", epc], ["profile", "explain", "gate-1"],
    ]

    private static let changing: [[String]] = [
        ["exceptions", "resolve", "4", "--as", "false-read", "--note", "tag of a supplier"], ["exceptions", "assign", "4", "--to", "安全主管"],
        ["exceptions", "correct", "4", "--person", "1001", "--note", "seen on the camera"],
        ["exceptions", "dismiss", "4", "--note", "a supplier's tag"],
        [
            "permit", "request", "1001", "--item", "DRILL-01", "--item", "METER-07", "--purpose", "检修", "--until", "2026-11-25", "--due",
            "2026-11-24",
        ], ["permit", "request", "p-1a", "--class", "power-tool", "--quantity", "3", "--from", "2026-11-22"],
        ["permit", "approve", Fixtures.requestKey], ["permit", "reject", Fixtures.requestKey, "--note", "not now"],
        ["permit", "withdraw", Fixtures.requestKey], ["loan", "renew", Fixtures.oldLoanNumber],
        ["loan", "return", Fixtures.oldLoanNumber.lowercased(), "--item", "METER-07"],
        ["loan", "void", Fixtures.oldLoanNumber, "--note", "wrong shelf"], ["loan", "transfer", "METER-07", "--to", "1001"],
        ["loan", "lost", "METER-07", "--note", "fell into the lake"],
        [
            "return", "inspect", "KIT-1", "--result", "incomplete", "--missing", "BIT-4", "--photo", "kit.jpg", "--note", "缺钻头",
            "--responsible", "1002",
        ], ["tool", "service", "DRILL-01", "--note", "new brushes"],
        ["tag", "bind", "BEEF", "--item", "DRILL-02"], ["tag", "bind", "BEE0", "--person", "p-1a"], ["tag", "unbind", epc],
        ["station", "pause", "bench"], ["station", "test", "bench"], ["station", "resume", "bench"],
        ["station", "open", "bench", "--person", "1001", "--reason", "消防检查"], ["station", "open", "bench", "--reason", "restocking"],
        ["reload"],
        ["import", "FOLDER/items.csv", "--dry-run"], ["import", "FOLDER/items.csv"],
        ["record", "--for", "1", "--output", "FOLDER/out.capture"], ["person", "erase", "1001", "--dry-run"],
        ["person", "erase", "1001", "--yes"], ["verify"], ["backup"], ["backup", "--to", "/media/usb"],
    ]

    private static let failing: [[String]] = [
        ["frobnicate"], ["devices", "--frob"], ["devices", "nowhere"], ["tag", "show", "00"], ["tag", "show", "hello"], ["explain", "999"],
        ["explain", "three"],
        ["exceptions", "show", "77"], ["exceptions", "resolve", "77", "--as", "lost"], ["exceptions", "resolve", "4"],
        ["loan"], ["loan", "show", "CRIB1-7QK3-00042-0"], ["loan", "show", Fixtures.loanNumber], ["loan", "renew", Fixtures.loanNumber],
        ["explain", "CRIB1-7QK3-00042-0"], ["permit", "show", "REQ-77"], ["permit", "request", "1001"],
        ["permit", "request", "9999", "--item", "DRILL-01"],
        ["permit", "request", "1001", "--item", "DRILL-01", "--due", "tomorrow"], ["loan", "transfer", "METER-07", "--to", "9999"],
        ["return", "inspect", "KIT-1", "--result", "broken"], ["return", "inspect", "KIT-1"], ["may", "9999"], ["may", "1001", "NOTHING"],
        ["exceptions", "correct", "77", "--person", "1001"], ["exceptions", "dismiss", "4"],
        ["events", "--limit", "0"],
        ["tag", "bind", "BEEF"], ["tag", "bind", "BEEF", "--item", "A", "--person", "B"], ["tag", "bind", epc, "--item", "DRILL-02"],
        ["station", "pause", "full-disk"], ["station", "pause", "nowhere"], ["station", "open", "bench"],
        ["station", "open", "nowhere", "--reason", "x"], ["station", "open", "bench", "--person", "9999", "--reason", "x"],
        ["station", "open", "bench", "--reason", ""], ["profile", "explain", "unknown-1"],
        ["import", "FOLDER/bad.csv"], ["person", "erase", "9999", "--yes"], ["backup", "--to", "/full"],
        ["verify", "--directory", "FOLDER"],
        ["restore", "FOLDER", "--directory", "FOLDER/none"],
        ["import", "FOLDER/missing.csv"], ["import", "FOLDER/items.csv", "--set", "gadgets"], ["record", "--for", "0"],
        ["record", "--for", "1", "--output", "FOLDER/no/such/folder"], ["config", "check", "FOLDER/missing.toml"],
        ["report", "loans", "--month", "2026-13"], ["report", "loans", "--dead-months", "0"], ["report", "loans", "--format", "pdf"],
        ["config", "check", "FOLDER/bad.toml"],
        ["profile", "check", "FOLDER"], ["decode", "--profile", "no/such", "--hex", "00"],
        ["decode", "--profile", "no/such", "--hex", "0"],
        ["decode", "epc", "xyz"], ["decode", "barcode", "--aim", "C1", "x"], ["replay", "--config", "FOLDER/bad.toml", "FOLDER/x.capture"],
    ]

    private func prepared(_ gateway: FakeGateway, _ folder: TestFolder) {
        _ = folder.write("id,name,class\nDRILL-01,Drill 18 V,power-tool\n", to: "items.csv")
        _ = folder.write("id,name,colour\nDRILL-01,Drill 18 V,blue\n", to: "bad.csv")
        _ = folder.write("[gateway]\ncode = \"x\"\n", to: "bad.toml")
        let capture = folder.write("{\"capture\":1,\"recorded\":\"2026-11-21T10:15:30.000+08:00\",\"note\":\"\"}\n", to: "one.capture")
        gateway.update { $0.recordingPath = capture }
    }

    /// Runs commands one after the other and writes down what a user sees.
    private func transcript(_ commands: [[String]], _ extra: [String], _ program: Program, _ folder: TestFolder) async throws -> String {
        var text = ""
        for command in commands {
            let arguments = command.map { $0.replacingOccurrences(of: "FOLDER", with: folder.path) } + extra
            let run = try await program.run(arguments)
            text += "$ stockgate \((command + extra).joined(separator: " "))\n\(run.output)"
            if !run.errors.isEmpty { text += "--- standard error\n\(run.errors)" }
            text += "--- exit \(run.status)\n\n"
        }
        return text.replacingOccurrences(of: folder.path, with: "FOLDER")
    }

    @Test(arguments: ["en", "zh"])
    func verbsInBothLanguages(language: String) async throws {
        let gateway = FakeGateway()
        let text = try await withServer(gateway) { folder, _ in
            prepared(gateway, folder)
            let program = Program(socket: folder.socket, environment: ["LC_ALL": language == "zh" ? "zh_CN.UTF-8" : "en_US.UTF-8"])
            return try await transcript(Self.reading + Self.changing, [], program, folder)
        }
        try Snapshot.check(text, "verbs-\(language)")
        #expect(gateway.performed.count == 24)
        #expect(gateway.imported.map(\.id) == ["DRILL-01"])
    }

    @Test func verbsWithJSON() async throws {
        let gateway = FakeGateway()
        let text = try await withServer(gateway) { folder, _ in
            prepared(gateway, folder)
            let program = Program(socket: folder.socket)
            let text = try await transcript(Self.reading + Self.changing, ["--json"], program, folder)
            for line in text.split(separator: "\n") where !line.hasPrefix("$ ") && !line.hasPrefix("---") {
                _ = try JSON(parsing: String(line))
            }
            return text
        }
        try Snapshot.check(text, "verbs-json")
    }

    @Test(arguments: ["en", "zh"])
    func emptyGatewaysSayWhatToDoNext(language: String) async throws {
        let text = try await withServer(FakeGateway(.empty)) { folder, _ in
            let verbs = [
                ["status"], ["devices"], ["station"], ["events"], ["events", "--type", "x"], ["exceptions"], ["loans"], ["permit"],
                ["report", "loans"], ["stock"],
                ["tag"],
            ]
            return try await transcript(verbs, ["--lang", language], Program(socket: folder.socket), folder)
        }
        try Snapshot.check(text, "empty-\(language)")
    }

    @Test(arguments: ["en", "zh"])
    func failuresHaveExitCodes(language: String) async throws {
        let gateway = FakeGateway()
        let text = try await withServer(gateway) { folder, _ in
            prepared(gateway, folder)
            let program = Program(socket: folder.socket, environment: ["LC_ALL": language == "zh" ? "zh_CN.UTF-8" : "en_US.UTF-8"])
            return try await transcript(Self.failing, [], program, folder)
        }
        try Snapshot.check(text, "failures-\(language)")
        #expect(gateway.performed.isEmpty && gateway.imported.isEmpty)
    }

    @Test func problemsOfRowsAreToldAtTheirLines() async throws {
        let gateway = FakeGateway()
        gateway.update {
            $0.importError = OperationError(.invalid, "refused", problems: [.init(row: 0, "items DRILL-01: class: is \u{1B}[31mred")])
        }
        let run = try await withServer(gateway) { folder, _ in
            prepared(gateway, folder)
            return try await Program(socket: folder.socket).run(["import", folder.path + "/items.csv"])
        }
        #expect(run.status == 5)
        #expect(run.errors.hasPrefix("stockgate: items.csv:2: items DRILL-01: class: is \\x1B[31mred\n"))
    }

    @Test func readersAreRefusedWithAHint() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway, policy: AccessPolicy(operators: [])) { folder, _ in
            let program = Program(socket: folder.socket)
            let loans = try await program.run(["loans"])
            #expect(loans.status == 0)
            let run = try await program.run(["station", "pause", "bench"])
            #expect(run.status == 4)
            #expect(run.errors.contains("Join the group stockgate"))
            let json = try await program.run(["station", "pause", "bench", "--json"])
            #expect(json.status == 4 && json.output.isEmpty)
            let error = try JSON(parsing: json.errors.trimmingCharacters(in: .newlines))
            #expect(error["error"] == "not_permitted")
        }
        #expect(gateway.performed.isEmpty)
    }

    @Test func aMissingDaemonIsToldWithAHint() async throws {
        let folder = TestFolder()
        let program = Program(socket: folder.socket)
        for command in [["devices"], ["watch"], ["events", "-f"], ["tag", "bind", "BEEF", "--item", "A"], ["record"]] {
            let run = try await program.run(command)
            #expect(run.status == 3, "\(command)")
            #expect(run.errors.contains(folder.socket) && run.errors.contains("systemctl start stockgated"), "\(run.errors)")
        }
        let named = try await program.run(["devices", "--socket", "/nowhere/x.sock", "--lang", "zh"])
        #expect(named.status == 3 && named.errors.contains("/nowhere/x.sock") && named.errors.contains("无响应"))
    }

    @Test(arguments: [
        ("C", "Gateway CRIB1"), ("", "Gateway CRIB1"), ("zh_CN.UTF-8", "网关 CRIB1"), ("zh", "网关 CRIB1"), ("de_DE.UTF-8", "Gateway CRIB1"),
    ])
    func localeChoosesTheLanguage(locale: String, title: String) async throws {
        try await withServer(FakeGateway()) { folder, _ in
            let run = try await Program(socket: folder.socket, environment: ["LANG": locale]).run(["status"])
            #expect(run.output.hasPrefix(title))
        }
    }

    @Test func aSilentLocaleTakesTheSitesLanguage() async throws {
        let gateway = FakeGateway()
        gateway.update { $0.status.language = "zh" }
        try await withServer(gateway) { folder, _ in
            let program = Program(socket: folder.socket, environment: ["LANG": "C.UTF-8"])
            let (silent, chosen) = (try await program.run(["loans"]), try await program.run(["loans", "--lang", "en"]))
            #expect(silent.output.contains("借用人"))
            #expect(chosen.output.contains("LOAN"))
        }
    }

    @Test(arguments: ["en", "zh"])
    func watchShowsOneLineForEachHappening(language: String) async throws {
        let gateway = FakeGateway()
        let run = try await withServer(gateway) { folder, _ in
            try await Program(socket: folder.socket).run(["watch", "--lang", language]) {
                _ = await eventually { gateway.watcherCount == 1 }
                gateway.dropWatchers()
            }
        }
        #expect(run.status == 0)
        try Snapshot.check(run.output, "watch-\(language)")
    }

    @Test func followPrintsUntilTheGatewayStops() async throws {
        let gateway = FakeGateway()
        let run = try await withServer(gateway) { folder, group in
            let running = try Program(socket: folder.socket).start(["events", "-f", "--limit", "1", "--json"])
            #expect(await eventually { gateway.followerCount == 1 })
            gateway.commit(Fixtures.event(8, "exception.raised", "10:20:01", ["data": ["kind": "no_badge"]]))
            try await Task.sleep(for: .milliseconds(200))
            await group.triggerGracefulShutdown()
            return try await blocking { running.finish() }
        }
        #expect(run.status == 0)
        let numbers = try run.output.split(separator: "\n").map { try JSON(parsing: String($0))["seq"] }
        #expect(numbers == [7, 8])
    }

    @Test func recordWritesTheCaptureAndStopsOnInterrupt() async throws {
        let gateway = FakeGateway()
        try await withServer(gateway) { folder, _ in
            prepared(gateway, folder)
            let running = try Program(socket: folder.socket).start(["record", "--output", "-", "--note", "walk"])
            #expect(await eventually { gateway.isRecording })
            running.process.interrupt()
            let run = try await blocking { running.finish() }
            #expect(run.status == 0)
            #expect(run.output.hasPrefix("{\"capture\":1"))
            #expect(!gateway.isRecording)
        }
    }
}
