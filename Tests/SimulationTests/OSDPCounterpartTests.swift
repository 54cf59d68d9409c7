import Decoding
import DeviceSimulators
import Devices
import Foundation
import Readings
import Testing

/// The panel against LibOSDP's reader (`Tests/counterparts/osdp_reader.py`), over a pseudo-terminal and in real time.
@Suite("OSDP panel and LibOSDP's reader", .serialized)
struct OSDPCounterpartTests {
    private static let feedback: [Feedback: [SessionPlan.Transmission]] = [
        .accepted: [
            .init(bytes: [0x69, 0, 0, 2, 10, 0, 2, 0, 10, 0, 0, 0, 0, 0, 0]), .init(bytes: [0x6A, 0, 2, 1, 0, 1]),
            .init(bytes: [0x68, 0, 5, 30, 0]),
        ]
    ]

    /// The reader in a process of its own, and the panel here.
    private final class Bench {
        var panel: OSDPSession
        private(set) var readings: [Reading] = []
        private let terminal: PseudoTerminal
        private let process = Process()
        private let orders = Pipe()
        private let reports = Pipe()
        private var line: [UInt8] = []
        private(set) var commands: [JSON] = []

        /// - Parameter mode: `secure` for a reader that demands the secure channel.
        init(address: UInt8, mode: [String] = []) throws {
            terminal = try PseudoTerminal()
            panel = OSDPSession(
                .init(replyTimeout: .milliseconds(1_000), offlineTimeout: .seconds(3)),
                plan: SessionPlan(feedback: OSDPCounterpartTests.feedback),
                address: address)
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [Self.python, "-B", Self.script, terminal.path, "\(address)"] + mode
            process.standardInput = orders
            process.standardOutput = reports
            try process.run()
            try #require(reports.fileHandleForReading.read(upToCount: 8) == Data("\"ready\"\n".utf8), "the counterpart did not start")
        }

        deinit {
            try? orders.fileHandleForWriting.close()
            process.waitUntilExit()
        }

        func order(_ text: String) throws { try orders.fileHandleForWriting.write(contentsOf: Data((text + "\n").utf8)) }

        func open() {
            var output = SessionOutput()
            panel.opened(at: BootClock.now(), into: &output)
            settle(output)
        }

        func give(_ kind: Feedback) -> Bool {
            var output = SessionOutput()
            defer { settle(output) }
            return panel.give(kind, at: BootClock.now(), into: &output)
        }

        /// Drives the panel until something is so, half a minute at most.
        func run(until isDone: (Bench) -> Bool) {
            let end = BootClock.now() + .seconds(30)
            while !isDone(self), BootClock.now() < end {
                let wait = (panel.nextDeadline ?? end) - BootClock.now()
                let bytes = terminal.read(waiting: Int32(clamping: max(1, min(wait.milliseconds, 20))))
                var output = SessionOutput()
                let now = BootClock.now()
                if !bytes.isEmpty { bytes.withUnsafeBytes { panel.receive($0, at: now, into: &output) } }
                if let deadline = panel.nextDeadline, deadline <= now { panel.advance(to: now, into: &output) }
                settle(output)
                readReports()
            }
        }

        private func settle(_ output: SessionOutput) {
            readings += output.batch.readings
            for bytes in output.transmissions { terminal.write(bytes) }
        }

        private func readReports() {
            let descriptor = reports.fileHandleForReading.fileDescriptor
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while poll(&request, 1, 0) > 0, request.revents & Int16(POLLIN) != 0 {
                var buffer = [UInt8](repeating: 0, count: 4_096)
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { return }
                for byte in buffer[..<count] {
                    guard byte == 0x0A else {
                        line.append(byte)
                        continue
                    }
                    if let report = try? JSON(parsing: line) { commands.append(report) }
                    line = []
                }
            }
        }

        var badges: [String] { readings.compactMap { if case .badge(let read) = $0 { read.credential } else { nil } } }

        private static let testsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        private static let script = testsFolder.appendingPathComponent("counterparts/osdp_reader.py").path
        /// `STOCKGATE_PYTHON`, else the virtual environment of the tests, else the system's.
        private static let python: String = {
            if let python = ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] { return python }
            let own = testsFolder.deletingLastPathComponent().appendingPathComponent(".venv-tests/bin/python3").path
            return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
        }()
    }

    @Test func cardsStatesAndFeedback() throws {
        let bench = try Bench(address: 5)
        bench.open()
        bench.run { $0.panel.state == .reading }
        #expect(bench.panel.state == .reading)
        #expect(
            bench.panel.stepAnswers["identification"].map { String(decoding: $0, as: UTF8.self) }
                == "vendor 5C2680, model 2, version 1, serial 305419896, firmware 10.11.12")
        try bench.order(#"{"card": "8F80A8C0", "bits": 26}"#)
        bench.run { $0.badges.count == 1 }
        try bench.order(#"{"card": "04A2B3C4", "bits": 32}"#)
        try bench.order(#"{"card": "2D00A200", "bits": 26}"#)
        try bench.order(#"{"status": "input", "report": "0001"}"#)
        try bench.order(#"{"status": "local", "report": "0100"}"#)
        bench.run { $0.badges.count == 3 && $0.panel.counters.faults["housing opened"] != nil }
        #expect(bench.badges == ["1F0151", "04A2B3C4", "5A0144"])
        #expect(bench.readings.contains(.input(InputChange(line: 1, isActive: true))))
        #expect(bench.panel.counters.faults["housing opened"] == 1)

        let isGiven = bench.give(.accepted)
        #expect(isGiven)
        bench.run { bench in bench.commands.contains { $0["command"]?.string == "output" } }
        let shown = bench.commands.filter { $0["command"]?.string != "status" }
        #expect(shown.map { $0["command"]?.string } == ["led", "buzzer", "output"])
        #expect(shown.first?["on_color"]?.integer == 2 && shown.first?["on_count"]?.integer == 10)
        #expect(shown.dropFirst().first?["rep_count"]?.integer == 1)
        #expect(shown.last?["control_code"]?.integer == 5 && shown.last?["timer_count"]?.integer == 30)
        #expect(bench.panel.counters.rejects[.checksum] == 0 && bench.panel.counters.rejects[.malformed] == 0)
    }

    @Test func aBrokenWireAndBack() throws {
        let bench = try Bench(address: 0)
        bench.open()
        bench.run { $0.panel.state == .reading }
        try bench.order(#"{"silent": true}"#)
        bench.run { !$0.panel.state.isReading }
        #expect(bench.panel.state == .silent(reason: "no answer from address 0, for 3000 ms"))
        try bench.order(#"{"silent": false}"#)
        bench.run { $0.panel.state == .reading }
        try bench.order(#"{"card": "8F80A8C0", "bits": 26}"#)
        bench.run { !$0.badges.isEmpty }
        #expect(bench.badges == ["1F0151"])
    }

    @Test func theSecureChannelIsDemanded() throws {
        let bench = try Bench(address: 1, mode: ["secure"])
        bench.open()
        bench.run { $0.panel.counters.faults["secure channel demanded"] != nil }
        guard case .silent(let reason) = bench.panel.state else { return #expect(Bool(false), "\(bench.panel.state)") }
        #expect(reason.contains("secure channel") && reason.contains("NAK 6"))
    }
}
