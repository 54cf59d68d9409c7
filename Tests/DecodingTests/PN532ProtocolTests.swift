import Decoding
import Readings
import Testing

/// Frames of nfcpy's tests and Adafruit's driver. FeliCa and type B are built by the description of their data, not seen from a chip.
@Suite("PN532")
struct PN532ProtocolTests {
    private static let card = "00 00 FF 0F F1 D5 4B 01 01 00 44 00 07 04 16 C6 C2 D7 38 81 61 00"
    private static let noCard = "00 00 FF 03 FD D5 4B 00 E0 00"
    private static let acknowledgement = "00 00 FF 00 FF 00"

    private static func decode(_ hex: String, _ configuration: PN532Protocol.Configuration = .init()) -> Decoded {
        var decoded = Decoded(.pn532(configuration))
        decoded.feed(hex)
        return decoded
    }

    /// The frame of an answer, by the rule of the manual.
    private static func frame(_ content: [UInt8]) -> [UInt8] {
        let count = UInt8(content.count)
        return [0, 0, 0xFF, count, 0 &- count] + content + [0 &- content.reduce(0, &+), 0]
    }

    private static func badges(_ target: String) -> [String] {
        var decoded = Decoded(.pn532(.init()))
        decoded.feed(bytes: frame([0xD5, 0x4B, 0x01, 0x01] + (Hex.bytes(target) ?? [])))
        return decoded.badges
    }

    @Test func answersToSettings() {
        let decoded = Self.decode(
            Self.acknowledgement + "00 00 FF 06 FA D5 03 32 01 06 07 E8 00" + Self.acknowledgement + "00 00 FF 02 FE D5 15 16 00")
        #expect(
            decoded.batch.signals == [
                .answer(Hex.bytes("00 00 FF 06 FA D5 03 32 01 06 07 E8 00") ?? []), .answer(Hex.bytes("00 00 FF 02 FE D5 15 16 00") ?? []),
            ])
        #expect(decoded.rejects.isEmpty)
    }

    @Test func aCardAndNone() {
        let card = Self.decode(Self.acknowledgement + Self.card)
        #expect(card.badges == ["0416C6C2D73881"])
        #expect(card.batch.signals == [.roundEnded])
        let none = Self.decode(Self.acknowledgement + Self.noCard)
        #expect(none.batch.readings.isEmpty && none.rejects.isEmpty)
        #expect(none.batch.signals == [.roundEnded])
    }

    @Test func kindsOfCards() {
        // Type A with 4 bytes (ATQA 0004, SAK 08), with 10, and one that knows ISO 14443-4 (SAK bit 5) with its ATS.
        #expect(Self.badges("00 04 08 04 04 A2 B3 C4") == ["04A2B3C4"])
        #expect(Self.badges("00 84 08 0A 00 11 22 33 44 55 66 77 88 99") == ["00112233445566778899"])
        #expect(Self.badges("03 44 20 07 04 01 02 03 04 05 06 06 75 77 81 02 80") == ["04010203040506"])
        // FeliCa with and without a system code: the manufacturer's id. Type B: its PUPI.
        #expect(Self.badges("12 01 01 01 06 01 AB 12 34 56 03 01 4B 02 4F 49 93 FF") == ["01010601AB123456"])
        #expect(Self.badges("14 01 01 01 06 01 AB 12 34 56 03 01 4B 02 4F 49 93 FF 12 FC") == ["01010601AB123456"])
        #expect(Self.badges("50 E8 3A 0B 11 00 00 00 00 71 77 81 01 00") == ["E83A0B11"])
        for wrong in ["00 04 08 05 01 02 03 04 05", "00 44 00 07 01 02 03", "12 01 01 02", "F0 04 08 04 01 02 03 04", "00 04"] {
            #expect(Self.badges(wrong).isEmpty, "\(wrong)")
        }
    }

    @Test func twoCardsAtOnce() {
        var decoded = Decoded(.pn532(.init()))
        decoded.feed(bytes: Self.frame([0xD5, 0x4B, 2] + (Hex.bytes("01 00 04 08 04 04 A2 B3 C4 02 00 04 08 04 11 22 33 44") ?? [])))
        #expect(decoded.badges == ["04A2B3C4", "11223344"])
    }

    @Test func numbersAsTyped() {
        let card = "00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 04 A2 B3 C4 B1 00"
        #expect(Self.decode(card, .init(form: BadgeForm(notation: .decimal))).badges == ["0077771716"])
        #expect(Self.decode(card, .init(form: BadgeForm(notation: .decimal, order: .reversedBytes))).badges == ["3300106756"])
    }

    @Test func aCardThatStaysIsReadOnce() {
        var decoded = Decoded(.pn532(.init()))
        for _ in 0..<100 {
            decoded.feed(Self.acknowledgement + Self.card)
            decoded.wait(.milliseconds(100))
            // A card that was just read does not answer every round.
            decoded.feed(Self.acknowledgement + Self.noCard)
            decoded.wait(.milliseconds(100))
        }
        #expect(decoded.badges.count == 1)
        decoded.wait(.seconds(2))
        decoded.feed(Self.card)
        #expect(decoded.badges.count == 2)
    }

    /// A phone: a UID of four bytes, 08 and three that it made up (ISO/IEC 14443-3).
    @Test func randomNumbersAreNoBadges() {
        let content: [UInt8] = [0xD5, 0x4B, 0x01, 0x01, 0x00, 0x04, 0x08, 0x04, 0x08, 0x5C, 0x1D, 0x93]
        let frame: [UInt8] = [0, 0, 0xFF, 0x0C, 0xF4] + content + [0 &- content.reduce(0, &+), 0]
        var decoded = Decoded(.pn532(.init()))
        decoded.feed(bytes: frame)
        #expect(decoded.badges.isEmpty && decoded.rejects == ["randomNumber": 1])
        #expect(decoded.batch.signals == [.roundEnded])
        var taking = Decoded(.pn532(.init(takesRandom: true)))
        taking.feed(bytes: frame)
        #expect(taking.badges == ["085C1D93"])
    }

    @Test func longFrames() {
        // An answer of 260 bytes has two bytes of length: 0104, complement FB.
        let content = [0xD5, 0x41] + [UInt8](repeating: 0, count: 258)
        let frame: [UInt8] = [0, 0, 0xFF, 0xFF, 0xFF, 0x01, 0x04, 0xFB] + content + [0 &- content.reduce(0, &+), 0]
        var decoded = Decoded(.pn532(.init()))
        decoded.feed(bytes: frame)
        #expect(decoded.batch.signals == [.answer(frame)])
        // Published on NXP's forum: a frame of length 0 that is none.
        #expect(Self.decode("00 00 FF 00 00 D5 00").rejects["length"] == 1)
    }

    @Test func wrongAndStrangeFrames() {
        let wrong = Self.decode("00 00 FF 03 FD D5 4B 00 E1 00")
        #expect(wrong.batch.signals.isEmpty)
        #expect(wrong.rejects["checksum"] == 1)
        #expect(
            Self.decode("00 00 FF 01 FF 7F 81 00").batch.signals == [
                .fault(code: 0x7F, meaning: "command refused", isTransient: true), .roundFailed,
            ])
        // The host's own words, as adapters with an echo give them, and a negative acknowledgement.
        #expect(Self.decode("00 00 FF 02 FE D4 02 2A 00").batch.signals.isEmpty)
        #expect(Self.decode("00 00 FF FF 00 00").batch.signals.isEmpty)
        var half = Self.decode("00 00 FF 0F F1 D5 4B")
        half.wait(.seconds(1))
        #expect(half.rejects["incomplete"] == 1)
        half.feed(Self.card)
        #expect(half.badges == ["0416C6C2D73881"])
    }

    @Test(arguments: [
        ("00 00 FF 02 FE D4 02 2A 00", true), ("55 55 00 00 00 FF 00 FF 00 00 00 FF 02 FE D4 02 2A 00", true), ("00 00 FF 00 FF 00", true),
        ("00 00 FF 02 FE D4 02 2B 00", false), ("00 00 FF 02 FD D4 02 2A 00", false), ("00 00 FF 02 FE D5 03 28 00", false),
        ("00 00 FF 02 FE D4 02 2A", false), ("FF 02 FE D4 02 2A 00", false), ("55 55 00", false), ("", false), ("00 00 FF 02", false),
    ])
    func commandsOfProfiles(frame: String, isGood: Bool) {
        #expect((DecoderConfiguration.pn532(.init()).fault(ofFrame: Hex.bytes(frame) ?? []) == nil) == isGood)
    }
}
