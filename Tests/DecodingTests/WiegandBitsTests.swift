import Decoding
import Readings
import Testing

@Suite("Wiegand bits")
struct WiegandBitsTests {
    private static let facility = BadgeForm(notation: .facilityAndNumber)

    // proxmark3 tests, the README of wiegand-encoder, and a card of 34 bits with the number of an EM4100 card.
    @Test(arguments: [
        ("10001111100000001010100011", "8F 80 A8 C0", "031,00337", "1F0151"),
        ("00101101000000001010001000", "2D 00 A2 00", "090,00324", "5A0144"),
        ("1000000000111001101001110000000010", "80 39 A7 00 80", "115,19969", "00734E01"),
    ])
    func publishedCards(digits: String, bytes: String, facility: String, hexadecimal: String) throws {
        let bits = try #require(WiegandBits(digits: Array(digits.utf8)))
        #expect(bits == WiegandBits(leftJustified: Hex.bytes(bytes) ?? [], count: digits.utf8.count))
        #expect(bits.credential(Self.facility, checksParity: true) == .credential(facility))
        #expect(bits.credential(BadgeForm(), checksParity: true) == .credential(hexadecimal))
        for index in digits.indices {
            var wrong = digits
            wrong.replaceSubrange(index...index, with: digits[index] == "0" ? "1" : "0")
            let outcome = WiegandBits(digits: Array(wrong.utf8))?.credential(Self.facility, checksParity: true)
            #expect(outcome == .wrongParity, "\(wrong)")
        }
    }

    @Test func aNumberWithASentinel() {
        for text in ["063E02A3", "23E02A3", "023E02A3"] {
            let bytes = Hex.bytes(text.utf8.count % 2 == 0 ? text : "0" + text) ?? []
            #expect(
                WiegandBits(rightJustified: bytes, count: 26) == WiegandBits(leftJustified: [0x8F, 0x80, 0xA8, 0xC0], count: 26), "\(text)")
        }
    }

    /// H10304: 16 bits of facility, 19 of number, and the middle bit under both parities.
    @Test(arguments: [(0, 0), (1, 1), (65_535, 524_287), (12_345, 262_144), (40_000, 99_999)])
    func thirtySevenBits(facility: Int, number: Int) throws {
        func binary(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 2)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        func ones(_ text: Substring) -> Int { text.filter { $0 == "1" }.count }
        let data = binary(facility, 16) + binary(number, 19)
        let text = (ones(data.prefix(18)) % 2 == 0 ? "0" : "1") + data + (ones(data.suffix(18)) % 2 == 0 ? "1" : "0")
        let bits = try #require(WiegandBits(digits: Array(text.utf8)))
        let padded = { (value: Int, width: Int) in String(repeating: "0", count: max(0, width - "\(value)".count)) + "\(value)" }
        #expect(bits.credential(Self.facility, checksParity: true) == .credential(padded(facility, 3) + "," + padded(number, 5)))
    }

    @Test func otherLengths() throws {
        let uid = try #require(WiegandBits(leftJustified: [0x04, 0xA2, 0xB3, 0xC4], count: 32))
        #expect(uid.credential(BadgeForm(), checksParity: true) == .credential("04A2B3C4"))
        #expect(uid.credential(BadgeForm(notation: .decimal), checksParity: true) == .credential("0077771716"))
        // Without a known facility the number is not cut.
        #expect(uid.credential(Self.facility, checksParity: true) == .credential("04A2B3C4"))
        let short = try #require(WiegandBits(leftJustified: [0x8F, 0x80, 0xA8, 0xC0], count: 26))
        #expect(short.credential(BadgeForm(), checksParity: false) == .credential("023E02A3"))
        #expect(WiegandBits(leftJustified: [0xFF], count: 9) == nil)
        #expect(WiegandBits(leftJustified: [0xFF], count: 0) == nil)
        #expect(WiegandBits(digits: Array("0102".utf8)) == nil)
        #expect(WiegandBits(digits: [UInt8](repeating: 0x30, count: 129)) == nil)
    }

    @Test func linesOfConverters() {
        func badges(_ text: String, _ badge: TextRule.Badge) -> [String] {
            var decoded = Decoded(.scannerLine(.init(text: TextRule(aim: .never, output: .badge(badge)))))
            decoded.feed(text: text + "\r\n")
            return decoded.badges
        }
        #expect(badges("10001111100000001010100011", .init(notation: .wiegandBits, form: Self.facility)) == ["031,00337"])
        #expect(badges("10001111100000001010100010", .init(notation: .wiegandBits, form: Self.facility)).isEmpty)
        #expect(badges("023E02A3", .init(notation: .wiegandHexadecimal, form: Self.facility)) == ["031,00337"])
        #expect(badges("2 3E02A3", .init(notation: .wiegandHexadecimal, form: Self.facility)).isEmpty)
        #expect(badges("031,00337", .init(notation: .facilityAndNumber, byteCount: 3, form: Self.facility)) == ["031,00337"])
        #expect(badges("2031953", .init(notation: .decimal, byteCount: 3, form: BadgeForm())) == ["1F0151"])
    }
}
