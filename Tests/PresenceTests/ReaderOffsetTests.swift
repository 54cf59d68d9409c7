import Readings
import TestSupport
import Testing

@testable import Presence

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("A reader's clock on the gateway's")
struct ReaderOffsetTests {
    /// Microseconds that the reader shows at the gateway's time 0.
    private let base: UInt64 = 1_700_000_000_000_000

    private func reader(_ milliseconds: Int64) -> UInt64 { UInt64(Int64(base) + milliseconds * 1_000) }

    @Test("Delays on the way do not move a read in time once a quick one was seen")
    func delays() {
        var offset = ReaderOffset()
        var random = SeededGenerator(seed: 1)
        _ = offset.time(of: reader(0), at: at(5))
        for step in 1..<1_000 {
            let time = Int64(step) * 20
            let delay = Int64(random.next() % 400) + 5
            let found = offset.time(of: reader(time), at: at(time + delay))
            #expect((found - at(time + 5)).milliseconds.magnitude <= 10)
        }
    }

    @Test("A reader without a clock is taken at the time of arrival")
    func noClock() {
        var offset = ReaderOffset()
        #expect(offset.time(of: nil, at: at(77)) == at(77))
        #expect(offset.time(of: .max, at: at(78)) == at(78))
    }

    @Test("A clock that is set moves nothing for longer than 4 s", arguments: [-3_600_000, -1_000, 1_000, 3_600_000] as [Int64])
    func steps(by step: Int64) {
        var offset = ReaderOffset()
        for time in stride(from: Int64(0), to: 10_000, by: 50) { _ = offset.time(of: reader(time), at: at(time)) }
        for time in stride(from: Int64(10_000), to: 30_000, by: 50) {
            let found = offset.time(of: reader(time + step), at: at(time))
            #expect(found <= at(time))
            if time > 14_000 { #expect(found == at(time)) }
        }
    }

    @Test(
        "A clock that is set back while nobody walks is found out within a third of a second of the next walk",
        arguments: [2_500, 5_000, 45_000])
    func setBack(by step: Int64) {
        var offset = ReaderOffset()
        for time in stride(from: Int64(0), to: 10_000, by: 50) { _ = offset.time(of: reader(time), at: at(time)) }
        for time in stride(from: Int64(90_000), to: 92_000, by: 50) {
            let found = offset.time(of: reader(time - step), at: at(time + 20))
            if time > 90_300 { #expect(at(time + 20) - found <= .milliseconds(20)) }
        }
    }

    @Test(
        "A clock that runs away during a quiet night is followed from the first read of the morning", arguments: [20, 50, 100] as [Int64])
    func night(partsInAMillion: Int64) {
        var offset = ReaderOffset()
        for time in stride(from: Int64(0), to: 10_000, by: 50) { _ = offset.time(of: reader(time), at: at(time + 5)) }
        let night: Int64 = 12 * 3_600_000
        for time in stride(from: night, to: night + 3_000, by: 50) {
            let found = offset.time(of: reader(time - time * partsInAMillion / 1_000_000), at: at(time + 5))
            #expect(at(time + 5) - found <= .milliseconds(1))
        }
    }

    @Test("What a network held up and tells all at once is late")
    func heldUp() {
        var offset = ReaderOffset()
        for time in stride(from: Int64(0), to: 10_000, by: 50) { _ = offset.time(of: reader(time), at: at(time)) }
        // Read during 5 s, told within 0.2 s.
        for number in Int64(0)..<100 {
            let found = offset.time(of: reader(10_000 + number * 50), at: at(15_000 + number * 2))
            #expect((found - at(10_000 + number * 50)).milliseconds.magnitude <= 2)
        }
        #expect(offset.time(of: reader(21_000), at: at(21_000)) == at(21_000))
    }

    @Test("A slow reader's clock is followed")
    func drift() {
        var offset = ReaderOffset()
        for time in stride(from: Int64(0), to: 3_600_000, by: 100) {
            let found = offset.time(of: UInt64(Int64(base) + time * 1_000 - time / 10), at: at(time))
            #expect((at(time) - found).milliseconds < 5)
        }
    }

    @Test("A clock that stands still is no clock; one that goes again is one", arguments: [0, 1_767_600_000_000_000] as [UInt64])
    func standstill(shown: UInt64) {
        var offset = ReaderOffset()
        // A walk of three seconds, and another one a minute later.
        var late = 0
        for millisecond in Array(stride(from: Int64(1_000), to: 4_000, by: 50)) + Array(stride(from: Int64(60_000), to: 63_000, by: 50)) {
            let now = at(millisecond)
            if offset.time(of: shown, at: now) != now { late += 1 }
            if millisecond > 3_000 { #expect(offset.time(of: shown, at: now) == now) }
        }
        #expect(late <= 40)
        // What is late by the clock that goes again is late.
        for millisecond in stride(from: Int64(70_000), to: 72_000, by: 50) { _ = offset.time(of: reader(millisecond), at: at(millisecond)) }
        #expect(offset.time(of: reader(71_000), at: at(72_000)) == at(71_000))
    }

    @Test("A report that is sent again shows one time and is late all the same")
    func sentAgain() {
        var offset = ReaderOffset()
        for millisecond in stride(from: Int64(0), to: 1_000, by: 100) { _ = offset.time(of: reader(millisecond), at: at(millisecond)) }
        for _ in 0..<20 { #expect(offset.time(of: reader(900), at: at(5_000)) <= at(1_000)) }
    }

    @Test("No numbers trap", arguments: [1, 2] as [UInt64])
    func anything(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var offset = ReaderOffset()
        for _ in 0..<10_000 {
            let now = Instant(nanoseconds: Int64(bitPattern: random.next()) >> Int64(random.next() % 64))
            #expect(offset.time(of: random.next() >> (random.next() % 64), at: now) <= now)
        }
    }
}
