import Foundation
import Readings
import Testing

/// `stockgate sim device` as a process of its own: a device that can lose its power in the middle of anything.
final class SimulatedOnTheSide: Sendable {
    let address: String
    private let child: Child
    private let output: String

    /// - Parameter options: those of `stockgate sim device KIND`.
    static func start(_ kind: String, _ options: String..., at place: Workplace) async throws -> SimulatedOnTheSide {
        let output = place.file("sim-\(UUID().uuidString).out")
        let child = try Child(
            Setting.program("stockgate"), ["sim", "device", kind, "--json"] + options, output: output, errors: output + ".err")
        let address = try await eventually("the simulated \(kind) says where it is") { () -> String? in
            let text = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
            if child.status != nil { throw StoryFailure(description: "sim device \(kind): \(text)\(Self.read(output + ".err"))") }
            guard let line = text.split(separator: "\n").first, text.contains("\n") else { return nil }
            return try JSON(parsing: Array(line.utf8))["address"]?.string
        }
        return SimulatedOnTheSide(address: address, child: child, output: output)
    }

    private init(address: String, child: Child, output: String) {
        (self.address, self.child, self.output) = (address, child, output)
    }

    deinit { child.send(SIGKILL) }

    private static func read(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    /// What it printed so far.
    var told: String { Self.read(output) }

    /// One line of its standard input, such as `stall`.
    func tell(_ line: String) throws { try child.write(line + "\n") }

    /// Its power is cut.
    func kill() async throws {
        child.send(SIGKILL)
        _ = try await child.end()
    }
}
