import Foundation
import GRDB
import Ledger
import Readings
import Synchronization

extension EventWriter {
    /// One transaction with everything of the group, and the cursors that wait. Any error leaves the outcome unknown until the database
    /// was opened again: a failed flush can leave a commit in the file that is found at the next start.
    mutating func commit(_ group: Group) throws(StoreError) {
        var hasRoom = false
        do throws(StoreError) {
            return try transact(group)
        } catch {
            shared.note(error)
            // Before the database is opened again, which needs space too.
            hasRoom = error.code == .diskFull && giveUpReserve()
            if try isThere(group, after: error) { return }
            guard hasRoom else { throw error }
        }
        do throws(StoreError) {
            try transact(group)
        } catch {
            shared.note(error)
            if try isThere(group, after: error) { return }
            throw error
        }
    }

    private mutating func transact(_ group: Group) throws(StoreError) {
        if database == nil { try reopen() }
        guard let database else { throw StoreError(.closed, "the database is not open") }
        // Opening again can show that the log ends elsewhere than was believed when the group was sealed.
        guard group.events.first.map({ $0.sequence == lastSequence + 1 }) ?? true else {
            throw StoreError(.outOfSequence, "the log ends at \(lastSequence)")
        }
        let cursors = pendingCursors
        let tuning = tuning
        try storing("commit events up to \(group.lastSequence)") {
            try database.inDatabase { db in
                let statements = try statements ?? WriterStatements(db)
                self.statements = statements
                try statements.transaction {
                    for event in group.events {
                        try statements.write(event, counters: event.sequence == group.lastSequence ? group.counters : nil)
                    }
                    try statements.write(group.rows)
                    try Self.write(cursors, db)
                    try tuning.fault?(.beforeCommit)
                }
            }
            try tuning.fault?(.afterCommit)
        }
        forgetPending()
    }

    private static func write(_ cursors: [String: Int64], _ db: Database) throws {
        guard !cursors.isEmpty else { return }
        let upsert = try db.cachedStatement(
            sql: """
                INSERT INTO cursor(destination, acked, written) VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
                ON CONFLICT(destination) DO UPDATE SET acked = max(acked, excluded.acked), written = excluded.written
                """)
        for (destination, sequence) in cursors { try upsert.execute(arguments: [destination, sequence]) }
    }

    private mutating func forgetPending() {
        pendingCursors.removeAll()
        pendingSince = nil
        pendingDistance = 0
    }

    mutating func writeCursors() {
        guard !pendingCursors.isEmpty else { return }
        let cursors = pendingCursors
        do throws(StoreError) {
            if database == nil { try reopen() }
            guard let database else { return }
            try storing("write delivery cursors") {
                try database.inTransaction(.immediate) { db in
                    try Self.write(cursors, db)
                    return .commit
                }
            }
            forgetPending()
            shared.statistics.withLock {
                $0.walBytes = wal.bytes
                $0.walBytesWritten = wal.bytesWritten
            }
        } catch {
            // Kept, and written with the next commit; a lost cursor costs a repeated delivery, no more.
            shared.note(error)
            pendingSince = tuning.clock()
            pendingDistance = 0
        }
    }

    /// Opens the database again and looks whether the group is there.
    /// - Returns: whether it is, and will stay.
    /// - Throws: `.inputOutput` when that cannot be found out now.
    private mutating func isThere(_ group: Group, after error: StoreError) throws(StoreError) -> Bool {
        do throws(StoreError) {
            try reopen()
        } catch let second {
            throw StoreError(
                .inputOutput, "whether events up to \(group.lastSequence) are there is not known: \(error.context); \(second.context)",
                sqliteCode: second.sqliteCode, errorNumber: second.errorNumber)
        }
        return !group.events.isEmpty && lastSequence == group.lastSequence && chain.lastHash == group.chain.lastHash
    }

    /// Closes every connection, so that SQLite reads the WAL anew, and takes the end of the log from what is there, once it is durable.
    mutating func reopen() throws(StoreError) {
        shared.statistics.withLock { $0.reopenings += 1 }
        shared.setReader(nil)
        wal.detach()
        statements = nil
        try? database?.close()
        database = nil
        do throws(StoreError) {
            try storing("open \(file.path) again") { try tuning.fault?(.reopen) }
            let opened = try file.openWriter()
            let end = try LogEnd(reading: opened)
            let counted = try OpenedLog.counters(opened)
            // Before anybody reads: what is not durable must not be delivered.
            try storing("checkpoint") { try tuning.fault?(.checkpoint) }
            try file.makeDurable(opened)
            shared.setReader(try file.openReader())
            database = opened
            wal.attach(to: opened)
            isWALShort = true
            lastSequence = end.sequence
            counters = counted
            chain = EventChain(identities: chain.identities, lastHash: end.hash)
            shared.lastSequence.withLock { $0 = end.sequence }
        } catch {
            shared.note(error)
            throw error
        }
    }

    private mutating func giveUpReserve() -> Bool {
        let given = reserve.remove()
        shared.statistics.withLock { $0.hasReserve = false }
        nextReserveAttempt = tuning.clock() + tuning.reserveRetry
        return given
    }

    /// - Returns: whether the whole WAL is in the database now.
    @discardableResult
    mutating func checkpoint(_ mode: Database.CheckpointMode) -> Bool {
        guard let database else { return false }
        do throws(StoreError) {
            let before = ThreadOutput.bytes
            let (frames, done) = try storing("checkpoint") {
                try tuning.fault?(.checkpoint)
                return try database.inDatabase { try $0.checkpoint(mode) }
            }
            let written = ThreadOutput.bytes.flatMap { after in before.map { after - $0 } } ?? Int64(wal.backlog) * 4_096
            wal.checkpointed(done: done, of: frames, mode: mode)
            shared.statistics.withLock {
                $0.checkpoints += 1
                $0.checkpointBytesWritten += written
                $0.walBytes = wal.bytes
            }
            return frames == done
        } catch {
            wal.postpone()
            shared.note(error)
            return false
        }
    }

    /// The state from its rows, checked against the log.
    mutating func load() -> Result<LoadedState, StoreError> {
        do throws(StoreError) {
            if database == nil { try reopen() }
            guard let database else { throw StoreError(.closed, "the database is not open") }
            let rows = try storing("read the state") { try database.inDatabase { try StateRow.all($0) } }
            let state: LedgerState
            do {
                state = try LedgerState(nextSequence: lastSequence + 1, rows: rows)
            } catch {
                throw StoreError(.corrupt, error.description)
            }
            let newest = max(
                state.loans.values.map(\.opened).max() ?? 0, state.exceptions.keys.max() ?? 0, state.provisional.keys.max() ?? 0)
            guard newest <= lastSequence else {
                throw StoreError(.corrupt, "the state speaks of event \(newest), the log ends at \(lastSequence)")
            }
            return .success(LoadedState(state: state, lastHash: chain.lastHash))
        } catch {
            shared.note(error)
            return .failure(error)
        }
    }

    /// After an error the database is opened again, as after any other: what failed may be there all the same, and the next look tells.
    mutating func maintain(_ context: String, _ body: @Sendable (Database) throws -> Void) -> Result<Void, StoreError> {
        do throws(StoreError) {
            if database == nil { try reopen() }
            guard let database else { throw StoreError(.closed, "the database is not open") }
            do throws(StoreError) {
                try storing(context) {
                    try database.inTransaction(.immediate) { db in
                        try body(db)
                        return .commit
                    }
                }
            } catch {
                shared.note(error)
                // Its failure is noted, and the next order tries again.
                try? reopen()
                throw error
            }
            shared.statistics.withLock {
                $0.walBytes = wal.bytes
                $0.walBytesWritten = wal.bytesWritten
            }
            return .success(())
        } catch {
            shared.note(error)
            return .failure(error)
        }
    }

    mutating func closeDown() {
        writeCursors()
        shared.setReader(nil)
        if let database, checkpoint(.truncate) { DatabaseFile.keepWAL(of: database, false) }
        wal.detach()
        statements = nil
        try? database?.close()
        database = nil
    }
}

extension StateRow {
    /// The key of the row that nearly every event changes. It is stored with the newest one.
    static let counters = "counters"

    /// With the newest event, or in `state` where that has none: a log of an earlier version, or one that was recovered.
    private static let countersValue =
        "coalesce((SELECT counters FROM event ORDER BY seq DESC LIMIT 1), (SELECT value FROM state WHERE key = 'counters'))"

    /// As it is stored; nil while nothing was counted.
    static func storedCounters(_ db: Database) throws -> [UInt8]? {
        try String.fetchOne(db, sql: "SELECT \(countersValue)").map { Array($0.utf8) }
    }

    /// Every stored row, sorted by key.
    static func all(_ db: Database) throws -> [StateRow] {
        var rows: [StateRow] = []
        let query = """
            SELECT key, value FROM state WHERE key <> 'counters'
            UNION ALL SELECT 'counters', counted FROM (SELECT \(countersValue) AS counted) WHERE counted IS NOT NULL ORDER BY key
            """
        let cursor = try Row.fetchCursor(db, sql: query)
        while let row = try cursor.next() {
            let key: String = try row.checked(0)
            let text: String = try row.checked(1)
            do {
                rows.append(StateRow(key: key, value: try JSON(parsing: text)))
            } catch {
                throw StoreError(.corrupt, "state row \(key): \(error)")
            }
        }
        return rows
    }
}

/// The newest event of a log, which is in the archive where the log has none behind it.
struct LogEnd: Sendable {
    var sequence: Int64
    var hash: String

    init(reading queue: DatabaseQueue) throws(StoreError) {
        let newest = try storing("read the end of the log") {
            try queue.inDatabase { try StoredEvent.all($0, sql: "SELECT seq, body FROM event ORDER BY seq DESC LIMIT 1") }
        }
        sequence = newest.first?.sequence ?? 0
        hash = newest.first.map { SHA256Digest(of: $0.bytes).hex } ?? EventChain.origin
        // Of a damaged log a recovery may have saved no more than this. The next event must not be given a number that was given.
        if let archived = try ArchiveCheckpoint.all(queue).last, archived.last > sequence {
            (sequence, hash) = (archived.last, archived.hash)
        }
    }
}

extension StoredEvent {
    static func all(_ db: Database, sql: String, arguments: StatementArguments = []) throws -> [StoredEvent] {
        var events: [StoredEvent] = []
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        while let row = try cursor.next() {
            let body = try row.withUnsafeData(atIndex: 1) { $0.map { [UInt8]($0) } ?? [] }
            events.append(StoredEvent(sequence: try row.checked(0), bytes: body))
        }
        return events
    }
}
