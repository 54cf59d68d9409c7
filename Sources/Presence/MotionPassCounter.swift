import Readings

/// Counts how often one tag goes past one antenna: on a belt, in a hand, on a turntable.
///
/// A pass is a burst of reads; two passes close together are parted by a valley of the signal rather than by silence.
public struct MotionPassCounter: Sendable {
    public struct Pass: Hashable, Sendable {
        public var first: Instant
        public var last: Instant
        public var reads: Int
    }

    enum Limit {
        /// Silence of 0.3 s ends a pass: fixed readers read a tag in view every 4–50 ms, and 99 of 100 gaps are under 130 ms.
        static let gap = Instant.Span.milliseconds(300)
        /// The signal falls by 3 dB and rises by 3 dB again: five deviations of its noise (0.55 dB), three steps of 1 dB.
        static let valley = 300
        /// The signal is the median of the last five reads: a single deep fade of one read is no valley.
        static let smoothing = 5
        /// Seen for 20 ms at least: at 2 m/s that is 4 cm of way, less than any tag's own length.
        static let shortest = Instant.Span.milliseconds(20)
    }

    private var first: Instant?
    private var last = Instant.zero
    private var reads = 0
    private var recent: [Int16] = []
    private var peak = Int.min
    /// The lowest signal since the peak, while it falls.
    private var low: Int?
    public private(set) var count = 0

    public init() {}

    public var nextDeadline: Instant? { first == nil ? nil : last + Limit.gap }

    /// Takes a read; gives a pass that ended before it.
    public mutating func observe(_ read: TagRead, at now: Instant) -> Pass? {
        var ended: Pass?
        if first != nil, now - last > Limit.gap { ended = finish() }
        if first == nil {
            first = now
            (reads, peak, low) = (0, Int.min, nil)
            recent.removeAll(keepingCapacity: true)
        }
        reads += 1
        last = max(last, now)
        guard read.rssi != TagRead.noRSSI else { return ended }
        if recent.count == Limit.smoothing { recent.removeFirst() }
        recent.append(read.rssi)
        let signal = Int(recent.sorted()[recent.count / 2])
        guard let lowest = low else {
            peak = max(peak, signal)
            if signal <= peak - Limit.valley { low = signal }
            return ended
        }
        low = min(lowest, signal)
        if signal >= lowest + Limit.valley {
            ended = pass()
            first = now
            (reads, peak, low) = (1, signal, nil)
        }
        return ended
    }

    /// Ends a pass by silence.
    public mutating func advance(to now: Instant) -> Pass? {
        guard let deadline = nextDeadline, now > deadline else { return nil }
        return finish()
    }

    /// Ends the pass now.
    public mutating func finish() -> Pass? {
        defer { first = nil }
        guard let first, last - first >= Limit.shortest else { return nil }
        return pass()
    }

    private mutating func pass() -> Pass? {
        guard let first else { return nil }
        count += 1
        return Pass(first: first, last: last, reads: reads)
    }
}
