import Decoding
import Devices
import Foundation
import Readings
import Testing

/// The bus thread against pymodbus, over TCP and over a pair of terminals.
@Suite("Modbus bus with pymodbus", .serialized, .timeLimit(.minutes(2)))
struct PymodbusTests {
    static func start(_ kind: SimulatedBusTests.Kind) throws -> (ModbusServer, ModbusUnit.Bus) {
        let server = try ModbusServer(kind.rawValue, "1", "2", "3")
        return switch kind {
        case .rtu: (server, .serial(path: server.place, SerialLine(baud: 115_200)))
        case .tcp: (server, .tcp(host: "localhost", port: server.port))
        }
    }

    @Test(arguments: SimulatedBusTests.Kind.allCases)
    func inputsOutputsAndExceptions(kind: SimulatedBusTests.Kind) async throws {
        let (server, bus) = try Self.start(kind)
        try server.set(1, input: 3, true)
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2)], .inputs(12))
        for line in 0..<12 { try await harness.log.next(.input("a", line: UInt8(line), isActive: line == 3)) }
        for round in 0..<10 {
            try server.set(2, input: 11, round % 2 == 0)
            try await harness.log.next(.input("b", line: 11, isActive: round % 2 == 0))
        }
        // Outputs, read back by the server and by us.
        try await harness.write([5, 0, 4, 0xFF, 0], to: "a")
        try await harness.log.next(.answer("a", [5, 0, 4, 0xFF, 0]))
        #expect(try server.values("coils", 1, 0, 8).map { $0 == true } == (0..<8).map { $0 == 4 })
        try await harness.write([0x0F, 0, 0, 0, 10, 2, 0x55, 0x02], to: "a")
        try await harness.log.next(.answer("a", [0x0F, 0, 0, 0, 10]))
        #expect(try server.values("coils", 1, 0, 10).map { $0 == true } == (0..<10).map { [0, 2, 4, 6, 9].contains($0) })
        try await harness.write([1, 0, 0, 0, 10], to: "a")
        try await harness.log.next(.answer("a", [1, 2, 0x55, 0x02]))
        try await harness.write([6, 0, 7, 0xAB, 0xCD], to: "a")
        try await harness.log.next(.answer("a", [6, 0, 7, 0xAB, 0xCD]))
        try await harness.write([0x10, 0, 8, 0, 2, 4, 1, 2, 3, 4], to: "a")
        try await harness.log.next(.answer("a", [0x10, 0, 8, 0, 2]))
        #expect(try server.values("holding", 1, 7, 3).map(\.integer) == [0xABCD, 0x0102, 0x0304])
        try await harness.write([3, 0, 7, 0, 3], to: "a")
        try await harness.log.next(.answer("a", [3, 6, 0xAB, 0xCD, 1, 2, 3, 4]))
        // An address that is not there.
        try await harness.write([3, 0x03, 0xE8, 0, 1], to: "a")
        try await harness.log.next(.answer("a", [0x83, 2]))
        try server.tell(["unit": 1, "exception": 4])
        try await harness.log.next(.fault("a", "poll 0: device failure"))
        try server.tell(["unit": 1, "exception": 0])
        try await harness.log.next(.alive("a"))
        try await harness.stop()
    }

    @Test(arguments: SimulatedBusTests.Kind.allCases)
    func oneSilentUnitOfThree(kind: SimulatedBusTests.Kind) async throws {
        let (server, bus) = try Self.start(kind)
        try server.tell(["unit": 2, "silent": true])
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2), ("c", 3)], .inputs(timeout: .milliseconds(100)))
        for name in ["a", "c"] { try await harness.log.next(.opened(name)) }
        try await harness.log.next { if case .failing("b", _) = $0 { true } else { false } }
        var worst = Instant.Span.zero
        let wakeUps = WakeUps()
        for round in 0..<60 {
            let start = BootClock.now()
            try server.set(3, input: 0, round % 2 == 0)
            worst = max(worst, try await harness.log.next(.input("c", line: 0, isActive: round % 2 == 0)).time - start)
        }
        print("pymodbus \(kind.rawValue): worst delay beside a silent unit \(worst.milliseconds) ms, response time-out 100 ms")
        // What the machine was late by may come on top, in each of the processes.
        #expect(worst.nanoseconds < 500_000_000 + 4 * wakeUps.stop(worst: 0).nanoseconds)
        try server.tell(["unit": 2, "silent": false])
        try await harness.log.next(.opened("b"))
        try await harness.stop()
    }

    /// A late answer must not be taken for that of the next request, to whatever unit. Over TCP only: on a serial line pymodbus sends a
    /// late answer with the number of the unit that was asked last, which nobody can tell from a right one.
    @Test func slowAnswers() async throws {
        let (server, bus) = try Self.start(.tcp)
        try server.set(1, input: 0, true)
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2)], .inputs(timeout: .milliseconds(100)))
        for name in ["a", "b"] { try await harness.log.next { $0 == .alive(name) } }
        // Slow, but in time.
        try server.tell(["unit": 1, "delay_ms": 60])
        try server.set(1, input: 1, true)
        try await harness.log.next(.input("a", line: 1, isActive: true))
        // Too late every time: given up, while the other goes on.
        try server.tell(["unit": 1, "delay_ms": 150])
        try await harness.log.next { if case .closed("a", _) = $0 { true } else { false } }
        try server.set(2, input: 5, true)
        try await harness.log.next(.input("b", line: 5, isActive: true))
        try server.tell(["unit": 1, "delay_ms": 0])
        try await harness.log.next(.opened("a"))
        try await harness.log.next(.alive("a"))
        let inputs = await harness.log.takePassed().compactMap { entry -> (String, UInt8)? in
            if case .input(let name, let line, true) = entry.event { (name, line) } else { nil }
        }
        // Nothing of the one was ever told of the other.
        #expect(inputs.allSatisfy { name, line in name == "a" ? line <= 1 : line == 5 })
        try await harness.stop()
    }

    @Test func aServerThatIsStartedAgainIsFoundAgain() async throws {
        var server = try ModbusServer("tcp", "1")
        let port = server.port
        let harness = try await ModbusHarness(.tcp(host: "127.0.0.1", port: port), [("a", 1)], .inputs())
        try await harness.log.next(.opened("a"))
        server.stop()
        try await harness.log.next { if case .closed("a", _) = $0 { true } else { false } }
        try await harness.log.next { if case .failing("a", let error) = $0 { error.contains("ECONNREFUSED") } else { false } }
        server = try ModbusServer("tcp", "--port", "\(port)", "1")
        try await harness.log.next(.opened("a"))
        try await harness.write([5, 0, 0, 0xFF, 0], to: "a")
        try await harness.log.next(.answer("a", [5, 0, 0, 0xFF, 0]))
        #expect(try server.values("coils", 1, 0, 1) == [true])
        try await harness.stop()
    }

    @Test func stopsWithinOneResponseTimeout() async throws {
        let (server, bus) = try Self.start(.tcp)
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2)], .inputs(timeout: .milliseconds(300)))
        for name in ["a", "b"] { try await harness.log.next(.opened(name)) }
        for unit: JSON in [1, 2] { try server.tell(["unit": unit, "silent": true]) }
        try await harness.log.next { if case .fault = $0 { true } else { false } }
        #expect(try await harness.stop() < .milliseconds(700))
    }
}
