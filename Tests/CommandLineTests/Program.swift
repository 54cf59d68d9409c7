import ControlTestSupport
import Foundation
import Testing

/// Runs the program as a user does.
struct Program: Sendable {
    struct Run: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    var socket: String
    var environment: [String: String] = [:]

    /// Beside the test bundle.
    static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("stockgate").path

    func run(_ arguments: [String], during: (@Sendable () async -> Void)? = nil) async throws -> Run {
        let running = try start(arguments)
        await during?()
        return try await blocking { running.finish() }
    }

    func start(_ arguments: [String]) throws -> Running { try start(command: [Self.path] + arguments) }

    /// - Parameter words: a program's path and its arguments.
    func start(command words: [String]) throws -> Running {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        var variables = ["PATH": "/usr/bin:/bin", "STOCKGATE_SOCKET": socket, "LANG": "en_GB.UTF-8"]
        variables.merge(environment) { _, new in new }
        process.environment = variables
        let running = Running(process)
        try process.run()
        return running
    }

    /// A process with pipes; used by one thread at a time.
    final class Running: @unchecked Sendable {
        let process: Process
        private let output = Pipe()
        private let errors = Pipe()

        fileprivate init(_ process: Process) {
            self.process = process
            process.standardOutput = output
            process.standardError = errors
            process.standardInput = FileHandle.nullDevice
        }

        func finish() -> Run {
            // Both hold less than a pipe does, except the output.
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return Run(status: process.terminationStatus, output: text, errors: complaints)
        }
    }
}

/// Output that a person has reviewed. `STOCKGATE_RECORD_SNAPSHOTS=1` records it anew; then read the difference.
enum Snapshot {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Snapshots")

    static func check(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = folder.appendingPathComponent(name + ".txt")
        if ProcessInfo.processInfo.environment["STOCKGATE_RECORD_SNAPSHOTS"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
            return
        }
        let reviewed = try String(contentsOf: file, encoding: .utf8)
        let (now, then) = (
            text.split(separator: "\n", omittingEmptySubsequences: false), reviewed.split(separator: "\n", omittingEmptySubsequences: false)
        )
        for (position, line) in now.enumerated() where position >= then.count || line != then[position] {
            Issue.record(
                "\(name).txt:\(position + 1): \(line) instead of \(position < then.count ? then[position] : "nothing")",
                sourceLocation: sourceLocation)
            return
        }
        #expect(now.count == then.count, "\(name).txt ended early", sourceLocation: sourceLocation)
    }
}
