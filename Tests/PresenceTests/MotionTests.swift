import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private let tag = EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])!

/// A tag before one antenna: signal and phase from the distance, with the noise of real readers.
private struct Track {
    var random: SeededGenerator
    var channels: [UInt32] = [866_300]
    var signalStep: Int16 = 100

    /// About normal: the sum of twelve uniform numbers.
    mutating func normal(_ deviation: Double) -> Double {
        deviation * ((0..<12).reduce(0.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) } - 6)
    }

    mutating func read(distance: Double, at seconds: Double) -> TagRead {
        let channel = channels[Int(seconds / 0.2) % channels.count]
        let wavelength = 299.792 / (Double(channel) / 1_000)
        let turns = 2 * distance / wavelength + normal(3.3) / 360 + Double(channel % 1_000) / 1_000
        let level = -50 - 40 * Elementary.log10(distance / 0.5) + normal(0.4)
        let steps = (level * 100 / Double(signalStep)).rounded()
        return TagRead(
            epc: tag, antenna: 1, rssi: Int16(steps) * signalStep, frequency: channel,
            phase: UInt16(truncatingIfNeeded: Int((turns * 65_536).rounded())))
    }

    mutating func verdicts(seconds: Double, every gap: Double, _ distance: (Double) -> Double?) -> [MotionTest.Verdict] {
        var test = MotionTest()
        var verdicts: [MotionTest.Verdict] = []
        for number in 0..<Int(seconds / gap) {
            let time = Double(number) * gap
            guard let distance = distance(time) else { continue }
            let now = Instant(nanoseconds: Int64(time * 1e9))
            if let verdict = test.observe(read(distance: distance, at: time), at: now) { verdicts.append(verdict) }
        }
        if let verdict = test.finishWindow() { verdicts.append(verdict) }
        return verdicts
    }
}

@Suite("Motion")
struct MotionTests {
    @Test("A tag that lies still is still, read often or seldom, on one channel or on four", arguments: [0.005, 0.05, 0.3], [1, 4])
    func still(gap: Double, channels: Int) {
        var track = Track(random: SeededGenerator(seed: 5), channels: Array([866_300, 865_700, 866_900, 867_500].prefix(channels)))
        let verdicts = track.verdicts(seconds: 400, every: gap) { _ in 1.3 }
        // One false alarm holds for five windows.
        let alarms = verdicts.indices.count { verdicts[$0] == .moving && ($0 == 0 || verdicts[$0 - 1] != .moving) }
        #expect(alarms * 200 <= verdicts.count, "\(alarms) of \(verdicts.count)")
    }

    @Test("A tag that is carried about is moving", arguments: [0.005, 0.05, 0.2])
    func carried(gap: Double) {
        var track = Track(random: SeededGenerator(seed: 6))
        let verdicts = track.verdicts(seconds: 100, every: gap) { 1.5 + Elementary.sin($0) }
        #expect(verdicts.allSatisfy { $0 == .moving })
    }

    @Test("A tag that goes by in bursts of 50 ms comes with another phase each time: moving after the first")
    func bursts() {
        var track = Track(random: SeededGenerator(seed: 7))
        let verdicts = track.verdicts(seconds: 60, every: 0.005) { time in
            let round = Int(time / 3)
            return time - Double(round) * 3 < 0.05 ? 0.6 + 0.037 * Double(round * round % 7) : nil
        }
        let moving = verdicts.count { $0 == .moving }
        #expect(moving >= verdicts.count - 2)
    }

    @Test("What moved is still again after ten seconds")
    func putDown() {
        var track = Track(random: SeededGenerator(seed: 8))
        let verdicts = track.verdicts(seconds: 24, every: 0.02) { $0 < 4 ? 1 + $0 * 0.5 : 3 }
        #expect(verdicts.prefix(5).allSatisfy { $0 == .moving })
        #expect(verdicts.suffix(4).allSatisfy { $0 == .still })
    }

    @Test("A reader that tells neither signal nor phase says nothing")
    func nothing() {
        var test = MotionTest()
        for number in 0..<100 {
            let verdict = test.observe(TagRead(epc: tag), at: Instant(nanoseconds: Int64(number) * 100_000_000))
            #expect(verdict == nil || verdict == .unknown)
        }
        #expect(test.finishWindow() == .unknown)
    }

    @Test("A phase that jumps by half a turn, as many readers report it, is no movement")
    func ambiguity() {
        var track = Track(random: SeededGenerator(seed: 9))
        var test = MotionTest()
        for number in 0..<2_000 {
            var read = track.read(distance: 1.3, at: 0)
            if number % 3 == 0 { read.phase = read.phase! &+ 32_768 }
            #expect(test.observe(read, at: Instant(nanoseconds: Int64(number) * 20_000_000)) != .moving)
        }
    }

    // MARK: Passes

    private func passes(_ signal: [(time: Double, level: Double)]) -> Int {
        var counter = MotionPassCounter()
        for (time, level) in signal {
            let now = Instant(nanoseconds: Int64(time * 1e9))
            _ = counter.advance(to: now)
            _ = counter.observe(TagRead(epc: tag, antenna: 1, rssi: Int16(level.rounded()) * 100), at: now)
        }
        _ = counter.finish()
        return counter.count
    }

    @Test("Passes are parted by silence, and by a valley of the signal")
    func counting() {
        func hill(from start: Double, peak: Double) -> [(time: Double, level: Double)] {
            (0..<100).map { number -> (time: Double, level: Double) in
                let side = Double(number - 50) / 50
                return (start + Double(number) * 0.005, peak - 10 * side * side)
            }
        }
        #expect(passes(hill(from: 0, peak: -58)) == 1)
        #expect(passes(hill(from: 0, peak: -58) + hill(from: 2, peak: -60)) == 2)
        #expect(passes(hill(from: 0, peak: -58) + hill(from: 0.5, peak: -60) + hill(from: 1, peak: -64)) == 3)
        // A fade of one read is no valley.
        var faded = hill(from: 0, peak: -58)
        faded[40].level = -70
        #expect(passes(faded) == 1)
    }

    @Test("A glimpse is no pass; without signal strength silence alone counts")
    func glimpse() {
        #expect(passes([(0, -70), (0.005, -70)]) == 0)
        let brief: [(time: Double, level: Double)] = (0..<10).map { number in (Double(number) * 0.005, -70) }
        #expect(passes(brief) == 1)
        var counter = MotionPassCounter()
        for number in 0..<50 {
            let pause: Int64 = number >= 25 ? 1_000_000_000 : 0
            _ = counter.observe(TagRead(epc: tag), at: Instant(nanoseconds: Int64(number) * 20_000_000 + pause))
        }
        let last = counter.advance(to: Instant(nanoseconds: 9_000_000_000))
        #expect(last?.reads == 25)
        #expect(counter.count == 2)
        #expect(counter.nextDeadline == nil)
    }
}
