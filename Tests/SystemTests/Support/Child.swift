import Foundation
import Synchronization

/// A program that a test started, ended by its process id at the latest with the object.
final class Child: Sendable {
    private let process: Process
    private let ending = Mutex<Int32?>(nil)
    private let input = Pipe()

    /// - Parameter output: where standard output goes; nil: nowhere.
    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], output: String? = nil, errors: String) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = try output.map(Self.openForWriting) ?? FileHandle.nullDevice
        process.standardError = output == errors ? process.standardOutput : try Self.openForWriting(errors)
        process.terminationHandler = { [weak self] process in
            // A shell's way of telling an end by a signal.
            let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
            self?.ending.withLock { $0 = status }
        }
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    private static func openForWriting(_ path: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
            throw StoryFailure(description: "\(path) cannot be written")
        }
        return handle
    }

    var identifier: Int32 { process.processIdentifier }

    /// The exit code, 128 and the signal for one that was killed; nil while it runs.
    var status: Int32? { ending.withLock { $0 } }

    func send(_ signal: Int32) { if status == nil { kill(process.processIdentifier, signal) } }

    /// To its standard input.
    func write(_ text: String) throws { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

    func closeInput() { try? input.fileHandleForWriting.close() }

    func end(within limit: Duration = .seconds(20)) async throws -> Int32 {
        try await eventually("process \(identifier) ends", within: limit) { self.status }
    }
}

/// What a command printed, and its exit code.
struct Run {
    var status: Int32
    var output: String
    var errors: String
}

extension Workplace {
    /// Runs a program to its end.
    func run(_ program: String, _ arguments: [String], environment: [String: String] = [:], within limit: Duration = .seconds(60))
        async throws -> Run
    {
        let name = file("run-\(UUID().uuidString)")
        let child = try Child(program, arguments, environment: environment, output: name + ".out", errors: name + ".err")
        child.closeInput()
        let status: Int32
        do { status = try await child.end(within: limit) } catch {
            throw StoryFailure(description: "\(arguments.joined(separator: " ")): \(error)")
        }
        func text(_ path: String) -> String { String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self) }
        return Run(status: status, output: text(name + ".out"), errors: text(name + ".err"))
    }

    /// `stockgate` with these arguments; those that speak to the daemon find it.
    func stockgate(_ arguments: String..., within limit: Duration = .seconds(60)) async throws -> Run {
        try await run(
            Setting.program("stockgate"), arguments, environment: ["STOCKGATE_SOCKET": file("control.sock"), "LC_ALL": "en_GB.UTF-8"],
            within: limit)
    }
}
