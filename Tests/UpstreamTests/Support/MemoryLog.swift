import Foundation
import Ledger
import Readings
import Upstream

/// An event log in memory for one destination; tests wait on it.
final class MemoryLog: EventLog, @unchecked Sendable {
    struct State {
        var events: [StoredEvent] = []
        var cursor: Int64 = 0
        var acknowledgements: [Int64] = []
        var deadLetters: [Int64: String] = [:]
        /// Calls of `acknowledge` and `events` that are to fail.
        var failures = 0
        var reads = 0
        var bootTime: BootTime?
    }

    // Everything in `state` is touched with the condition locked.
    private let condition = NSCondition()
    private var state: State

    init(_ events: [StoredEvent] = [], cursor: Int64 = 0) {
        state = State(events: events, cursor: cursor)
    }

    var snapshot: State { withState { $0 } }

    func bootTime() -> BootTime? { withState { $0.bootTime } }

    func set(bootTime: BootTime) { withState { $0.bootTime = bootTime } }

    func append(_ events: [StoredEvent]) {
        withState { $0.events += events }
    }

    func failNext(_ count: Int) {
        withState { $0.failures = count }
    }

    /// Waits for the condition; false after `seconds`.
    func wait(seconds: Double = 20, until isMet: (State) -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while !isMet(state) {
            if !condition.wait(until: end) { return isMet(state) }
        }
        return true
    }

    func events(after sequence: Int64, limit: Int) throws(EventLogError) -> [StoredEvent] {
        try fail()
        return withState { state in
            state.reads += 1
            // Numbered without gaps, as the store's are.
            let first = state.events.first?.sequence ?? 1
            let start = max(0, Int(sequence + 1 - first))
            return start < state.events.count ? Array(state.events[start...].prefix(limit)) : []
        }
    }

    func lastSequence() throws(EventLogError) -> Int64 { withState { $0.events.last?.sequence ?? 0 } }

    func cursor(of destination: String) throws(EventLogError) -> Int64 { withState { $0.cursor } }

    func acknowledge(_ destination: String, upTo sequence: Int64) throws(EventLogError) {
        try fail()
        withState { state in
            state.cursor = sequence
            state.acknowledgements.append(sequence)
        }
    }

    func deadLetter(_ destination: String, sequence: Int64, reason: String) throws(EventLogError) {
        withState { $0.deadLetters[sequence] = reason }
    }

    private func fail() throws(EventLogError) {
        let fails = withState { state in
            guard state.failures > 0 else { return false }
            state.failures -= 1
            return true
        }
        if fails { throw EventLogError("told to fail") }
    }

    private func withState<Result>(_ body: (inout State) -> Result) -> Result {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return body(&state)
    }
}
