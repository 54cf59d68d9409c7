import Readings
import Testing

@testable import stockgate

@Suite struct ThrottleTests {
    private func read(_ epc: String, _ rssi: Int64 = -50) -> JSON {
        ["kind": "reading", "device": "gate-1", "tag": ["epc": .string(epc), "ant": 1, "rssi": .integer(rssi)]]
    }

    @Test func aTagIsShownAtOnceAndThenOnceASecondWithItsCount() {
        var throttle = ReadingThrottle()
        #expect(throttle.take(read("AA"), at: 0).map(\.reads) == [1])
        for time in Int64(1)...99 { #expect(throttle.take(read("AA", -time), at: time * 10).isEmpty) }
        let shown = throttle.take(read("AA"), at: 1_000)
        #expect(shown.map(\.reads) == [99])
        #expect(shown.first?.happening["tag"]?["rssi"] == -99)
        #expect(throttle.end().map(\.reads) == [1])
        #expect(throttle.end().isEmpty)
    }

    @Test func otherTagsAndHappeningsAreNotHeldBack() {
        var throttle = ReadingThrottle()
        #expect(throttle.take(read("AA"), at: 0).count == 1)
        #expect(throttle.take(read("BB"), at: 1).count == 1)
        #expect(throttle.take(["kind": "feedback", "feedback": "accepted"], at: 2).count == 1)
        #expect(throttle.take(["kind": "reading", "device": "b", "scan": ["text": "x"]], at: 3).count == 1)
    }

    @Test func whatIsFollowedIsBounded() {
        var throttle = ReadingThrottle()
        var shown = 0
        for number in 0..<10_000 { shown += throttle.take(read("\(number)"), at: 0).count }
        #expect(shown == 10_000)
    }
}
