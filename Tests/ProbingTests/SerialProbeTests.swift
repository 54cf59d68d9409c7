import Decoding
import DeviceSimulators
import Devices
import Glibc
import Profiles
import Readings
import Testing

@testable import Probing

/// A line with a device that talks at one setting only; at any other it is garbage. Time passes with every read.
private final class ScriptedLine: ProbedLine {
    var device: any SimulatedDevice
    let speed: Int
    /// What it says by itself, one each time it is read.
    var speech: [[UInt8]]
    var refused: Set<Int> = []
    private(set) var written: [[UInt8]] = []
    private(set) var applied: [Int] = []
    private var waiting: [[UInt8]] = []
    private(set) var now = Instant.zero
    var lineErrors: UInt64? = 0

    init(_ device: any SimulatedDevice, speed: Int, speech: [[UInt8]] = []) {
        self.device = device
        self.speed = speed
        self.speech = speech
    }

    func apply(_ line: DeviceProfile.SerialLine) throws(DeviceError) {
        if refused.contains(line.baud) { throw DeviceError(.configure, path: "line", detail: "not possible") }
        applied.append(line.baud)
        waiting = []
    }

    func read(waiting milliseconds: Int32) throws(DeviceError) -> [UInt8] {
        now = now + .milliseconds(Int64(milliseconds))
        waiting += device.advance(to: now)
        if !speech.isEmpty { waiting.append(speech.removeFirst()) }
        guard !waiting.isEmpty else { return [] }
        let bytes = waiting.removeFirst()
        guard applied.last == speed else {
            lineErrors? += 1
            return bytes.map { $0 &* 37 | 0x80 }
        }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws(DeviceError) {
        written.append(bytes)
        if applied.last == speed { waiting += device.receive(bytes, at: now) }
    }
}

/// A device that answers one question and nothing else.
private struct Answering: SimulatedDevice {
    var question: [UInt8]
    var answers: [[UInt8]]
    var nextDeadline: Instant?

    init(question: [UInt8], answers: [[UInt8]]) { (self.question, self.answers) = (question, answers) }

    mutating func connected(at now: Instant) -> [[UInt8]] { [] }
    mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] { bytes == question ? answers : [] }
    mutating func advance(to now: Instant) -> [[UInt8]] { [] }
    mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? { nil }
}

@Suite("Probing")
struct SerialProbeTests {
    private static let profiles = Shipped.library.profiles

    private func probe(_ line: ScriptedLine, profiles: [DeviceProfile] = profiles, listenOnly: Bool = false) throws -> ProbeResult {
        var probe = SerialProbe(profiles: profiles, plan: ProbePlan(profiles: profiles, seconds: 6, listenOnly: listenOnly))
        return try probe.run(on: line)
    }

    @Test("A silent reader is found by its answer, and nothing but questions was sent")
    func reader() throws {
        let line = ScriptedLine(SimulatedReader(.a0, tags: TagField()), speed: 115_200)
        let result = try probe(line)
        #expect(result.found?.profile.hasPrefix("r2000/") == true)
        #expect(result.found?.points == 100)
        #expect(!line.written.isEmpty && line.written.allSatisfy(allowedQuestions.contains))
    }

    /// The frames of the manual of the VRD-485, pages 8 and 10.
    @Test("A Modbus unit is found by its framed answer, also behind a converter that repeats what it sends", arguments: [false, true])
    func modbus(echoes: Bool) throws {
        let question: [UInt8] = [0x01, 0x03, 0x00, 0x02, 0x00, 0x02, 0x65, 0xCB]
        let answer: [UInt8] = [0x01, 0x03, 0x04, 0xA4, 0x1E, 0x45, 0xC6, 0x0B, 0xC7]
        let device = Answering(
            question: question, answers: (echoes ? [question] : []) + [Array(answer.prefix(4)), Array(answer.dropFirst(4))])
        let line = ScriptedLine(device, speed: 19_200)
        let result = try probe(line)
        let found = try #require(result.found)
        #expect(found.profile == "technotrade/vrd-485" && found.line.baud == 19_200 && found.points == 100)
        #expect(result.asked.last?.answer == answer)
        #expect(ProbeResult.siteLines(found, port: "/dev/ttyUSB0").last == "unit = 1")
        #expect(line.written.allSatisfy(allowedQuestions.contains))
    }

    @Test(
        "A spoilt answer of a Modbus unit, and one of another unit, are none",
        arguments: ["01 03 04 A4 1E 45 C6 0B C8", "02 03 04 00 00 00 00 C9 33"])
    func spoilt(answer: String) throws {
        let bytes = answer.split(separator: " ").compactMap { UInt8($0, radix: 16) }
        let line = ScriptedLine(
            Answering(question: [0x01, 0x03, 0x00, 0x02, 0x00, 0x02, 0x65, 0xCB], answers: [bytes]), speed: 19_200)
        #expect(try probe(line).found?.profile != "technotrade/vrd-485")
    }

    @Test(
        "An OSDP reader is found by what it says of itself",
        arguments: [(9_600, "generic/osdp-reader"), (115_200, "generic/osdp-reader-115200")])
    func osdp(speed: Int, id: String) throws {
        // osdp_PDID of address 0: maker 5C2623, model 25, version 1, serial number 123456789, firmware 1.2.3.
        let answer: [UInt8] = [
            0xFF, 0x53, 0x80, 0x14, 0x00, 0x04, 0x45, 0x5C, 0x26, 0x23, 0x19, 0x01, 0x14, 0xCD, 0x5B, 0x07, 0x01, 0x02, 0x03, 0x0F, 0x7D,
        ]
        let device = Answering(question: [0xFF, 0x53, 0x00, 0x09, 0x00, 0x04, 0x61, 0x00, 0xC0, 0x66], answers: [answer])
        let found = try #require(try probe(ScriptedLine(device, speed: speed)).found)
        #expect(found.profile == id && found.points == 100)
    }

    @Test("A reader that was set to another speed is found there, and the site file is told")
    func otherSpeed() throws {
        let a0 = profile("a/reader", .init(baud: 115_200), .a0(.init()), steps: [question])
        let other = profile("a/scanner", .init(baud: 57_600), .scannerLine(.init()))
        let result = try probe(ScriptedLine(SimulatedReader(.a0, tags: TagField()), speed: 57_600), profiles: [a0, other])
        let found = try #require(result.found)
        #expect(found.profile == "a/reader" && found.line.baud == 57_600 && found.isElsewhere)
        #expect(ProbeResult.siteLines(found, port: "/dev/ttyUSB0").last == "baud = 57600")
    }

    @Test("A scanner is heard and never spoken to")
    func scanner() throws {
        let line = ScriptedLine(
            SerialScannerDevice(), speed: 9_600, speech: Array(repeating: Array("]C10112345678901231\r".utf8), count: 4))
        let result = try probe(line)
        #expect(result.found?.profile == "generic/serial-scanner")
        #expect(line.written.isEmpty)
    }

    @Test("A badge is conclusive: no other setting is tried after it")
    func badge() throws {
        var reader = EM4100Reader()
        let frames = reader.perform(.badge("01000734E0"), at: .zero) ?? []
        let line = ScriptedLine(reader, speed: 9_600, speech: [[], frames[0], frames[0]])
        let result = try probe(line)
        #expect(result.found?.profile == "em4100/serial-ascii")
        #expect(line.applied == [9_600])
    }

    @Test("With --listen-only nothing is sent at all")
    func listenOnly() throws {
        let line = ScriptedLine(SimulatedReader(.a0, tags: TagField()), speed: 115_200)
        let result = try probe(line, listenOnly: true)
        #expect(result.found == nil && line.written.isEmpty)
    }

    @Test("A setting that the driver refuses is passed over")
    func refusal() throws {
        let line = ScriptedLine(SimulatedReader(.a0, tags: TagField()), speed: 115_200)
        line.refused = [9_600]
        let result = try probe(line)
        #expect(result.heard.first { $0.line.baud == 9_600 }?.refusal != nil)
        #expect(result.found?.profile.hasPrefix("r2000/") == true)
    }

    @Test("Noise at every speed is nothing")
    func noise() throws {
        let line = ScriptedLine(
            SerialScannerDevice(), speed: 1,
            speech: (0..<200).map { seed in (0..<40).map { UInt8(truncatingIfNeeded: seed * 7 + $0 * 31) } })
        let result = try probe(line, listenOnly: true)
        #expect(result.found == nil)
        #expect(result.heard.contains { $0.byteCount > 0 })
    }

    @Test("What udev says of the port decides between equals")
    func matched() throws {
        let profiles = Self.profiles
        var probe = SerialProbe(
            profiles: profiles, plan: ProbePlan(profiles: profiles, seconds: 2),
            properties: ["ID_VENDOR_ID": "05e0", "ID_MODEL_ID": "1701"])
        let line = ScriptedLine(SerialScannerDevice(), speed: 9_600, speech: [Array("4006381333931\r".utf8)])
        #expect(try probe.run(on: line).found?.profile == "zebra/cdc-scanner")
    }

    @Test("A pseudo-terminal is left as it was found, and a port that is locked is refused")
    func port() throws {
        let terminal = try PseudoTerminal()
        let other = open(terminal.path, O_RDWR | O_NOCTTY)
        defer { close(other) }
        var before = termios()
        #expect(tcgetattr(other, &before) == 0)
        do {
            let line = try TriedLine(terminal.path)
            try line.apply(DeviceProfile.SerialLine(baud: 38_400, dataBits: 7, parity: .even))
            #expect(throws: DeviceError.self) { _ = try TriedLine(terminal.path) }
            line.release()
        }
        var after = termios()
        #expect(tcgetattr(other, &after) == 0)
        #expect(before.c_cflag == after.c_cflag && before.c_iflag == after.c_iflag && before.c_lflag == after.c_lflag)
        #expect(cfgetospeed(&before) == cfgetospeed(&after))
        #expect(Port(terminal.path).holders().isEmpty)
    }
}
