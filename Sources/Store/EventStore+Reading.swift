import GRDB
import Ledger
import Readings

extension EventStore {
    /// The most events that one reading gives.
    public static let readingLimit = 10_000

    /// Committed events after a number, in order. Read on a connection of its own, beside the writer; what is no longer in the log is
    /// read from the archive.
    /// - Parameter limit: 1 to `readingLimit`.
    /// - Throws: `.archiveMissing` when a file of the archive is needed and not there.
    public func events(after sequence: Int64, limit: Int) throws(StoreError) -> [StoredEvent] {
        let bounded = min(max(1, limit), Self.readingLimit)
        while true {
            let archived = archive.last
            let old = sequence < archived ? try archive.events(after: sequence, limit: bounded) : []
            guard old.count < bounded else { return old }
            let position = old.last?.sequence ?? sequence
            let new = try shared.read("read events after \(position)") { db in
                try StoredEvent.all(
                    db, sql: "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", arguments: [position, bounded - old.count])
            }
            // Meanwhile a range can have gone from the log to a file.
            guard archive.last == archived || new.first?.sequence == position + 1 else { continue }
            return old + new
        }
    }

    /// Committed events before a number, newest first.
    public func events(before sequence: Int64, limit: Int) throws(StoreError) -> [StoredEvent] {
        let bounded = min(max(1, limit), Self.readingLimit)
        let new = try shared.read("read events before \(sequence)") { db in
            try StoredEvent.all(
                db, sql: "SELECT seq, body FROM event WHERE seq < ? ORDER BY seq DESC LIMIT ?", arguments: [sequence, bounded])
        }
        guard new.count < bounded, archive.last > 0 else { return new }
        return try new + archive.events(before: new.last?.sequence ?? sequence, limit: bounded - new.count)
    }

    /// The number of the event that has or will have this id; nil for one of another store.
    public func sequence(of id: String) -> Int64? { identities.sequence(of: id) }

    /// nil when there is no such event.
    /// - Throws: `.archiveMissing` when it was moved to a file that is not there.
    public func event(_ sequence: Int64) throws(StoreError) -> StoredEvent? {
        if sequence > archive.last {
            let event = try shared.read("read event \(sequence)") { db in
                try StoredEvent.all(db, sql: "SELECT seq, body FROM event WHERE seq = ?", arguments: [sequence]).first
            }
            // Meanwhile its range can have gone from the log to a file.
            guard event == nil, sequence <= archive.last else { return event }
        }
        return try archive.event(sequence)
    }
}
