import Testing

@testable import Ledger

@Suite("Loan numbers")
struct LoanNumberTests {
    @Test("The check character is that of ISO/IEC 7064 MOD 37,36")
    func check() {
        // The Global Release Identifier A1-2425G-ABC1234002-M of the IFPI's GRid standard uses the same system.
        #expect(LoanNumber.checkCharacter(of: "A12425GABC1234002") == UInt8(ascii: "M"))
    }

    @Test("A number reads back as it was written, in either case")
    func roundTrip() {
        let number = LoanNumber(gateway: "CRIB1", epoch: 0x0123_4567_89AB_CDEF, counter: 42)
        #expect(number.description.hasPrefix("CRIB1-04HM-00042-"))
        #expect(LoanNumber(number.description) == number)
        #expect(LoanNumber(number.description.lowercased()) == number)
        #expect(LoanNumber(LoanNumber(gateway: "Z9", epoch: .max, counter: 123_456_789).description)?.counter == 123_456_789)
    }

    @Test("Every single wrong character and every swap of neighbours is found")
    func errors() {
        let text = Array(LoanNumber(gateway: "CRIB1", epoch: 0x0123_4567_89AB_CDEF, counter: 42).description)
        for position in text.indices where text[position] != "-" {
            for replacement in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" where replacement != text[position] {
                var wrong = text
                wrong[position] = replacement
                #expect(LoanNumber(String(wrong)) == nil, "\(String(wrong))")
            }
            if position + 1 < text.count, text[position + 1] != "-", text[position] != text[position + 1] {
                var wrong = text
                wrong.swapAt(position, position + 1)
                #expect(LoanNumber(String(wrong)) == nil, "\(String(wrong))")
            }
        }
    }

    @Test(
        "What is no loan number is none",
        arguments: [
            "", "-", "---", "CRIB1", "CRIB1-04HM-0-X", "C-04HM-00042-X", "CRIB1-04HM-٠٠٠٤٢-X", String(repeating: "A", count: 9_999),
        ])
    func garbage(text: String) {
        #expect(LoanNumber(text) == nil)
    }

    @Test("Fifty gateways with new epochs now and then mint no number twice")
    func unique() {
        var seen: Set<String> = []
        for gateway in 0..<50 {
            for epoch in 0..<4 {
                for counter in 1...100 {
                    let number = LoanNumber(gateway: "G\(gateway)", epoch: UInt64(epoch) << 44, counter: Int64(counter)).description
                    #expect(seen.insert(number).inserted)
                }
            }
        }
    }
}
