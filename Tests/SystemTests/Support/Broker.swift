import Foundation
import Glibc
import Readings

/// A Mosquitto at a workplace, and `Tests/counterparts/mqtt_receiver.py`, which publishes to it and notes what the gateway says.
final class Broker: Sendable {
    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/sbin/mosquitto")

    let port: Int
    private let broker: Child
    private let sender: ServerOnTheSide

    static func start(at place: Workplace) async throws -> Broker {
        let port = try freePort()
        let lines = ["listener \(port) 127.0.0.1", "user root", "allow_anonymous true", "max_queued_messages 0"]
        try place.write("mosquitto.conf", lines.joined(separator: "\n") + "\n")
        let broker = try Child("/usr/sbin/mosquitto", ["-c", place.file("mosquitto.conf")], errors: place.file("mosquitto.log"))
        try await eventually("Mosquitto listens") { place.read("mosquitto.log").contains(" running") ? true : nil }
        let sender = try await ServerOnTheSide(
            "mqtt_receiver.py", ["--broker-port", "\(port)", "--gateway", "TEST", "--site", "Test crib", "--destination", "hub"], at: place)
        return Broker(port: port, broker: broker, sender: sender)
    }

    private init(port: Int, broker: Child, sender: ServerOnTheSide) {
        (self.port, self.broker, self.sender) = (port, broker, sender)
    }

    func publish(_ topic: String, _ lines: [JSON], retain: Bool = false) throws {
        let bytes = lines.map(\.canonicalText).joined(separator: "\n").utf8
        let hex = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try sender.post("publish", ["topic": .string(topic), "hex": .string(hex), "retain": .bool(retain)])
    }

    /// What the gateway said to senders of master data, in order.
    func states() throws -> [JSON] { try sender.state()["states"]?.array ?? [] }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard result else { throw StoryFailure(description: "no free port, errno \(errno)") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
