import TestSupport
import Testing

@testable import Upstream

/// What a broker hands over comes from strangers.
@Suite struct HostileMessageTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func nothingTraps(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let birth = SparkplugPayload(
            timestamp: 1, metrics: [.init("Node Control/Rebirth", .boolean(true), timestamp: 1), .init("x", .string([0xFF]))], order: 255)
        for _ in 0..<2_000 {
            var bytes = Bool.random(using: &generator) ? birth.bytes : []
            for _ in 0..<Int.random(in: 0...8, using: &generator) {
                let place = Int.random(in: 0...bytes.count, using: &generator)
                if Bool.random(using: &generator), place < bytes.count {
                    bytes[place] = UInt8.random(in: 0...255, using: &generator)
                } else {
                    bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...80, using: &generator)))
            _ = SparkplugPayload.isTrue("Node Control/Rebirth", in: bytes)
            _ = MQTTReceipt(bytes)
        }
    }

    @Test func onlyATrueRebirthIsOne() {
        let yes = SparkplugPayload(metrics: [.init("a", .boolean(true)), .init("Node Control/Rebirth", .boolean(true))])
        let no = SparkplugPayload(metrics: [.init("a", .boolean(true)), .init("Node Control/Rebirth", .boolean(false))])
        #expect(SparkplugPayload.isTrue("Node Control/Rebirth", in: yes.bytes))
        #expect(!SparkplugPayload.isTrue("Node Control/Rebirth", in: no.bytes))
        // A length beyond the end, a number without an end, a group.
        for bytes in [[0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [UInt8](repeating: 0x80, count: 20), [0x0B, 0x0C]] as [[UInt8]] {
            #expect(!SparkplugPayload.isTrue("Node Control/Rebirth", in: bytes))
        }
    }

    @Test(arguments: [
        "", "{}", "null", #"{"gateway":1,"epoch":"8","upto":1}"#, #"{"gateway":"C","epoch":"8","upto":"1"}"#,
        #"{"gateway":"C","epoch":"8"}"#,
        #"{"gateway":"C","epoch":"8","upto":1,"rejected":[{}]}"#, #"{"gateway":"C","epoch":"8","upto":99999999999999999999}"#,
    ])
    func noReceipt(_ text: String) {
        #expect(MQTTReceipt(Array(text.utf8)) == nil)
    }

    @Test func namesInTopics() {
        let topics = MQTTTopics(site: "a/b+c#d", gatewayCode: "C1", destination: "x/y")
        #expect(topics.receipt == "stockgate/1/a%2Fb%2Bc%23d/C1/receipt/x%2Fy")
        #expect(topics.event("loan.checked_out") == "stockgate/1/a%2Fb%2Bc%23d/C1/event/loan.checked_out")
    }
}
