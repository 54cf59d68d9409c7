import GRDB
import Ledger
import Readings
import Synchronization

/// An event log that was opened and looked at: what the writer and the callers of the store begin with.
struct OpenedLog: Sendable {
    let epochs: [StoreEpoch.Entry]
    /// That of the events to come.
    let epoch: UInt64
    let identities: EventIdentities
    let checkpoints: [ArchiveCheckpoint]
    let shared = StoreShared()
    /// The one connection that writes.
    let database: DatabaseQueue
    let chain: EventChain
    let lastSequence: Int64
    /// The state row that is stored with the newest event.
    let counters: [UInt8]?

    /// - Parameter wasClosedCleanly: no WAL was left behind, so the pages need not be looked through.
    /// - Throws: as `EventStore.init` does.
    init(
        _ file: DatabaseFile, tuning: StoreTuning, reserve: any SpaceReserve, gateway: String, random: () -> UInt64, wasClosedCleanly: Bool
    ) throws(StoreError) {
        database = try Self.open(file, reserve)
        try Self.checkPages(database, wasClosedCleanly: wasClosedCleanly)
        // A process that was killed can have left a commit that was never flushed. It must not be delivered and then go with the power.
        try file.makeDurable(database)
        epochs = try Self.epochs(database, gateway: gateway, random: random)
        guard let newest = epochs.last, let identities = EventIdentities(gateway: gateway, epochs: epochs) else {
            throw StoreError(.corrupt, "a log without an epoch")
        }
        epoch = newest.epoch
        self.identities = identities
        checkpoints = try ArchiveCheckpoint.all(database)
        let end = try LogEnd(reading: database)
        let cursors = try Self.checkedCursors(database, end: end.sequence)
        try Self.checkNewest(
            database, identities: identities, archived: checkpoints.last, end: end.sequence, count: tuning.checkedEvents)
        chain = EventChain(identities: identities, lastHash: end.hash)
        lastSequence = end.sequence
        counters = try Self.counters(database)
        shared.cursors.withLock { $0 = cursors }
        shared.lastSequence.withLock { $0 = end.sequence }
        shared.setReader(try file.openReader())
    }
}

/// What is looked at before the log is used.
extension OpenedLog {
    /// Opening needs a little space too; on a full disk the reserve gives it.
    static func open(_ file: DatabaseFile, _ reserve: any SpaceReserve) throws(StoreError) -> DatabaseQueue {
        do throws(StoreError) {
            return try file.openWriter()
        } catch {
            guard error.code == .diskFull, reserve.remove() else { throw error }
            return try file.openWriter()
        }
    }

    /// Reads who the file belongs to; draws the epoch when it is new.
    static func epochs(_ database: DatabaseQueue, gateway: String, random: () -> UInt64) throws(StoreError) -> [StoreEpoch.Entry] {
        let drawn = random()
        return try storing("read whose store it is") {
            try database.inTransaction(.immediate) { db in
                let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM (SELECT 1 FROM event LIMIT 1)") == 0
                let now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
                let insert = "INSERT INTO epoch(first, epoch, reason, at) VALUES (1, ?, 'created', \(now))"
                if let owner = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'gateway'") {
                    guard owner != gateway else { return .commit }
                    // Nothing was recorded under the other code, no loan number and no event id: the site file was only not finished yet.
                    guard isEmpty else { throw StoreError(.otherGateway, "the store belongs to gateway \(owner), not \(gateway)") }
                    try db.execute(sql: "DELETE FROM epoch")
                    try db.execute(sql: insert, arguments: [StoreEpoch.text(drawn)])
                    try db.execute(sql: "UPDATE meta SET value = ? WHERE key = 'gateway'", arguments: [gateway])
                    return .commit
                }
                guard isEmpty else { throw StoreError(.corrupt, "a log without an epoch") }
                try db.execute(sql: insert, arguments: [StoreEpoch.text(drawn)])
                try db.execute(sql: "INSERT INTO meta(key, value) VALUES ('gateway', ?), ('created', \(now))", arguments: [gateway])
                return .commit
            }
            let epochs = try database.inDatabase { try StoreEpoch.all($0) }
            guard !epochs.isEmpty else { throw StoreError(.corrupt, "a log without an epoch") }
            return epochs
        }
    }

    /// A cursor past the end of the log means that the newest events are gone: what is appended next would never be delivered.
    static func checkedCursors(_ database: DatabaseQueue, end: Int64) throws(StoreError) -> [String: Int64] {
        try storing("read the delivery cursors") {
            try database.inDatabase { db in
                var cursors: [String: Int64] = [:]
                for row in try Row.fetchAll(db, sql: "SELECT destination, acked FROM cursor") {
                    let destination: String = try row.checked(0)
                    let acked: Int64 = try row.checked(1)
                    guard acked <= end else {
                        throw StoreError(.corrupt, "\(destination) has acknowledged event \(acked), the log ends at \(end)")
                    }
                    cursors[destination] = acked
                }
                return cursors
            }
        }
    }

    static func counters(_ database: DatabaseQueue) throws(StoreError) -> [UInt8]? {
        try storing("read the counters") { try database.inDatabase { try StateRow.storedCounters($0) } }
    }

    /// Follows the chain of the newest events.
    static func checkNewest(
        _ database: DatabaseQueue, identities: EventIdentities, archived: ArchiveCheckpoint?, end: Int64, count: Int64
    ) throws(StoreError) {
        let first = max((archived?.last ?? 0) + 1, end - count + 1)
        let events = try storing("read the newest events") {
            try database.inDatabase {
                try StoredEvent.all($0, sql: "SELECT seq, body FROM event WHERE seq >= ? ORDER BY seq", arguments: [first - 1])
            }
        }
        var chain = EventChain(identities: identities, lastHash: archived?.hash ?? EventChain.origin)
        var expected = first
        for event in events {
            if event.sequence < first {
                chain = EventChain(identities: identities, lastHash: SHA256Digest(of: event.bytes).hex)
                continue
            }
            guard event.sequence == expected else { throw StoreError(.corrupt, "event \(expected) is missing") }
            if let problem = chain.follow(event) { throw StoreError(.corrupt, problem) }
            expected += 1
        }
    }

    /// Looks through the pages of a file that was not closed cleanly, as long as that takes no more than a moment.
    static func checkPages(_ database: DatabaseQueue, wasClosedCleanly: Bool, limit: Int64 = 200 << 20) throws(StoreError) {
        guard !wasClosedCleanly else { return }
        try storing("check the pages") {
            try database.inDatabase { db in
                let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                guard pages * 4_096 <= limit, let finding = try String.fetchOne(db, sql: "PRAGMA quick_check(1)"), finding != "ok" else {
                    return
                }
                // SQLITE_IOERR: the disk could not read a page this time, which says nothing about what is on it.
                let isUnreadable = finding.firstMatch(of: /error code=(\d+)/).flatMap { Int($0.1) }.map { $0 & 0xFF == 10 } ?? false
                throw StoreError(isUnreadable ? .inputOutput : .corrupt, finding)
            }
        }
    }
}
