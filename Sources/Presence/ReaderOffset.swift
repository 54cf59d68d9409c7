import Readings

/// Puts a reader's own time on the gateway's clock.
///
/// The difference is the least that was seen between a read's arrival and its reader time: what is more was spent on the way. It
/// follows a reader's drift, and a clock that was set.
public struct ReaderOffset: Hashable, Sendable {
    /// Gateway time less reader time, microseconds.
    private var offset: Int64?
    /// The block of samples under way: since when, how many, and the least of them.
    private var begin = Instant.zero
    private var count = 0
    private var least = Int64.max

    /// A block of samples after which the offset may rise.
    static let block = Instant.Span.seconds(2)
    static let samples = 3
    /// Quartz is not worse (200 ppm), microseconds a second.
    static let drift: Int64 = 200
    /// If all samples of a block are later by this much (0.3 s), the reader's clock was set back.
    static let step: Int64 = 300_000
    /// Nothing is a minute late: the reader's clock was set back, or started anew.
    static let longestDelay: Int64 = 60_000_000

    public init() {}

    /// When a read that arrives now was read. Never later than now.
    @inline(__always)
    public mutating func time(of readerTime: UInt64?, at now: Instant) -> Instant {
        guard let readerTime, readerTime < 1 << 61 else { return now }
        let sample = now.nanoseconds / 1_000 - Int64(readerTime)
        guard let known = offset, sample >= known, sample - known < Self.longestDelay else {
            begin(with: sample, at: now)
            return now
        }
        if now - begin >= Self.block { endBlock(at: now) }
        // What was sent again filled a block; what is sent now is not late.
        if let offset, sample < offset {
            begin(with: sample, at: now)
            return now
        }
        count += 1
        least = min(least, sample)
        return now + Instant.Span(nanoseconds: ((offset ?? sample) - sample) * 1_000)
    }

    private mutating func begin(with sample: Int64, at now: Instant) {
        offset = sample
        (begin, count, least) = (now, 1, sample)
    }

    private mutating func endBlock(at now: Instant) {
        if let known = offset, count >= Self.samples {
            let seconds = min((now - begin).milliseconds / 1_000, 60)
            offset = least - known > Self.step ? least : known + min(least - known, Self.drift * seconds)
        }
        (begin, count, least) = (now, 0, .max)
    }
}
