import Foundation
import Testing

@testable import Identifiers

/// Every row of the vectors of the GS1 syntax engine and of the dictionary's linters.
@Suite(.enabled(if: Vectors.arePresent, "STOCKGATE_VECTORS is not set"))
struct GS1VectorTests {
    struct EngineRow: Decodable {
        var kind: String
        var `in`: String
        var ok: Bool
        var ai: String?
        var dl: String?
        var requisiteCheck: Bool?
    }

    /// Rows that differ on purpose, each with its reason.
    static let exceptions: [String: String] = [
        "]E402345673|]e099COMPOSITE\u{1D}98XYZ": "a bar that joins the two components is a notation of the engine, not of scanners",
        "]I100012345678905": "the engine knows no ITF; fourteen digits with a right check digit in a checked ITF are a GTIN-14",
        "]E0123456789012": "a valid UPC-A of 12 digits, as scanners without a leading zero send it, is taken",
    ]

    private func parse(_ row: EngineRow) -> GS1Message? {
        let options = GS1Message.Options(referenceYear: 2026, checksPairs: row.requisiteCheck ?? true)
        switch row.kind {
        case "scan":
            let code = ScannedCode(scan: Array(row.in.utf8), options: .init(message: options))
            return code.message
        case "ai": return try? GS1Message(bracketed: row.in, options: options)
        case "dl": return try? GS1Message(digitalLink: row.in, options: options)
        default:
            let data = row.in.utf8.dropFirst().map { $0 == 0x5E ? GS1Message.separator : $0 }
            return try? GS1Message(elementStrings: data, options: options)
        }
    }

    @Test func engineRows() throws {
        let rows = try Vectors.lines("gs1-engine-vectors/vectors.jsonl", as: EngineRow.self)
        #expect(!rows.isEmpty)
        var passed = 0
        for row in rows where Self.exceptions[row.in] == nil {
            let message = parse(row)
            #expect(message?.bracketed == row.ai, "\(row.kind) \(row.in)")
            #expect(message?.digitalLink == row.dl, "\(row.kind) \(row.in)")
            if message?.bracketed == row.ai, message?.digitalLink == row.dl { passed += 1 }
        }
        print("GS1 engine: \(passed) of \(rows.count) rows, \(Self.exceptions.count) known exceptions")
    }

    /// A Digital Link that was made is read again to the same set.
    @Test func canonicalLinksAreStable() throws {
        for row in try Vectors.lines("gs1-engine-vectors/vectors.jsonl", as: EngineRow.self) {
            guard let link = row.dl, row.requisiteCheck ?? true else { continue }
            let message = try GS1Message(digitalLink: link, options: .year2026)
            #expect(message.digitalLink == link)
        }
    }

    struct LinterRow: Decodable {
        var linter: String
        var input: String
        var expect: String
        var markup: String
    }

    /// What the linters call a fault, and what it is here.
    static let faults: [String: GS1Fault] = [
        "NON_DIGIT_CHARACTER": .nonDigitCharacter, "INVALID_CSET82_CHARACTER": .invalidCharacter,
        "INVALID_CSET39_CHARACTER": .invalidCharacter, "INVALID_CSET64_CHARACTER": .invalidCharacter,
        "INVALID_CSET64_PADDING": .invalidPadding, "TOO_SHORT_FOR_CHECK_DIGIT": .wrongLength,
        "TOO_SHORT_FOR_CHECK_PAIR": .wrongLength, "TOO_LONG_FOR_CHECK_PAIR_IMPLEMENTATION": .wrongLength,
        "INCORRECT_CHECK_DIGIT": .checkDigit, "INCORRECT_CHECK_PAIR": .checkCharacterPair,
        "REQUIRES_NON_DIGIT_CHARACTER": .onlyDigits, "ILLEGAL_HOUR": .hour, "ILLEGAL_MINUTE": .minute, "ILLEGAL_SECOND": .second,
        "ILLEGAL_MONTH": .month, "ILLEGAL_DAY": .day, "NOT_HYPHEN": .notHyphen, "ILLEGAL_ZERO_VALUE": .zero,
        "ILLEGAL_ZERO_PREFIX": .leadingZero, "NOT_ZERO": .notZero, "NOT_ZERO_OR_ONE": .notYesOrNo, "NOT_ISO3166": .countryCode,
        "NOT_ISO3166_OR_999": .countryCode, "NOT_ISO3166_ALPHA2": .countryCode, "NOT_ISO4217": .currencyCode,
        "INVALID_BIOLOGICAL_SEX_CODE": .sexCode, "INVALID_LATITUDE": .latitude, "INVALID_LONGITUDE": .longitude,
        "INVALID_MEDIA_TYPE": .mediaType, "INVALID_PACKAGE_TYPE": .packageType, "INVALID_PERCENT_SEQUENCE": .percentSequence,
        "INVALID_IMPORT_IDX_CHARACTER": .invalidCharacter, "INVALID_WINDING_DIRECTION": .windingDirection,
        "ZERO_PIECE_NUMBER": .pieceNumber, "ZERO_TOTAL_PIECES": .pieceNumber, "PIECE_NUMBER_EXCEEDS_TOTAL": .pieceNumber,
        "POSITION_IN_SEQUENCE_MALFORMED": .positionInSequence, "POSITION_EXCEEDS_END": .positionInSequence,
        "INVALID_LENGTH_FOR_PIECE_OF_TOTAL": .wrongLength, "INCORRECT_IBAN_CHECKSUM": .bankAccountNumber,
        "INVALID_IBAN_CHARACTER": .invalidCharacter, "ILLEGAL_IBAN_COUNTRY_CODE": .countryCode,
    ]

    private func expectedFault(_ code: String) -> GS1Fault? {
        if let fault = Self.faults[code] { return fault }
        return code.hasSuffix("_TOO_SHORT") || code.hasSuffix("_TOO_LONG") || code.hasSuffix("_INVALID_LENGTH") ? .wrongLength : nil
    }

    /// The linter's answer: `fault` nil when the value passes; nil for linters that are not implemented.
    private func lint(_ row: LinterRow) -> (fault: GS1FaultPosition?, isKnown: Bool) {
        let bytes = Array(row.input.utf8)[...]
        switch row.linter {
        case "cset82": return (GS1Rules.badCharacter(bytes, .set82), true)
        case "cset39": return (GS1Rules.badCharacter(bytes, .set39), true)
        case "cset64": return (GS1Rules.badCharacter(bytes, .base64), true)
        case "csetnumeric": return (GS1Rules.badCharacter(bytes, .digits), true)
        default:
            guard let check = GS1Check(rawValue: row.linter) else { return (nil, false) }
            // The reference linters count centuries from 2021.
            return (check.fault(in: bytes, referenceYear: 2021), true)
        }
    }

    @Test func linterRows() throws {
        let rows = try Vectors.lines("gs1-linter-vectors/linter-vectors.jsonl", as: LinterRow.self)
        #expect(!rows.isEmpty)
        var left: [String: Int] = [:]
        var passed = 0
        for row in rows {
            let (found, isKnown) = lint(row)
            guard isKnown else {
                left[row.linter, default: 0] += 1
                continue
            }
            let expected = row.expect == "OK" ? nil : expectedFault(row.expect)
            #expect((found == nil) == (row.expect == "OK"), "\(row)")
            #expect(found?.fault == expected, "\(row)")
            if let found { #expect(found.offset == row.markup.utf8.prefix { $0 != 0x2A }.count, "\(row)") }
            if found?.fault == expected { passed += 1 }
        }
        #expect(Set(left.keys).isSubset(of: ["couponcode", "couponposoffer"]))
        print("GS1 linters: \(passed) of \(rows.count) rows, not implemented: \(left)")
    }
}
