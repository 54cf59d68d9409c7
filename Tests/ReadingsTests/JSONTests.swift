import Readings
import TestSupport
import Testing

@Suite("JSON")
struct JSONTests {
    // RFC 8259: sections 3 (values), 6 (numbers), 7 (strings).
    @Test(arguments: [
        ("null", JSON.null), (" true ", .bool(true)), ("false", .bool(false)), ("0", .integer(0)), ("-0", .integer(0)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("1.5", .number(1.5)), ("1E2", .number(100)),
        ("-2.5e-1", .number(-0.25)), ("\"\"", .string("")), ("\"a\\u0041\\n\\/\"", .string("aA\n/")), ("\"\\ud83d\\ude00\"", .string("😀")),
        ("[]", .array([])), ("[1 , 2]", .array([.integer(1), .integer(2)])), ("{}", .object([:])),
        ("{\"b\":[{}],\"a\":null}", .object(["a": .null, "b": [.object([:])]])),
    ])
    func accepts(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "truee", "01", "-", "1.", ".5", "1e", "+1", "0x10", "1e400", "NaN", "\"", "\"\\x\"", "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"", "\"a\nb\"", "'a'", "[1,]", "[1 2]", "[", "{\"a\"}", "{\"a\":1,}", "{a:1}", "{\"a\":1,\"a\":2}", "{\"a\":1} x",
        "// no\n1",
    ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test func refusesWhatIsNotUTF8() {
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0x5C, 0x6E, 0xC3, 0x22]) }
        #expect(throws: JSONError.self) { try JSON(parsing: [0xEF, 0xBB, 0xBF, 0x31]) }
    }

    @Test func nestingIsBounded() {
        let deepest = String(repeating: "[", count: JSON.maximumDepth) + String(repeating: "]", count: JSON.maximumDepth)
        #expect(throws: Never.self) { try JSON(parsing: deepest) }
        #expect(throws: JSONError.self) { try JSON(parsing: "[" + deepest + "]") }
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
    }

    @Test func canonicalFormIsSortedAndEscaped() {
        let value: JSON = ["b": 1, "a": ["x": "\u{1B}[2J\"\\\u{7F}\u{9B}\u{202E}é", "y": .number(0.5)], "B": [true, .null]]
        #expect(
            value.canonicalText == #"{"B":[true,null],"a":{"x":"\u001b[2J\"\\\u007f\u009b\u202eé","y":0.5},"b":1}"#)
    }

    @Test func keysAreSortedByBytesNotByLetters() {
        let value: JSON = ["é": 1, "z": 2, "a": 3, "Z": 4, "aa": 5]
        #expect(value.canonicalText == #"{"Z":4,"a":3,"aa":5,"z":2,"é":1}"#)
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func whatIsWrittenIsReadAgain(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<400 {
            let value = Self.value(depth: 0, &generator)
            #expect(try JSON(parsing: value.canonicalBytes) == value, "seed \(seed), round \(round)")
            #expect(try JSON(parsing: value.prettyText) == value, "seed \(seed), round \(round)")
            #expect(try JSON(parsing: value.prettyText).canonicalText == value.canonicalText, "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: [11, 12, 13] as [UInt64])
    func anyBytesAreReadOrRefused(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array(#"{}[]",:\u0123456789abcdeEtrfalsn-+. "#.utf8) + [0x00, 0x0A, 0x80, 0xC3, 0xED, 0xA0, 0xF0, 0xFF]
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            guard let value = try? JSON(parsing: bytes) else { continue }
            #expect((try? JSON(parsing: value.canonicalBytes)) == value, "seed \(seed), bytes \(bytes)")
        }
    }

    private static func value(depth: Int, _ generator: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0...(depth < 4 ? 6 : 4), using: &generator) {
        case 0: .null
        case 1: .bool(.random(using: &generator))
        case 2: .integer(.random(in: .min ... .max, using: &generator))
        case 3: .number(Double(Int.random(in: -1_000_000...1_000_000, using: &generator)) / 1_000 + 0.000_25)
        case 4: .string(text(&generator))
        case 5: .array((0..<Int.random(in: 0...4, using: &generator)).map { _ in value(depth: depth + 1, &generator) })
        default:
            .object(
                Dictionary(
                    (0..<Int.random(in: 0...4, using: &generator)).map { _ in (text(&generator), value(depth: depth + 1, &generator)) },
                    uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func text(_ generator: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [0x00...0x7F, 0x80...0xFF, 0x4E00...0x4E80, 0x2028...0x202F, 0x1F600...0x1F64F]
        var text = ""
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            let range = ranges.randomElement(using: &generator) ?? 0x20...0x7E
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator)) { text.unicodeScalars.append(scalar) }
        }
        return text
    }
}
