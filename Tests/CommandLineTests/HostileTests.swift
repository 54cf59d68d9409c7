import Control
import ControlTestSupport
import Foundation
import Ledger
import Readings
import Testing

/// Everything from devices, files and people is hostile: none of it reaches a terminal raw.
@Suite struct HostileTests {
    private static let poison =
        "\u{1B}]0;owned\u{7}\u{1B}[2J\u{9B}31m\r\n\tx\u{202E}gpj.exe\u{2066}\u{200B}\u{FEFF}\u{2028}\u{E0041}\u{0}"
    private static let long = poison + String(repeating: "长", count: 10_000)

    /// The fixtures with every text replaced.
    private static func poisoned(_ json: JSON) -> JSON {
        switch json {
        case .string(let text): text.isEmpty || text.hasPrefix("2026-") || isStructure(text) ? json : .string(text + poison)
        case .array(let elements): .array(elements.map(poisoned))
        case .object(let members): .object(members.mapValues(poisoned))
        default: json
        }
    }

    /// Words that decide what is shown, so that all of it is shown; half of the run poisons them too.
    private static func isStructure(_ text: String) -> Bool {
        text.contains("_") || Event.Body.types.contains(text)
            || ["reading", "sighting", "device", "feedback", "test", "gateway"].contains(text)
    }

    private static var contents: FakeGateway.Contents {
        var contents = FakeGateway.Contents()
        contents.status.site += long
        contents.status.version += poison
        for index in contents.devices.indices {
            contents.devices[index].name += poison
            contents.devices[index].port = poison
            contents.devices[index].profile = poison
            contents.devices[index].rejects = [poison: 1]
            contents.devices[index].state = .silent(reason: long)
            contents.devices[index].since = poison
        }
        for index in contents.stations.indices {
            contents.stations[index].name = long
            contents.stations[index].kind = poison
            contents.stations[index].mode = poison
            contents.stations[index].locationName = poison
            contents.stations[index].stopped = poison
        }
        for index in contents.destinations.indices {
            contents.destinations[index].name = poison
            contents.destinations[index].state = poison
            contents.destinations[index].problem = poison
        }
        let raw = contents.events[3]
        contents.events = contents.events.map(poisoned)
        // One with a poisoned type and evidence with poisoned keys.
        var strange = raw.object ?? [:]
        strange["seq"] = 9
        strange["type"] = .string(long)
        strange["evidence"] = .object([poison: .object([poison: .array([.string(long)])])])
        contents.events.append(.object(strange))
        contents.loans = contents.loans.map(poisoned)
        contents.stock = contents.stock.map(poisoned)
        contents.exceptions = contents.exceptions.map(poisoned)
        contents.happenings =
            contents.happenings.map(poisoned) + [["kind": "reading", "device": .string(long), "scan": ["text": .string(long)]]]
        contents.tags[0].name = poison
        contents.profile.reason = poison
        contents.profile.candidates = [.init(profile: poison, result: .failed(property: poison, expected: poison, found: poison))]
        contents.outcome.changes = MasterRow.changes(from: [], by: [MasterRow(set: .items, id: poison, body: ["name": .string(poison)])])
        return contents
    }

    private func isClean(_ text: String, allowing colours: Bool = false) -> Bool {
        var text = text
        if colours {
            for code in ["0", "1", "2", "31", "32", "33"] { text = text.replacingOccurrences(of: "\u{1B}[\(code)m", with: "") }
            text = text.replacingOccurrences(of: "\r\n", with: "\n")
        }
        return text.unicodeScalars.allSatisfy { scalar in
            if scalar == "\n" { return true }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: return false
            default: return true
            }
        }
    }

    private static let verbs = [
        ["status"], ["devices"], ["station"], ["events"], ["explain", "3"], ["explain", "4"], ["explain", "9"], ["exceptions"],
        ["exceptions", "show", "4"], ["loans"], ["stock"], ["tag"], ["profile", "explain", "gate-1"], ["import", "FOLDER/items.csv"],
        ["station", "pause", long.replacingOccurrences(of: "\u{0}", with: "")],
        ["exceptions", "assign", "4", "--to", "\u{1B}[31m\u{202E}"],
        ["decode", "barcode", "\u{1B}[31m\u{202E}x"], ["decode", "epc", "\u{1B}[31m"], ["\u{1B}[31m\u{202E}"], ["devices", "--\u{1B}[31m"],
    ]

    @Test(arguments: ["en", "zh"])
    func nothingRawReachesTheTerminal(language: String) async throws {
        let gateway = FakeGateway(Self.contents)
        try await withServer(gateway) { folder, _ in
            _ = folder.write("id,name\nDRILL-01,Drill\n", to: "items.csv")
            let program = Program(socket: folder.socket)
            for verb in Self.verbs {
                let run = try await program.run(
                    verb.map { $0.replacingOccurrences(of: "FOLDER", with: folder.path) } + ["--lang", language])
                #expect(isClean(run.output + run.errors), "\(verb)")
                #expect((run.output + run.errors).utf8.count < 100_000, "\(verb)")
            }
            let watch = try await program.run(["watch", "--lang", language]) {
                _ = await eventually { gateway.watcherCount == 1 }
                gateway.dropWatchers()
            }
            #expect(isClean(watch.output) && watch.output.contains("\\x1B]0;owned"))
        }
    }

    /// The canonical form leaves other format characters as they are, which no terminal acts on; controls and direction it escapes.
    @Test func jsonEscapesControlsToo() async throws {
        try await withServer(FakeGateway(Self.contents)) { folder, _ in
            let program = Program(socket: folder.socket)
            for verb in [["devices"], ["events"], ["explain", "9"], ["loans"]] {
                let run = try await program.run(verb + ["--json"])
                #expect(run.status == 0)
                #expect(
                    run.output.unicodeScalars.allSatisfy {
                        $0 == "\n"
                            || ($0.properties.generalCategory != .control && !(0x202A...0x202E).contains($0.value)
                                && !(0x2066...0x2069).contains($0.value))
                    }, "\(verb)")
            }
        }
    }

    /// On a terminal the only escape sequences are our colours; with NO_COLOR there are none.
    @Test func coloursAreOursAlone() async throws {
        try await withServer(FakeGateway(Self.contents)) { folder, _ in
            for (variables, hasColours) in [
                (["TERM": "xterm"], true), (["TERM": "xterm", "NO_COLOR": "1"], false), (["TERM": "dumb"], false),
            ] {
                let program = Program(socket: folder.socket, environment: variables)
                let running = try program.start(command: ["/usr/bin/script", "-qec", "\(Program.path) devices", "/dev/null"])
                let run = try await blocking { running.finish() }
                #expect(run.output.contains("\u{1B}[33m") == hasColours)
                #expect(isClean(run.output, allowing: true))
            }
        }
    }
}
