import GRDB
import Glibc
import Ledger
import Readings
import Synchronization

/// Which master data a gateway has.
public struct MasterVersion: Hashable, Sendable {
    /// Counts applied changes; 0 before the first.
    public var number: Int64
    /// SHA-256 over all rows that are not deleted, 64 lower-case hexadecimal digits: the same rows give the same digest, whatever the
    /// order in which they came.
    public var digest: String
    /// RFC 3339; nil before the first change.
    public var pulledAt: String?
    /// The file or address that the last change came from.
    public var source: String?
}

/// The master data as it was received, in `master.db`: names and badge numbers stand here and nowhere else. The file can be lost and
/// filled again from upstream.
///
/// A deleted row stays as a tombstone with its last members, so that an old event can still be shown with a name.
public final class MasterStore: Sendable {
    let database: DatabaseQueue
    private let current: Mutex<MasterVersion>

    /// Opens or creates `master.db` in the directory of an open `EventStore`, whose lock covers it.
    public init(directory: String) throws(StoreError) {
        guard mkdir(directory, 0o750) == 0 || errno == EEXIST else {
            throw StoreError(.inputOutput, "make \(directory)", errorNumber: errno)
        }
        // Who sent it is told that it is on the disk, and who erased a person that the person is gone.
        database = try DatabaseFile(path: "\(directory)/master.db", schema: .master, durability: .full).openWriter()
        let opened = database
        current = Mutex(try storing("read the version of the master data") { try opened.read { try MasterVersion(reading: $0) } })
    }

    public var version: MasterVersion { current.withLock { $0 } }

    /// Every row that is not deleted, sorted by set and id.
    public func load() throws(StoreError) -> [MasterRow] {
        try rows("WHERE deleted = 0")
    }

    /// Every deleted row with the members that it had.
    public func tombstones() throws(StoreError) -> [MasterRow] {
        try rows("WHERE deleted = 1")
    }

    /// One row, deleted or not; nil when there never was one.
    public func row(_ set: MasterRow.Set, _ id: String) throws(StoreError) -> MasterRow? {
        try rows("WHERE \"set\" = ? AND id = ?", [set.rawValue, id]).first
    }

    /// Takes rows in, all or none.
    /// - Parameters:
    ///   - time: when they were pulled or read, RFC 3339.
    ///   - source: the file or address that they came from.
    ///   - cursor: up to where a source has been taken in with them.
    /// - Returns: the version that they make.
    @discardableResult
    public func apply(
        _ rows: [MasterRow], at time: String, source: String, cursor: (source: String, text: String)? = nil
    ) throws(StoreError) -> MasterVersion {
        let database = database
        let applied = try storing("apply \(rows.count) rows of master data") {
            var version = MasterVersion(number: 0, digest: "")
            try database.inTransaction(.immediate) { db in
                let upsert = try db.cachedStatement(
                    sql: """
                        INSERT INTO master("set", id, body, deleted) VALUES (?, ?, ?, 0)
                        ON CONFLICT("set", id) DO UPDATE SET body = excluded.body, deleted = 0
                        """)
                // What it was stays, so that its name can still be told.
                let delete = try db.cachedStatement(sql: "UPDATE master SET deleted = 1 WHERE \"set\" = ? AND id = ?")
                for row in rows {
                    if row.isDeleted {
                        try delete.execute(arguments: [row.set.rawValue, row.id])
                    } else {
                        try upsert.execute(arguments: [row.set.rawValue, row.id, JSON.object(row.body).canonicalText])
                    }
                }
                version = try Self.advance(at: time, source: source, db)
                if let cursor { try Self.moveCursor(of: cursor.source, to: cursor.text, db) }
                return .commit
            }
            // Changes are rare: the WAL is emptied each time, so that it never grows.
            _ = try? database.inDatabase { try $0.checkpoint(.truncate) }
            return version
        }
        current.withLock { $0 = applied }
        return applied
    }

    /// Removes rows as if they had never been, without a tombstone. Nothing of them is left in the file when `scrub` has succeeded.
    /// - Parameter rewritten: rows, deleted ones among them, whose members are these from now on.
    @discardableResult
    public func erase(
        _ rows: [(set: MasterRow.Set, id: String)], rewriting rewritten: [MasterRow] = [], at time: String, source: String
    ) throws(StoreError) -> MasterVersion {
        let database = database
        let erased = try storing("erase \(rows.count) rows of master data") {
            try database.inDatabase { try $0.execute(sql: "PRAGMA secure_delete = ON") }
            var version = MasterVersion(number: 0, digest: "")
            try database.inTransaction(.immediate) { db in
                let delete = try db.cachedStatement(sql: "DELETE FROM master WHERE \"set\" = ? AND id = ?")
                for row in rows { try delete.execute(arguments: [row.set.rawValue, row.id]) }
                let rewrite = try db.cachedStatement(sql: "UPDATE master SET body = ? WHERE \"set\" = ? AND id = ?")
                for row in rewritten {
                    try rewrite.execute(arguments: [JSON.object(row.body).canonicalText, row.set.rawValue, row.id])
                }
                version = try Self.advance(at: time, source: source, db)
                try Self.set(Self.scrubKey, "pending", db)
                return .commit
            }
            return version
        }
        current.withLock { $0 = erased }
        return erased
    }

    /// Makes the file anew after rows were erased: earlier spellings lie in pages that are no longer used, and in the WAL. Does nothing when
    /// there is nothing to do; what a full disk did not let happen is done by the next call.
    public func scrub() throws(StoreError) {
        let database = database
        try storing("leave nothing of erased rows in master.db") {
            try database.inDatabase { db in
                let isPending = try Bool.fetchOne(db, sql: "SELECT count(*) > 0 FROM meta WHERE key = ?", arguments: [Self.scrubKey])
                guard isPending == true else { return }
                try db.execute(sql: "PRAGMA secure_delete = ON")
                try db.checkpoint(.truncate)
                try db.execute(sql: "VACUUM")
                try db.checkpoint(.truncate)
                try db.execute(sql: "DELETE FROM meta WHERE key = ?", arguments: [Self.scrubKey])
                try db.checkpoint(.truncate)
            }
        }
    }

    private static let scrubKey = "scrub"

    /// Counts a change and notes what the rows are now.
    private static func advance(at time: String, source: String, _ db: Database) throws -> MasterVersion {
        var version = MasterVersion(number: try MasterVersion(reading: db).number + 1, digest: try Self.digest(db))
        version.pulledAt = time
        version.source = source
        for (key, value) in [
            ("version", String(version.number)), ("digest", version.digest), ("pulled_at", time), ("source", source),
        ] {
            try set(key, value, db)
        }
        return version
    }

    static func set(_ key: String, _ value: String, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            arguments: [key, value])
    }

    public func close() {
        // Nothing stands beside the file then.
        if (try? database.inDatabase { try $0.checkpoint(.truncate) }) != nil { DatabaseFile.keepWAL(of: database, false) }
        try? database.close()
    }

    private func rows(_ condition: String, _ arguments: StatementArguments = []) throws(StoreError) -> [MasterRow] {
        let database = database
        return try storing("read master data") {
            try database.read { db in
                var rows: [MasterRow] = []
                let cursor = try Row.fetchCursor(
                    db, sql: "SELECT \"set\", id, body, deleted FROM master \(condition) ORDER BY \"set\", id", arguments: arguments)
                while let row = try cursor.next() {
                    let name: String = try row.checked(0)
                    let id: String = try row.checked(1)
                    let text: String = try row.checked(2)
                    guard let set = MasterRow.Set(rawValue: name), let body = (try? JSON(parsing: text))?.object else {
                        throw StoreError(.corrupt, "master data row \(name) \(id)")
                    }
                    rows.append(MasterRow(set: set, id: id, body: body, isDeleted: try row.checked(3)))
                }
                return rows
            }
        }
    }

    /// The digest of rows that stand in no store, as a replay has them. Deleted rows do not count.
    public static func digest(of rows: [MasterRow]) -> String {
        var hash = RowHash()
        let live = rows.filter { !$0.isDeleted }
        for row in live.sorted(by: { ($0.set.rawValue, $0.id) < ($1.set.rawValue, $1.id) }) {
            hash.add(row.set.rawValue, row.id, JSON.object(row.body).canonicalText)
        }
        return hash.hex
    }

    private static func digest(_ db: Database) throws -> String {
        var hash = RowHash()
        let cursor = try Row.fetchCursor(db, sql: "SELECT \"set\", id, body FROM master WHERE deleted = 0")
        var rows: [(String, String, String)] = []
        while let row = try cursor.next() { rows.append((try row.checked(0), try row.checked(1), try row.checked(2))) }
        // In Swift's order, which is that of `digest(of:)`, not in SQLite's.
        for row in rows.sorted(by: { ($0.0, $0.1) < ($1.0, $1.1) }) { hash.add(row.0, row.1, row.2) }
        return hash.hex
    }
}

/// SHA-256 over the 32-byte digests of the rows, in their order.
private struct RowHash {
    private var bytes: [UInt8] = []

    mutating func add(_ set: String, _ id: String, _ body: String) {
        bytes += SHA256Digest(of: Array("\(set)\u{0}\(id)\u{0}\(body)".utf8)).bytes
    }

    var hex: String { SHA256Digest(of: bytes).hex }
}

extension MasterVersion {
    fileprivate init(reading db: Database) throws {
        var values: [String: String] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT key, value FROM meta") { values[try row.checked(0)] = try row.checked(1) as String }
        self.init(
            number: values["version"].flatMap(Int64.init) ?? 0, digest: values["digest"] ?? MasterStore.digest(of: []),
            pulledAt: values["pulled_at"], source: values["source"])
    }
}
