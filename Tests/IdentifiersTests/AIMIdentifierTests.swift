import Identifiers
import Testing

@Suite struct AIMIdentifierTests {
    /// GS1 General Specifications figure 5.1.3-1 and ISO/IEC 15424.
    @Test(arguments: [
        ("]C1", "GS1-128", AIMIdentifier.Content.elementStrings), ("]e0", "GS1 DataBar", .elementStrings),
        ("]e1", "GS1 Composite component", .elementStrings), ("]e2", "GS1 Composite component", .elementStrings),
        ("]d2", "GS1 DataMatrix", .elementStrings), ("]Q3", "GS1 QR Code", .elementStrings), ("]J1", "GS1 DotCode", .elementStrings),
        ("]E0", "EAN-13, UPC-A or UPC-E", .tradeItemNumber), ("]E4", "EAN-8", .tradeItemNumber),
        ("]E3", "EAN-13, UPC-A or UPC-E with add-on", .tradeItemNumberWithAddOn),
        ("]I1", "Interleaved 2 of 5", .tradeItemNumberOrText), ("]C0", "Code 128", .text), ("]d1", "Data Matrix", .text),
        ("]Q1", "QR Code", .text), ("]J0", "DotCode", .text), ("]A0", "Code 39", .text), ("]F0", "Codabar", .text),
        ("]G0", "Code 93", .text), ("]L2", "PDF417", .text), ("]z0", "Aztec Code", .text), ("]X0", "other symbology", .text),
        ("]Z6", "no bar code", .text), ("]y0", "unknown symbology", .text),
    ])
    func table(text: String, symbology: String, content: AIMIdentifier.Content) throws {
        let aim = try #require(AIMIdentifier(text))
        #expect(aim.description == text)
        #expect(aim.symbology == symbology)
        #expect(aim.content == content)
    }

    @Test(arguments: ["", "]", "]C", "C1x", "]11", "]C\u{1D}", "]C12", "] 1"])
    func otherTextIsNoIdentifier(text: String) {
        #expect(AIMIdentifier(text) == nil)
    }

    @Test func scanDataIsNotCutWithoutIdentifier() {
        let code = ScannedCode(scan: Array("] 1 shelf".utf8), options: .init(message: .year2026))
        #expect(code.aim == nil)
        #expect(code.content == .text("] 1 shelf"))
    }
}
