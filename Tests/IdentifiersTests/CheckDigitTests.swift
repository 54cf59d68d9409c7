import Identifiers
import Testing

@Suite struct CheckDigitTests {
    /// GS1 General Specifications section 7.9 and the check digit calculator's examples.
    @Test(arguments: [
        ("0950600013435", "2"), ("950600013435", "2"), ("9501093", "9"), ("03600029145", "2"), ("09520123456789123", "5"),
        ("952114112345", "4"), ("95211411234567890", "6"),
    ])
    func modulo10(data: String, digit: String) {
        #expect(CheckDigit.compute(data).map(String.init) == digit)
        #expect(CheckDigit.isValid(data + digit))
        for other in 0...9 where String(other) != digit { #expect(!CheckDigit.isValid(data + String(other))) }
    }

    @Test(arguments: ["", "A", "12A4", " ", "１２"])
    func otherCharactersHaveNoCheckDigit(text: String) {
        #expect(CheckDigit.compute(text) == nil)
        #expect(!CheckDigit.isValid(text))
    }

    @Test func characterPair() throws {
        let data = Array("1987654Ad4X4bL5ttr2310c".utf8)
        let pair = try #require(CheckCharacterPair.compute(data))
        #expect([pair.0, pair.1] == Array("2K".utf8))
        #expect(CheckCharacterPair.isValid(data + Array("2K".utf8)))
        #expect(!CheckCharacterPair.isValid(data + Array("2L".utf8)))
        #expect(CheckCharacterPair.compute([UInt8](repeating: 0x41, count: CheckCharacterPair.maximumLength + 1)) == nil)
    }

    @Test(arguments: [
        ("95010939", "00000095010939"), ("036000291452", "00036000291452"), ("9506000134352", "09506000134352"),
        ("09506000134352", "09506000134352"),
    ])
    func shorterGTINsArePadded(text: String, padded: String) {
        #expect(GTIN.padded14(text) == padded)
    }

    @Test(arguments: ["9506000134351", "950600013435", "123", "", "9506000134352 "])
    func otherTextIsNoGTIN(text: String) {
        #expect(!GTIN.isValid(text))
    }

    @Test(arguments: [
        ("09506000134352", false), ("09788175257665", false), ("02012345678900", true), ("00212345678900", true),
        ("00412345678900", true), ("09771234567898", true), ("09812345678909", true), ("09912345678909", true),
        ("00001234567895", true), ("00000020123451", true), ("00000095010939", false), ("00036000291452", false),
    ])
    func restrictedNumbers(gtin: String, isRestricted: Bool) {
        #expect(GTIN.isRestricted(gtin) == isRestricted)
    }

    @Test func unitsAndPlaces() {
        #expect(SSCC.isValid("095201234567891235"))
        #expect(!SSCC.isValid("095201234567891234"))
        #expect(!SSCC.isValid("09520123456789123"))
        #expect(GLN.isValid("9521141123454"))
        #expect(!GLN.isValid("952114112345"))
        #expect(GSRN.isValid("952114112345678906"))
    }
}
