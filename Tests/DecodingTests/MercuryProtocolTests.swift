import Decoding
import Identifiers
import Readings
import Testing

@Suite("Mercury protocol")
struct MercuryProtocolTests {
    private static func decode(_ hex: String) -> Decoded {
        var decoded = Decoded(.mercury(.init()))
        decoded.feed(hex)
        return decoded
    }

    // SparkFun's library; the vendor's guide to autonomous configuration (two).
    static let published = [
        "FF 28 22 00 00 10 00 1B 01 FF 01 01 C4 11 0E 16 40 00 00 01 27 00 00 05 00 00 0F 00 80 30 00 00 00 00 00 00 00 00 00 00 00 15 45 E9 4A 56 1D",
        "FF 28 22 00 00 10 03 1B 01 FF 01 01 E4 11 0E 1A 5A 00 00 00 10 00 A0 05 00 00 01 00 80 30 30 AA AA BB BB CC CC DD DD EE EE FF FF 71 87 6E 3F",
        "FF 2A 22 00 00 10 03 1F 01 FF 01 01 EB 22 0E 0A BA 00 00 00 11 00 5F 05 00 60 E2 80 11 04 20 00 22 8D FC 99 00 00 01 00 30 08 30 44 44 F2 11 99 AA",
    ]

    @Test func publishedTagReads() {
        let expected = [
            TagRead(epc: EPC(hex: "000000000000000000001545")!, antenna: 1, rssi: -6_000, frequency: 923_200, phase: 0),
            TagRead(epc: EPC(hex: "AAAABBBBCCCCDDDDEEEEFFFF")!, antenna: 1, rssi: -2_800, frequency: 924_250, phase: 29_127),
            // 96 bits of the tag's TID stand before a short EPC.
            TagRead(epc: EPC(hex: "4444")!, antenna: 2, rssi: -2_100, frequency: 920_250, phase: 17_294),
        ]
        for (frame, read) in zip(Self.published, expected) {
            let decoded = Self.decode(frame)
            #expect(decoded.tags == [read])
            #expect(decoded.batch.rejects.total == 0 && decoded.batch.signals.isEmpty)
        }
    }

    @Test func theTagsOwnCRCMustAgree() {
        var frame = Hex.bytes(Self.published[0]) ?? []
        frame[40] ^= 1
        let crc = DecoderConfiguration.mercury(.init()).check(behind: frame.dropLast(2)) ?? []
        let decoded = Self.decode(Hex.text(frame.dropLast(2) + crc))
        #expect(decoded.tags.isEmpty && decoded.rejects == ["checksum": 1])
    }

    @Test func noTagIsASignOfLife() {
        #expect(Self.decode("FF 00 22 04 00 84 E0").batch.signals == [.alive])
        // A report of its temperature.
        #expect(Self.decode(Self.answer(0x22, 0, [UInt8](repeating: 1, count: 10))).batch.signals == [.alive])
    }

    @Test(
        arguments: [
            (0x0504, "too hot (0504)", true), (0x0505, "antenna reflects too much (0505)", true), (0x0503, "antenna missing (0503)", true),
            (0x0105, "parameter refused (0105)", false), (0x010B, "region refused (010B)", false), (0x7F00, "module failed (7F00)", false),
        ] as [(UInt16, String, Bool)])
    func faults(status: UInt16, meaning: String, isTransient: Bool) {
        let fault = Signal.fault(code: UInt8(status & 0xFF), meaning: meaning, isTransient: isTransient)
        #expect(Self.decode(Self.answer(0x22, status, [])).batch.signals == [fault, .roundFailed])
        #expect(Self.decode(Self.answer(0x2F, status, [])).batch.signals.suffix(2) == [fault, .roundFailed])
    }

    @Test func answersComeWhole() {
        for answer in [Self.answer(0x03, 0, [UInt8](repeating: 1, count: 20)), Self.answer(0x97, 0x0105, []), Self.answer(0x2F, 0, [])] {
            #expect(Self.decode(answer).batch.signals == [.answer(Hex.bytes(answer) ?? [])])
        }
    }

    @Test func metadataMayBeFewer() {
        // Signal and antenna only.
        let tag = "30 00 00 00 00 00 00 00 00 00 00 00 15 45 E9 4A"
        let decoded = Self.decode(Self.answer(0x22, 0, Hex.bytes("10 00 1B 00 06 01 C4 21 00 80" + tag) ?? []))
        #expect(decoded.tags == [TagRead(epc: EPC(hex: "000000000000000000001545")!, antenna: 2, rssi: -6_000)])
        // A flag that nobody knows would shift all that follows.
        #expect(Self.decode(Self.answer(0x22, 0, Hex.bytes("10 00 1B 02 06 01 C4 21 00 80" + tag) ?? [])).rejects == ["malformed": 1])
        // The data end before the record does.
        #expect(Self.decode(Self.answer(0x22, 0, Hex.bytes("10 00 1B 00 06 01 C4 21 01 80" + tag) ?? [])).rejects == ["malformed": 1])
    }

    @Test(arguments: [
        "FF 00 03 1D 0C", "FF 00 0C 1D 03", "FF 00 04 1D 0B", "FF 0A 24 03 E8 00 00 00 00 00 03 00 EE 58 9D",
        "FF 10 2F 00 00 01 22 00 00 05 07 22 10 00 1B 03 E8 01 FF DD 2B", "FF 03 2F 00 00 02 5E 86", "FF 01 97 01 4B BC",
        "FF 01 97 08 4B B5", "FF 02 91 01 01 70 3B", "FF 02 93 00 05 51 7D", "FF 02 92 01 F4 40 AD", "FF 02 92 0A 8C 4B D5",
        "FF 03 9A 01 0C 00 A3 5D",
    ])
    func commandsAreChecked(frame: String) {
        let bytes = Hex.bytes(frame) ?? []
        let configuration = DecoderConfiguration.mercury(.init())
        #expect(configuration.fault(ofFrame: bytes) == nil)
        #expect(configuration.check(behind: bytes.dropLast(2)) == Array(bytes.suffix(2)))
        #expect(configuration.fault(ofFrame: bytes.dropLast() + [bytes[bytes.count - 1] ^ 1])?.contains("CRC") == true)
        #expect(configuration.fault(ofFrame: bytes + [0])?.contains("length byte must be") == true)
    }

    private static func answer(_ operation: UInt8, _ status: UInt16, _ data: [UInt8]) -> String {
        let frame = [0xFF, UInt8(data.count), operation, UInt8(status >> 8), UInt8(status & 0xFF)] + data
        return Hex.text(frame + (DecoderConfiguration.mercury(.init()).check(behind: frame) ?? []))
    }
}
