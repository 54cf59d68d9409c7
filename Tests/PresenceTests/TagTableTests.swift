import Identifiers
import TestSupport
import Testing

@testable import Presence

@Suite("Table of tags")
struct TagTableTests {
    @Test("The table agrees with a dictionary", arguments: [1, 2, 3] as [UInt64])
    func table(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = TagTable<Int>(capacity: 10_000)
        var dictionary: [EPC: Int] = [:]
        for _ in 0..<20_000 {
            let key = EPC([UInt8(random.next() % 4), UInt8(truncatingIfNeeded: random.next()), UInt8(random.next() % 2)])!
            _ = table.update(key, initial: { 1 }, { $0 += 1 })
            dictionary[key, default: 0] += 1
            if random.next() % 500 == 0 {
                let removed = table.remove { $0 % 3 == 0 }
                for entry in removed { #expect(dictionary.removeValue(forKey: entry.epc) == entry.value, "seed \(seed)") }
                #expect(dictionary.values.allSatisfy { $0 % 3 != 0 }, "seed \(seed)")
            }
        }
        #expect(Dictionary(uniqueKeysWithValues: table.entries.map { ($0.epc, $0.value) }) == dictionary, "seed \(seed)")
    }
}
