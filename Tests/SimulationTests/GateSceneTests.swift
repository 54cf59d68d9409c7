import Decoding
import DeviceSimulators
import Devices
import Glibc
import Identifiers
import Readings
import Simulation
import Testing

private let tool = EPC(hex: "3476451FD400000000000001")!
private let antennas: [GateScene.Antenna] = [.init(port: 1, position: -900), .init(port: 2, position: 900)]
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("Simulated gate")
struct GateSceneTests {
    private func reads(_ direction: Direction, seed: UInt64) -> [TagRead] {
        var scene = GateScene(antennas: antennas, seed: seed)
        scene.add(.init(epcs: [tool], through: direction, start: at(100)))
        return stride(from: Int64(0), to: 8_000, by: 30).flatMap { time in antennas.flatMap { scene.reads(port: $0.port, at: at(time)) } }
    }

    @Test("A walk is seen on one side first and on the other last, strongest in front of each antenna", arguments: Direction.allCases)
    func walk(direction: Direction) {
        let reads = reads(direction, seed: 3)
        #expect(reads.first?.antenna == (direction == .out ? 1 : 2))
        #expect(reads.last?.antenna == (direction == .out ? 2 : 1))
        #expect(reads.count > 50)
        for port in [UInt8(1), 2] {
            let strongest = reads.filter { $0.antenna == port }.map(\.rssi).max() ?? 0
            // In front of the antenna: −45 dBm and 0.6 dB of noise at most.
            #expect((-4_620 ... -4_440).contains(strongest))
        }
    }

    @Test("The same seed is the same stream, another one is not")
    func deterministic() {
        #expect(reads(.out, seed: 7) == reads(.out, seed: 7))
        #expect(reads(.out, seed: 7) != reads(.out, seed: 8))
    }

    @Test("The simulated reader speaks what the decoder understands: answers, reads of every antenna, ends of rounds")
    func reader() throws {
        var scene = GateScene(antennas: antennas, seed: 1)
        scene.add(.init(epcs: [tool], start: .zero, from: 0, speed: 0))
        let reader = try SimulatedDeviceRunner(SimulatedReader(.a0, tags: scene, dwell: .milliseconds(1)))
        reader.start()
        defer { reader.stop() }
        let line = open(reader.address, O_RDWR | O_NOCTTY)
        defer { close(line) }
        var decoder = A0Protocol()
        var batch = DecodedBatch()
        // Firmware; output 3 on; two antennas in turn, once. Garbage between is passed over.
        let commands: [UInt8] = Array(
            [
                [0xA0, 0x03, 0x01, 0x72, 0xEA], [0x00, 0xA0], [0xA0, 0x05, 0x01, 0x61, 0x03, 0x01, 0xF5],
                [0xA0, 0x0D, 0x01, 0x8A, 0, 1, 1, 1, 4, 1, 4, 1, 0, 1, 0xBA],
            ].joined())
        #expect(write(line, commands, commands.count) == commands.count)
        var rounds = 0
        var answers: [[UInt8]] = []
        var tags: [TagRead] = []
        while rounds == 0 {
            var request = pollfd(fd: line, events: Int16(POLLIN), revents: 0)
            try #require(poll(&request, 1, 10_000) > 0, "the reader fell silent after \(tags.count) reads")
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = read(line, &buffer, buffer.count)
            try #require(count > 0)
            buffer.withUnsafeBytes { decoder.decode(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: .zero, into: &batch) }
            for case .tag(let read) in batch.readings { tags.append(read) }
            for signal in batch.signals {
                if signal == .roundEnded { rounds += 1 }
                if case .answer(let frame) = signal { answers.append(frame) }
            }
            #expect(batch.rejects.total == 0)
            batch.removeAll()
        }
        #expect(answers.map { $0[3] } == [0x72, 0x61])
        #expect(Set(tags.map(\.antenna)).isSubset(of: [1, 2]))
        #expect(tags.allSatisfy { $0.epc == tool && $0.frequency == 865_500 })
        #expect(reader.device.commands.contains { $0.dropFirst(3).starts(with: [0x61, 3, 1]) })
    }
}
