import Readings

extension LLRPSession {
    /// Tells reads that the reader kept while nobody was connected from those of now.
    ///
    /// Readers queue reports while the connection is lost (a Zebra FX up to 66,000) and send them, oldest first, to the next client. Their
    /// time is compared with the reader's own time when it greeted; the queue is over when the first newer read comes after the start of
    /// the new inventory, when the reader says that this inventory began, or when no report has come for a while. From then on times are
    /// not looked at any more, so a reader whose clock is stepped does not go blind.
    struct History: Hashable, Sendable {
        /// Reads up to so much older than the connection are as good as live, in microseconds.
        static let tolerance: UInt64 = 1_000_000
        static let longestSilence = Instant.Span.seconds(2)
        static let longest = Instant.Span.seconds(120)
        /// Times below are counted from the reader's start or from a clock that was never set: 1980 in microseconds.
        static let earliestUTC: UInt64 = 315_532_800_000_000

        /// The reader's time when it greeted, in microseconds.
        let anchor: UInt64
        var lastReport: Instant?
        var end: Instant?
        var isOver = false
        var hasDroppedInputs = false

        init(anchor: UInt64) { self.anchor = anchor }

        /// The new inventory was started.
        mutating func begin(at now: Instant) {
            guard end == nil else { return }
            end = now + Self.longest
            lastReport = now
        }

        mutating func ended(byStartAt time: UInt64?) {
            if end != nil, let time, !isHistory(time) { isOver = true }
        }

        mutating func takesInputs() -> Bool {
            if !isOver { hasDroppedInputs = true }
            return isOver
        }

        func isHistory(_ time: UInt64) -> Bool {
            (time < Self.earliestUTC) == (anchor < Self.earliestUTC) && time < anchor && anchor - time > Self.tolerance
        }

        var deadline: Instant? {
            guard let end, let lastReport else { return nil }
            return min(end, lastReport + Self.longestSilence)
        }
    }

    /// Takes out of the readings what is not of now. Inputs among them carry no time that a reading keeps; their state is asked for when
    /// the queue is over.
    /// - Returns: how many were taken out.
    mutating func dropHistory(in range: Range<Int>, at now: Instant, into output: inout SessionOutput) -> Int {
        var kept = range.lowerBound
        for index in range {
            let reading = output.batch.readings[index]
            let isLive =
                switch reading {
                case .tag(let read): history.map { _ in isOfNow(read, at: now) } ?? isGreeted
                case .input: isGreeted && history?.takesInputs() != false
                default: true
                }
            if isLive {
                output.batch.readings[kept] = reading
                kept += 1
            } else {
                counters.history &+= 1
            }
        }
        output.batch.readings.removeSubrange(kept..<range.upperBound)
        if history?.isOver == true { historyEnded(at: now, into: &output) }
        return range.upperBound - kept
    }

    private mutating func isOfNow(_ read: TagRead, at now: Instant) -> Bool {
        guard let history, !history.isOver else { return true }
        self.history?.lastReport = now
        guard let time = read.readerTime else { return true }
        if history.isHistory(time) { return false }
        if history.end != nil { self.history?.isOver = true }
        return true
    }

    mutating func advanceHistory(to now: Instant, into output: inout SessionOutput) {
        guard let history, history.isOver || history.deadline.map({ $0 <= now }) == true else { return }
        historyEnded(at: now, into: &output)
    }

    private mutating func historyEnded(at now: Instant, into output: inout SessionOutput) {
        guard let history else { return }
        self.history = nil
        guard history.hasDroppedInputs else { return }
        do throws(LLRPError) {
            try send("GET_READER_CONFIG", ["RequestedData": "GPIPortCurrentState"], into: &output)
        } catch { fail("inputs", "\(error)", into: &output) }
    }
}
