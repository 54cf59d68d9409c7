import Foundation
import HTTPClient
import Readings
import Testing

/// Runs `Tests/counterparts/epcis_server.py`, the independent receiver.
final class EPCISServer {
    let port: Int
    private let process = Process()
    /// The server ends when this is closed, also when the test crashes.
    private let standardInput = Pipe()
    private let connection: HTTPConnection

    static let vectors = ProcessInfo.processInfo.environment["STOCKGATE_VECTORS"]

    /// Where it speaks HTTPS, the file that vouches for it.
    private let authorityFile: String?

    var url: String { "\(authorityFile == nil ? "http" : "https")://127.0.0.1:\(port)" }

    init(port: Int = 0, behaviour: JSON = [:], arguments: [String] = [], authorityFile: String? = nil) throws {
        self.authorityFile = authorityFile
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [Self.python, "-B", Self.script, "--port", "\(port)", "--behaviour", behaviour.canonicalText] + arguments
        process.standardInput = standardInput
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data([0x0A]), !byte.isEmpty { line += byte }
        self.port = try #require(Int(String(decoding: line, as: UTF8.self)), "the counterpart did not start: see its message above")
        connection = try HTTPConnection(authorityFile: authorityFile)
    }

    deinit {
        stop()
    }

    func stop() {
        guard process.isRunning else { return }
        try? standardInput.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func control(_ changes: JSON) throws {
        let response = try connection.perform(
            HTTPRequest("POST", "\(url)/control", headers: [.init("Content-Type", "application/json")], body: changes.canonicalBytes))
        #expect(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
    }

    /// What the server counted and stored.
    func report() throws -> Report {
        let response = try connection.perform(HTTPRequest("GET", "\(url)/control"))
        return Report(json: try JSON(parsing: response.body))
    }

    struct Report {
        var json: JSON

        /// Ids of the stored events, in the order of arrival.
        var events: [String] { (json["events"]?.array ?? []).compactMap(\.string) }
        var problems: [String] { (json["problems"]?.array ?? []).compactMap(\.string) }
        var isValidating: Bool { json["validating"]?.bool ?? false }

        func count(_ name: String) -> Int64 { json["counts"]?[name]?.integer ?? -1 }
    }

    private static let testsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let script = testsFolder.appendingPathComponent("counterparts/epcis_server.py").path
    /// `STOCKGATE_PYTHON`, else the virtual environment of the tests, else the system's.
    private static let python: String = {
        if let python = ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] { return python }
        let own = testsFolder.deletingLastPathComponent().appendingPathComponent(".venv-tests/bin/python3").path
        return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
    }()
}
