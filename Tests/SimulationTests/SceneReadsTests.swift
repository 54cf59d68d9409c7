import Decoding
import DeviceSimulators
import Devices
import Glibc
import Identifiers
import Readings
import Simulation
import Testing

/// A scene read by a simulated reader: the bytes of a real protocol say again what the scene said.
@Suite("Scenes through a simulated reader", .timeLimit(.minutes(2)))
struct SceneReadsTests {
    /// What protocol A0 tells of a read: whole dBm.
    private struct Told: Hashable, Comparable {
        var epc: EPC
        var antenna: UInt8
        var dBm: Int

        init(_ read: TagRead) { (epc, antenna, dBm) = (read.epc, read.antenna, Int(read.rssi) / 100) }

        static func < (left: Told, right: Told) -> Bool {
            (left.epc, left.antenna, left.dBm) < (right.epc, right.antenna, right.dBm)
        }
    }

    /// 8A: four antennas, one stay each.
    private static let inventory = Hex.bytes("A0 0D 01 8A 00 01 01 01 02 01 03 01 00 01")!

    private static var command: [UInt8] { inventory + [0 &- inventory.reduce(0, &+)] }

    private static func tags(_ batch: DecodedBatch) -> [TagRead] {
        batch.readings.compactMap { if case .tag(let read) = $0 { read } else { nil } }
    }

    @Test("Each read comes out once, of its antenna, not too early and within two rounds", arguments: [GateScenario.pass, .loiter])
    func inTime(scenario: GateScenario) {
        let run = GateRun(scenario, layout: .angled, seed: 3)
        var reader = SimulatedReader(.a0, tags: SceneReads(run.reads))
        var decoder = A0Protocol()
        var (now, batch) = (Instant.zero, DecodedBatch())
        var arrivals: [(time: Instant, read: TagRead)] = []
        while now < .zero + run.truth.duration {
            var bytes = reader.receive(Self.command, at: now).flatMap { $0 }
            while let deadline = reader.nextDeadline {
                now = deadline
                bytes += reader.advance(to: deadline).flatMap { $0 }
            }
            let known = batch.readings.count
            bytes.withUnsafeBytes { decoder.decode($0, at: now, into: &batch) }
            arrivals += Self.tags(batch).dropFirst(arrivals.count).map { (now, $0) }
            #expect(batch.readings.count >= known)
        }
        #expect(batch.rejects.total == 0)
        #expect(arrivals.map { Told($0.read) }.sorted() == run.reads.map { Told($0.read) }.sorted())
        // In the order of time for each antenna, so the two lists can be laid side by side.
        for port in 1...4 as ClosedRange<UInt8> {
            let (real, told) = (run.reads.filter { $0.read.antenna == port }, arrivals.filter { $0.read.antenna == port })
            for (real, told) in zip(real, told) {
                #expect(told.time.nanoseconds + 20_000_000 >= real.time.nanoseconds && told.time - real.time < .milliseconds(200))
            }
        }
    }

    @Test("Through a pseudo-terminal at fifty times the pace, the same reads arrive")
    func throughPseudoTerminal() throws {
        let run = GateRun(.pass, layout: .pedestal, seed: 5)
        let runner = try SimulatedDeviceRunner(SimulatedReader(.a0, tags: SceneReads(run.reads, speedPercent: 5_000)))
        runner.start()
        defer { runner.stop() }
        let line = open(runner.address, O_RDWR | O_NOCTTY)
        try #require(line >= 0)
        defer { close(line) }
        var decoder = A0Protocol()
        var batch = DecodedBatch()
        var rounds = 0
        while Self.tags(batch).count < run.reads.count {
            _ = write(line, Self.command, Self.command.count)
            rounds += 1
            try #require(rounds < 2_000, "\(Self.tags(batch).count) of \(run.reads.count) reads")
            var request = pollfd(fd: line, events: Int16(POLLIN), revents: 0)
            while poll(&request, 1, 100) > 0 {
                var buffer = [UInt8](repeating: 0, count: 4_096)
                let count = read(line, &buffer, buffer.count)
                try #require(count > 0)
                buffer.withUnsafeBytes { decoder.decode(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: .zero, into: &batch) }
                if Self.tags(batch).count >= run.reads.count { break }
            }
        }
        #expect(batch.rejects.total == 0)
        #expect(Self.tags(batch).map(Told.init).sorted() == run.reads.map { Told($0.read) }.sorted())
    }
}
