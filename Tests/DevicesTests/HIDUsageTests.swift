import TestSupport
import Testing

@testable import Devices

struct HIDUsageTests {
    /// From the device class definitions: HID 1.11 appendix E.6 (keyboard) and E.10 (mouse), HID Point of Sale Usage Tables 1.02.
    @Test(arguments: [
        ("058c0902a1018502150026ff007508953f09fe8102c0", "008c:0002"),
        ("05010906a10105071900e0", "0001:0006"),
        ("05010902a1010901a100", "0001:0002"),
        // Usage page pushed, changed and popped; a physical collection first; a long item; a usage of four bytes; usage minimum.
        ("058ca40501b40902a101", "008c:0002"),
        ("05010902a100c0058c0902a101", "008c:0002"),
        ("fe03f0aabbcc058c0902a101", "008c:0002"),
        ("05010b02008c00a101", "008c:0002"),
        ("06a0ff1901a101", "ffa0:0001"),
        // The first of two usages names the collection.
        ("058c09020906a101", "008c:0002"),
    ])
    func findsTheFirstApplicationCollection(descriptor: String, usage: String) {
        #expect(HIDUsage.first(in: bytes(descriptor)) == usage)
    }

    @Test(arguments: ["", "05", "058c0902", "a101", "fe", "feff", "0b0200", "058c0902a100"])
    func findsNoneWhereThereIsNone(descriptor: String) {
        #expect(HIDUsage.first(in: bytes(descriptor)) == nil)
    }

    @Test func survivesAnyBytes() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let noise = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let usage = HIDUsage.first(in: noise)
            #expect(usage?.utf8.count ?? 9 == 9, "seed \(seed)")
        }
        // More than a kernel gives is not read: push without end, then what would be a collection.
        #expect(HIDUsage.first(in: [UInt8](repeating: 0xA4, count: 4_096) + bytes("058c0902a101")) == nil)
    }

    private func bytes(_ text: String) -> [UInt8] {
        stride(from: 0, to: text.utf8.count - 1, by: 2).compactMap { place in
            let start = text.index(text.startIndex, offsetBy: place)
            return UInt8(text[start...].prefix(2), radix: 16)
        }
    }
}
