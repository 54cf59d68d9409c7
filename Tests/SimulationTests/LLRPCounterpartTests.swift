import Decoding
import DeviceSimulators
import FoundationEssentials
import Glibc
import Readings
import Testing

/// What our client sends, as Wireshark's dissector reads it: written apart from this project, from the same standard.
@Suite struct LLRPCounterpartTests {
    static let tshark = getenv("STOCKGATE_TSHARK").map { String(cString: $0) } ?? "/usr/bin/tshark"
    static var hasTshark: Bool { access(tshark, X_OK) == 0 }

    /// All intents of all vendors in both versions, with power, outputs, keepalives, the question for the inventory, and the end.
    static let conversations: [[UInt8]] = {
        var messages: [[UInt8]] = []
        for personality in LLRPReaderSimulator.Personality.allCases {
            for intent in RadioIntent.allCases {
                for version: UInt8 in [1, 2] {
                    for rotation: LLRPSession.Rotation in personality == .generic ? [.auto, .gateway] : [.auto] {
                        var bench = LLRPBench(
                            personality, radio: RadioSettings(region: .fcc, power: 2_500, intent: intent),
                            configuration: .init(rotation: rotation),
                            plan: SessionPlan(feedback: [
                                .accepted: [.init(bytes: [1, 1, 2, 0]), .init(pause: .milliseconds(9), bytes: [1, 0])]
                            ])
                        ) { $0.version = version }
                        bench.open()
                        bench.act { _ = $0.give(.accepted, at: $1, into: &$2) }
                        bench.wait(.seconds(61))
                        bench.close()
                        _ = bench.reader.setInput(1, true, at: bench.now)
                        bench.open()
                        bench.wait(.seconds(3))
                        bench.act { $0.release(at: $1, into: &$2) }
                        messages += bench.sent
                    }
                }
            }
        }
        return messages
    }()

    @Test(.enabled(if: hasTshark, "tshark is not installed")) func tsharkReadsAllThatIsSent() throws {
        // Version 4.0 of the dissector looks for the one byte of SET_PROTOCOL_VERSION in the wrong place: LLRP 1.1, section 17.1.3.
        let settings = Self.conversations.filter { $0[1] == 47 }
        #expect(settings.allSatisfy { $0.prefix(6) == [0x08, 0x2F, 0, 0, 0, 11] && $0.dropFirst(10) == [2] })
        #expect(settings.count > 10)
        let messages = Self.conversations.filter { $0[1] != 47 }
        #expect(messages.count > 800)
        let folder = "\(TemporaryFolder.path)/stockgate-llrp-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // A capture file of raw IPv4 packets (link type 101), each with one TCP segment to port 5084.
        var file: [UInt8] = [0xA1, 0xB2, 0xC3, 0xD4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 101]
        var sequence: UInt32 = 1
        for (index, message) in messages.enumerated() {
            let length = 40 + message.count
            file += Self.word(UInt32(index)) + Self.word(0) + Self.word(UInt32(length)) + Self.word(UInt32(length))
            file += [0x45, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
            file += [0xC0, 0, 0x13, 0xDC] + Self.word(sequence) + Self.word(1) + [0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0] + message
            sequence &+= UInt32(message.count)
        }
        try Data(file).write(to: URL(fileURLWithPath: "\(folder)/client.pcap"))
        let text = try Self.output("'\(Self.tshark)' -r '\(folder)/client.pcap' -V -O llrp 2>'\(folder)/errors'")
        let frames = text.split(separator: "\n").filter { $0.hasPrefix("Frame ") }
        #expect(frames.count == messages.count)
        for word in ["Malformed", "Expert Info", "Unknown", "[Invalid", "Short"] {
            let lines = text.split(separator: "\n").filter { $0.contains(word) }
            // It knows neither Zebra's parameters, which it passes over whole, nor the loop of 1.1.
            let others = lines.filter { !$0.contains("(161)") && !$0.contains("Vendor Unknown: 000002") && !$0.contains("(355)") }
            #expect(others.isEmpty, "\(word): \(Set(others.prefix(20)))")
        }
        for name in [
            "Get Supported Version", "Get Reader Capabilities", "Set Reader Config", "Get Reader Config", "Delete ROSpec", "Add ROSpec",
            "Enable ROSpec", "Start ROSpec", "Stop ROSpec", "Get ROSpecs", "Close Connection", "Keepalive Ack",
        ] { #expect(text.contains(name), "\(name)") }
    }

    private static func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    /// What a command prints.
    private static func output(_ command: String) throws -> String {
        let pipe = try #require(popen(command, "r"))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { bytes += buffer[..<count] }
        #expect(pclose(pipe) == 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}

private enum TemporaryFolder {
    static var path: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp" }
}
