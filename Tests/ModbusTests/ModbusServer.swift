import Devices
import Foundation
import Readings
import Testing

/// Runs `Tests/counterparts/modbus_server.py`: units served by pymodbus, which shares nothing with the gateway or with libmodbus.
final class ModbusServer {
    private let process = Process()
    /// The server ends when this is closed, also when the test crashes.
    private let standardInput = Pipe()
    private let output = Pipe()
    let place: String

    init(_ arguments: String...) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [Self.python, "-B", Self.script] + arguments
        process.standardInput = standardInput
        process.standardOutput = output
        try process.run()
        place = try Self.line(output)
        try #require(!place.isEmpty, "the counterpart did not start: see its message above")
    }

    deinit {
        stop()
    }

    var port: UInt16 { UInt16(place) ?? 0 }

    func stop() {
        guard process.isRunning else { return }
        try? standardInput.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    @discardableResult
    func tell(_ command: JSON) throws -> JSON {
        try standardInput.fileHandleForWriting.write(contentsOf: Data(command.canonicalBytes + [0x0A]))
        let answer = try JSON(parsing: Array(try Self.line(output).utf8))
        #expect(answer["error"] == nil, "\(answer)")
        return answer
    }

    func set(_ unit: Int64, input: Int64, _ isActive: Bool) throws {
        try tell(["set": "discrete", "unit": .integer(unit), "address": .integer(input), "values": [.bool(isActive)]])
    }

    func values(_ kind: String, _ unit: Int64, _ address: Int64, _ count: Int64) throws -> [JSON] {
        try tell(["get": .string(kind), "unit": .integer(unit), "address": .integer(address), "count": .integer(count)])["values"]?.array
            ?? []
    }

    private static func line(_ pipe: Pipe) throws -> String {
        var line = Data()
        while let byte = try pipe.fileHandleForReading.read(upToCount: 1), byte != Data([0x0A]), !byte.isEmpty { line += byte }
        return String(decoding: line, as: UTF8.self)
    }

    private static let testsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    private static let script = testsFolder.appendingPathComponent("counterparts/modbus_server.py").path
    /// `STOCKGATE_PYTHON`, else the virtual environment of the tests, else the system's.
    private static let python: String = {
        if let python = ProcessInfo.processInfo.environment["STOCKGATE_PYTHON"] { return python }
        let own = testsFolder.deletingLastPathComponent().appendingPathComponent(".venv-tests/bin/python3").path
        return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
    }()
}
