import Identifiers
import Testing

@Suite struct ScannedCodeTests {
    private let options = ScannedCode.Options(message: .year2026)

    private func scan(_ text: String, _ options: ScannedCode.Options? = nil) -> ScannedCode {
        ScannedCode(scan: Array(text.utf8), options: options ?? self.options)
    }

    @Test(arguments: [
        ("]E09506000134352", "09506000134352"), ("]E0036000291452", "00036000291452"), ("]E0" + "0036000291452", "00036000291452"),
        ("]E495010939", "00000095010939"), ("]E3950600013435212", "09506000134352"), ("]I100012345678905", "00012345678905"),
    ])
    func tradeItemNumbers(text: String, gtin: String) {
        let code = scan(text)
        #expect(code.content == .gtin(gtin))
        #expect(code.canonicalURI == "https://id.gs1.org/01/\(gtin)")
    }

    @Test(arguments: ["]E09506000134351", "]E0", "]E4123", "]E312", "]E0ABC"])
    func brokenTradeItemNumbersAreText(text: String) {
        let code = scan(text)
        #expect(code.content == .text(String(text.dropFirst(3))))
        #expect(code.error?.reason == .notATradeItemNumber)
        #expect(code.canonicalURI == nil)
    }

    @Test func sameItemFromEverySymbol() {
        let expected = "https://id.gs1.org/01/09506000134352/21/32a%2Fb"
        #expect(scan("]C101095060001343522132a/b").canonicalURI == expected)
        #expect(scan("]Q1https://example.com/shop/01/09506000134352/21/32a%2fb?17=261231").canonicalURI == expected)
        #expect(EPC(hex: "3666C4409047E159B2C2BF100000000000000000000000000000")?.identity().canonicalURI == expected)
    }

    @Test(arguments: ["]Q1http://example.org/hello", "]Q1https://example.org", "]d1https://a$/x", "]C0ABC", "]A0A-17", "]I112345"])
    func plainText(text: String) {
        let code = scan(text)
        #expect(code.content == .text(String(text.dropFirst(3))))
        #expect(code.error == nil)
        #expect(code.canonicalURI == nil)
    }

    @Test func brokenLinkIsTextWithAReason() {
        let code = scan("]Q1https://id.gs1.org/01/09506000134351")
        #expect(code.content == .text("https://id.gs1.org/01/09506000134351"))
        #expect(code.error?.reason == .content(.checkDigit))
    }

    @Test func withoutIdentifier() {
        #expect(scan("010950600013435221A\u{1D}10B").canonicalURI == "https://id.gs1.org/01/09506000134352/21/A")
        #expect(scan("\u{1D}0109506000134352").canonicalURI == "https://id.gs1.org/01/09506000134352")
        #expect(scan("9506000134352").content == .text("9506000134352"))
        var guessing = options
        guessing.assumesTradeItemNumbers = true
        #expect(scan("9506000134352", guessing).content == .gtin("09506000134352"))
        #expect(scan("https://id.gs1.org/8004/95211415678").canonicalURI == "https://id.gs1.org/8004/95211415678")
    }

    @Test(arguments: ["|", "~", "{GS}"])
    func substitutedSeparator(substitute: String) {
        var substituting = options
        substituting.separatorSubstitute = Array(substitute.utf8)
        let code = scan("]C1010950600013435221A\(substitute)10B", substituting)
        #expect(code.message?.bracketed == "(01)09506000134352(21)A(10)B")
    }

    @Test func bytesThatAreNoTextAreKept() {
        let bytes: [UInt8] = [0xFF, 0x00, 0x1B, 0x5B, 0x33, 0x31, 0x6D]
        let code = ScannedCode(scan: bytes, options: options)
        #expect(code.data == bytes)
        #expect(code.canonicalURI == nil)
    }
}
