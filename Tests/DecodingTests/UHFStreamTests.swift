import Decoding
import Readings
import TestSupport
import Testing

/// What all protocols of UHF readers must keep, whatever comes in between.
@Suite("Streams of UHF readers")
struct UHFStreamTests {
    struct Family: CustomTestStringConvertible {
        var configuration: DecoderConfiguration
        /// Good frames; the first is of a tag.
        var frames: [[UInt8]]

        init(_ configuration: DecoderConfiguration, _ frames: [String]) {
            self.configuration = configuration
            self.frames = frames.map { Hex.bytes($0) ?? [] }
        }

        var testDescription: String { configuration.protocolName }
    }

    static let families = [
        Family(
            .a0(.init()),
            [
                "A0 13 01 89 04 30 00 E2 00 30 16 66 13 01 21 15 50 74 EF 45 BF", "A0 0A 01 89 00 00 11 00 00 00 05 B6",
                "A0 05 01 72 01 09 DE",
            ]),
        Family(
            .uhfReader18(.init(records: .antennaAndSignal)),
            [
                "15 00 01 03 01 01 0C 00 00 00 00 00 00 00 00 00 00 03 13 6B B1 A5", "07 00 01 01 01 00 1E 4B",
                "11 00 21 00 00 16 0C 03 4E 00 1E 0A 01 00 00 00 E6 51",
            ]),
        Family(.m100(.init()), M100ProtocolTests.published.map(\.frame) + ["BB 01 FF 00 01 15 16 7E", "BB 01 B6 00 01 00 B8 7E"]),
        Family(.mercury(.init()), MercuryProtocolTests.published + ["FF 00 22 04 00 84 E0"]),
    ]

    /// The figures of the sums for the ASCII text 123456789, as their catalogues have them.
    @Test func sums() {
        let text = Array("123456789".utf8)
        #expect(DecoderConfiguration.a0(.init()).check(behind: text) == [0x23])
        #expect(DecoderConfiguration.uhfReader18(.init()).check(behind: text) == [0x91, 0x6F])
        #expect(DecoderConfiguration.m100(.init()).check(behind: [0xBB] + text) == [0xDD])
        #expect(DecoderConfiguration.mercury(.init()).check(behind: [0xFF] + text) == [0xA6, 0x9D])
        #expect(DecoderConfiguration.mercury(.init()).check(behind: [0xFF, 0x00, 0x03]) == [0x1D, 0x0C])
    }

    @Test(arguments: families, [11, 12, 13] as [UInt64])
    func anyCutsGiveTheSame(family: Family, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var stream: [UInt8] = []
        for _ in 0..<300 {
            switch Int.random(in: 0...6, using: &generator) {
            case 0: stream += (0..<Int.random(in: 1...30, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
            case 1:
                // A good frame with one bit changed.
                var frame = family.frames.randomElement(using: &generator) ?? []
                frame[Int.random(in: frame.indices, using: &generator)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                stream += frame
            case 2: stream += (family.frames.randomElement(using: &generator) ?? []).dropLast(Int.random(in: 1...4, using: &generator))
            default: stream += family.frames.randomElement(using: &generator) ?? []
            }
        }
        var whole = Decoded(family.configuration)
        whole.feed(bytes: stream)
        var cut = Decoded(family.configuration)
        var start = 0
        while start < stream.count {
            let end = min(stream.count, start + Int.random(in: 1...40, using: &generator))
            cut.feed(bytes: Array(stream[start..<end]))
            start = end
        }
        for _ in 0..<2 {
            #expect(cut.batch.readings == whole.batch.readings, "seed \(seed)")
            #expect(cut.batch.signals == whole.batch.signals, "seed \(seed)")
            #expect(cut.batch.rejects == whole.batch.rejects, "seed \(seed)")
            whole.wait(.seconds(1))
            cut.wait(.seconds(1))
        }
        #expect(whole.tags.count + whole.batch.signals.count > 150, "seed \(seed)")
        // No reading that was not sent, whatever bits changed.
        var sent = Decoded(family.configuration)
        for frame in family.frames { sent.feed(bytes: frame) }
        #expect(Set(whole.tags).isSubset(of: sent.tags), "seed \(seed)")
    }

    /// A head without an end may hold up what follows, but not for ever, and nothing of it is lost.
    @Test(arguments: families, [21, 22] as [UInt64])
    func noGoodFrameIsLostBehindGarbage(family: Family, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let frame = try #require(family.frames.first)
        for _ in 0..<300 {
            var decoded = Decoded(family.configuration)
            decoded.feed(bytes: (0..<Int.random(in: 1...100, using: &generator)).map { _ in .random(in: 0...255, using: &generator) })
            for _ in 0..<3 { decoded.feed(bytes: frame) }
            decoded.wait(.seconds(1))
            #expect(decoded.tags.count == 3, "seed \(seed)")
            #expect(decoded.decoder.nextDeadline == nil, "seed \(seed)")
        }
    }

    /// At a wrong speed every byte is another one, and half of them are missing: nothing is believed.
    @Test(arguments: families)
    func aWrongLineSpeedGivesNothing(family: Family) {
        var decoded = Decoded(family.configuration)
        for _ in 0..<300 {
            for frame in family.frames {
                // Two bytes run into one: the levels of both, sampled at half the rate.
                let bytes = stride(from: 0, to: frame.count - 1, by: 2).map { index -> UInt8 in
                    (0..<8).reduce(0) { byte, bit in
                        let source = frame[index + bit / 4]
                        return byte | (source >> UInt8(bit % 4 * 2) & 1) << UInt8(bit)
                    }
                }
                decoded.feed(bytes: bytes)
            }
        }
        decoded.wait(.seconds(1))
        #expect(decoded.batch.readings.isEmpty && decoded.batch.signals.isEmpty)
        #expect(decoded.batch.rejects.total > 0)
    }
}
