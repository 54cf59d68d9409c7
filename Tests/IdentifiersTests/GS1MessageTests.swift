import Testing

@testable import Identifiers

@Suite struct GS1MessageTests {
    private func parse(_ text: String, checksPairs: Bool = true) throws(GS1Error) -> GS1Message {
        try GS1Message(elementStrings: Array(text.utf8), options: .init(referenceYear: 2026, checksPairs: checksPairs))
    }

    private func fault(_ text: String, checksPairs: Bool = true) -> GS1Error? {
        do throws(GS1Error) {
            _ = try parse(text, checksPairs: checksPairs)
            return nil
        } catch {
            return error
        }
    }

    @Test func tableIsReadable() {
        #expect(ApplicationIdentifierTable.unreadableRows.isEmpty)
        #expect(ApplicationIdentifierTable.identifiers.count > 500)
        // No identifier is the beginning of another, or parsing would be ambiguous.
        let texts = ApplicationIdentifierTable.identifiers.map(\.description)
        for (text, next) in zip(texts, texts.dropFirst()) { #expect(!next.hasPrefix(text)) }
    }

    /// General Specifications figure 7.8.5-2: identifiers of predefined length by their first two digits.
    @Test func predefinedLengths() {
        let lengths: [Int: Int] = [0: 18, 1: 14, 2: 14, 3: 14, 4: 16, 20: 2, 41: 13].merging(
            Array(11...19).map { ($0, 6) } + Array(31...36).map { ($0, 6) }, uniquingKeysWith: { first, _ in first })
        for ai in ApplicationIdentifierTable.identifiers {
            guard let facts = ApplicationIdentifierTable.facts(ai), let start = Int(ai.description.prefix(2)) else { continue }
            #expect(facts.isPredefinedLength == (lengths[start] != nil), "\(ai)")
            if let length = lengths[start] { #expect(facts.predefinedLength == length, "\(ai)") }
        }
    }

    @Test func accessors() throws {
        let message = try parse("010950600013435217260200" + "10LOT7\u{1D}21A-1")
        #expect(message.gtin == "09506000134352")
        #expect(message.serial == "A-1")
        #expect(message.lot == "LOT7")
        #expect(message.expiry(referenceYear: 2026)?.description == "2026-02-28")
        #expect(message.expiry(referenceYear: 2026)?.isWholeMonth == true)
        #expect(message.bracketed == "(01)09506000134352(17)260200(10)LOT7(21)A-1")
        #expect(message.digitalLink == "https://id.gs1.org/01/09506000134352/10/LOT7/21/A-1?17=260200")
        #expect(message.identityURI == "https://id.gs1.org/01/09506000134352/21/A-1")
        #expect(try GS1Message(elementStrings: message.transmitted, options: .year2026) == message)
    }

    @Test func logisticLabel() throws {
        let message = try parse("00095201234567891235" + "0209506000134352" + "3724\u{1D}" + "10LOT7")
        #expect(message.sscc == "095201234567891235")
        #expect(message.contentGTIN == "09506000134352")
        #expect(message.quantity == 24)
        #expect(message.gtin == nil)
        #expect(message.identityURI == "https://id.gs1.org/00/095201234567891235")
    }

    @Test func placesAndAssets() throws {
        let place = try parse("4149521141123454254A1")
        #expect(place.gln == "9521141123454")
        #expect(place.glnExtension == "A1")
        #expect(try parse("8003095211411234545678").grai == "095211411234545678")
        #expect(try parse("800495211415678").giai == "95211415678")
        #expect(try parse("8018952114112345678906").gsrn == "952114112345678906")
    }

    /// A missing separator cannot be seen; nothing is guessed.
    @Test func valueRunsOnWithoutSeparator() throws {
        #expect(try parse("010950600013435221ABC17261231").serial == "ABC17261231")
    }

    @Test func superfluousSeparatorsAreSkipped() throws {
        #expect(try parse("0109506000134352\u{1D}21X\u{1D}").bracketed == "(01)09506000134352(21)X")
    }

    @Test func leadingSeparatorOnlyWhenTold() throws {
        let data = Array("\u{1D}0109506000134352".utf8)
        #expect(throws: GS1Error.self) { try GS1Message(elementStrings: data, options: .year2026) }
        var options = GS1Message.Options.year2026
        options.toleratesLeadingSeparator = true
        #expect(try GS1Message(elementStrings: data, options: options).gtin == "09506000134352")
    }

    @Test(arguments: [
        ("", GS1Error.Reason.empty, nil as String?, 0), ("891234", .unknownIdentifier, nil, 0), ("1", .unknownIdentifier, nil, 0),
        ("0109506000134351", .content(.checkDigit), "01", 15), ("01095060001343", .wrongLength, "01", 14),
        ("01A9506000134352", .content(.nonDigitCharacter), "01", 2), ("010950600013435217260230", .content(.day), "17", 22),
        ("010950600013435217261301", .content(.month), "17", 20), ("010950600013435210", .wrongLength, "10", 18),
        ("010950600013435210A B", .content(.invalidCharacter), "10", 19),
        ("010950600013435210ABCDEFGHIJKLMNOPQRSTU", .wrongLength, "10", 38),
        ("0109506000134352\u{1D}\u{1D}21A", .unknownIdentifier, nil, 17), ("8004ABCD1", .content(.companyPrefix), "8004", 4),
        ("8003195211411234545678", .content(.notZero), "8003", 4),
    ])
    func faultsSayWhere(text: String, reason: GS1Error.Reason, ai: String?, offset: Int) {
        let error = fault(text)
        #expect(error?.reason == reason)
        #expect(error?.ai?.description == ai)
        #expect(error?.offset == offset)
    }

    @Test func pairingIsSwitchable() throws {
        #expect(fault("21ABC")?.reason == .missingCompanion("01, 03, 8006"))
        #expect(try parse("21ABC", checksPairs: false).serial == "ABC")
        #expect(fault("0109506000134352" + "3724\u{1D}" + "00095201234567891235")?.ai?.description == "01")
        #expect(fault("0209506000134352")?.reason == .missingCompanion("37"))
    }

    @Test func repetition() {
        #expect(fault("010950600013435221A\u{1D}21B")?.reason == .duplicate)
        #expect(fault("010950600013435221A\u{1D}21A") == nil)
    }

    @Test func lengthIsBounded() {
        let long = "0109506000134352" + String(repeating: "\u{1D}", count: GS1Message.maximumLength)
        #expect(fault(long)?.reason == .dataTooLong)
        #expect(throws: GS1Error.self) { try GS1Message(bracketed: long, options: .year2026) }
        #expect(throws: GS1Error.self) { try GS1Message(digitalLink: "https://a/" + long, options: .year2026) }
        let code = ScannedCode(scan: Array(("]C1" + long).utf8), options: .init(message: .year2026))
        #expect(code.error?.reason == .dataTooLong)
    }

    /// The pairing rules of a label crammed with identifiers stay cheap.
    @Test func manyElements() {
        let identifiers = ApplicationIdentifierTable.identifiers.map(\.description).filter { $0.hasPrefix("31") || $0.hasPrefix("32") }
        let data = "0109506000134352" + identifiers.prefix(100).map { $0 + "000001" }.joined()
        #expect(fault(data)?.ai?.description == "3100")
        #expect(fault(data, checksPairs: false) == nil)
        #expect(fault("0109506000134352" + String(repeating: "301\u{1D}", count: 1000)) == nil)
    }

    @Test func bracketInsideAValue() throws {
        let message = try GS1Message(bracketed: "(01)09506000134352(10)A\\(11)99", options: .year2026)
        #expect(message.lot == "A(11)99")
        #expect(message.bracketed == "(01)09506000134352(10)A\\(11)99")
    }

    /// General Specifications section 7.12: 49 years back and 50 ahead.
    @Test(arguments: [
        ("760101", 2026, "2076-01-01"), ("770101", 2026, "1977-01-01"), ("260228", 2026, "2026-02-28"),
        ("490101", 1999, "2049-01-01"), ("500101", 1999, "1950-01-01"), ("240200", 2026, "2024-02-29"),
    ])
    func centuries(digits: String, referenceYear: Int, expected: String) {
        #expect(GS1Date(digits, referenceYear: referenceYear)?.description == expected)
    }

    @Test(arguments: [("000229", 2099), ("260229", 2026), ("261301", 2026), ("260001", 2026), ("2601", 2026), ("26010A", 2026)])
    func impossibleDates(digits: String, referenceYear: Int) {
        #expect(GS1Date(digits, referenceYear: referenceYear) == nil)
    }
}
