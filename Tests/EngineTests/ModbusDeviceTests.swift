import Decoding
import Engine
import Readings
import SiteConfiguration
import Testing

/// A Modbus unit goes the way of all devices: what its bus thread hands on is decoded in the engine and can be watched and replayed.
@Suite("A Modbus unit in the engine")
struct ModbusDeviceTests {
    private static let door = DeviceIndex(0)
    private static let program = DeviceProgram(
        decoder: .modbus(
            .init(
                polls: [.init(.discreteInputs, start: 0, count: 2, meaning: .inputs(firstLine: 0))],
                lines: [.init(debounce: .milliseconds(20)), .init(isInverted: true)])),
        plan: SessionPlan(
            steps: [.init(name: "off", send: [5, 0, 0, 0, 0], expect: BytePattern("05 00 00 00 00"))],
            feedback: [.accepted: [.init(bytes: [5, 2, 0, 0, 5])]], livenessTimeout: .seconds(3)), unit: 3)

    private struct Bench {
        var engine = Engine(
            site: Site(
                gateway: .init(code: "CRIB1", site: "Works"), devices: [.init(name: "door", profile: "x/y", port: "/dev/x", unit: 3)]),
            epoch: 1, startingAt: .zero)
        var output = EngineOutput()

        mutating func feed(_ hex: String, at milliseconds: Int64) {
            (Hex.bytes(hex) ?? []).withUnsafeBytes {
                engine.received($0, from: door, at: Instant(nanoseconds: milliseconds * 1_000_000), into: &output)
            }
        }

        mutating func takeInputs() -> [String] {
            defer { output.removeAll() }
            return output.happenings.compactMap {
                if case .reading(door, .input(let change)) = $0 { "\(change.line) \(change.isActive)" } else { nil }
            }
        }
    }

    @Test func aDoorContactIsWatched() {
        var bench = Bench()
        bench.engine.isWatched = true
        bench.engine.opened(Self.door, program: Self.program, at: .zero, into: &bench.output)
        #expect(bench.output.transmissions.map(\.bytes) == [[5, 0, 0, 0, 0]])
        bench.feed("FF 05 05 00 00 00 00", at: 5)
        bench.feed("00 03 02 01 00", at: 10)
        #expect(bench.engine.devices[0].state == .reading)
        #expect(bench.takeInputs() == ["0 false", "1 true"])
        // The door opens; it counts 20 ms later, when nothing more is heard. The other input is turned round.
        bench.feed("00 03 02 01 03", at: 100)
        #expect(bench.takeInputs() == ["1 false"])
        #expect(bench.engine.nextDeadline == Instant(nanoseconds: 120_000_000))
        bench.engine.advance(to: Instant(nanoseconds: 120_000_000), into: &bench.output)
        #expect(bench.takeInputs() == ["0 true"])
        // Cut as a recording may cut it.
        bench.feed("00 03", at: 200)
        bench.feed("02 01 01", at: 201)
        #expect(bench.takeInputs() == ["1 true"])
        // No answer is a fault, and after a time the device is silent.
        bench.feed("00 02 82 FF", at: 299)
        bench.feed("00 02 82 FF", at: 300)
        #expect(bench.engine.devices[0].session?.counters.faults == ["poll 0: no answer in time": 2])
        bench.engine.advance(to: Instant(nanoseconds: 3_300_000_000), into: &bench.output)
        #expect(bench.engine.devices[0].state == .silent(reason: "nothing heard for 3000 ms"))
        // It may have been without power: its outputs are set again before it counts as reading.
        bench.output.removeAll()
        bench.feed("00 03 02 01 01", at: 3_400)
        #expect(bench.output.transmissions.map(\.bytes) == [[5, 0, 0, 0, 0]])
        bench.feed("FF 05 05 00 00 00 00", at: 3_405)
        bench.feed("00 03 02 01 01", at: 3_410)
        #expect(bench.engine.devices[0].state == .reading)
    }
}
