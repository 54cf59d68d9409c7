import GRDB
import Glibc
import Ledger
import Readings

/// Finds events by what they are about, and loans by when they were, in `index.db`. Fed from the log by a cursor like any destination; can be
/// thrown away at any time.
public final class EventIndex: Sendable {
    let database: DatabaseQueue

    /// Opens or creates `index.db` in the directory of an open `EventStore`, whose lock covers it.
    public init(directory: String) throws(StoreError) {
        guard mkdir(directory, 0o750) == 0 || errno == EEXIST else {
            throw StoreError(.inputOutput, "make \(directory)", errorNumber: errno)
        }
        let file = DatabaseFile(path: "\(directory)/index.db", schema: .index, durability: .normal)
        func startOver() {
            // Everything in it follows from the log.
            for suffix in ["", "-wal", "-shm"] { unlink(file.path + suffix) }
        }
        // Another version reads other things out of the log: no step could make up for that, and no copy is worth its space.
        if let version = file.readVersion(), version != StoreSchema.index.version { startOver() }
        do throws(StoreError) { database = try file.openWriter() } catch {
            guard error.code == .corrupt || error.code == .foreignFile else { throw error }
            startOver()
            database = try file.openWriter()
        }
    }

    /// Takes in the events that came since the last time; starts over when the store is another one than last time.
    /// - Returns: the number of the newest event that can be found.
    @discardableResult
    public func update(from store: EventStore) throws(StoreError) -> Int64 {
        try update(from: store, while: { true })
    }

    /// The same, for somebody who waits: an index that begins from nothing takes minutes where there is a year of events.
    /// - Parameter goesOn: asked before every 1,000 events; what was taken in stays.
    /// - Returns: the number of the newest event that can be found now.
    public func update(from store: EventStore, while goesOn: () -> Bool) throws(StoreError) -> Int64 {
        var position = try begin(store)
        while goesOn() {
            let events = try store.events(after: position, limit: 1_000)
            guard let newest = events.last?.sequence else { break }
            try take(events)
            position = newest
        }
        return position
    }

    /// Takes in events of the log, in its order; those that were taken in before are passed over.
    func take(_ events: [StoredEvent]) throws(StoreError) {
        guard let newest = events.last?.sequence else { return }
        try storing("index events up to \(newest)") {
            try database.inTransaction(.immediate) { db in
                let insert = try db.cachedStatement(sql: "INSERT OR IGNORE INTO event_subject(subject, seq) VALUES (?, ?)")
                let loans = LoanIndex(db)
                // Somebody else may have been here meanwhile, and what is said of a loan must not be taken in twice.
                let done = try Self.value("position", db).flatMap(Int64.init) ?? 0
                for event in events where event.sequence > done {
                    let json = try event.json()
                    for subject in EventSubjects.all(in: json) { try insert.execute(arguments: [subject, event.sequence]) }
                    try loans.take(json, number: event.sequence)
                }
                try Self.set("position", String(max(done, newest)), db)
                return .commit
            }
            _ = try? database.inDatabase { try $0.checkpoint(.passive) }
        }
    }

    /// The numbers of the events about a subject, newest first.
    /// - Parameters:
    ///   - subject: `item/KEY`, `person/KEY`, `product/KEY`, `location/KEY`, `permit/KEY`, `epc/HEX`, `loan/NUMBER`, `exception/NUMBER`,
    ///     or a URI.
    ///   - before: only older ones; nil: from the newest.
    public func sequences(subject: String, limit: Int, before: Int64? = nil) throws(StoreError) -> [Int64] {
        let database = database
        return try storing("look up \(subject.prefix(64))") {
            try database.read { db in
                try Int64.fetchAll(
                    db, sql: "SELECT seq FROM event_subject WHERE subject = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
                    arguments: [subject, before ?? .max, min(max(1, limit), EventStore.readingLimit)])
            }
        }
    }

    public func close() {
        try? database.close()
    }

    private func begin(_ store: EventStore) throws(StoreError) -> Int64 {
        let epoch = StoreEpoch.text(store.epoch)
        let last = store.lastSequence
        let database = database
        return try storing("read the position of the index") {
            var position: Int64 = 0
            try database.inTransaction(.immediate) { db in
                let found = try Self.value("position", db).flatMap(Int64.init) ?? 0
                if try Self.value("epoch", db) == epoch, found <= last {
                    position = found
                    return .rollback
                }
                try db.execute(sql: "DELETE FROM event_subject")
                try LoanIndex.clear(db)
                try Self.set("epoch", epoch, db)
                try Self.set("position", "0", db)
                return .commit
            }
            return position
        }
    }

    private static func value(_ key: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
    }

    private static func set(_ key: String, _ value: String, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            arguments: [key, value])
    }
}
