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

@Suite("Probing")
struct SerialProbeTests {
    private static let profiles = Shipped.library.profiles

    private func probe(_ line: ScriptedLine, profiles: [DeviceProfile] = profiles, listenOnly: Bool = false) throws -> ProbeResult {
        var probe = SerialProbe(profiles: profiles, plan: ProbePlan(profiles: profiles, seconds: 6, listenOnly: listenOnly))
        return try probe.run(on: line)
    }

    @Test("A silent reader is found by its answer, and nothing but questions was sent")
    func reader() throws {
        let line = ScriptedLine(A0Reader(tags: TagField()), speed: 115_200)
        let result = try probe(line)
        #expect(result.found?.profile.hasPrefix("r2000/") == true)
        #expect(result.found?.points == 100)
        let allowed = Set(Self.profiles.flatMap { $0.plan.steps.filter(\.identifies).map(\.send) })
        #expect(!line.written.isEmpty && line.written.allSatisfy(allowed.contains))
    }

    @Test("A reader that was set to another speed is found there, and the site file is told")
    func otherSpeed() throws {
        let a0 = profile("a/reader", .init(baud: 115_200), .a0(.init()), steps: [question])
        let other = profile("a/scanner", .init(baud: 57_600), .scannerLine(.init()))
        let result = try probe(ScriptedLine(A0Reader(tags: TagField()), speed: 57_600), profiles: [a0, other])
        let found = try #require(result.found)
        #expect(found.profile == "a/reader" && found.line.baud == 57_600 && found.isElsewhere)
        #expect(ProbeResult.siteLines(found, port: "/dev/ttyUSB0").last == "baud = 57600")
    }

    @Test("A scanner is heard and never spoken to")
    func scanner() throws {
        let line = ScriptedLine(LineScanner(), speed: 9_600, speech: Array(repeating: Array("]C10112345678901231\r".utf8), count: 4))
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
        let line = ScriptedLine(A0Reader(tags: TagField()), speed: 115_200)
        let result = try probe(line, listenOnly: true)
        #expect(result.found == nil && line.written.isEmpty)
    }

    @Test("A setting that the driver refuses is passed over")
    func refusal() throws {
        let line = ScriptedLine(A0Reader(tags: TagField()), speed: 115_200)
        line.refused = [9_600]
        let result = try probe(line)
        #expect(result.heard.first { $0.line.baud == 9_600 }?.refusal != nil)
        #expect(result.found?.profile.hasPrefix("r2000/") == true)
    }

    @Test("Noise at every speed is nothing")
    func noise() throws {
        let line = ScriptedLine(
            LineScanner(), speed: 1, speech: (0..<200).map { seed in (0..<40).map { UInt8(truncatingIfNeeded: seed * 7 + $0 * 31) } })
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
        let line = ScriptedLine(LineScanner(), speed: 9_600, speech: [Array("4006381333931\r".utf8)])
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
