import Foundation
import Readings
import Synchronization

/// The same store at the unmodified daemon: its start, walks in real time, and the report.
struct DaemonRun {
    let folder: String
    let gateway: String
    let command: String
    let profiles: String
    /// `2026-10`
    let month: String

    private static let runs = 5
    private static let walks = 60

    /// - Returns: whether it was fast enough.
    func run(freeTools: [Int]) throws -> Bool {
        try FileManager.default.createDirectory(atPath: "\(folder)/profiles/bench/lamp", withIntermediateDirectories: true)
        try Workshop.lampProfile.write(toFile: "\(folder)/profiles/bench/lamp/profile.toml", atomically: true, encoding: .utf8)
        let site = "\(folder)/site.toml"
        try Workshop.siteFile(state: "\(folder)/state", folder: folder, profiles: profiles)
            .write(toFile: site, atomically: true, encoding: .utf8)
        let people = try DaemonWalks(folder: folder)
        defer { people.end() }
        func start() throws -> RunningDaemon {
            let daemon = try RunningDaemon(program: gateway, siteFile: site, socket: "\(folder)/control.sock", log: "\(folder)/daemon.log")
            say(
                "\nthe daemon answers \(Int(daemon.startTime)) ms after its start, \(Int(daemon.memory("VmRSS"))) MiB resident, at most \(Int(daemon.memory("VmHWM")))"
            )
            return daemon
        }
        let path = "/v1/reports/loans?month=\(month)"
        var daemon = try start()
        let (made, _) = try time { try daemon.control.getWhenReady(path) }
        say("the first report ever, the index made from the whole log: \(Int(made)) ms, done once")
        daemon.stop()
        daemon = try start()
        defer { daemon.stop() }

        let (first, answer) = try time { try daemon.control.get(path) }
        let items = try JSON(parsing: Array(answer))["report"]?["totals"]?["items"]?.integer ?? 0
        let again = try (0..<Self.runs).map { _ in try time { try daemon.control.get(path) }.milliseconds }
        say("the report of \(month), \(items) loans, from the request to the end of the answer (\(answer.count) bytes):")
        say("  first \(Int(first)) ms, then \(list(again)) ms; wanted: at most \(Int(Main.wanted.report))")
        var isGood = items > Year.loansOfMonth * 95 / 100 && first <= Main.wanted.report && median(again) <= Main.wanted.report
        for format in ["table", "json", "csv", "html"] {
            let times = try (0..<Self.runs).map { _ in try time { try stockgate(format) }.milliseconds }
            say("  stockgate report loans --format \(format): \(list(times)) ms")
            isGood = isGood && median(times) <= Main.wanted.report
        }

        say("\nwalks through four gates of the daemon, from the millisecond at which the gate decides to the lamp's line; ms")
        say(String(repeating: " ", count: 52) + Percentiles.heading)
        let calm = try people.walk(Self.walks, tools: freeTools, control: daemon.control)
        say("walks".padded(to: 52) + "\(Percentiles(calm.times))")
        let isOver = Mutex(false)
        let asked = Mutex(0)
        let control = daemon.control
        let thread = Thread {
            while !isOver.withLock({ $0 }) {
                if (try? control.get(path)) != nil { asked.withLock { $0 += 1 } }
            }
        }
        thread.start()
        let busy = try people.walk(Self.walks, tools: Array(freeTools.dropFirst(Self.walks)), control: daemon.control)
        isOver.withLock { $0 = true }
        while !thread.isFinished { usleep(10_000) }
        let reports = asked.withLock { $0 }
        say("walks, reports asked for all the time".padded(to: 52) + "\(Percentiles(busy.times))  (\(reports) reports)")
        say("walks without a light: \(calm.unheard + busy.unheard) of \(2 * Self.walks)")
        say("at the end \(Int(daemon.memory("VmRSS"))) MiB resident, at most \(Int(daemon.memory("VmHWM")))")
        return isGood && Percentiles(calm.times).at(0.99) <= Main.wanted.decision
            && (calm.unheard + busy.unheard) * 10 <= 2 * Self.walks
    }

    private func stockgate(_ format: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: command)
        process.arguments = ["report", "loans", "--month", month, "--format", format, "--socket", "\(folder)/control.sock"]
        let output = "\(folder)/report.\(format)"
        guard FileManager.default.createFile(atPath: output, contents: nil) else { throw BenchError("cannot write \(output)") }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchError("stockgate report ended with \(process.terminationStatus)") }
    }

    private func time<Value>(_ body: () throws -> Value) rethrows -> (milliseconds: Double, value: Value) {
        let start = milliseconds()
        let value = try body()
        return (milliseconds() - start, value)
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func list(_ values: [Double]) -> String { values.map { String(Int($0)) }.joined(separator: ", ") }
}
