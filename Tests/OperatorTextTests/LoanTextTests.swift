import OperatorText
import Readings
import SiteConfiguration
import Testing

@Suite struct LoanTextTests {
    @Test(arguments: LoanText.allCases)
    func hasBothLanguagesWithTheSamePlaceholders(text: LoanText) {
        let (english, chinese) = text.forms
        #expect(!english.isEmpty && !chinese.isEmpty)
        #expect(text.placeholders(.english) == text.placeholders(.chinese))
        #expect(english.unicodeScalars.allSatisfy { !(0x3000...0x9FFF).contains($0.value) })
        #expect(english.utf8.allSatisfy { $0 >= 0x20 } && chinese.utf8.allSatisfy { $0 >= 0x20 })
    }

    @Test(arguments: LoanRule.allCases)
    func everyRuleHasItsWords(rule: LoanRule) {
        for family in ["rule", "kept", "broken"] { #expect(LoanText(rawValue: "\(family).\(rule.rawValue)") != nil) }
    }

    @Test func everyResponseHasItsWords() {
        for response in RuleResponse.allCases {
            #expect(LoanText(rawValue: "verdict.\(response.rawValue)") != nil)
            #expect(LoanText(rawValue: "answer.\(response.rawValue)") != nil)
            #expect(LoanText(rawValue: "answer.person.\(response.rawValue)") != nil)
            #expect(LoanText(rawValue: "ground.without_permit:\(response.rawValue)") != nil)
        }
    }

    /// A newer daemon may have rules that this program does not know, and what strangers wrote is escaped.
    @Test func whatIsNotKnownIsShownAsItCame() {
        let rule: JSON = ["rule": "moon", "broken": true, "response": "veto", "facts": ["phase": "new"]]
        #expect(RuleText.reason(rule, in: [:], .english).text == "moon")
        #expect(RuleText.verdict(rule, .english).text == "veto")
        let hostile: JSON = ["rule": "certificate", "broken": true, "response": "refuse", "facts": ["missing": ["\u{1B}[31m", 7]]]
        #expect(RuleText.reason(hostile, in: [:], .english).text == "missing or expired: \\x1B[31m, ")
        #expect(RuleText.reason(["rule": 3, "facts": []], in: .null, .chinese).text.isEmpty)
        #expect(LoanStory([:], .english).entries.isEmpty)
    }
}
