import OperatorText
import SiteConfiguration
import Testing

@Suite struct ReportTextTests {
    @Test(arguments: ReportText.allCases)
    func hasBothLanguagesWithTheSamePlaceholders(text: ReportText) {
        let (english, chinese) = text.forms
        #expect(!english.isEmpty && !chinese.isEmpty)
        #expect(text.placeholders(.english) == text.placeholders(.chinese))
        #expect(english.unicodeScalars.allSatisfy { !(0x3000...0x9FFF).contains($0.value) })
        #expect(english.utf8.allSatisfy { $0 >= 0x20 } && chinese.utf8.allSatisfy { $0 >= 0x20 })
    }
}
