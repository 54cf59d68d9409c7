import Decoding
import Engine
import Readings
import TestSupport
import Testing

/// A technician is told what to look at, and is not told anything of a device that works.
@Suite("Advice on devices")
struct DeviceAdviceTests {
    static let firmware: [UInt8] = [0xA0, 0x03, 0x01, 0x72, 0xEA]
    static let program = DeviceProgram(
        decoder: .a0(.init()),
        plan: SessionPlan(
            steps: [.init(name: "firmware", send: firmware, expect: BytePattern("A0 05 ?? 72 ?? ?? ??"), timeout: .milliseconds(100))],
            inventory: .init(commands: [[0xA0, 0x04, 0x01, 0x89, 0x01, 0xD1]]), livenessTimeout: .seconds(5)))

    struct Bench {
        var session: any DeviceSteering
        var output = SessionOutput()
        var now = Instant.zero

        init() {
            session = DeviceAdviceTests.program.makeSession()
            session.opened(at: now, into: &output)
        }

        mutating func receive(_ bytes: [UInt8]) {
            now = now + .milliseconds(10)
            bytes.withUnsafeBytes { session.receive($0, at: now, into: &output) }
        }

        /// The published answer to the question for the firmware.
        mutating func start() { receive([0xA0, 0x05, 0x01, 0x72, 0x02, 0x05, 0xE1]) }

        var advice: DeviceAdvice? { DeviceAdvice(session, program: DeviceAdviceTests.program) }
    }

    @Test func aDeviceThatSaysNothing() {
        var bench = Bench()
        #expect(bench.advice == .noAnswer)
        bench.start()
        #expect(bench.advice == nil)
    }

    @Test func bytesOfAnotherProtocolOrSpeed() {
        var bench = Bench()
        var random = SeededGenerator(seed: 4)
        bench.receive((0..<400).map { _ in UInt8.random(in: 0...127, using: &random) })
        #expect(bench.advice == .foreignBytes)
    }

    @Test func damagedFrames() {
        var bench = Bench()
        bench.start()
        // A tag frame of the protocol with one bit turned, again and again.
        var frame: [UInt8] = [0xA0, 0x13, 0x01, 0x89, 0x04, 0x30, 0, 0x34, 0x76, 0x45, 0x1F, 0xD4, 0, 0, 0, 0, 0, 1, 2, 70]
        frame.append(0 &- frame.reduce(0, &+))
        for _ in 0..<10 { bench.receive(frame) }
        #expect(bench.advice == nil)
        frame[12] ^= 1
        for _ in 0..<3 { bench.receive(frame + [0]) }
        #expect(bench.advice == .damagedFrames)
    }

    @Test func aDeviceThatIsNotThereNeedsNone() {
        var bench = Bench()
        bench.session.closed(reason: "unplugged", at: bench.now, into: &bench.output)
        #expect(bench.advice == nil)
    }
}
