import Foundation

/// Runs a program of `Tests/counterparts`: it says one line when it is ready, and ends when its standard input is closed, also when the
/// test crashes.
final class Counterpart {
    let firstLine: String
    private let process = Process()
    private let standardInput = Pipe()
    private let output = Pipe()

    init(_ script: String, _ arguments: [String] = []) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [Self.python, "-B", Self.folder.appendingPathComponent(script).path] + arguments
        process.standardInput = standardInput
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data([0x0A]), !byte.isEmpty { line += byte }
        firstLine = String(decoding: line, as: UTF8.self)
    }

    deinit {
        stop()
    }

    func stop() {
        guard process.isRunning else { return }
        try? standardInput.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private static let testsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let folder = testsFolder.appendingPathComponent("counterparts")
    /// `STOCKGATE_PYTHON`, else the virtual environment of the tests, else the system's.
    static let python: String = {
        if let python = ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] { return python }
        let own = testsFolder.deletingLastPathComponent().appendingPathComponent(".venv-tests/bin/python3").path
        return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
    }()
}
