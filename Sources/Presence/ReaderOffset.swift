import Readings

/// Puts a reader's own time on the gateway's clock.
///
/// The difference is the least that was seen between a read's arrival and its reader time: what is more was spent on the way. It
/// follows a reader's drift, and a clock that was set.
public struct ReaderOffset: Hashable, Sendable {
    /// Gateway time less reader time, microseconds.
    private var offset: Int64?
    /// When the last sample came.
    private var last = Instant.zero
    /// The block of samples under way: since when, how many, and the least of them.
    private var begin = Instant.zero
    private var count = 0
    private var least = Int64.max
    /// Samples that are all much later, by about the same.
    private var later: Later?
    /// The one reader time that came last.
    private var shown = UInt64.max
    /// Since when nothing else came, at how many moments, and the last of them.
    private var still = Still(since: .zero, last: .zero)

    private struct Still: Hashable {
        var since: Instant
        var moments = 1
        var last: Instant
    }

    private struct Later: Hashable {
        var begin: Instant
        var count = 1
        var samples: ClosedRange<Int64>
    }

    /// A block of samples after which the offset may rise.
    static let block = Instant.Span.seconds(2)
    /// After a pause of so long it may have risen by drift alone, by more than blocks follow.
    static let longPause = Instant.Span.seconds(120)
    static let samples = 3
    /// Quartz is not worse (200 ppm), microseconds a second.
    static let drift: Int64 = 200
    /// If all samples of a block are later by this much (0.3 s), the reader's clock was set back.
    static let step: Int64 = 300_000
    /// It was also set back when, for this long, all samples are later by more than two seconds, by the same give or take `step`: what was
    /// held up on the way for so long comes all at once.
    static let sure = Instant.Span.milliseconds(300)
    static let muchLater: Int64 = 2_000_000
    /// A clock that shows one time for so long, at so many moments at least a tenth of a second apart, stands still: some readers send zeros.
    /// What is sent again shows other times in between.
    static let standstill = Instant.Span.seconds(2)
    static let stillMoments = 5
    static let stillGap = Instant.Span.milliseconds(100)
    /// Nothing is a minute late: the reader's clock was set back, or started anew.
    static let longestDelay: Int64 = 60_000_000

    public init() {}

    /// When a read that arrives now was read. Never later than now.
    @inline(__always)
    public mutating func time(of readerTime: UInt64?, at now: Instant) -> Instant {
        guard let readerTime, readerTime < 1 << 61, !standsStill(readerTime, at: now) else { return now }
        let sample = now.nanoseconds / 1_000 - Int64(readerTime)
        let pause = now - last
        last = now
        guard let known = offset, sample >= known, sample - known < Self.longestDelay else {
            begin(with: sample, at: now)
            return now
        }
        if pause >= Self.longPause {
            followDrift(over: pause, to: sample, at: now)
        } else if now - begin >= Self.block {
            endBlock(at: now)
        }
        // What was sent again filled a block; what is sent now is not late.
        if let offset, sample < offset {
            begin(with: sample, at: now)
            return now
        }
        if sample - (offset ?? sample) > Self.muchLater { takeLater(sample, at: now) } else if later != nil { later = nil }
        count += 1
        least = min(least, sample)
        return now + Instant.Span(nanoseconds: ((offset ?? sample) - sample) * 1_000)
    }

    @inline(__always)
    private mutating func standsStill(_ readerTime: UInt64, at now: Instant) -> Bool {
        guard readerTime == shown else {
            shown = readerTime
            still = Still(since: now, last: now)
            return false
        }
        if now - still.last >= Self.stillGap {
            still.last = now
            still.moments += still.moments < Self.stillMoments ? 1 : 0
        }
        return still.moments >= Self.stillMoments && now - still.since >= Self.standstill
    }

    /// Too much is undone by the next sample that is quicker.
    private mutating func followDrift(over pause: Instant.Span, to sample: Int64, at now: Instant) {
        if let known = offset { offset = known + min(sample - known, Self.drift * min(pause.milliseconds / 1_000, 1 << 32)) }
        (begin, count, least) = (now, 0, .max)
        later = nil
    }

    @inline(never)
    private mutating func takeLater(_ sample: Int64, at now: Instant) {
        guard var run = later, sample - run.samples.lowerBound <= Self.step, run.samples.upperBound - sample <= Self.step else {
            later = Later(begin: now, samples: sample...sample)
            return
        }
        run.count += 1
        run.samples = min(run.samples.lowerBound, sample)...max(run.samples.upperBound, sample)
        later = run
        if run.count >= Self.samples, now - run.begin >= Self.sure { begin(with: run.samples.lowerBound, at: now) }
    }

    private mutating func begin(with sample: Int64, at now: Instant) {
        offset = sample
        (begin, count, least) = (now, 1, sample)
        later = nil
    }

    private mutating func endBlock(at now: Instant) {
        if let known = offset, count >= Self.samples {
            let seconds = min((now - begin).milliseconds / 1_000, 60)
            offset = least - known > Self.step ? least : known + min(least - known, Self.drift * seconds)
        }
        (begin, count, least) = (now, 0, .max)
    }
}
