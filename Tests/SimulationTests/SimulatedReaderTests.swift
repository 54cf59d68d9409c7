import Decoding
import DeviceSimulators
import Glibc
import Identifiers
import Readings
import Testing

/// The simulated readers on their pseudo-terminals.
@Suite("Simulated readers", .timeLimit(.minutes(2)))
struct SimulatedReaderTests {
    private static let tag = SimulatedTag(epc: EPC(hex: "E2806894000050000000A001")!)

    private static let start: [ReaderKind: [String]] = [
        .a0: ["A0 04 01 89 01 D1", "A0 04 01 89 01 D1"], .a0With8Antennas: ["A0 04 01 89 01 D1", "A0 04 01 89 01 D1"],
        .uhfReader18: ["04 00 01 DB 4B"],
        .uhfReader288: ["0D 00 01 0F 00 01 00 00 00 00 80 14 5D EA"], .m100: ["BB 00 27 00 03 22 FF FF 4A 7E"],
        .r200: ["AA 00 27 00 03 22 FF FF 4A DD"],
        .mercury: ["FF 01 97 08 4B B5", "FF 10 2F 00 00 01 22 00 00 05 07 22 10 00 1B 03 E8 01 FF DD 2B"],
    ]

    private static func reader(_ kind: ReaderKind, readsPerSecond: Int) -> SimulatedReader<TagField> {
        SimulatedReader(kind, tags: TagField([tag], readsPerSecond: readsPerSecond))
    }

    private static func decoder(_ kind: ReaderKind) -> any Decoder {
        switch kind {
        case .a0, .a0With8Antennas: A0Protocol()
        case .uhfReader18: UHFReader18Protocol()
        case .uhfReader288: UHFReader18Protocol(.init(records: .antennaAndSignal))
        case .m100: M100Protocol()
        case .r200: M100Protocol(.init(framing: .aaDD))
        case .mercury: MercuryProtocol()
        }
    }

    /// Reads the line until so many tags were read. Returns the reads and what came in one read of the line at most.
    private static func collect(_ line: Int32, _ decoder: inout any Decoder, tags: Int) throws -> (
        reads: [TagRead], longest: Int, rejects: UInt64
    ) {
        var batch = DecodedBatch()
        var longest = 0
        while batch.readings.count < tags {
            var request = pollfd(fd: line, events: Int16(POLLIN), revents: 0)
            try #require(poll(&request, 1, 20_000) > 0, "the reader fell silent after \(batch.readings.count) reads")
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = read(line, &buffer, buffer.count)
            try #require(count > 0)
            longest = max(longest, count)
            buffer.withUnsafeBytes { decoder.decode(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: .zero, into: &batch) }
        }
        return (batch.readings.compactMap { if case .tag(let read) = $0 { read } else { nil } }, longest, batch.rejects.total)
    }

    private static func send(_ kind: ReaderKind, to line: Int32) {
        for command in start[kind] ?? [] {
            let bytes = Hex.bytes(command) ?? []
            _ = write(line, bytes, bytes.count)
        }
    }

    @Test(arguments: ReaderKind.allCases)
    func everyKindReadsOnItsTerminal(kind: ReaderKind) throws {
        let reader = try SimulatedDeviceRunner(Self.reader(kind, readsPerSecond: 500))
        reader.start()
        defer { reader.stop() }
        let line = open(reader.address, O_RDWR | O_NOCTTY)
        defer { close(line) }
        var decoder = Self.decoder(kind)
        Self.send(kind, to: line)
        let found = try Self.collect(line, &decoder, tags: 8)
        #expect(found.reads.allSatisfy { $0.epc == Self.tag.epc } && found.rejects == 0)
        #expect(reader.device.commands.count == (Self.start[kind] ?? []).count)
    }

    @Test func whatSomeTimeBringsComesInOneWrite() throws {
        let reader = try SimulatedDeviceRunner(GatheredWrites(Self.reader(.m100, readsPerSecond: 2_000), interval: .milliseconds(40)))
        reader.start()
        defer { reader.stop() }
        let line = open(reader.address, O_RDWR | O_NOCTTY)
        defer { close(line) }
        var decoder = Self.decoder(.m100)
        Self.send(.m100, to: line)
        let found = try Self.collect(line, &decoder, tags: 400)
        // 80 frames of 24 bytes in 40 ms, as far as the machine has time.
        #expect(found.longest >= 20 * 24 && found.rejects == 0)
    }

    @Test func faultsAreInjected() throws {
        let reader = try SimulatedDeviceRunner(Self.reader(.mercury, readsPerSecond: 200))
        reader.start()
        defer { reader.stop() }
        let line = open(reader.address, O_RDWR | O_NOCTTY)
        defer { close(line) }
        var decoder = Self.decoder(.mercury)
        Self.send(.mercury, to: line)
        _ = try Self.collect(line, &decoder, tags: 5)
        for order in ["garbage", "garbage", "garbage", "stall", "go"] { #expect(reader.obey(order).last == .obeyed(order)) }
        #expect(try Self.collect(line, &decoder, tags: 60).rejects > 0)
        _ = reader.obey("restart")
        #expect(!reader.device.isReading)
        Self.send(.mercury, to: line)
        decoder.reset()
        _ = try Self.collect(line, &decoder, tags: 5)
    }
}
