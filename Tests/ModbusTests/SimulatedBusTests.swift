import Decoding
import DeviceSimulators
import Devices
import Foundation
import Readings
import Testing

extension SimulatedDeviceRunner<ModbusBusSimulator> {
    /// Changes a unit.
    func change(_ unit: UInt8, _ body: @Sendable (inout ModbusUnitSimulator) -> Void) {
        change { bus, _ in
            if var changed = bus.units[unit] {
                body(&changed)
                bus.units[unit] = changed
            }
            return []
        }
    }
}

/// The bus thread against the project's own simulated units, which can do what a server of a library would not.
@Suite("Modbus bus with simulated units", .serialized, .timeLimit(.minutes(2)))
struct SimulatedBusTests {
    enum Kind: String, CaseIterable, Sendable { case rtu, tcp }

    static func simulator(_ kind: Kind, _ units: [UInt8: ModbusUnitSimulator]) throws -> (
        SimulatedDeviceRunner<ModbusBusSimulator>, ModbusUnit.Bus
    ) {
        switch kind {
        case .rtu:
            let simulator = try SimulatedDeviceRunner(ModbusBusSimulator(units: units))
            simulator.start()
            return (simulator, .serial(path: simulator.address, SerialLine(baud: 115_200)))
        case .tcp:
            let simulator = try SimulatedDeviceRunner(
                ModbusBusSimulator(units: units, framing: .tcp), at: .listen(host: "127.0.0.1", port: 0))
            simulator.start()
            return (simulator, .tcp(host: "127.0.0.1", port: simulator.address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0))
        }
    }

    @Test(arguments: Kind.allCases)
    func firstTellsAllInputsThenEachChange(kind: Kind) async throws {
        var unit = ModbusUnitSimulator()
        unit.set(input: 2, true)
        let (simulator, bus) = try Self.simulator(kind, [7: unit])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("door", 7)], .inputs())
        try await harness.log.next(.opened("door"))
        for line in 0..<8 { try await harness.log.next(.input("door", line: UInt8(line), isActive: line == 2)) }
        simulator.change(7) { $0.set(input: 5, true) }
        try await harness.log.next(.input("door", line: 5, isActive: true))
        simulator.change(7) { $0.set(input: 2, false) }
        try await harness.log.next(.input("door", line: 2, isActive: false))
        try await harness.stop()
    }

    /// What the machine may add to a bound: the wake-ups of three threads in a row (bus, simulator, event loop), each as late as another
    /// thread's was at the same time, and a little for their work.
    private static func schedulingTolerance(_ lateness: Instant.Span) -> Int64 { 3 * lateness.nanoseconds + 5_000_000 }
    /// So often is a measurement made before its bound counts as missed, because the machine is shared.
    private static let attempts = 3

    /// The bar: an input change reaches the event loop within one full poll cycle of the bus and 5 ms. The cycle is as long as it really
    /// was, by the number of polls.
    @Test(arguments: Kind.allCases)
    func anInputChangeComesWithinACycle(kind: Kind) async throws {
        let (simulator, bus) = try Self.simulator(kind, [1: ModbusUnitSimulator(), 2: ModbusUnitSimulator()])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2)], .inputs())
        for name in ["a", "b"] { try await harness.log.next { $0 == .alive(name) } }
        var isWithinBar = false
        for _ in 0..<Self.attempts where !isWithinBar {
            var delays: [Int64] = []
            let wakeUps = WakeUps()
            let (polls, begin) = (simulator.device.units[1]?.requests[2] ?? 0, BootClock.now())
            for round in 0..<300 {
                let isActive = round % 2 == 0
                let start = BootClock.now()
                simulator.change(1) { $0.set(input: 0, isActive) }
                let entry = try await harness.log.next(.input("a", line: 0, isActive: isActive))
                delays.append((entry.time - start).nanoseconds)
                try await Task.sleep(nanoseconds: UInt64.random(in: 1_000_000...12_000_000))
            }
            delays.sort()
            let cycle = (BootClock.now() - begin).nanoseconds / Int64(max(1, (simulator.device.units[1]?.requests[2] ?? 0) - polls))
            let bar = cycle + Instant.Span.milliseconds(5).nanoseconds
            // Of 300 delays and of the wake-ups beside them the two worst are left out.
            let bound = bar + Self.schedulingTolerance(wakeUps.stop(worst: 2))
            isWithinBar = delays[150] <= bar && delays[297] <= bound
            print(
                "modbus \(kind.rawValue) input change to event loop, µs: p50 \(delays[150] / 1_000), p99 \(delays[297] / 1_000), "
                    + "max \(delays[299] / 1_000); poll cycle \(cycle / 1_000), bound for p99 \(bound / 1_000)")
        }
        #expect(isWithinBar, "the median is to be within a cycle and 5 ms, p99 within that and the tolerance")
        try await harness.stop()
    }

    @Test(arguments: Kind.allCases)
    func aShortPulseBetweenTwoPollsIsSeenByItsCounter(kind: Kind) async throws {
        var unit = ModbusUnitSimulator()
        unit.counterStart = 16
        let (simulator, bus) = try Self.simulator(kind, [1: unit])
        defer { simulator.stop() }
        let configuration = ModbusProtocol.Configuration(
            polls: [
                .init(.discreteInputs, start: 0, count: 2, meaning: .inputs(firstLine: 0)),
                .init(.inputRegisters, start: 16, count: 2, meaning: .counters(.init())),
            ], interval: .milliseconds(50), responseTimeout: .milliseconds(200))
        let harness = try await ModbusHarness(bus, [("beam", 1)], configuration)
        for _ in 0..<3 { try await harness.log.next(.alive("beam")) }
        for _ in 0..<20 {
            simulator.change(1) {
                $0.set(input: 1, true)
                $0.set(input: 1, false)
            }
            try await harness.log.next(.input("beam", line: 1, isActive: true))
            try await harness.log.next(.input("beam", line: 1, isActive: false))
        }
        _ = await harness.log.takePassed()
        simulator.change(1) { $0.set(input: 0, true) }
        try await harness.log.next(.input("beam", line: 0, isActive: true))
        for _ in 0..<4 { try await harness.log.next(.alive("beam")) }
        // A change that was seen in the level is not told a second time by the counter.
        let changes = await harness.log.takePassed().filter { if case .input = $0.event { true } else { false } }
        #expect(changes.count == 1)
        try await harness.stop()
    }

    /// The bar: a silent unit never blocks the others for longer than its time-out. What comes on top of that is a cycle of their own.
    @Test(arguments: Kind.allCases)
    func aSilentUnitDoesNotStarveTheOthers(kind: Kind) async throws {
        var silent = ModbusUnitSimulator()
        silent.isSilent = true
        let (simulator, bus) = try Self.simulator(kind, [1: ModbusUnitSimulator(), 2: silent, 3: ModbusUnitSimulator()])
        defer { simulator.stop() }
        let timeout = Instant.Span.milliseconds(100)
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2), ("c", 3)], .inputs(timeout: timeout))
        for name in ["a", "c"] { try await harness.log.next(.opened(name)) }
        try await harness.log.next { if case .failing("b", let error) = $0 { error.contains("unit 2 does not answer") } else { false } }
        let bar = timeout.nanoseconds + ModbusUnit.shortestInterval.nanoseconds
        var isWithinBar = false
        for _ in 0..<Self.attempts where !isWithinBar {
            var worst = Instant.Span.zero
            let wakeUps = WakeUps()
            for round in 0..<150 {
                let isActive = round % 2 == 0
                let start = BootClock.now()
                simulator.change(3) { $0.set(input: 0, isActive) }
                let entry = try await harness.log.next(.input("c", line: 0, isActive: isActive))
                worst = max(worst, entry.time - start)
                try await Task.sleep(nanoseconds: 5_000_000)
            }
            let bound = bar + Self.schedulingTolerance(wakeUps.stop(worst: 0))
            print(
                "modbus \(kind.rawValue) worst delay beside a silent unit: \(worst.milliseconds) ms, response time-out 100 ms, "
                    + "bound \(bound / 1_000_000) ms")
            isWithinBar = worst.nanoseconds <= bound
        }
        #expect(isWithinBar)
        simulator.change(2) { $0.isSilent = false }
        try await harness.log.next(.opened("b"))
        // And it falls silent while it is open: seen, given up, taken again.
        simulator.change(2) { $0.isSilent = true }
        try await harness.log.next(.fault("b", "poll 0: no answer in time"))
        try await harness.log.next { if case .closed("b", let reason) = $0 { reason.contains("does not answer") } else { false } }
        simulator.change(2) { $0.isSilent = false }
        try await harness.log.next(.opened("b"))
        try await harness.stop()
    }

    @Test(arguments: Kind.allCases)
    func writesReachTheUnitAndAreAnswered(kind: Kind) async throws {
        var unit = ModbusUnitSimulator()
        unit.flashes = true
        let (simulator, bus) = try Self.simulator(kind, [1: unit])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("relay", 1)], .inputs())
        try await harness.log.next(.opened("relay"))
        for request: [UInt8] in [[5, 0, 0, 0xFF, 0], [5, 0, 0, 0, 0], [6, 0, 9, 0x12, 0x34]] {
            try await harness.write(request, to: "relay")
            try await harness.log.next(.answer("relay", request))
        }
        // The relay board times a pulse by itself: 2 tenths of a second.
        try await harness.write([5, 2, 3, 0, 2], to: "relay")
        try await harness.log.next(.answer("relay", [5, 2, 3, 0, 2]))
        let now = BootClock.now()
        #expect(simulator.device.units[1]?.coil(3, at: now) == true)
        #expect(simulator.device.units[1]?.coil(3, at: now + .milliseconds(250)) == false)
        try await harness.write([0x0F, 0, 0, 0, 8, 1, 0x81], to: "relay")
        try await harness.log.next(.answer("relay", [0x0F, 0, 0, 0, 8]))
        #expect(simulator.device.units[1]?.coil(7, at: BootClock.now()) == true)
        #expect(simulator.device.units[1]?.holdingRegisters[9] == 0x1234)
        // An exception is an answer, and a fault that is counted.
        try await harness.write([0x10, 0, 0, 0, 1, 2, 0, 1], to: "relay")
        simulator.change(1) { $0.exception = 6 }
        try await harness.log.next(.fault("relay", "poll 0: device busy"))
        simulator.change(1) { $0.exception = nil }
        try await harness.log.next(.alive("relay"))
        try await harness.stop()
    }

    @Test(arguments: Kind.allCases)
    func spoiltAnswersAreAskedForAgain(kind: Kind) async throws {
        let (simulator, bus) = try Self.simulator(kind, [1: ModbusUnitSimulator()])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("door", 1)], .inputs())
        try await harness.log.next(.alive("door"))
        for round in 0..<10 {
            simulator.change(1) {
                $0.spoiltAnswers = 2
                $0.set(input: 0, round % 2 == 0)
            }
            try await harness.log.next(.fault("door", "poll 0: spoilt answer"))
            try await harness.log.next(.input("door", line: 0, isActive: round % 2 == 0))
        }
        #expect(await !harness.log.takePassed().contains { if case .closed = $0.event { true } else { false } })
        try await harness.stop()
    }

    /// A late answer must not be taken for that of the next request: neither of another unit, nor of another poll of its own.
    @Test(arguments: Kind.allCases)
    func lateAnswersAreNobodysAnswers(kind: Kind) async throws {
        var first = ModbusUnitSimulator()
        first.set(input: 0, true)
        var second = ModbusUnitSimulator()
        second.set(input: 9, true)
        let (simulator, bus) = try Self.simulator(kind, [1: first, 2: second])
        defer { simulator.stop() }
        let configuration = ModbusProtocol.Configuration(
            polls: [
                .init(.discreteInputs, start: 0, count: 8, meaning: .inputs(firstLine: 0)),
                .init(.discreteInputs, start: 8, count: 8, meaning: .inputs(firstLine: 8)),
            ], responseTimeout: .milliseconds(60))
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2)], configuration)
        for name in ["a", "b"] { try await harness.log.next { $0 == .alive(name) } }
        for _ in 0..<4 {
            simulator.change(1) { $0.delay = 75 }
            try await harness.log.next { if case .closed("a", _) = $0 { true } else { false } }
            simulator.change(1) { $0.delay = 0 }
            try await harness.log.next(.opened("a"))
            try await harness.log.next(.alive("a"))
        }
        let active = await harness.log.takePassed().compactMap { entry -> String? in
            if case .input(let name, let line, true) = entry.event { "\(name) \(line)" } else { nil }
        }
        #expect(Set(active) == ["a 0", "b 9"])
        try await harness.stop()
    }

    @Test(arguments: Kind.allCases)
    func stopsWithinOneResponseTimeout(kind: Kind) async throws {
        var silent = ModbusUnitSimulator()
        silent.isSilent = true
        let (simulator, bus) = try Self.simulator(kind, [1: ModbusUnitSimulator(), 2: silent])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2)], .inputs(timeout: .milliseconds(300)))
        try await harness.log.next(.opened("a"))
        let duration = try await harness.stop()
        print("modbus \(kind.rawValue) stopped after \(duration.milliseconds) ms, response time-out 300 ms")
        #expect(duration < .milliseconds(700))
    }

    @Test func aLineThatHangsUpIsOpenedAgain() async throws {
        let link = FileManager.default.temporaryDirectory.appendingPathComponent("modbus-\(UInt64.random(in: 0...UInt64.max))").path
        var simulator = try SimulatedDeviceRunner(ModbusBusSimulator(units: [1: ModbusUnitSimulator()]), at: .pseudoTerminal(link: link))
        simulator.start()
        let harness = try await ModbusHarness(.serial(path: link, SerialLine(baud: 19_200, parity: .even)), [("door", 1)], .inputs())
        try await harness.log.next(.opened("door"))
        simulator.stop()
        try await harness.log.next { if case .closed("door", _) = $0 { true } else { false } }
        simulator = try SimulatedDeviceRunner(ModbusBusSimulator(units: [1: ModbusUnitSimulator()]), at: .pseudoTerminal(link: link))
        simulator.start()
        try await harness.log.next(.opened("door"))
        try await harness.stop()
        simulator.stop()
    }

    @Test func aConnectionThatIsClosedIsMadeAgain() async throws {
        let (simulator, bus) = try Self.simulator(.tcp, [1: ModbusUnitSimulator(), 2: ModbusUnitSimulator()])
        defer { simulator.stop() }
        let harness = try await ModbusHarness(bus, [("a", 1), ("b", 2)], .inputs())
        for name in ["a", "b"] { try await harness.log.next { $0 == .alive(name) } }
        for _ in 0..<5 {
            simulator.hangUp()
            try await harness.log.next { if case .closed = $0 { true } else { false } }
            try await harness.log.next { if case .opened = $0 { true } else { false } }
        }
        #expect(simulator.device.connections >= 6)
        try await harness.stop()
    }
}
