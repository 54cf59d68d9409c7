import Identifiers
import TestSupport
import Testing

@Suite struct EPCTests {
    @Test(arguments: 1...62)
    func everyLengthKeepsItsBytes(length: Int) throws {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        let epc = try #require(EPC(bytes))
        #expect(epc.bytes == bytes)
        #expect(epc.byteCount == length)
        #expect(EPC(hex: epc.hex) == epc)
        #expect(EPC(hex: epc.hex.lowercased()) == epc)
        var copy = [UInt8](repeating: 0xEE, count: length)
        copy.withUnsafeMutableBytes { epc.copyBytes(to: $0) }
        #expect(copy == bytes)
    }

    @Test func lengthsOutsideTheRangeAreRefused() {
        #expect(EPC([]) == nil)
        #expect(EPC([UInt8](repeating: 1, count: 63)) == nil)
        #expect(EPC(hex: String(repeating: "AB", count: 63)) == nil)
    }

    @Test(arguments: ["", "3", "306", "30 6", "3G", "0x30", "30-66", "３０"])
    func invalidHexIsRefused(text: String) {
        #expect(EPC(hex: text) == nil)
    }

    @Test func blanksInHexAreIgnored() {
        #expect(EPC(hex: "3066 C440 9047 E140 075B CD15")?.hex == "3066C4409047E140075BCD15")
    }

    @Test func lengthBelongsToTheKey() throws {
        let short = try #require(EPC([0x30, 0, 0]))
        let long = try #require(EPC([0x30, 0, 0, 0]))
        #expect(short != long)
        #expect(short < long)
        #expect(short.fastHash != long.fastHash)
    }

    @Test func orderIsThatOfTheBytes() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let left = randomBytes(1...20, &generator, alphabet: 3)
            let right = randomBytes(1...20, &generator, alphabet: 3)
            guard let a = EPC(left), let b = EPC(right) else { continue }
            #expect((a < b) == left.lexicographicallyPrecedes(right))
            #expect((a == b) == (left == right))
        }
    }

    @Test func fastHashSpreadsConsecutiveSerials() {
        var buckets = [Int](repeating: 0, count: 4096)
        for serial in 0..<40960 {
            let epc = EPC([0x30, 0x66, 0xC4, 0x40, 0x90, 0x47, 0xE1, 0x40] + withUnsafeBytes(of: UInt32(serial).bigEndian) { Array($0) })
            buckets[Int((epc?.fastHash ?? 0) & 4095)] += 1
        }
        // Ten on average; a random spread leaves hardly a bucket above thirty.
        #expect(buckets.max() ?? 0 < 32)
        #expect(buckets.filter { $0 == 0 }.count < 16)
    }

    @Test func differenceInAnyByteChangesTheHash() throws {
        for length in [12, 16, 17, 26, 62] {
            let bytes = [UInt8](repeating: 0x5A, count: length)
            let epc = try #require(EPC(bytes))
            for position in 0..<length {
                var other = bytes
                other[position] ^= 1
                let changed = try #require(EPC(other))
                #expect(changed != epc)
                #expect(changed.fastHash != epc.fastHash)
            }
        }
    }
}
