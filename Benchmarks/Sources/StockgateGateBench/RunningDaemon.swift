import Foundation
import Readings

/// The unmodified daemon on a store, and what it answers.
final class RunningDaemon {
    let process = Process()
    /// From its start to the first answer, in milliseconds.
    private(set) var startTime = 0.0
    let control: ControlSocket

    init(program: String, siteFile: String, socket: String, log: String) throws {
        control = ControlSocket(path: socket)
        process.executableURL = URL(filePath: program)
        process.arguments = ["--config", siteFile]
        guard FileManager.default.createFile(atPath: log, contents: nil) else { throw BenchError("cannot write \(log)") }
        process.standardError = FileHandle(forWritingAtPath: log)
        process.standardOutput = process.standardError
        let start = milliseconds()
        try process.run()
        while (try? control.get("/v1/status")) == nil {
            guard process.isRunning, milliseconds() - start < 120_000 else { throw BenchError("the daemon does not answer; see \(log)") }
            usleep(5_000)
        }
        startTime = milliseconds() - start
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// `VmRSS` or `VmHWM`, in MiB.
    func memory(_ name: String) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) / 1_024
    }
}

struct BenchError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
