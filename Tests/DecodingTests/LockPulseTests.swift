import Readings
import Testing

@testable import Decoding

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// A lock is opened once, at once or not at all, and always shut again.
@Suite("Pulses that open locks")
struct LockPulseTests {
    private static let on: [UInt8] = [1, 1]
    private static let off: [UInt8] = [1, 0]
    private static let lamp: [UInt8] = [2, 1]
    private static let dark: [UInt8] = [2, 0]
    private static let pulse: [SessionPlan.Transmission] = [.init(bytes: on), .init(pause: .seconds(3), bytes: off)]
    private static let light: [SessionPlan.Transmission] = [.init(bytes: lamp), .init(pause: .seconds(1), bytes: dark)]

    private func sent(_ schedule: inout FeedbackSchedule, to end: Int64) -> [String] {
        var words: [String] = []
        while let due = schedule.nextDeadline, due <= at(end) {
            for bytes in schedule.takeDue(at: max(due, .zero)) { words.append("\(due.nanoseconds / 1_000_000) \(bytes)") }
        }
        return words
    }

    @Test func aSignalDoesNotCutItShort() {
        var schedule = FeedbackSchedule()
        _ = schedule.add(.unlock, Self.pulse, at: at(0))
        let taken1 = schedule.takeDue(at: at(0))
        #expect(taken1 == [Self.on])
        _ = schedule.add(.accepted, Self.light, at: at(100))
        let taken2 = schedule.takeDue(at: at(100))
        #expect(taken2 == [Self.lamp])
        _ = schedule.add(.exception, Self.light, at: at(200))
        let taken3 = schedule.takeDue(at: at(200))
        #expect(taken3 == [Self.dark, Self.lamp])
        let rest = sent(&schedule, to: 10_000)
        #expect(rest == ["1200 [2, 0]", "3000 [1, 0]"])
    }

    @Test func twoLocksOfOneDeviceHaveNothingToDoWithEachOther() {
        var schedule = FeedbackSchedule()
        _ = schedule.add(.unlock, Self.pulse, at: at(0))
        let taken4 = schedule.takeDue(at: at(0))
        #expect(taken4 == [Self.on])
        _ = schedule.add(.unlock2, Self.light, at: at(500))
        let rest = sent(&schedule, to: 10_000)
        #expect(rest == ["500 [2, 1]", "1500 [2, 0]", "3000 [1, 0]"])
    }

    @Test("A device that was away does not open a door for nobody")
    func late() {
        var schedule = FeedbackSchedule()
        _ = schedule.add(.unlock, Self.pulse, at: at(0))
        // A round is going on for long: nothing could be sent.
        let taken5 = schedule.takeDue(at: at(2_001))
        #expect(taken5 == [])
        #expect(schedule.nextDeadline == nil)
        _ = schedule.add(.unlock, Self.pulse, at: at(10_000))
        schedule.keepRest(at: at(10_100))
        let taken6 = schedule.takeDue(at: at(3_600_000))
        #expect(taken6 == [])
    }

    @Test("What began a pulse is never sent again; what ends it is sent as soon as the device is back")
    func interrupted() {
        var schedule = FeedbackSchedule()
        _ = schedule.add(.unlock, Self.pulse, at: at(0))
        let taken7 = schedule.takeDue(at: at(0))
        #expect(taken7 == [Self.on])
        // It may have lost its settings, and is initialised again.
        schedule.beginAgain(at: at(500))
        schedule.keepRest(at: at(600))
        let taken8 = schedule.takeDue(at: at(60_000))
        #expect(taken8 == [Self.off])
        #expect(schedule.nextDeadline == nil)
    }

    @Test("A command without an answer: on is given up, off is sent again")
    func unanswered() {
        var schedule = FeedbackSchedule()
        _ = schedule.add(.unlock, Self.pulse, at: at(0))
        let taken9 = schedule.takeNext(at: at(0))
        #expect(taken9 == Self.on)
        schedule.putBack(Self.on, at: at(200))
        let taken10 = schedule.takeNext(at: at(200))
        #expect(taken10 == nil)
        let taken11 = schedule.takeNext(at: at(3_000))
        #expect(taken11 == Self.off)
        schedule.putBack(Self.off, at: at(3_200))
        let taken12 = schedule.takeNext(at: at(3_200))
        #expect(taken12 == Self.off)
        #expect(schedule.nextDeadline == nil)
    }

    @Test("The gateway ends in the middle: the lock is shut before")
    func released() {
        var schedule = FeedbackSchedule()
        _ = schedule.add(.unlock, Self.pulse, at: at(0))
        let taken13 = schedule.takeDue(at: at(0))
        #expect(taken13 == [Self.on])
        _ = schedule.add(.unlock2, Self.light, at: at(0))
        let taken14 = schedule.takeRest()
        #expect(taken14 == [Self.off])
    }

    @Test("Whatever happens in whichever order, every pulse that was begun is ended", arguments: 1...200 as ClosedRange<UInt64>)
    func ended(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15
        func draw(_ count: UInt64) -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random % count
        }
        var schedule = FeedbackSchedule()
        var isOn = false
        var now: Int64 = 0
        for _ in 0..<60 {
            now += Int64(draw(900))
            switch draw(6) {
            case 0: _ = schedule.add(.unlock, Self.pulse, at: at(now))
            case 1: _ = schedule.add(.accepted, Self.light, at: at(now))
            case 2: schedule.keepRest(at: at(now))
            case 3: schedule.beginAgain(at: at(now))
            case 4: schedule.answered()
            default: break
            }
            for bytes in schedule.takeDue(at: at(now)) where bytes[0] == 1 { isOn = bytes == Self.on }
        }
        for bytes in schedule.takeRest() where bytes[0] == 1 { isOn = bytes == Self.on }
        #expect(!isOn, "seed \(seed)")
    }
}
