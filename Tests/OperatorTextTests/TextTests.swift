import Ledger
import Readings
import SiteConfiguration
import Testing

@testable import OperatorText

@Suite struct TextTests {
    @Test(arguments: Text.allCases)
    func hasBothLanguagesWithTheSamePlaceholders(text: Text) {
        let (english, chinese) = text.forms
        #expect(!english.isEmpty && !chinese.isEmpty)
        #expect(text.placeholders(.english) == text.placeholders(.chinese))
        // Nothing of one language stands where the other should.
        #expect(english.unicodeScalars.allSatisfy { !(0x3000...0x9FFF).contains($0.value) })
        #expect(Printable(escaping: english, limit: 1_000).text.count >= english.count)
        for form in [english, chinese] {
            #expect(form.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
            #expect(form.filter { $0 == "{" }.count == form.filter { $0 == "}" }.count)
        }
    }

    @Test func idsAreUnique() {
        #expect(Set(Text.allCases.map(\.rawValue)).count == Text.allCases.count)
    }

    /// What an answer can carry has words.
    @Test func everyCodeHasAText() {
        for kind in ExceptionKind.allCases { #expect(Text(rawValue: "exception.\(kind.rawValue)") != nil, "\(kind)") }
        for feedback in Feedback.allCases { #expect(Text(rawValue: "feedback.\(feedback.rawValue)") != nil, "\(feedback)") }
        for step in ReminderStep.allCases { #expect(Text(rawValue: "reminder.\(step.rawValue)") != nil, "\(step)") }
        for recipient in ReminderRecipient.allCases { #expect(Text(rawValue: "recipient.\(recipient.rawValue)") != nil, "\(recipient)") }
        for mode in StationMode.allCases { #expect(Text(rawValue: "mode.\(mode.rawValue)") != nil, "\(mode)") }
        for quality in ClockQuality.allCases { #expect(Text(rawValue: "clock.\(quality.rawValue)") != nil, "\(quality)") }
        for direction in Direction.allCases { #expect(Text(rawValue: "direction.\(direction.rawValue)") != nil, "\(direction)") }
        for ground in Sighting.Ground.Name.allCases { #expect(Text(rawValue: "evidence.\(ground.rawValue)") != nil, "\(ground)") }
        for type in Event.Body.types { #expect(Text(rawValue: "event.\(type)") != nil, "\(type)") }
    }

    @Test func placeholdersAreFilledOnceAndNotFromValues() {
        let text = Text.namedThing(.english, ["name": Printable(escaping: "{key}"), "key": "K"])
        #expect(text.text == "{key} (K)")
    }

    @Test func unknownCodesAreShownEscaped() {
        #expect(Text.code("new_kind\u{1B}[31m", of: "exception", .chinese).text == "new_kind\\x1B[31m")
        #expect(Text.code(nil, of: "exception", .chinese).isEmpty)
    }

    /// A fact comes twice, and may be withdrawn: each has words that tell them apart.
    @Test(
        arguments: [
            ("provisional", nil, false, "Li took", "(provisional)", "（暂定）"), ("final", 7, false, "Li took", "(confirmed)", "（已确认）"),
            ("final", nil, false, "Li took", "", ""), ("provisional", 7, true, "Withdrawn", "", "已撤回"),
            ("final", 7, true, "Withdrawn", "", "已撤回"),
        ] as [(String, Int64?, Bool, String, String, String)])
    func certainty(certainty: String, corrects: Int64?, isWithdrawn: Bool, begin: String, end: String, chinese: String) {
        let data: JSON = [
            "person": "p-1", "name": "Li", "item": "DRILL", "loan": "CRIB1-7QK3-00042-T", "due": "2026-11-28T18:00:00.000+08:00",
        ]
        let type: JSON = "loan.checked_out"
        let event = JSON.compact([
            "seq": 9, "certainty": .string(certainty), "corrects": corrects.map(JSON.integer),
            "type": isWithdrawn ? "crossing.retracted" : type, "data": isWithdrawn ? ["type": type, "data": data] : data,
        ])
        let english = EventSentence.of(event, .english).text
        #expect(english.hasPrefix(begin) && english.hasSuffix(end) && english.contains("DRILL"), "\(english)")
        #expect(EventSentence.of(event, .chinese).text.contains(chinese))
    }

    @Test func withdrawalsDoNotNest() {
        let event: JSON = [
            "seq": 2, "type": "crossing.retracted", "corrects": 1, "data": ["type": "crossing.retracted", "data": ["data": [:]]],
        ]
        #expect(EventSentence.of(event, .english).text.hasPrefix("Withdrawn"))
    }

    @Test func aCabinetThatIsOpenedByCommandSaysWhoAskedAndWhy() {
        let client: JSON = ["client": "uid:1000 (anna)"]
        let unlocked: JSON = ["type": "cabinet.unlocked", "station": "cab", "actor": client, "data": ["note": "fire\u{1B} drill"]]
        #expect(EventSentence.of(unlocked, .english).text == "uid:1000 (anna) let somebody into cab: fire\\x1B drill")
        let opened: JSON = [
            "type": "cabinet.opened", "station": "cab", "actor": client,
            "data": ["persons": [], "reason": "command", "client": "uid:1000 (anna)", "note": "fire drill"],
        ]
        #expect(EventSentence.of(opened, .english).text == "cab was opened, let in by uid:1000 (anna) (fire drill): nobody known")
        #expect(EventSentence.of(opened, .chinese).text.contains("uid:1000 (anna)"))
    }

    @Test func aBadgeThatIsRefusedSaysWhy() {
        let known: JSON = [
            "type": "cabinet.refused", "station": "cab", "actor": "unknown", "data": ["person": "p-1", "name": "Li", "reason": "blocked"],
        ]
        #expect(EventSentence.of(known, .english).text == "cab refused Li: blocked person")
        #expect(EventSentence.of(known, .chinese).text.contains("禁止借用"))
        let unknown: JSON = ["type": "cabinet.refused", "station": "cab", "actor": "unknown", "data": ["reason": "unknown_badge"]]
        #expect(EventSentence.of(unknown, .english).text == "cab refused somebody: unknown badge")
        #expect(EventSentence.of(unknown, .chinese).text.contains("未知工牌"))
    }

    @Test func unknownEventsHaveASentence() {
        let event: JSON = ["type": "count.closed\u{202E}", "seq": 9]
        #expect(EventSentence.of(event, .english).text == "An event of type count.closed\\u{202E}, which this program does not know")
        #expect(EventSentence.of(.null, .chinese).text.contains("本程序无法识别"))
    }
}

@Suite struct PrintableTests {
    /// Terminal control, text direction, invisible characters, all of it escaped.
    @Test(arguments: [
        ("\u{1B}[31mred", "\\x1B[31mred"), ("a\u{7}b", "a\\x07b"), ("\u{9B}31m", "\\x9B31m"), ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("abc\u{202E}cba", "abc\\u{202E}cba"), ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"), ("a\u{200B}b", "a\\u{200B}b"),
        ("\u{FEFF}x", "\\u{FEFF}x"), ("a\u{2028}b", "a\\u{2028}b"), ("\u{E0041}", "\\u{E0041}"), ("\u{E000}", "\\u{E000}"),
        ("C:\\x1B", "C:\\\\x1B"), ("0109\u{1D}21", "0109\\x1D21"), ("\u{0}", "\\x00"), ("\u{A0}x", "\\xA0x"), ("张\u{3000}三", "张\u{3000}三"),
        ("e\u{301}", "e\u{301}"), ("e" + String(repeating: "\u{301}", count: 9), "e" + String(repeating: "\u{301}", count: 4)),
        ("\u{301}x", "x"),
        ("", ""), ("Drill 18 V · 电钻 🔧", "Drill 18 V · 电钻 🔧"),
    ])
    func escapes(raw: String, shown: String) {
        #expect(Array(Printable(escaping: raw).text.unicodeScalars) == Array(shown.unicodeScalars))
    }

    @Test func everyScalarIsSafeAlone() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for shown in Printable(escaping: String(scalar)).text.unicodeScalars {
                switch shown.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                    Issue.record("U+\(String(value, radix: 16)) is shown raw")
                default: break
                }
            }
        }
    }

    @Test func longTextIsCut() {
        let shown = Printable(escaping: String(repeating: "x", count: 10_000), limit: 64)
        #expect(shown.text == String(repeating: "x", count: 64) + "…(+9936)")
        #expect(Printable(escaping: String(repeating: "x", count: 64), limit: 64).text.count == 64)
    }

    @Test(arguments: [("abc", 3), ("电钻", 4), ("Drill 电钻", 10), ("e\u{301}", 1), ("（）", 4), ("→…", 2), ("🔧", 2), ("한글", 4), ("ｱ", 1)])
    func widths(text: String, columns: Int) {
        #expect(Printable(escaping: text).width == columns)
    }

    @Test func cutsAndPadsByColumns() {
        let text = Printable(escaping: "电动螺丝刀")
        #expect(text.cut(to: 7).text == "电动螺…")
        #expect(text.cut(to: 6).text == "电动…")
        #expect(text.cut(to: 10).text == "电动螺丝刀")
        #expect(text.padded(to: 12).text == "电动螺丝刀  ")
    }
}

@Suite struct TimeTextTests {
    private static let now = "2026-11-21T10:15:30.000+08:00"

    @Test(arguments: [
        ("2026-11-21T10:15:28.000+08:00", "just now", "刚刚"), ("2026-11-21T02:15:10.000+00:00", "20 s ago", "20 秒前"),
        ("2026-11-21T10:13:30.000+08:00", "2 min ago", "2 分钟前"), ("2026-11-20T10:15:30.000+08:00", "24 h ago", "24 小时前"),
        ("2026-11-12T10:15:30.000+08:00", "9 d ago", "9 天前"), ("2026-11-21T10:16:15.000+08:00", "in 45 s", "45 秒后"),
        ("2026-11-28T18:00:00.000+08:00", "in 7 d", "7 天后"), ("soon\u{7}", "soon\\x07", "soon\\x07"),
    ])
    func relative(time: String, english: String, chinese: String) {
        #expect(TimeText.relative(time, now: Self.now, .english).text == english)
        #expect(TimeText.relative(time, now: Self.now, .chinese).text == chinese)
    }

    @Test func local() {
        #expect(TimeText.local(Self.now).text == "2026-11-21 10:15:30")
        #expect(TimeText.minute(Self.now).text == "2026-11-21 10:15")
        #expect(TimeText.relative(Self.now, now: nil, .english).text == "2026-11-21 10:15:30")
        #expect(TimeText.isPast("2026-11-21T10:15:29.999+08:00", now: Self.now))
        #expect(!TimeText.isPast(Self.now, now: Self.now))
        #expect(TimeText.duration(seconds: 11_542, .english).text == "3 h 12 min")
        #expect(TimeText.duration(seconds: 300_000, .chinese).text == "3 天 11 小时")
    }
}
