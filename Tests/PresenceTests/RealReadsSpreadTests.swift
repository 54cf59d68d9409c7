import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

/// How much of the figures on real reads is these files: with files drawn anew, and with the reads of all of them changed.
@Suite("Real reads, the spread", .enabled(if: RealReads.arePresent, "STOCKGATE_VECTORS is not set"))
struct RealReadsSpreadTests {
    typealias Trace = RealReads.Trace

    private static let draws = 2_000

    /// The middle, the 5th and the 95th percentile of a figure when the traces are drawn with replacement, and how often it misses.
    private func resample<Value>(
        _ name: String, _ values: [Value], seed: UInt64, misses: (Double) -> Bool, _ figure: ([Value]) -> Double
    ) -> Double {
        var random = SeededGenerator(seed: seed)
        var figures: [Double] = []
        for _ in 0..<Self.draws { figures.append(figure(values.map { _ in values.randomElement(using: &random)! })) }
        figures.sort()
        let missed = Double(figures.count(where: misses)) / Double(Self.draws)
        let without = values.indices.map { skipped in figure(values.indices.filter { $0 != skipped }.map { values[$0] }) }
        print(
            "spread, \(name), seed \(seed): \(figure(values).thousandths), of drawn files \(figures[Self.draws / 20].thousandths) to "
                + "\(figures[Self.draws * 19 / 20].thousandths), missed by \((missed * 100).thousandths) %; one file left out "
                + "\(without.min()!.thousandths) to \(without.max()!.thousandths)")
        return missed
    }

    @Test("Files drawn anew and files left out: how often each bar is missed, printed")
    func drawn() {
        let motion = RealReads.moved.map { (trace: $0, windows: RealFigures.motion($0)) }
        func share(_ windows: [(right: Int, windows: Int)]) -> Double {
            100 * Double(windows.reduce(0) { $0 + $1.right }) / Double(max(1, windows.reduce(0) { $0 + $1.windows }))
        }
        let moving = motion.filter { !RealFigures.isStill($0.trace) }.map(\.windows)
        let still = motion.filter { RealFigures.isStill($0.trace) }.map(\.windows)
        let missedMoving = resample("moving %", moving, seed: 1, misses: { $0 < 96 }, share)
        #expect(resample("still %", still, seed: 2, misses: { $0 < 99.5 }, share) == 0)
        let passes = RealReads.moved.compactMap { RealFigures.passes($0) }
        let missedPasses = resample("passes, mean absolute error %", passes, seed: 3, misses: { $0 > 15 }) { passes in
            100 * passes.reduce(0.0) { $0 + Double(abs($1.counted - $1.truth)) / Double($1.truth) } / Double(passes.count)
        }
        let worn = RealReads.worn.enumerated().map { RealFigures.worn($1, seed: UInt64($0)) }
        func all(_ worn: [RealFigures.Worn]) -> RealFigures.Worn {
            worn.reduce(into: RealFigures.Worn()) { $0.add($1) }
        }
        let missedRate = resample("false departures/h, provisional ones too", worn, seed: 4, misses: { $0 > 3 }) { all($0).rate }
        #expect(resample("false departures/h, final", worn, seed: 4, misses: { $0 > 3 }) { all($0).finalRate } == 0)
        let missedDelay = resample("departure seen after s, p95", worn, seed: 5, misses: { $0 > 60 }) { all($0).delay(percentile: 95) }
        #expect(missedMoving < 0.5)
        #expect(missedPasses < 0.1)
        #expect(missedRate < 0.5)
        #expect(missedDelay < 0.05)
    }

    /// A change of the reads of a trace, drawn with a seed.
    enum Change: String, CaseIterable {
        case none, tenthLost, thirdLost, laterStart, levelUp, levelDown, levelNoise, jitter

        func apply(_ trace: Trace, _ random: inout SeededGenerator) -> Trace {
            var reads = trace.reads
            switch self {
            case .none: break
            case .tenthLost: reads.removeAll { _ in Int.random(in: 0..<10, using: &random) == 0 }
            case .thirdLost: reads.removeAll { _ in Int.random(in: 0..<3, using: &random) == 0 }
            case .laterStart:
                // The first seconds are missing; passes are counted and need all.
                let start = reads[0].at + .milliseconds(Int64.random(in: 0..<2_000, using: &random))
                reads.removeAll { $0.at < start }
            case .levelUp: for place in reads.indices { reads[place].read.rssi += 200 }
            case .levelDown: for place in reads.indices { reads[place].read.rssi -= 200 }
            case .levelNoise:
                // What a reader with steps of half a dB adds; ±2 dB from read to read no reader shows.
                for place in reads.indices { reads[place].read.rssi += 50 * Int16.random(in: -1...1, using: &random) }
            case .jitter:
                for place in reads.indices { reads[place].at = reads[place].at + .milliseconds(Int64.random(in: 0...20, using: &random)) }
                reads.sort { $0.at < $1.at }
            }
            return Trace(file: trace.file, epc: trace.epc, reads: reads)
        }
    }

    @Test(
        "With reads lost, louder, weaker, noisier or later, the figures hold",
        arguments: LongRuns.areAsked ? Change.allCases : [.thirdLost])
    func changed(_ change: Change) {
        var (right, windows, rightStill, windowsStill) = (0, 0, 0, 0)
        var (worst, business) = (0, 0)
        var errors: [Double] = []
        var worn = RealFigures.Worn()
        let seeds: UInt64 = change == .none || !LongRuns.areAsked ? 1 : 5
        for seed in 1...seeds {
            var random = SeededGenerator(seed: seed)
            for original in RealReads.moved {
                let trace = change.apply(original, &random)
                guard trace.reads.count > 1 else { continue }
                let motion = RealFigures.motion(trace)
                if RealFigures.isStill(trace) {
                    rightStill += motion.right
                    windowsStill += motion.windows
                    let stray = RealFigures.stray(trace)
                    worst = max(worst, stray.stays)
                    business += stray.business
                } else {
                    right += motion.right
                    windows += motion.windows
                }
                if change != .laterStart, let passes = RealFigures.passes(trace) {
                    errors.append(Double(abs(passes.counted - passes.truth)) / Double(passes.truth))
                }
            }
            for (number, original) in RealReads.worn.enumerated() {
                let trace = change.apply(original, &random)
                guard trace.reads.count > 1 else { continue }
                worn.add(RealFigures.worn(trace, seed: UInt64(number)))
            }
        }
        let error = errors.isEmpty ? 0 : 100 * errors.reduce(0, +) / Double(errors.count)
        print(
            "changed, \(change), seeds 1–\(seeds): moving \((100 * Double(right) / Double(windows)).thousandths) %, still "
                + "\((100 * Double(rightStill) / Double(windowsStill)).thousandths) %, passes \(error.thousandths) %, stray at most "
                + "\(worst) stays, \(business) events, worn \(worn.rate.thousandths)/h, final \(worn.finalRate.thousandths)/h, p95 "
                + "\(worn.delay(percentile: 95)) s")
        #expect(Double(rightStill) >= 0.995 * Double(windowsStill))
        #expect(error <= 15)
        #expect(worst <= 4)
        #expect(business == 0)
        #expect(worn.finalRate <= 3)
    }
}
