import Decoding
import Foundation
import Readings
import Testing

/// Wireshark's dissector as an independent counterpart: it reads one message of every type, with every parameter that may stand in it,
/// and finds nothing malformed. `STOCKGATE_TSHARK` names the program where it is not /usr/bin/tshark.
@Suite("LLRP against Wireshark")
struct LLRPTsharkTests {
    /// Where Wireshark 4.0 is wrong or knows nothing. The golden files of the LLRP Tool Kit have `Identification` as it is here; the
    /// definition file of EdgeX has the other standard ones so: Wireshark takes the AccessSpecID of a ClientRequestResponse for 16 bits
    /// and does not pass over the MB of a C1G2GetBlockPermalockStatus. It does not read the version that is to be set, nor vendors unknown
    /// to it, and stops at the vectors of Impinj's parameters 42, 45 and 55.
    static let knownMessages: Set<String> = ["SET_PROTOCOL_VERSION", "CUSTOM_MESSAGE", "CLIENT_REQUEST_OP_RESPONSE"]
    static let knownParameters: Set<String> = [
        "Identification", "C1G2 Get Block Permalock Status", "Custom parameter (Impinj - Unknown Type: 68)",
        "Custom parameter (Impinj - Unknown Type: 72)",
    ]

    @Test func everyMessageIsReadByWireshark() throws {
        let tshark = ProcessInfo.processInfo.environment["STOCKGATE_TSHARK"] ?? "/usr/bin/tshark"
        try #require(
            FileManager.default.isExecutableFile(atPath: tshark),
            "\(tshark) is not there: install the package tshark, or set STOCKGATE_TSHARK")
        var frames = LLRPMessageTests.all
        for seed in 41...48 as ClosedRange<UInt64> { frames += try Self.frames(seed: seed) }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("stockgate-llrp-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let capture = folder.appendingPathComponent("llrp.pcap")
        try Data(Self.capture(frames)).write(to: capture)
        let output = try Self.run(tshark, ["-r", capture.path, "-V", "-O", "llrp"])
        let dissected = output.components(separatedBy: "\nFrame ")
        #expect(dissected.count == frames.count)
        for (frame, text) in zip(frames, dissected) {
            let message = try LLRPMessage(frame)
            #expect(text.contains("Low Level Reader Protocol"), "\(message.name)")
            guard !Self.knownMessages.contains(message.name) else { continue }
            var place = message.name
            var parameters = 0
            for line in text.split(separator: "\n") {
                if line.contains("TLV Parameter: ") || line.contains("TV Parameter : "), let colon = line.firstIndex(of: ":") {
                    place = String(line[colon...].dropFirst(2))
                    parameters += 1
                }
                if line.contains("[Expert Info") || line.contains("Unknown Type"), !Self.knownParameters.contains(place) {
                    Issue.record("\(message.name), \(place): \(line); \(Hex.text(frame))")
                }
            }
            #expect(parameters == Self.count(message.parameters), "\(message.name), \(Hex.text(frame))")
        }
        // What it read, it read as we meant it.
        #expect(output.contains("EPC: 3005fb63ac1f3841ec880467") && output.contains("ROSpec ID: 123"))
        #expect(output.contains("Status code: M_FieldError (101)") && output.contains("hello"))
    }

    private static func frames(seed: UInt64) throws -> [[UInt8]] {
        var generator = LLRPGenerator(seed: seed, isThorough: true)
        var messages: [LLRPMessage] = []
        for definition in LLRPDefinitions.messages {
            messages.append(try generator.message(definition, version: definition.name.contains("VERSION") ? 2 : 1))
        }
        for definition in LLRPDefinitions.parameters {
            guard case .custom(vendor: LLRPDefinitions.impinj, let subtype) = definition.kind, ![42, 45, 55].contains(subtype) else {
                continue
            }
            messages.append(try LLRPMessage("RO_ACCESS_REPORT", id: 1, parameters: [generator.parameter(definition, depth: 6)]))
        }
        return try messages.map { try $0.encoded() }
    }

    private static func count(_ parameters: [LLRPParameter]) -> Int { parameters.reduce(0) { $0 + 1 + count($1.parameters) } }

    /// A capture file of TCP segments from port 5084, one message each.
    private static func capture(_ frames: [[UInt8]]) -> [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        // Magic number, version 2.4, zone, accuracy, longest packet, link type 101: packets begin with their IP header.
        var file = little(0xA1B2_C3D4, 4) + little(2, 2) + little(4, 2) + little(0, 8) + little(262_144, 4) + little(101, 4)
        var sequence = 1
        for frame in frames {
            let tcp = [0x13, 0xDC, 0xC0, 0x00] + LLRPReportTests.size(sequence, 4) + [0, 0, 0, 1, 0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]
            let ip = [0x45, 0x00] + LLRPReportTests.size(40 + frame.count, 2) + [0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]
            file += little(0, 8) + little(40 + frame.count, 4) + little(40 + frame.count, 4) + ip + tcp + frame
            sequence += frame.count
        }
        return file
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }
}
