import Testing

@testable import Decoding

@Suite("LLRP definition table")
struct LLRPDefinitionTests {
    @Test func everyRowIsReadAndEveryNameInItExists() {
        #expect(LLRPDefinitions.tables.faults == [])
    }

    /// LLRP 1.0.1, section 16.1, and LLRP 1.1, section 17.1.
    @Test func everyMessageTypeOfTheStandardIsThere() {
        var types = [1, 2, 3, 4, 11, 12, 13, 14] + Array(20...26) + Array(30...36) + Array(40...47) + Array(50...57)
        types += Array(60...64) + [72, 100, 1_023]
        let known = LLRPDefinitions.messages.compactMap { definition -> Int? in
            if case .standard(let number) = definition.kind { Int(number) } else { nil }
        }
        #expect(known.sorted() == types)
    }

    @Test func everyParameterTypeOfTheStandardIsThere() {
        var types = Array(1...20) + [128, 129, 137] + Array(139...149) + Array(177...188)
        types +=
            Array(207...211) + Array(217...226) + Array(237...257) + [287, 288, 289] + Array(327...339) + Array(341...363) + [365, 1_023]
        let known = LLRPDefinitions.parameters.compactMap { definition -> Int? in
            if case .standard(let number) = definition.kind { Int(number) } else { nil }
        }
        #expect(known.sorted() == types)
    }

    /// Type byte and value, from the tables of both standards.
    @Test(arguments: [
        (1, 3), (2, 9), (3, 9), (4, 9), (5, 9), (6, 2), (7, 3), (8, 3), (9, 5), (10, 3), (11, 3), (12, 3), (13, 13), (14, 3), (15, 3),
        (16, 5), (17, 3), (18, 5), (19, 3), (20, 3),
    ])
    func parametersWithoutLengthHaveTheirSize(type: Int, size: Int) {
        let definition = LLRPDefinitions.parameter(.standard(UInt16(type)))
        #expect(definition?.fixedLength == size - 1)
        #expect(definition?.slots == [])
    }

    @Test func wholeBytesBeginAtWholeBytesAndOnlyTheLastFieldTakesTheRest() {
        for definition in LLRPDefinitions.messages + LLRPDefinitions.parameters {
            var bits = 0
            for item in definition.layout {
                switch item {
                case .reserved(let count): bits += count
                case .field(let field):
                    let width = field.form.bits ?? 0
                    if width == 0 || width >= 8 { #expect(bits % 8 == 0, "\(definition.name).\(field.name)") }
                    bits += width
                }
            }
            #expect(bits % 8 == 0, "\(definition.name)")
            let rest = definition.fields.firstIndex { $0.form == .rest }
            if let rest { #expect(rest == definition.fields.count - 1 && definition.slots.isEmpty, "\(definition.name)") }
            #expect(Set(definition.fields.map(\.name)).count == definition.fields.count, "\(definition.name)")
        }
    }

    @Test func enumeratedValuesFitTheirFieldsAndAreUnique() {
        for definition in LLRPDefinitions.messages + LLRPDefinitions.parameters {
            for field in definition.fields {
                guard let name = field.enumeration else { continue }
                let entries = LLRPDefinitions.enumeration(name)
                #expect(Set(entries.map(\.value)).count == entries.count && Set(entries.map(\.word)).count == entries.count, "\(name)")
                if field.form == .byteVector { continue }
                for entry in entries { #expect(field.fitting(LLRPValue(entry.value)) != nil, "\(definition.name).\(field.name) \(entry)") }
            }
        }
    }
}
