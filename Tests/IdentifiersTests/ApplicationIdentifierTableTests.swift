import Foundation
import Testing

@testable import Identifiers

/// The rows of the AI table against the GS1 Barcode Syntax Dictionary.
@Suite(.enabled(if: Vectors.arePresent, "STOCKGATE_VECTORS is not set"))
struct ApplicationIdentifierTableTests {
    @Test func rowsAgreeWithTheDictionary() throws {
        let text = String(decoding: try Vectors.data("gs1-syntax-dictionary/gs1-syntax-dictionary.txt"), as: UTF8.self)
        var seen: Set<ApplicationIdentifier> = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let halves = line.split(separator: "#", maxSplits: 1)
            var words = halves[0].split(separator: " ").map(String.init)
            let ends = words.removeFirst().split(separator: "-").compactMap { ApplicationIdentifier(String($0)) }
            let first = try #require(ends.first)
            let last = try #require(ends.last)
            let flags = words[0].allSatisfy { "*?".contains($0) } ? words.removeFirst() : ""
            let attributes = words.filter { $0.contains("=") || $0 == "dlpkey" }
            let components = words.filter { !attributes.contains($0) }
            for number in first.number...last.number {
                let ai = ApplicationIdentifier(digitCount: first.digitCount, number: number)
                let facts = try #require(ApplicationIdentifierTable.facts(ai), "\(ai)")
                seen.insert(ai)
                #expect(facts.isPredefinedLength == flags.contains("*"), "\(ai)")
                #expect(facts.isLinkAttribute == flags.contains("?"), "\(ai)")
                #expect(facts.components.map(spelled) == components.map(withoutUncheckedLinters), "\(ai)")
                #expect(facts.isLinkKey == attributes.contains { $0.hasPrefix("dlpkey") }, "\(ai)")
                #expect(facts.needs.count == attributes.filter { $0.hasPrefix("req=") }.count, "\(ai)")
                let needs = facts.needs.map { group in
                    "req=" + group.map { $0.map(\.description).joined(separator: "+") }.joined(separator: ",")
                }
                #expect(needs == attributes.filter { $0.hasPrefix("req=") }, "\(ai)")
                #expect(
                    facts.excludes.map(\.description).joined(separator: ",")
                        == attributes.filter { $0.hasPrefix("ex=") }.map { $0.dropFirst(3) }.joined(separator: ","), "\(ai)")
                if let sequences = facts.keyQualifiers, let key = attributes.first(where: { $0.hasPrefix("dlpkey=") }) {
                    #expect(
                        sequences.map { $0.map(\.description).joined(separator: ",") }.joined(separator: "|") == key.dropFirst(7), "\(ai)")
                }
            }
        }
        #expect(Set(ApplicationIdentifierTable.identifiers) == seen)
        print("GS1 dictionary: \(seen.count) identifiers")
    }

    /// A component in the spelling of the dictionary.
    private func spelled(_ component: ApplicationIdentifierFacts.Component) -> String {
        let letter = ["N", "X", "Y", "Z"][Int(component.characters.rawValue)]
        let size = component.minimum == component.maximum ? "\(component.maximum)" : "..\(component.maximum)"
        let core = component.isOptional ? "[\(letter)\(size)]" : letter + size
        return ([core] + component.checks.map(\.rawValue)).joined(separator: ",")
    }

    /// Coupon codes are not checked.
    private func withoutUncheckedLinters(_ text: String) -> String {
        text.replacingOccurrences(of: ",couponcode", with: "").replacingOccurrences(of: ",couponposoffer", with: "")
    }
}
