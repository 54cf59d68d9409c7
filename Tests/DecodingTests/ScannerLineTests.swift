import Decoding
import Identifiers
import Readings
import Testing

@Suite("Scanners on a line")
struct ScannerLineTests {
    private static func decode(_ text: String, _ configuration: ScannerLine.Configuration = .init()) -> Decoded {
        var decoded = Decoded(.scannerLine(configuration))
        decoded.feed(text: text)
        return decoded
    }

    @Test func gs1WithItsSeparator() {
        var decoded = Decoded(.scannerLine(.init()))
        decoded.feed("5D 43 31 30 31 30 39 35 30 36 30 30 30 31 33 34 33 35 32 31 30 41 42 43 31 32 33 1D 31 37 32 35 31 32 33 31 0D")
        #expect(decoded.texts == ["]C1010950600013435210ABC123\u{1D}17251231"])
    }

    @Test func terminators() {
        #expect(Self.decode("A\rB\nC\r\nD\u{3}E").texts == ["A", "B", "C", "D"])
        #expect(Self.decode("A\rB\r", .init(terminator: .cr)).texts == ["A", "B"])
        #expect(Self.decode("A\r\nB\r\n", .init(terminator: .crlf)).texts == ["A", "B"])
        #expect(Self.decode("A\nB\r\n", .init(terminator: .crlf)).rejects == ["controlCharacter": 1])
        #expect(Self.decode("A\r\r\n", .init(terminator: .crlf)).rejects == ["controlCharacter": 1])
        #expect(Self.decode("\u{2}A\u{3}\u{2}B\u{3}", .init(terminator: .etx, text: TextRule(prefix: [0x02]))).texts == ["A", "B"])
        #expect(Self.decode("\r\n\r\n").batch.rejects.total == 0)
    }

    @Test func aGapEndsAScanWithoutATerminator() {
        var decoded = Self.decode("123", .init(terminator: .gap, gap: .milliseconds(50)))
        decoded.wait(.milliseconds(30))
        decoded.feed(text: "45")
        decoded.wait(.milliseconds(49))
        #expect(decoded.texts.isEmpty)
        decoded.wait(.milliseconds(1))
        #expect(decoded.texts == ["12345"])
    }

    @Test func aLineWithoutAnEndIsGivenUp() {
        var decoded = Self.decode("123")
        decoded.wait(.milliseconds(499))
        decoded.feed(text: "4")
        decoded.wait(.milliseconds(499))
        #expect(decoded.batch.rejects.total == 0)
        decoded.wait(.milliseconds(1))
        #expect(decoded.rejects == ["incomplete": 1])
        decoded.feed(text: "5\r")
        #expect(decoded.texts == ["5"])
    }

    @Test func whatStandsAroundTheData() {
        let rule = TextRule(prefix: Array("<<".utf8), suffix: Array(">".utf8), aim: .required, codeIDLength: 1)
        let configuration = ScannerLine.Configuration(text: rule)
        #expect(Self.decode("<<]E0d4006381333931>\r", configuration).texts == ["]E04006381333931"])
        for broken in ["<]E0d400>\r", "<<]E0d400\r", "<<d400>\r", "<<]E0>\r", "<<]E0d>\r", "<>\r"] {
            let decoded = Self.decode(broken, configuration)
            #expect(decoded.texts.isEmpty && decoded.rejects == ["malformed": 1], "\(broken)")
        }
        #expect(Self.decode("]E0123\r", .init(text: TextRule(aim: .never))).texts == ["]E0123"])
        #expect(Self.decode("]1x\r").texts == ["]1x"])
    }

    @Test func separatorSubstitutes() {
        let rule = TextRule(separatorSubstitute: Array("{GS}".utf8))
        #expect(Self.decode("10A{GS}21{GS\r", .init(text: rule)).texts == ["10A\u{1D}21{GS"])
        #expect(Self.decode("10A~21\r", .init(text: TextRule(separatorSubstitute: [0x7E]))).texts == ["10A\u{1D}21"])
    }

    @Test func controlCharactersAreRefusedUnlessAllowed() {
        #expect(Self.decode("A\u{1B}[2JB\r").rejects == ["controlCharacter": 1])
        #expect(Self.decode("A\u{0}\r").rejects == ["controlCharacter": 1])
        #expect(Self.decode("A\u{7F}\r").rejects == ["controlCharacter": 1])
        #expect(Self.decode("A\u{1E}\r").rejects == ["controlCharacter": 1])
        #expect(Self.decode("A\u{1E}\r", .init(text: TextRule(allowedControls: [0x1E]))).texts == ["A\u{1E}"])
        #expect(Self.decode("Größe\r").texts == ["Größe"])
    }

    @Test func menuAnswersAreNoGoods() {
        #expect(Self.decode("]Z6REVINF\r").rejects == ["unknownFrame": 1])
    }

    @Test func theLengthIsBounded() {
        let longest = String(repeating: "7", count: Scan.maximumLength)
        #expect(Self.decode("]Q1" + longest + "\r").scans.first?.data.count == Scan.maximumLength)
        #expect(Self.decode(longest + "7\r").rejects == ["tooLong": 1])
        let decoded = Self.decode(String(repeating: "7", count: 100_000) + "\rNEXT\r")
        #expect(decoded.texts == ["NEXT"])
        #expect(decoded.rejects == ["tooLong": 1])
    }

    @Test func badgesAsText() {
        let rule = TextRule(
            aim: .never, output: .badge(TextRule.Badge(notation: .hexadecimal, byteCount: 4, form: BadgeForm(notation: .decimal))))
        let decoded = Self.decode("004A9939\r\nXYZ\r\n", .init(text: rule))
        #expect(decoded.badges == ["0004888889"])
        #expect(decoded.rejects == ["malformed": 1])
    }

    // MARK: Lines that are no scans

    private static func signals(_ text: String, _ configuration: ScannerLine.Configuration) -> [Signal] {
        decode(text, configuration).batch.signals
    }

    @Test func failedReadsHeartbeatsAndAnswers() {
        let configuration = ScannerLine.Configuration(
            terminator: .cr, noRead: [LinePattern("ERROR"), LinePattern("??")], heartbeat: [LinePattern("HB*")],
            answers: [LinePattern("OK,LON"), LinePattern("ER,*,*")])
        // Keyence SR-750 manual: LON accepted, LON refused as not executable, a failed read.
        let decoded = Self.decode("OK,LON\rER,LON,20\rERROR\rHB 17\r??\r4006381333931\rERRORS\rOK,LONG\r", configuration)
        #expect(
            decoded.batch.signals == [.answer(Array("OK,LON".utf8)), .answer(Array("ER,LON,20".utf8)), .noRead, .alive, .noRead])
        #expect(decoded.texts == ["4006381333931", "ERRORS", "OK,LONG"])
        #expect(decoded.batch.rejects.total == 0)
    }

    @Test func answersWithoutAnEnd() {
        var decoded = Decoded(.scannerLine(.init(gap: .milliseconds(100), answers: [LinePattern("CBR*\u{6}*")])))
        decoded.feed(text: "CBRENA1\u{6},SSX0\u{6}.")
        decoded.wait(.milliseconds(100))
        #expect(decoded.batch.signals == [.answer(Array("CBRENA1\u{6},SSX0\u{6}.".utf8))])
        decoded.feed(text: "CBRE")
        decoded.wait(.milliseconds(100))
        #expect(decoded.rejects == ["incomplete": 1])
    }

    @Test func framesWithAStartByte() {
        let configuration = ScannerLine.Configuration(
            terminator: .etx, start: 0x02, noRead: [LinePattern("NoRead")], answers: [LinePattern("sAN *")])
        let decoded = Self.decode(
            "x\u{2}A1\u{3}\r\n\u{2}half\u{2}B2\u{3}\u{2}sAN mTCgateon 1\u{3}\u{2}NoRead\u{3}yz\u{2}\u{3}", configuration)
        #expect(decoded.texts == ["A1", "B2"])
        #expect(decoded.batch.signals == [.answer(Array("sAN mTCgateon 1".utf8)), .noRead])
        #expect(decoded.rejects == ["noise": 3, "incomplete": 1])
        #expect(decoded.decoder.nextDeadline == nil)
    }

    @Test func furtherEnds() {
        let decoded = Self.decode("A\tB\rC\u{4}", .init(terminator: .cr, otherEnds: [0x09, 0x04]))
        #expect(decoded.texts == ["A", "B", "C"])
    }

    @Test func readsEndRounds() {
        let configuration = ScannerLine.Configuration(
            terminator: .cr, noRead: [LinePattern("ERROR")], answers: [LinePattern("OK,*")], endsRounds: true)
        #expect(
            Self.signals("OK,LON\rA1\rERROR\r\u{1}\r", configuration) == [.answer(Array("OK,LON".utf8)), .roundEnded, .noRead, .roundEnded])
    }

    @Test func codeIdsOfAVendor() {
        // Honeywell: I is GS1-128, d is EAN-13.
        let rule = TextRule(codeIDLength: 1, codeIDs: [[0x49]: AIMIdentifier("]C1"), [0x64]: AIMIdentifier("]E0")].compactMapValues { $0 })
        #expect(Self.decode("I10ABC\rd4006381333931\rsHello\r", .init(text: rule)).texts == ["]C110ABC", "]E04006381333931", "Hello"])
    }

    @Test(arguments: [
        ("OK", "OK", true), ("OK", "OK,", false), ("OK*", "OK", true), ("*OK", "no OK", true), ("*a*b*", "xxaxxb", true),
        ("*a*b*", "ba", false),
        ("a*a", "a", false), ("a*a", "aa", true), ("a**b", "ab", true), ("*", "", true), ("a*bc*c", "abc", false),
    ])
    func patterns(pattern: String, line: String, isMatch: Bool) {
        #expect(LinePattern(pattern).matches(Array(line.utf8)) == isMatch)
    }

    @Test func hostilePatternsEnd() {
        let pattern = LinePattern(String(repeating: "a*", count: 50) + "b")
        #expect(!pattern.matches(Array(String(repeating: "a", count: 7_000).utf8)))
    }
}
