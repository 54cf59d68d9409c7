import TestSupport
import Testing
import Upstream

@Suite struct BackOffTests {
    @Test func theBoundDoublesUpToTheMaximum() {
        var backOff = BackOff()
        var ceilings: [Int64] = []
        for _ in 0..<12 {
            ceilings.append(backOff.ceiling)
            _ = backOff.failed(random: 0)
        }
        #expect(ceilings == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000])
        backOff.succeeded()
        #expect(backOff.ceiling == 1_000)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func theWaitLiesBetweenZeroAndTheBound(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var backOff = BackOff(
            base: Int64.random(in: 1...5_000, using: &generator), maximum: Int64.random(in: 1...600_000, using: &generator))
        for _ in 0..<200 {
            let ceiling = backOff.ceiling
            #expect(ceiling <= backOff.maximum)
            let wait = backOff.failed(random: Double.random(in: 0..<1, using: &generator))
            #expect(wait >= 0 && wait <= ceiling, "seed \(seed)")
            if Int.random(in: 0..<20, using: &generator) == 0 { backOff.succeeded() }
        }
    }

    /// Full jitter: uniform from nothing to the bound.
    @Test func jitterIsFull() {
        for (random, wait) in [(0, 0), (0.25, 250), (0.5, 500), (0.999, 999)] as [(Double, Int64)] {
            var backOff = BackOff()
            #expect(backOff.failed(random: random) == wait)
        }
    }

    @Test func obeysTheServerWithinReason() {
        var backOff = BackOff()
        #expect(backOff.failed(random: 0, requested: 7_000) == 7_000)
        #expect(backOff.failed(random: 0.5, requested: 7_000) == 7_500)
        #expect(backOff.failed(random: 0, requested: .max) == BackOff.longestRequestedWait)
        #expect(backOff.failed(random: 0, requested: -5) == 0)
    }

    @Test func nothingTraps() {
        var backOff = BackOff(base: .max, maximum: .max)
        for random in [0, 1, 2, -1, .nan, .infinity, -.infinity] as [Double] {
            for _ in 0..<100 {
                let wait = backOff.failed(random: random)
                #expect(wait >= 0)
            }
        }
    }
}
