import Foundation
import Glibc
import HTTPClient
import Readings
import Testing

/// A Mosquitto of its own in a temporary folder.
final class Mosquitto {
    let port: Int
    private let folder: TemporaryFolder
    private var process: Process?

    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/sbin/mosquitto")

    /// - Parameters:
    ///   - lines: more of its configuration; without any, everybody may do everything.
    ///   - users: name and password.
    ///   - queues: how much it keeps for a client that is slow; empty: what Mosquitto does by itself, 20 on their way and 1,000 behind them.
    init(
        _ lines: [String] = [], users: [String: String] = [:],
        queues: [String] = ["max_queued_messages 0", "max_inflight_messages 1000"]
    ) throws {
        folder = try TemporaryFolder()
        port = try Self.freePort()
        var configuration = ["listener \(port) 127.0.0.1", "user root"] + queues + lines
        if users.isEmpty {
            configuration.append("allow_anonymous true")
        } else {
            configuration += ["allow_anonymous false", "password_file \(folder.path)/passwords"]
            for (index, user) in users.sorted(by: { $0.key < $1.key }).enumerated() {
                let tool = try Process.run(
                    URL(fileURLWithPath: "/usr/bin/mosquitto_passwd"),
                    arguments: (index == 0 ? ["-c"] : []) + ["-b", "\(folder.path)/passwords", user.key, user.value])
                tool.waitUntilExit()
            }
        }
        try configuration.joined(separator: "\n").write(toFile: "\(folder.path)/mosquitto.conf", atomically: true, encoding: .utf8)
        try start()
    }

    deinit {
        stop()
    }

    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/mosquitto")
        process.arguments = ["-c", "\(folder.path)/mosquitto.conf"]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        self.process = process
        for _ in 0..<200 {
            if Self.accepts(port) { return }
            usleep(20_000)
        }
        Issue.record("mosquitto does not listen on \(port)")
    }

    func stop() {
        guard let process, process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private static func freePort() throws -> Int {
        let server = try ScriptedServer { _ in [] }
        return server.port
    }

    private static func accepts(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// Runs `Tests/counterparts/mqtt_receiver.py`.
final class MQTTReceiver {
    static let site = "Plant 2, tool crib"
    static let base = "stockgate/1/Plant%202%2C%20tool%20crib/CRIB1"

    private let counterpart: Counterpart
    private let connection: HTTPConnection
    private let url: String

    init(_ broker: Mosquitto, format: String = "json", _ arguments: [String] = [], behaviour: JSON = [:]) throws {
        counterpart = try Counterpart(
            "mqtt_receiver.py",
            [
                "--broker-port", "\(broker.port)", "--gateway", "CRIB1", "--site", Self.site, "--destination", "hub", "--format", format,
                "--behaviour", behaviour.canonicalText,
            ] + arguments)
        let port = try #require(Int(counterpart.firstLine), "the counterpart did not start: see its message above")
        url = "http://127.0.0.1:\(port)"
        connection = try HTTPConnection()
    }

    func control(_ changes: JSON) throws { try post("control", changes) }

    func publish(_ topic: String, _ hex: String, retain: Bool = false) throws {
        try post("publish", ["topic": .string(topic), "hex": .string(hex), "retain": .bool(retain)])
    }

    func report() throws -> JSON { try JSON(parsing: connection.perform(HTTPRequest("GET", "\(url)/control")).body) }

    func events() throws -> [String] { try report()["events"]?.array?.compactMap(\.string) ?? [] }

    /// Waits until the report is as wanted.
    func wait(_ seconds: Double = 20, until condition: (JSON) -> Bool) throws -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            if try condition(report()) { return true }
            usleep(20_000)
        }
        return try condition(report())
    }

    private func post(_ path: String, _ body: JSON) throws {
        #expect(try connection.perform(HTTPRequest("POST", "\(url)/\(path)", body: body.canonicalBytes)).status == 200)
    }
}
