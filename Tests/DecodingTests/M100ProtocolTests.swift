import Decoding
import Identifiers
import Readings
import Testing

@Suite("M100 and R200 protocol")
struct M100ProtocolTests {
    private static func decode(_ hex: String, _ framing: M100Protocol.Configuration.Framing = .bb7E) -> Decoded {
        var decoded = Decoded(.m100(.init(framing: framing)))
        decoded.feed(hex)
        return decoded
    }

    // The manual of the M5 UHF unit and the unit tests of M5Unit-RFID.
    static let published: [(frame: String, epc: String, rssi: Int16)] = [
        ("BB 02 22 00 11 C9 34 00 30 75 1F EB 70 5C 59 04 E3 D5 0D 70 3A 76 EF 7E", "30751FEB705C5904E3D50D70", -5_500),
        ("BB 02 22 00 11 C4 30 00 E2 00 00 1D 73 15 01 65 21 40 8F C6 B8 3E C2 7E", "E200001D7315016521408FC6", -6_000),
        ("BB 02 22 00 11 CB 34 00 E2 00 47 1B B0 00 60 13 04 45 09 D0 95 82 D4 7E", "E200471BB0006013044509D0", -5_300),
    ]

    @Test func publishedTagReads() {
        for (frame, epc, rssi) in Self.published {
            #expect(Self.decode(frame).tags == [TagRead(epc: EPC(hex: epc)!, antenna: 1, rssi: rssi)])
        }
    }

    @Test func theR200HasAnotherHeadAndEnd() {
        for (frame, epc, _) in Self.published {
            let other = frame.replacing(/^BB/, with: "AA").replacing(/7E$/, with: "DD")
            #expect(Self.decode(other, .aaDD).tags.map(\.epc.hex) == [epc])
            #expect(Self.decode(other).tags.isEmpty && Self.decode(frame, .aaDD).tags.isEmpty)
        }
    }

    @Test func theTagsOwnCRCMustAgree() {
        // One bit of the EPC is another, and the check of the frame was made to agree: 30 became 31, EF became F0.
        let wrong = Self.decode("BB 02 22 00 11 C9 34 00 31 75 1F EB 70 5C 59 04 E3 D5 0D 70 3A 76 F0 7E")
        #expect(wrong.tags.isEmpty && wrong.rejects == ["checksum": 1])
    }

    @Test func noTagIsNoFault() {
        #expect(Self.decode("BB 01 FF 00 01 15 16 7E").batch.signals == [.alive])
    }

    @Test(
        arguments: [(0x0E, false, true), (0x17, false, true), (0x20, true, false), (0x09, true, false), (0xA4, true, false)]
            as [(UInt8, Bool, Bool)])
    func faults(code: UInt8, isTransient: Bool, ends: Bool) {
        let signals = Self.decode(Hex.text([0xBB, 0x01, 0xFF, 0x00, 0x01, code, 0x01 &+ 0xFF &+ 0x01 &+ code, 0x7E])).batch.signals
        guard case .fault(code, _, isTransient)? = signals.first(where: { if case .fault = $0 { true } else { false } }) else {
            Issue.record("\(signals)")
            return
        }
        #expect((signals.last == .roundFailed) == ends)
    }

    @Test(arguments: [
        "BB 01 03 00 10 00 4D 31 30 30 20 32 36 64 42 6D 20 56 31 2E 30 92 7E", "BB 01 B6 00 01 00 B8 7E", "BB 01 07 00 01 00 09 7E",
    ])
    func answersComeWhole(frame: String) {
        #expect(Self.decode(frame).batch.signals == [.answer(Hex.bytes(frame) ?? [])])
    }

    @Test func headsAndEndsInsideAnEPCAreData() throws {
        let body: [UInt8] = [0x30, 0x00, 0xBB, 0x02, 0x22, 0x00, 0x01, 0x7E, 0x7E, 0xBB, 0xBB, 0x00, 0x7E, 0x7E]
        let decoded = Self.decode(Hex.text(Self.notice(body)))
        #expect(decoded.tags.map(\.epc.hex) == ["BB022200017E7EBBBB007E7E"])
        #expect(decoded.batch.rejects.total == 0)
    }

    @Test func framesOfAnotherProtocolWithTheSameHeadPassNot() {
        // Phychips: the CRC stands behind the end.
        let decoded = Self.decode("BB 01 22 00 0E 30 00 E2 00 00 1D 73 15 01 65 21 40 8F C6 7E 12 34")
        #expect(decoded.tags.isEmpty && decoded.batch.signals.isEmpty)
    }

    @Test(arguments: [
        "BB 00 03 00 01 00 04 7E", "BB 00 22 00 00 22 7E", "BB 00 27 00 03 22 27 10 83 7E", "BB 00 28 00 00 28 7E",
        "BB 00 B6 00 02 07 D0 8F 7E", "BB 00 07 00 01 02 0A 7E", "BB 00 07 00 01 03 0B 7E", "BB 00 B6 00 02 0A 28 EA 7E",
        "BB 00 AD 00 01 FF AD 7E", "AA 00 27 00 03 22 FF FF 4A DD", "AA 00 07 00 03 04 02 05 15 DD", "AA 00 B6 00 02 0A 28 EA DD",
    ])
    func commandsAreChecked(frame: String) {
        let bytes = Hex.bytes(frame) ?? []
        let configuration = DecoderConfiguration.m100(.init(framing: bytes[0] == 0xBB ? .bb7E : .aaDD))
        #expect(configuration.fault(ofFrame: bytes) == nil)
        #expect(configuration.check(behind: bytes.dropLast(2)) == [bytes[bytes.count - 2]])
        var wrong = bytes
        wrong[bytes.count - 2] ^= 1
        #expect(configuration.fault(ofFrame: wrong)?.contains("check, must be") == true)
        #expect(configuration.fault(ofFrame: bytes.dropLast()) != nil)
        wrong = bytes
        wrong[4] ^= 1
        #expect(configuration.fault(ofFrame: wrong)?.contains("length bytes must be") == true)
    }

    /// A notice with this PC and EPC, by the sums' definitions.
    static func notice(_ body: [UInt8], rssi: UInt8 = 0xC9) -> [UInt8] {
        var crc: UInt16 = 0xFFFF
        for byte in body {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        }
        let data = [rssi] + body + [UInt8(~crc >> 8), UInt8(~crc & 0xFF)]
        let covered = [0x02, 0x22, 0x00, UInt8(data.count)] + data
        return [0xBB] + covered + [covered.reduce(0, &+), 0x7E]
    }
}
