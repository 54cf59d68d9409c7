import GRDB
import GRDBSQLite
import Ledger

/// The statements that every commit runs, prepared once for a connection and driven without the layers between.
///
/// To be let go of before the connection is closed.
final class WriterStatements {
    private let connection: OpaquePointer
    private var begin: OpaquePointer?
    private var commit: OpaquePointer?
    private var rollback: OpaquePointer?
    private var insert: OpaquePointer?
    private var upsert: OpaquePointer?
    private var delete: OpaquePointer?

    init(_ db: Database) throws {
        guard let connection = db.sqliteConnection else { throw StoreError(.closed, "the database is not open") }
        self.connection = connection
        begin = try prepare("BEGIN IMMEDIATE")
        commit = try prepare("COMMIT")
        rollback = try prepare("ROLLBACK")
        insert = try prepare("INSERT INTO event(seq, body, counters) VALUES (?, ?, ?)")
        upsert = try prepare("INSERT INTO state(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value")
        delete = try prepare("DELETE FROM state WHERE key = ?")
    }

    deinit {
        for statement in [begin, commit, rollback, insert, upsert, delete] { sqlite3_finalize(statement) }
    }

    /// Runs `body` in a transaction of its own.
    func transaction(_ body: () throws -> Void) throws {
        try step(begin)
        do {
            try body()
            try step(commit)
        } catch {
            // SQLite may have rolled back by itself; the first error is the one that tells.
            if sqlite3_get_autocommit(connection) == 0 { try? step(rollback) }
            throw error
        }
    }

    /// - Parameter counters: the state row of this name, for the last event of a transaction.
    func write(_ event: StoredEvent, counters: [UInt8]?) throws {
        sqlite3_bind_int64(insert, 1, event.sequence)
        try event.bytes.withUnsafeBufferPointer { bytes in
            try check(sqlite3_bind_blob(insert, 2, bytes.baseAddress, Int32(clamping: bytes.count), nil))
            guard let counters else {
                try check(sqlite3_bind_null(insert, 3))
                return try step(insert)
            }
            try counters.withUnsafeBufferPointer { counters in
                try counters.withMemoryRebound(to: CChar.self) { counters in
                    try check(sqlite3_bind_text(insert, 3, counters.baseAddress, Int32(clamping: counters.count), nil))
                }
                try step(insert)
            }
        }
    }

    /// Of several rows with one key the last one holds.
    func write(_ rows: [RenderedDecision.Row]) throws {
        if rows.count == 1 { return try write(rows[0]) }
        var last: [String: Int] = [:]
        for (position, row) in rows.enumerated() { last[row.key] = position }
        for (position, row) in rows.enumerated() where last[row.key] == position { try write(row) }
    }

    private func write(_ row: RenderedDecision.Row) throws {
        let statement = row.value == nil ? delete : upsert
        var key = row.key
        try key.withUTF8 { key in
            try key.withMemoryRebound(to: CChar.self) { key in
                try check(sqlite3_bind_text(statement, 1, key.baseAddress, Int32(clamping: key.count), nil))
            }
            guard let value = row.value else { return try step(statement) }
            try value.withUnsafeBufferPointer { value in
                try value.withMemoryRebound(to: CChar.self) { value in
                    try check(sqlite3_bind_text(statement, 2, value.baseAddress, Int32(clamping: value.count), nil))
                }
                try step(statement)
            }
        }
    }

    private func prepare(_ sql: String) throws -> OpaquePointer? {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
        return statement
    }

    private func step(_ statement: OpaquePointer?) throws {
        let result = sqlite3_step(statement)
        defer { sqlite3_reset(statement) }
        if result != SQLITE_DONE { try check(result) }
    }

    private func check(_ result: Int32) throws {
        guard result != SQLITE_OK else { return }
        throw DatabaseError(resultCode: ResultCode(rawValue: result), message: String(cString: sqlite3_errmsg(connection)))
    }
}
