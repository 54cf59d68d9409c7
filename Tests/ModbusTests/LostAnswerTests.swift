import Decoding
import DeviceSimulators
import Readings
import Testing

@testable import Devices

/// What one unit that does not answer may do to the others, and to itself.
@Suite("Modbus answers that are lost", .serialized, .timeLimit(.minutes(2)))
struct LostAnswerTests {
    /// A gateway for one client that needs 300 ms to see that the connection was closed: a silent unit behind it must not take the others
    /// with it.
    @Test(arguments: [Int64(300), 900])
    func aSilentUnitLeavesTheOthersOpenThoughTheGatewayRefusesForAWhile(pause: Int64) async throws {
        let (simulator, bus) = try SimulatedBusTests.simulator(
            .tcp, [1: ModbusUnitSimulator(), 2: ModbusUnitSimulator(), 3: ModbusUnitSimulator()])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2), ("c", 3)], .inputs(timeout: .milliseconds(100)))
        for name in ["a", "b", "c"] { try await harness.log.next { $0 == .alive(name) } }
        simulator.refuseAfterConnections(for: .milliseconds(pause))
        simulator.change(2) { $0.isSilent = true }
        try await harness.log.next { if case .closed("b", _) = $0 { true } else { false } }
        for round in 0..<3 {
            // Tried again, and silent again.
            try await harness.log.next { if case .failing("b", _) = $0 { true } else { false } }
            simulator.change(3) { $0.set(input: 0, round % 2 == 0) }
            try await harness.log.next(.input("c", line: 0, isActive: round % 2 == 0))
        }
        simulator.change(2) { $0.isSilent = false }
        try await harness.log.next(.opened("b"))
        let closed = await harness.log.takePassed().filter {
            if case .closed(let name, _) = $0.event { name != "b" } else { false }
        }
        #expect(closed.isEmpty)
        #expect(simulator.device.connections >= 4)
        try await harness.stop()
    }

    /// A command that was lost on its way is sent again: what is to go off goes off.
    @Test(arguments: SimulatedBusTests.Kind.allCases)
    func aLostCommandIsSentAgain(kind: SimulatedBusTests.Kind) async throws {
        let (simulator, bus) = try SimulatedBusTests.simulator(kind, [1: ModbusUnitSimulator(), 2: ModbusUnitSimulator()])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("lamp", 1), ("other", 2)], .inputs(timeout: .milliseconds(100)))
        for name in ["lamp", "other"] { try await harness.log.next { $0 == .alive(name) } }
        for lost in [1, 2] {
            try await harness.write([5, 0, 0, 0xFF, 0], to: "lamp")
            try await harness.log.next(.answer("lamp", [5, 0, 0, 0xFF, 0]))
            simulator.change(1) { $0.lostWrites = lost }
            try await harness.write([5, 0, 0, 0, 0], to: "lamp")
            try await harness.write([5, 0, 1, 0xFF, 0], to: "lamp")
            for _ in 0..<lost { try await harness.log.next(.fault("lamp", "command 5: no answer in time")) }
            // In their order.
            try await harness.log.next(.answer("lamp", [5, 0, 0, 0, 0]))
            #expect(simulator.device.units[1]?.coil(0, at: BootClock.now()) == false)
            try await harness.log.next(.answer("lamp", [5, 0, 1, 0xFF, 0]))
        }
        // A third one ends the opening; the unit is initialised when it is opened again.
        simulator.change(1) { $0.lostWrites = 3 }
        try await harness.write([5, 0, 1, 0, 0], to: "lamp")
        try await harness.log.next { if case .closed("lamp", _) = $0 { true } else { false } }
        try await harness.log.next(.opened("lamp"))
        // What waits when the gateway lets the unit go, is sent again too.
        simulator.change(1) { $0.lostWrites = 1 }
        try await harness.write([5, 0, 1, 0, 0], to: "lamp")
        #expect(try await harness.stop() < .milliseconds(1_000))
        #expect(simulator.device.units[1]?.coil(1, at: BootClock.now()) == false)
    }

    /// A unit that is asked seldom is asked for the first time after the connection was closed, when a gateway that was slow to see that
    /// would have had all its time already.
    @Test func aUnitThatIsAskedSeldomOutlivesAConnectionThatWasClosed() async throws {
        let (simulator, bus) = try SimulatedBusTests.simulator(.tcp, [1: ModbusUnitSimulator(), 2: ModbusUnitSimulator()])
        defer { simulator.stop() }
        simulator.change(2) { $0.isSilent = true }
        let (reports, tell) = AsyncStream.makeStream(of: String.self)
        let thread = ModbusBus(bus, after: nil, lookUp: ModbusAddress.lookUp)
        func attach(_ id: UInt64, _ name: String) {
            let unit = ModbusUnit(
                bus: bus, unit: UInt8(id), polls: [[2, 0, 0, 0, 8]], interval: .milliseconds(2_300), responseTimeout: .milliseconds(100))
            #expect(thread.attach(id, unit) { tell.yield("\(name) \("\($0)".prefix { $0 != "(" })") })
        }
        var iterator = reports.makeAsyncIterator()
        attach(1, "a")
        #expect(await iterator.next() == "a opened")
        #expect(await iterator.next() == "a received")
        // The silent one closes the connection and is not tried again; the gateway takes the next one 200 ms after the first attempt.
        simulator.refuseAfterConnections(for: .milliseconds(2_600))
        attach(2, "b")
        #expect(await iterator.next() == "b failed")
        #expect(await iterator.next() == "a received")
        thread.detach(1, reason: "end")
        while let report = await iterator.next(), report != "a released" {}
    }

    /// Outputs that are still to be switched off hold up the end by half a second in all, whatever the time-outs of the units.
    @Test(arguments: SimulatedBusTests.Kind.allCases)
    func whatIsNotAnsweredAtTheEndTakesHalfASecondInAll(kind: SimulatedBusTests.Kind) async throws {
        let (simulator, bus) = try SimulatedBusTests.simulator(
            kind, [1: ModbusUnitSimulator(), 2: ModbusUnitSimulator(), 3: ModbusUnitSimulator()])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2), ("c", 3)], .inputs(timeout: .seconds(1)))
        for name in ["a", "b", "c"] { try await harness.log.next { $0 == .alive(name) } }
        try await harness.write([5, 0, 0, 0xFF, 0], to: "c")
        try await harness.log.next(.answer("c", [5, 0, 0, 0xFF, 0]))
        for unit: UInt8 in [1, 2] { simulator.change(unit) { $0.lostWrites = 10 } }
        for name in ["a", "b", "c"] { try await harness.write([5, 0, 0, 0, 0], to: name) }
        // One request may be under way; then half a second, and what the machine adds.
        let duration = try await harness.stop()
        print("modbus \(kind.rawValue) stopped after \(duration.milliseconds) ms with two units that lose writes, time-out 1000 ms")
        #expect(duration < .milliseconds(1_900))
        // The one that answers was not left out.
        #expect(simulator.device.units[3]?.coil(0, at: BootClock.now()) == false)
    }
}
