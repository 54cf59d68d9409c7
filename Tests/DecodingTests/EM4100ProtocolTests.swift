import Decoding
import Readings
import Testing

@Suite("EM4100 in ASCII")
struct EM4100ProtocolTests {
    private static func decode(_ hex: String, _ configuration: EM4100Protocol.Configuration = .init()) -> Decoded {
        var decoded = Decoded(.em4100(configuration))
        decoded.feed(hex)
        return decoded
    }

    // Cards from the Seeed forum and published sketches, with the number printed on the card.
    @Test(arguments: [
        ("02 30 31 30 30 30 37 33 34 45 30 44 32 03", "01000734E0", "0000472288", "007,13536"),
        ("02 30 30 30 30 32 39 43 45 36 38 38 46 03", "000029CE68", "0002739816", "041,52840"),
        ("02 30 30 30 30 34 41 39 39 33 39 45 41 03", "00004A9939", "0004888889", "074,39225"),
    ])
    func publishedCards(frame: String, hexadecimal: String, decimal: String, facility: String) {
        #expect(Self.decode(frame).badges == [hexadecimal])
        #expect(Self.decode(frame, .init(form: BadgeForm(notation: .decimal, byteCount: 4))).badges == [decimal])
        #expect(Self.decode(frame, .init(form: BadgeForm(notation: .facilityAndNumber))).badges == [facility])
        #expect(Self.decode(frame, .init(form: BadgeForm(order: .reversedBytes, byteCount: 4))).badges.first?.count == 8)
    }

    @Test func lineEndOfAnID12() {
        #expect(Self.decode("02 30 31 30 30 30 37 33 34 45 30 44 32 0D 0A 03").badges == ["01000734E0"])
        #expect(Self.decode("02 30 31 30 30 30 37 33 34 45 30 44 32 0D 03").badges.isEmpty)
        #expect(Self.decode("02 30 31 30 30 30 37 33 34 0D 0A 45 30 44 32 03").badges.isEmpty)
    }

    @Test func wrongChecks() {
        // A clone that sends FC for FA, and a card of a sketch that adds instead (2E00AF0EC9, sum B4, exclusive or 46).
        let clone = "02 30 32 30 30 34 44 42 30 30 35 46 43 03"
        #expect(Self.decode(clone).badges.isEmpty)
        #expect(Self.decode(clone).rejects == ["checksum": 1])
        #expect(Self.decode(clone, .init(check: .warn)).badges == ["02004DB005"])
        #expect(Self.decode(clone, .init(check: .warn)).rejects == ["checksum": 1])
        let adding = "02 32 45 30 30 41 46 30 45 43 39 42 34 03"
        #expect(Self.decode(adding).badges.isEmpty)
        #expect(Self.decode(adding, .init(check: .sum8)).badges == ["2E00AF0EC9"])
    }

    @Test func aBadgeThatStaysIsReadOnce() {
        var decoded = Decoded(.em4100(.init(duplicateWindow: .seconds(1))))
        let frame = "02 30 31 30 30 30 37 33 34 45 30 44 32 03"
        for _ in 0..<50 {
            decoded.feed(frame)
            decoded.wait(.milliseconds(100))
        }
        #expect(decoded.badges.count == 1)
        #expect(decoded.rejects == ["duplicate": 49])
        decoded.feed("02 30 30 30 30 32 39 43 45 36 38 38 46 03")
        decoded.feed(frame)
        #expect(decoded.badges.count == 3)
        decoded.wait(.seconds(2))
        decoded.feed(frame)
        #expect(decoded.badges.count == 4)
    }

    @Test func brokenFrames() {
        #expect(Self.decode("02 30 31 02 30 31 30 30 30 37 33 34 45 30 44 32 03").badges == ["01000734E0"])
        #expect(Self.decode("02 30 31 03").rejects == ["length": 1])
        #expect(Self.decode("02 30 31 30 30 30 37 33 34 45 30 44 32 30 03").badges.isEmpty)
        #expect(Self.decode("41 02 47").rejects == ["noise": 1, "malformed": 1])
        var half = Self.decode("02 30 31 30 30")
        half.wait(.seconds(1))
        #expect(half.rejects == ["incomplete": 1])
        half.feed("30 37 33 34 45 30 44 32 03")
        #expect(half.badges.isEmpty)
    }

    @Test func numbersAsTheyAreTyped() {
        func number(_ text: String, _ notation: BadgeForm.Notation, _ count: Int = 4) -> [UInt8]? {
            BadgeForm.number(Array(text.utf8), notation: notation, byteCount: count)
        }
        #expect(number("0004888889", .decimal) == [0x00, 0x4A, 0x99, 0x39])
        #expect(number("074,39225", .facilityAndNumber) == [0x00, 0x4A, 0x99, 0x39])
        #expect(number("004A9939", .hexadecimal) == [0x00, 0x4A, 0x99, 0x39])
        #expect(number("4294967296", .decimal) == nil)
        #expect(number("99999999999999999999", .decimal, 8) == nil)
        #expect(number("256,00001", .facilityAndNumber) == nil)
        #expect(number("12a", .decimal) == nil)
        #expect(number("", .decimal) == nil)
        // UID 04 A2 B3 C4 as readers with either byte order type it.
        #expect(BadgeForm(notation: .decimal).text(of: number("0077771716", .decimal) ?? []) == "0077771716")
        #expect(BadgeForm(order: .reversedBytes).text(of: number("3300106756", .decimal) ?? []) == "04A2B3C4")
        #expect(BadgeForm(order: .swappedNibbles).text(of: [0x12, 0xA0]) == "210A")
        #expect(BadgeForm(notation: .decimal).text(of: []) == "0")
        #expect(BadgeForm(notation: .decimal).text(of: Array(repeating: 0xFF, count: 12)) == "18446744073709551615")
    }
}
