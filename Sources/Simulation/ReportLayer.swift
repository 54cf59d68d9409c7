import Presence
import Readings

/// What lies between a reader that has read a tag and a gateway that hears of it: reports that gather reads, a network, a clock of its
/// own, connections that break.
public struct ReportLayer: Hashable, Sendable {
    /// Reads are sent when this much time has passed since the last report; zero: each at once.
    public var batching: Instant.Span = .zero
    /// The median of the network's delay; its logarithm has a standard deviation of 0.5.
    public var delay: Instant.Span = .zero
    /// The share of reports that are held up besides, and for how long, seconds.
    public var lateShare = 0.0
    public var lateness: ClosedRange<Double> = 1...5
    /// What the reader's clock shows too much at the start, and how fast it runs, parts in a million.
    public var clockOffset: Instant.Span = .zero
    public var drift = 0.0
    /// The reader's clock is set.
    public var steps: [ClockStep] = []
    /// The connection breaks so often in an hour; then the reader sends the reports of the last two seconds again.
    public var breaksPerHour = 0.0

    public struct ClockStep: Hashable, Sendable {
        public var time: Instant
        /// By so much; nil: the clock begins anew from zero, as after a restart.
        public var by: Instant.Span?

        public init(time: Instant, by: Instant.Span?) {
            self.time = time
            self.by = by
        }
    }

    /// Every read arrives when it happens.
    public static let none = ReportLayer()

    /// A reader on a network: 100 ms of reads in a report, 20 ms of delay, one report in a thousand more than a second late, a clock
    /// that is off by 300 ms and runs 50 parts in a million fast.
    public static let network = ReportLayer(
        batching: .milliseconds(100), delay: .milliseconds(20), lateShare: 0.001, clockOffset: .milliseconds(300), drift: 50)

    public init(
        batching: Instant.Span = .zero, delay: Instant.Span = .zero, lateShare: Double = 0, lateness: ClosedRange<Double> = 1...5,
        clockOffset: Instant.Span = .zero, drift: Double = 0, steps: [ClockStep] = [], breaksPerHour: Double = 0
    ) {
        self.batching = batching
        self.delay = delay
        self.lateShare = lateShare
        self.lateness = lateness
        self.clockOffset = clockOffset
        self.drift = drift
        self.steps = steps
        self.breaksPerHour = breaksPerHour
    }

    /// The reads as they arrive: `time` is when, the reader's time is what its clock showed when it read. Reads with no reader time
    /// get none. In the order of arrival.
    public func arrivals(of reads: [TimedRead], seed: UInt64) -> [TimedRead] {
        guard self != .none else { return reads }
        var random = SplitMix64(state: seed)
        var arrivals: [TimedRead] = []
        arrivals.reserveCapacity(reads.count)
        var steps = steps.sorted { $0.time < $1.time }[...]
        var clock = ReaderOwnClock(offset: clockOffset.nanoseconds, drift: drift)
        var next = 0
        var lastArrival = Instant.zero
        var recent: [TimedRead] = []
        while next < reads.count {
            // One report: what was read until it is sent.
            let send = reads[next].time + batching
            var report: [TimedRead] = []
            while next < reads.count, reads[next].time <= send, batching > .zero || report.isEmpty {
                var read = reads[next]
                while let step = steps.first, step.time <= read.time {
                    clock.take(step)
                    steps.removeFirst()
                }
                if read.read.readerTime != nil { read.read.readerTime = clock.microseconds(at: read.time) }
                report.append(read)
                next += 1
            }
            var arrival = send
            if delay > .zero { arrival = arrival + scaled(delay, by: Elementary.exp(random.normal(0, 0.5))) }
            if random.chance(lateShare) {
                arrival = arrival + Instant.Span(nanoseconds: Int64(random.uniform(lateness) * 1e9))
            } else {
                // One connection keeps the order of what is not held up.
                arrival = max(arrival, lastArrival)
                lastArrival = arrival
            }
            for read in report { arrivals.append(TimedRead(time: arrival, read: read.read)) }
            guard breaksPerHour > 0 else { continue }
            recent.removeAll { send - $0.time > .seconds(2) }
            let gap = Double(max(batching, .milliseconds(1)).nanoseconds) / 3.6e12
            if random.chance(breaksPerHour * gap) {
                let again = arrival + .milliseconds(500)
                for read in recent { arrivals.append(TimedRead(time: again, read: read.read)) }
            }
            recent += report
        }
        // Stable: reads of one report stay in their order.
        return arrivals.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }

    private func scaled(_ span: Instant.Span, by factor: Double) -> Instant.Span {
        Instant.Span(nanoseconds: Int64(Double(span.nanoseconds) * factor))
    }
}

/// A clock that runs at its own pace and is set now and then.
private struct ReaderOwnClock {
    /// Nanoseconds that it shows more than true time, beside its drift.
    private var offset: Int64
    private let drift: Double
    private var epoch = Int64(ReaderClock.start) * 1_000

    init(offset: Int64, drift: Double) {
        self.offset = offset
        self.drift = drift
    }

    mutating func take(_ step: ReportLayer.ClockStep) {
        if let by = step.by {
            offset &+= by.nanoseconds
        } else {
            (epoch, offset) = (0, -step.time.nanoseconds)
        }
        // No clock shows a time before its first.
        offset = max(offset, -step.time.nanoseconds &- epoch)
    }

    func microseconds(at time: Instant) -> UInt64 {
        let drifted = time.nanoseconds + Int64(Double(time.nanoseconds) * drift / 1e6)
        return UInt64(max(epoch &+ offset &+ drifted, 0)) / 1_000
    }
}
