import Ledger
import Readings
import Stations

/// What stations have learned and is on its way to the store.
struct Learning: Sendable {
    /// Rows that no commit carries yet, by key.
    private(set) var unsaved: [String: StateRow] = [:]
    /// Rows of commits without an answer.
    private var underWay: [UInt64: [StateRow]] = [:]
    /// The tickets of those rows in `unsaved` that came back because their commit failed.
    private var returned: [String: UInt64] = [:]
    private(set) var deadline: Instant?

    /// What was learned is saved with the next event, or alone after this long.
    static let longestDelay = Instant.Span.seconds(60)

    /// In the order of the keys.
    var rows: [StateRow] { unsaved.values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } }

    mutating func take(_ learned: [LearnedState], by station: String, at now: Instant) {
        guard !learned.isEmpty else { return }
        for state in learned {
            let key = "learned/\(station)/\(state.name)"
            unsaved[key] = StateRow(key: key, value: state.value)
            returned[key] = nil
        }
        if deadline == nil { deadline = now + Self.longestDelay }
    }

    /// Hands all of them to a commit.
    mutating func save(with ticket: UInt64) -> [StateRow] {
        let rows = self.rows
        if !rows.isEmpty { underWay[ticket] = rows }
        unsaved = [:]
        returned = [:]
        deadline = nil
        return rows
    }

    mutating func saved(with ticket: UInt64) { underWay[ticket] = nil }

    /// Takes back what a commit did not store, unless something newer was learned since.
    mutating func failed(with ticket: UInt64, at now: Instant) {
        for row in underWay.removeValue(forKey: ticket) ?? [] {
            guard unsaved[row.key] == nil || returned[row.key].map({ $0 < ticket }) ?? false else { continue }
            unsaved[row.key] = row
            returned[row.key] = ticket
        }
        if !unsaved.isEmpty { deadline = deadline ?? now + Self.longestDelay }
    }

    /// The store cannot be written at present.
    mutating func postpone(from now: Instant) { deadline = now + Self.longestDelay }
}

/// A decision that was shown in maintenance.
struct TestedDecision: Hashable, Sendable {
    var station: String
    var number: UInt64
}

extension Engine {
    /// The rows of the state as they would be if everything learned were saved: what a recording begins with.
    /// - Parameter start: the recording's.
    public func startRows(at start: Instant) -> [StateRow] {
        var state = ledger.state
        for row in learning.rows { state.learn(row) }
        for cabinet in cabinets {
            for row in cabinet.startRows(at: start) { state.learn(StateRow(key: "learned/\(cabinet.name)/\(row.name)", value: row.value)) }
        }
        return state.rows
    }

    /// Whether a station has still to say more about a crossing: a recording that began now could not tell what becomes of it.
    public var hasOpenDecisions: Bool { ledger.hasOpenDecisions }

    /// Whether something provisional of before the start will be made final by itself.
    public var isSettling: Bool { settlingTime != nil }

    /// A recording begins: what is made final by itself waits as long from here as it will in a replay.
    public mutating func recordingBegins(at start: Instant) {
        if settlingTime != nil { settlingTime = start + Self.settlingDelay }
    }

    /// Makes final what is provisional and has no station any more.
    mutating func settle(into output: inout EngineOutput) {
        guard !isStale else { return settlingTime = now + .seconds(1) }
        settlingTime = nil
        let plan = ledger.settleOrphans(at: wallTime)
        guard !plan.events.isEmpty else { return }
        _ = commit(plan, into: &output)
    }

    /// When the next reminder is due; nil: there is none, or nobody knows the time.
    var reminderDeadline: Instant? {
        guard let wall, wall.quality != .unknown, let due = ledger.nextReminder else { return nil }
        let distance = due.subtractingReportingOverflow(wall.milliseconds)
        // Further away than clocks are trusted: an anchor comes every hour.
        guard !distance.overflow, distance.partialValue < 366 * 86_400_000 else { return nil }
        let deadline = max(wall.instant + .milliseconds(max(distance.partialValue, -86_400_000)), Instant(nanoseconds: 0))
        return remindersPaused.map { max($0, deadline) } ?? deadline
    }

    /// Says what is due; what cannot be recorded now is tried again in a minute.
    mutating func remind(into output: inout EngineOutput) {
        guard !isStale, let plan = ledger.planReminders(at: wallTime) else { return remindersPaused = now + .seconds(60) }
        _ = commit(plan, into: &output)
        // Whoever stands at a gate meanwhile goes before the next round.
        let hasMore = ledger.nextReminder.map { $0 <= wallTime.milliseconds } ?? false
        remindersPaused = hasMore ? now + Self.reminderPause : nil
    }

    /// Between two rounds of reminders that are due at the same time.
    static let reminderPause = Instant.Span.milliseconds(250)

    /// A station begins anew: it has no more to say about what it decided.
    mutating func abandon(_ station: String?, into output: inout EngineOutput) {
        ledger.abandon(station: station)
        if ledger.hasOrphans { settle(into: &output) }
    }

    /// Saves what was learned, though nothing happened.
    mutating func saveLearned(into output: inout EngineOutput) {
        guard !isStale else { return learning.postpone(from: now) }
        guard !learning.rows.isEmpty else { return }
        let ticket = nextLearningTicket
        nextLearningTicket += 1
        commit(Plan(events: [], feedback: nil), ticket: ticket, into: &output)
    }

    /// Whether a station in maintenance has shown this decision already; remembers that it has.
    mutating func wasTested(_ proposal: Proposal) -> Bool {
        guard let number = proposal.decision else { return false }
        let decision = TestedDecision(station: proposal.station, number: number)
        guard !tested.contains(decision) else { return true }
        tested = tested.suffix(63) + [decision]
        return false
    }
}

extension Proposal {
    var decision: UInt64? {
        switch content {
        case .crossing(let crossing): crossing.decision
        case .retraction(let retraction): retraction.decision
        case .cabinet(let cabinet): cabinet.decision
        case .putAway, .control, .unknownCode, .observedLate, .cabinetDoor, .cabinetRefusal: nil
        }
    }
}
