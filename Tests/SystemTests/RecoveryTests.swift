import Foundation
import Readings
import Testing

extension SystemTests {
    /// What goes wrong with devices: each is over within 30 s, or `stockgate devices` says what it is; nothing is ever taken for gone.
    @Suite struct RecoveryTests {
        /// It lies inside, where one antenna sees it: a tag that both saw would be uncertain, and rightly so.
        static let tag = "3476451FD4000000000003E9"
        static let patience = Duration.seconds(30)

        /// A gate of one reader with two antennas.
        static func gate(_ device: String) -> String {
            """
            [[station]]
            name = "gate"
            kind = "gate"
            antenna = [{ device = "\(device)", port = 1, side = "inside" }, { device = "\(device)", port = 2, side = "outside" }]


            """
        }

        /// Events about things: none of them must come of a device that fails.
        static func facts(_ gateway: RunningGateway) throws -> [String] {
            (try gateway.get("events")["events"]?.array ?? []).compactMap { $0["type"]?.string }.filter {
                $0.hasPrefix("loan.") || $0.hasPrefix("stock.") || $0.hasPrefix("exception.")
            }
        }

        static func awaits(_ gateway: RunningGateway, _ device: String, _ state: String) async throws -> JSON {
            try await eventually("\(device) is \(state)", within: patience) {
                try gateway.get("devices")["devices"]?.array?.first { $0["name"]?.string == device && $0["state"]?.string == state }
            }
        }

        @Test func aSerialReaderThatFallsSilentSpeaksNonsenseAndRestarts() async throws {
            try await story { place in
                try place.write(
                    "site.toml",
                    Bench.gateway(place) + Bench.device("uhf", "r2000/a0-uhf", place) + Self.gate("uhf") + Bench.fileDestination(place))
                let reader = try await SimulatedOnTheSide.start("a0", "--link", place.file("dev/uhf"), at: place)
                try reader.tell("tag \(Self.tag) 1")
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("uhf")
                try reader.tell("stall")
                let silent = try await Self.awaits(gateway, "uhf", "silent")
                #expect(silent["reason"]?.string?.isEmpty == false)
                try reader.tell("go")
                try await gateway.reads("uhf", within: Self.patience)
                let before = try gateway.rejects(of: "uhf")
                for _ in 0..<20 { try reader.tell("garbage") }
                try await eventually("the noise is counted", within: Self.patience) {
                    try gateway.rejects(of: "uhf") > before ? true : nil
                }
                try reader.tell("restart")
                try await gateway.reads("uhf", within: Self.patience)
                // A new process on the same path: another pseudo-terminal, as after a cable was pulled and put back.
                try await reader.kill()
                _ = try await eventually("the reader is missed", within: Self.patience) { () -> Bool? in
                    try gateway.device("uhf")["state"] == "reading" ? nil : true
                }
                let again = try await SimulatedOnTheSide.start("a0", "--link", place.file("dev/uhf"), at: place)
                try again.tell("tag \(Self.tag) 1")
                try await gateway.reads("uhf", within: Self.patience)
                #expect(try Self.facts(gateway) == [])
                withExtendedLifetime(again) {}
                try await gateway.stop()
            }
        }

        @Test func aReaderOnTheNetworkThatIsKilledAndOneThatNeverAnswers() async throws {
            try await story { place in
                let reader = try await SimulatedOnTheSide.start("llrp", "--listen", "127.0.0.1:0", at: place)
                try reader.tell("tag \(Self.tag) 1")
                let address = reader.address.replacing("tcp://", with: "")
                // A socket that takes calls and says nothing: what a half-open line looks like from here.
                let mute = try MuteServer()
                try place.write(
                    "site.toml",
                    Bench.gateway(place) + "[[device]]\nname = \"uhf\"\nprofile = \"generic/llrp-reader\"\naddress = \"\(address)\"\n\n"
                        + "[[device]]\nname = \"mute\"\nprofile = \"generic/llrp-reader\"\naddress = \"127.0.0.1:\(mute.port)\"\n\n"
                        + Self.gate("uhf") + Bench.fileDestination(place))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("uhf", within: Self.patience)
                // It was reading; then the line stays open, and nothing comes any more.
                try reader.tell("stall")
                let halfOpen = try await eventually("the reader that fell dumb is explained", within: Self.patience) { () -> String? in
                    let device = try gateway.device("uhf")
                    return device["state"] == "reading" ? nil : device["reason"]?.string
                }
                #expect(!halfOpen.isEmpty)
                try reader.tell("go")
                try await gateway.reads("uhf", within: Self.patience)
                try await reader.kill()
                _ = try await eventually("the reader is missed", within: Self.patience) { () -> Bool? in
                    try gateway.device("uhf")["state"] == "reading" ? nil : true
                }
                let again = try await SimulatedOnTheSide.start("llrp", "--listen", address, at: place)
                try again.tell("tag \(Self.tag) 1")
                try await gateway.reads("uhf", within: Self.patience)
                let explained = try await eventually("the mute one is explained", within: Self.patience) { () -> String? in
                    let device = try gateway.device("mute")
                    return device["state"] == "reading" ? nil : device["reason"]?.string
                }
                #expect(!explained.isEmpty)
                #expect(try Self.facts(gateway) == [])
                withExtendedLifetime((again, mute)) {}
                try await gateway.stop()
            }
        }

        @Test func aDeviceThatTalksAnotherLanguageIsExplained() async throws {
            try await story { place in
                try place.write(
                    "site.toml", Bench.gateway(place) + Bench.device("uhf", "r2000/a0-uhf", place) + Bench.fileDestination(place))
                // What a wrong speed looks like to the gateway: bytes, and none of them means anything.
                let line = try BenchScanner(place.file("dev/uhf"))
                let gateway = try await RunningGateway.start(at: place)
                try await eventually("the advice is given", within: Self.patience) { () -> Bool? in
                    line.send((0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) & 0x5F })
                    return try gateway.device("uhf")["advice"] == "foreign_bytes" ? true : nil
                }
                let shown = try await place.stockgate("devices")
                #expect(shown.output.contains("uhf: what arrives is not this protocol"))
                try await gateway.stop()
            }
        }

        @Test func aSilentModbusUnitAndTheOtherOnItsLine() async throws {
            try await story { place in
                let board = try await SimulatedOnTheSide.start("modbus-relay", "--link", place.file("dev/bus"), at: place)
                try place.write(
                    "site.toml",
                    Bench.gateway(place)
                        + "[[device]]\nname = \"lights\"\nprofile = \"waveshare/relay-8\"\nport = \"\(place.file("dev/bus"))\"\nunit = 1\n\n"
                        + "[[device]]\nname = \"nobody\"\nprofile = \"waveshare/relay-8\"\nport = \"\(place.file("dev/bus"))\"\nunit = 9\n\n"
                        + Bench.fileDestination(place))
                let gateway = try await RunningGateway.start(at: place)
                try await gateway.reads("lights", within: Self.patience)
                try await eventually("the missing unit is explained", within: Self.patience) { () -> Bool? in
                    let device = try gateway.device("nobody")
                    return device["state"] == "reading" ? nil : device["reason"]?.string?.isEmpty == false ? true : nil
                }
                try board.tell("stall")
                _ = try await eventually("the silence is noticed", within: Self.patience) { () -> Bool? in
                    try gateway.device("lights")["state"] == "reading" ? nil : true
                }
                try board.tell("go")
                try await gateway.reads("lights", within: Self.patience)
                try await gateway.stop()
            }
        }
    }
}

/// Takes calls and never says a word.
final class MuteServer: Sendable {
    private let descriptor: Int32
    let port: UInt16

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw StoryFailure(description: "no socket: \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}
