import GRDB
import Ledger
import Readings

extension EventStore {
    /// The most events that one reading gives.
    public static let readingLimit = 10_000

    /// Committed events after a number, in order. Read on a connection of its own, beside the writer.
    /// - Parameter limit: 1 to `readingLimit`.
    public func events(after sequence: Int64, limit: Int) throws(StoreError) -> [StoredEvent] {
        let bounded = min(max(1, limit), Self.readingLimit)
        return try shared.read("read events after \(sequence)") { db in
            try StoredEvent.all(db, sql: "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", arguments: [sequence, bounded])
        }
    }

    /// Committed events before a number, newest first.
    public func events(before sequence: Int64, limit: Int) throws(StoreError) -> [StoredEvent] {
        let bounded = min(max(1, limit), Self.readingLimit)
        return try shared.read("read events before \(sequence)") { db in
            try StoredEvent.all(
                db, sql: "SELECT seq, body FROM event WHERE seq < ? ORDER BY seq DESC LIMIT ?", arguments: [sequence, bounded])
        }
    }

    /// nil when there is no such event.
    public func event(_ sequence: Int64) throws(StoreError) -> StoredEvent? {
        try shared.read("read event \(sequence)") { db in
            try StoredEvent.all(db, sql: "SELECT seq, body FROM event WHERE seq = ?", arguments: [sequence]).first
        }
    }
}

/// What a walk over the whole store found.
public struct StoreVerification: Hashable, Sendable {
    public var events: Int64 = 0
    public var rows: Int = 0
    /// The hash of the newest event.
    public var lastHash = EventChain.origin
    /// What is wrong, at most `problemLimit` lines; empty when all is well.
    public internal(set) var problems: [String] = []

    public static let problemLimit = 100
    public var isIntact: Bool { problems.isEmpty }

    mutating func add(_ problem: String) {
        if problems.count < Self.problemLimit { problems.append(problem) }
    }
}

extension EventStore {
    /// Walks the log: no gap, right ids, one chain, canonical bytes, and the fold of all events is exactly the stored state.
    ///
    /// Reads in steps, so that the writer's checkpoints are not held up; the last step sees the end of the log and the state together.
    public func verify() throws(StoreError) -> StoreVerification {
        var walk = StoreWalk(identity: identity)
        while true {
            let after = walk.result.events
            let step = try shared.read("verify after event \(after)") { db in
                let events = try StoredEvent.all(
                    db, sql: "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT 1000", arguments: [walk.lastSequence])
                return (events, events.count < 1_000 ? try StateRow.all(db) : nil)
            }
            for event in step.0 { walk.take(event) }
            if let rows = step.1 { return walk.compare(rows) }
        }
    }
}

private struct StoreWalk {
    var chain: EventChain
    var state = LedgerState()
    var lastSequence: Int64 = 0
    var result = StoreVerification()

    init(identity: EventIdentity) {
        chain = EventChain(identity: identity)
    }

    mutating func take(_ stored: StoredEvent) {
        if stored.sequence != lastSequence + 1 { result.add("event \(lastSequence + 1) is missing") }
        lastSequence = stored.sequence
        result.events += 1
        if let problem = chain.follow(stored) { result.add(problem) }
        do {
            let json = try stored.json()
            if json.canonicalBytes != stored.bytes { result.add("event \(stored.sequence) is not in canonical form") }
            _ = state.apply(try Event(json: json))
        } catch {
            result.add("event \(stored.sequence): \(error)")
        }
    }

    mutating func compare(_ stored: [StateRow]) -> StoreVerification {
        result.rows = stored.count
        result.lastHash = chain.lastHash
        // By bytes, as SQLite compares them.
        var expected: [[UInt8]: JSON] = [:]
        for row in state.rows { expected[Array(row.key.utf8)] = row.value }
        for row in stored where !row.isLearned {
            guard let value = expected.removeValue(forKey: Array(row.key.utf8)) else {
                result.add("state row \(row.key) follows from no event")
                continue
            }
            if value != row.value { result.add("state row \(row.key) is not what the events say") }
        }
        for key in expected.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            result.add("state row \(String(decoding: key, as: UTF8.self)) is missing")
        }
        return result
    }
}
