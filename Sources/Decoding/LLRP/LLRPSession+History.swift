import Readings

extension LLRPSession {
    /// Tells reads that the reader kept while nobody was connected from those of now, as long as the connection lasts.
    ///
    /// Readers queue reports while the connection is lost (a Zebra FX up to 66,000) and send them, oldest first, to the next client; what
    /// is new may overtake them. A read from before the reader's own time in its greeting is late, however long after the greeting it
    /// comes. Only the reader's clock stepping back makes this wrong, and two things show that: an event of the inventory that was made
    /// in this connection and yet is dated before it, at once; and, where no such event comes, the next greeting.
    struct History: Hashable, Sendable {
        /// Reads up to so much older than the connection are as good as live, in microseconds.
        static let tolerance: UInt64 = 1_000_000
        /// A queue that rests for this long is over.
        static let longestSilence = Instant.Span.seconds(2)
        /// After so much catching up the connection is made anew: its greeting tells the reader's time again.
        static let longest = Instant.Span.seconds(120)
        /// Times below are counted from the reader's start or from a clock that was never set: 1980 in microseconds.
        static let earliestUTC: UInt64 = 315_532_800_000_000

        /// The reader's time when it greeted, or when its clock was found to have stepped, in microseconds.
        var anchor: UInt64
        /// When that was.
        var anchoredAt: Instant
        /// The new inventory was started, or need not be.
        var hasBegun = false
        var lastReport: Instant
        /// Nothing kept is thought to be on its way: inputs are believed.
        var isSettled = false
        var hasDroppedInputs = false
        /// Late reads came, first and last then.
        var lateSince: Instant?
        var lastLate: Instant
        /// Late reads came again after newer ones: a newer one is no end.
        var isMixed = false
        var hasCaughtUp = false

        init(anchor: UInt64, at now: Instant) {
            self.anchor = anchor
            anchoredAt = now
            lastReport = now
            lastLate = now
        }

        var isCatchingUp: Bool { lateSince != nil }

        mutating func begin(at now: Instant) {
            guard !hasBegun else { return }
            hasBegun = true
            lastReport = now
        }

        /// The read is from before the connection; or, while those come, it stood in line behind them for long.
        func isLate(_ time: UInt64, at now: Instant) -> Bool {
            if isHistory(time) { return true }
            guard isCatchingUp, !isMixed, now - anchoredAt < Self.longest, (time < Self.earliestUTC) == (anchor < Self.earliestUTC) else {
                return false
            }
            let elapsed = UInt64(clamping: (now - anchoredAt).nanoseconds / 1_000)
            let (expected, overflow) = anchor.addingReportingOverflow(elapsed)
            return !overflow && time < expected && expected - time > UInt64(Self.longestSilence.nanoseconds / 1_000)
        }

        func isHistory(_ time: UInt64) -> Bool {
            (time < Self.earliestUTC) == (anchor < Self.earliestUTC) && time < anchor && anchor - time > Self.tolerance
        }

        mutating func sawLate(at now: Instant) {
            if hasCaughtUp, lateSince == nil { isMixed = true }
            if lateSince == nil { lateSince = now }
            lastLate = now
            isSettled = false
            // Inputs that were believed may have come from the queue.
            hasDroppedInputs = true
        }

        mutating func sawLive() {
            guard hasBegun, !isMixed else { return }
            settle()
        }

        mutating func settle() {
            if isCatchingUp { hasCaughtUp = true }
            lateSince = nil
            isSettled = true
        }

        /// When the queue is over if nothing more of it comes; or when there has been enough of it.
        var deadline: Instant? {
            if let lateSince { return min(lastLate + Self.longestSilence, lateSince + Self.longest) }
            return hasBegun && !isSettled ? lastReport + Self.longestSilence : nil
        }
    }

    /// Marks late reads as such, and takes out inputs that may be from before: they carry no time that a reading keeps, and their state is
    /// asked for when the queue is over.
    /// - Returns: the end of the range, which may have become shorter.
    mutating func sortHistory(in range: Range<Int>, at now: Instant, into output: inout SessionOutput) -> Int {
        let wasCatchingUp = isCatchingUp
        var kept = range.lowerBound
        for index in range {
            var reading = output.batch.readings[index]
            switch reading {
            case .tag(let read) where isLate(read, at: now):
                reading = .late(read)
                counters.history &+= 1
            case .input where !takesInputs():
                counters.history &+= 1
                continue
            default: break
            }
            output.batch.readings[kept] = reading
            kept += 1
        }
        output.batch.readings.removeSubrange(kept..<range.upperBound)
        historyChanged(wasCatchingUp, into: &output)
        return kept
    }

    var isCatchingUp: Bool { history?.isCatchingUp == true }

    /// - Returns: false when an input may be from before.
    private mutating func takesInputs() -> Bool {
        guard isGreeted else { return false }
        guard let history, !history.isSettled else { return true }
        self.history?.hasDroppedInputs = true
        return false
    }

    private mutating func isLate(_ read: TagRead, at now: Instant) -> Bool {
        // Reads before the greeting are of no known time.
        guard isGreeted else { return true }
        guard let history else { return false }
        if !history.isSettled { self.history?.lastReport = now }
        guard let time = read.readerTime else { return false }
        if history.isLate(time, at: now) {
            self.history?.sawLate(at: now)
            return true
        }
        if !history.isSettled { self.history?.sawLive() }
        return false
    }

    /// An event of this connection's own inventory, dated by the reader.
    mutating func ownEvent(at time: UInt64?, isStart: Bool, _ now: Instant, into output: inout SessionOutput) {
        guard let time, let history else { return }
        let wasCatchingUp = isCatchingUp
        if history.isHistory(time) {
            // It cannot be older than the connection: the reader's clock was set back.
            countFault("the reader's clock was set back", at: now)
            self.history?.anchor = time
            self.history?.anchoredAt = now
            self.history?.settle()
        } else if isStart, !isCatchingUp {
            self.history?.sawLive()
        }
        historyChanged(wasCatchingUp, into: &output)
    }

    mutating func advanceHistory(to now: Instant, into output: inout SessionOutput) {
        guard let history, let deadline = history.deadline, deadline <= now else { return }
        if let since = history.lateSince, since + History.longest <= now, history.lastLate + History.longestSilence > now {
            let seconds = History.longest.nanoseconds / 1_000_000_000
            return fail("inventory", "still sending what it kept after \(seconds) s: its time is asked for again", into: &output)
        }
        let wasCatchingUp = isCatchingUp
        self.history?.settle()
        historyChanged(wasCatchingUp, into: &output)
    }

    private mutating func historyChanged(_ wasCatchingUp: Bool, into output: inout SessionOutput) {
        guard let history else { return }
        if wasCatchingUp != history.isCatchingUp, phase == .running, restartAt == nil { reportReading(into: &output) }
        askForInputs(into: &output)
    }

    /// Once, when changes of inputs were passed over and no more late ones can come.
    mutating func askForInputs(into output: inout SessionOutput) {
        guard let history, history.isSettled, history.hasDroppedInputs, phase == .running || phase == .refused else { return }
        self.history?.hasDroppedInputs = false
        do throws(LLRPError) {
            try send("GET_READER_CONFIG", ["RequestedData": "GPIPortCurrentState"], into: &output)
        } catch { fail("inputs", "\(error)", into: &output) }
    }
}
