import Readings

/// The clock by which the newest events are stamped.
public struct RecordedClock: Hashable, Sendable {
    public var boot: UInt64
    /// Wall clock less time since boot, in milliseconds.
    public var offset: Int64
    public var quality: ClockQuality
    /// The first event that it stamped.
    public var first: Int64
    /// Those of the starts right before this one that did not learn the time either, oldest first; each has none itself.
    public var earlier: [RecordedClock] = []

    /// So many starts without the time are remembered: who puts a machine into operation switches it off and on.
    static let longestMemory = 16
    /// A smaller difference is a clock that is being slewed, or rounding; in milliseconds.
    static let tolerance: Int64 = 2_000

    /// nil for a time of which the machine is not known.
    init?(_ time: WallTime, first: Int64) {
        guard let boot = time.boot else { return nil }
        self.init(boot: boot.boot, offset: time.milliseconds &- boot.milliseconds, quality: time.quality, first: first)
    }

    init(boot: UInt64, offset: Int64, quality: ClockQuality, first: Int64) {
        self.boot = boot
        self.offset = offset
        self.quality = quality
        self.first = first
    }

    /// Whether both read the same.
    func agrees(with other: RecordedClock) -> Bool {
        boot == other.boot && quality == other.quality && (offset &- other.offset).magnitude < UInt64(Self.tolerance)
    }

    /// The row `clock`.
    var row: JSON {
        .compact([
            "boot": .string(BootTime.text(boot: boot)), "offset": .integer(offset), "quality": .string(quality.rawValue),
            "first": .integer(first), "earlier": earlier.isEmpty ? nil : .array(earlier.map(\.row)),
        ])
    }

    init?(row: JSON) {
        guard let boot = row["boot"]?.string.flatMap(BootTime.boot(text:)), let offset = row["offset"]?.integer,
            let quality = row["quality"]?.string.flatMap(ClockQuality.init), let first = row["first"]?.integer
        else { return nil }
        self.init(boot: boot, offset: offset, quality: quality, first: first)
        for entry in row["earlier"]?.array ?? [] {
            guard let clock = RecordedClock(row: entry) else { return nil }
            earlier.append(clock)
        }
    }

    /// What is still not put right when this clock is followed by another one.
    func stillWrong(before next: RecordedClock) -> [RecordedClock] {
        guard quality == .unknown, next.quality == .unknown else { return [] }
        guard boot != next.boot else { return earlier }
        var alone = self
        alone.earlier = []
        return (earlier + [alone]).suffix(Self.longestMemory)
    }
}

extension Ledger {
    /// Whether events were stamped by a clock that turns out to have been wrong.
    ///
    /// A clock is put right only by one that is trusted as much: when a synchronised clock loses its source, what it said before stands.
    public func plan(clock anchor: WallAnchor) -> Plan? {
        let now = anchor.wallTime(at: anchor.instant)
        guard anchor.quality != .unknown, let old = state.clock, let new = RecordedClock(now, first: state.nextSequence) else { return nil }
        let correction: Event.ClockCorrection
        if old.boot == new.boot {
            guard new.quality.rank >= old.quality.rank, (new.offset &- old.offset).magnitude >= UInt64(RecordedClock.tolerance) else {
                return nil
            }
            correction = .init(boot: old.boot, first: old.first, shift: new.offset &- old.offset, offset: new.offset, was: old.quality)
        } else {
            // The machine was started anew before it learned the time. What happened then happened before this start.
            guard old.quality == .unknown else { return nil }
            correction = state.estimate(old, before: new.offset)
        }
        var corrections = [correction]
        for clock in old.earlier.reversed() { corrections.append(state.estimate(clock, before: corrections[corrections.count - 1].offset)) }
        var draft = Draft(ledger: self, station: nil, at: now)
        for correction in corrections.reversed() { draft.add(.clockCorrected(correction), evidence: .null) }
        return draft.plan(feedback: nil)
    }
}

extension LedgerState {
    /// What a clock stamped happened before the machine was started anew.
    /// - Parameter start: when that was, in milliseconds since 1970.
    fileprivate func estimate(_ clock: RecordedClock, before start: Int64) -> Event.ClockCorrection {
        let offset = start &- longestUptime(of: clock.boot)
        return .init(
            boot: clock.boot, first: clock.first, shift: offset &- clock.offset, offset: offset, was: .unknown, isEstimate: true)
    }

    /// The latest moment of a boot that the state knows of, in milliseconds.
    fileprivate func longestUptime(of boot: UInt64) -> Int64 {
        let times = loans.values.map(\.since) + exceptions.values.map(\.since) + provisional.values.map(\.event.time)
        return times.compactMap(\.boot).filter { $0.boot == boot }.map(\.milliseconds).max() ?? 0
    }

    /// Notes the clock by which an event was stamped.
    mutating func note(clockOf event: Event) -> StateRow? {
        guard var stamped = RecordedClock(event.time, first: event.sequence) else { return nil }
        if let clock {
            guard !clock.agrees(with: stamped) else { return nil }
            // It repeats what was said before the machine was started anew: that is not the clock of today.
            if event.corrects != nil, clock.boot != stamped.boot { return nil }
            // The same clock that only became trusted: what it stamped before is corrected with it, should it be wrong after all.
            if clock.boot == stamped.boot, (clock.offset &- stamped.offset).magnitude < UInt64(RecordedClock.tolerance) {
                stamped.first = clock.first
            }
            stamped.earlier = clock.stillWrong(before: stamped)
        }
        clock = stamped
        return StateRow(key: "clock", value: stamped.row)
    }

    /// What `due_days` and an item may say at most, 3,650 days, and one more for the hour; in milliseconds.
    private static let longestLoan: Int64 = 3_651 * 86_400_000

    /// Puts right what was reckoned from a clock that nobody knew to be right: when loans are due, exceptions, and what is provisional.
    mutating func apply(_ correction: Event.ClockCorrection, of event: Event) -> [StateRow] {
        guard correction.was != .synchronised else { return [] }
        let rule = ClockRule(correction, now: event.time)
        var rows: [StateRow] = []
        for (item, loan) in loans.sorted(by: { $0.key < $1.key }) {
            guard let right = rule.corrected(loan) else { continue }
            loans[item] = right
            rows.append(StateRow(key: "loan/\(item)", value: right.row))
        }
        for (number, exception) in exceptions.sorted(by: { $0.key < $1.key }) {
            guard let since = rule.right(exception.since) else { continue }
            var exception = exception
            let patience = exception.raised.deadline.milliseconds &- exception.since.milliseconds
            exception.raised.deadline = since.later(by: patience)
            exception.since = since
            exceptions[number] = exception
            rows.append(StateRow(key: "exception/\(number)", value: exception.row))
        }
        for (number, fact) in provisional.sorted(by: { $0.key < $1.key }) {
            guard let right = rule.corrected(fact, loans: loans) else { continue }
            provisional[number] = right
            rows.append(StateRow(key: right.key, value: right.row))
        }
        return rows
    }

    /// How times of a correction's boot are put right.
    private struct ClockRule {
        private let correction: Event.ClockCorrection
        private let now: WallTime
        private let quality: ClockQuality

        init(_ correction: Event.ClockCorrection, now: WallTime) {
            self.correction = correction
            self.now = now
            quality = correction.isEstimate ? .unsynchronised : now.quality
        }

        /// nil: it is none of them, or it is right.
        func right(_ time: WallTime) -> WallTime? {
            guard let boot = time.boot, boot.boot == correction.boot, time.quality != .synchronised else { return nil }
            let (sum, overflow) = boot.milliseconds.addingReportingOverflow(correction.offset)
            guard !overflow else { return nil }
            return WallTime(milliseconds: sum, offsetMinutes: now.offsetMinutes, quality: quality)
        }

        /// nil: nothing of it was wrong.
        func corrected(_ loan: Loan) -> Loan? {
            var right = correctedAlone(loan) ?? loan
            right.before = right.before.map { correctedAlone($0) ?? $0 }
            return right == loan ? nil : right
        }

        private func correctedAlone(_ loan: Loan) -> Loan? {
            guard let since = right(loan.since) else { return nil }
            var loan = loan
            // Due at an hour of a day, so many days after the day of the checkout; a permit names the day itself.
            let isFromPermit = loan.due.milliseconds &- loan.since.milliseconds > LedgerState.longestLoan
            let days = isFromPermit ? 0 : since.localDate.daysSince1970 - loan.since.localDate.daysSince1970
            // Many machines that do not know the time do not know the zone either.
            let zone = Int64(now.offsetMinutes - loan.due.offsetMinutes) * 60_000
            let before = loan.due.milliseconds
            loan.due = WallTime(milliseconds: loan.due.milliseconds, offsetMinutes: now.offsetMinutes, quality: quality)
                .later(by: days * 86_400_000 - zone)
            loan.since = since
            // What was said was about another due time, unless only seconds were wrong.
            if loan.due.milliseconds != before { loan.reminded = nil }
            return loan
        }

        /// A fact that is said once more, and for good, must not say the wrong time again.
        func corrected(_ fact: StandingFact, loans: OpenLoans) -> StandingFact? {
            var right = fact
            if let closed = fact.closed, let loan = corrected(closed) { right.closed = loan }
            if let time = self.right(fact.event.time) {
                right.event.time = time
                switch fact.event.body {
                case .checkedOut(var checkout):
                    let loan = loans[checkout.item].flatMap { $0.number == checkout.loan ? $0 : nil }
                    checkout.due = loan?.due ?? checkout.due
                    right.event.body = .checkedOut(checkout)
                case .exceptionRaised(var raised):
                    raised.deadline = time.later(by: raised.deadline.milliseconds &- fact.event.time.milliseconds)
                    right.event.body = .exceptionRaised(raised)
                default: break
                }
            }
            return right == fact ? nil : right
        }
    }
}

extension WallTime {
    /// As it is kept in the state: only what may have to be put right keeps its place in the boot.
    var kept: WallTime { quality == .synchronised ? calendar : self }

    fileprivate func later(by milliseconds: Int64) -> WallTime {
        let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
        return WallTime(milliseconds: overflow ? self.milliseconds : sum, offsetMinutes: offsetMinutes, quality: quality)
    }
}

extension Event.ClockCorrection {
    var json: JSON {
        .compact([
            "boot": .string(BootTime.text(boot: boot)), "first": .integer(first), "shift_ms": .integer(shift),
            "offset_ms": .integer(offset),
            "was": .string(was.rawValue), "estimate": isEstimate ? true : nil,
        ])
    }

    init?(json: JSON) {
        guard let boot = json["boot"]?.string.flatMap(BootTime.boot(text:)), let first = json["first"]?.integer,
            let shift = json["shift_ms"]?.integer, let offset = json["offset_ms"]?.integer,
            let was = json["was"]?.string.flatMap(ClockQuality.init)
        else { return nil }
        self.init(boot: boot, first: first, shift: shift, offset: offset, was: was, isEstimate: json["estimate"] == true)
    }
}
