import GRDB
import Ledger
import Readings

/// What is looked at before the store is used.
extension EventStore {
    /// Opening needs a little space too; on a full disk the reserve gives it.
    static func open(_ file: DatabaseFile, _ reserve: ReserveFile) throws(StoreError) -> DatabaseQueue {
        do throws(StoreError) {
            return try file.openWriter()
        } catch {
            guard error.code == .diskFull, reserve.remove() else { throw error }
            return try file.openWriter()
        }
    }

    /// Reads who the file belongs to; draws the epoch when it is new.
    static func epoch(_ database: DatabaseQueue, gateway: String, random: () -> UInt64) throws(StoreError) -> UInt64 {
        let drawn = random()
        return try storing("read whose store it is") {
            var epoch = drawn
            try database.inTransaction(.immediate) { db in
                func value(_ key: String) throws -> String? {
                    try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
                }
                if let stored = try value("epoch") {
                    guard let number = StoreEpoch.value(stored) else { throw StoreError(.corrupt, "the epoch \(stored)") }
                    let owner = try value("gateway") ?? ""
                    if owner == gateway {
                        epoch = number
                        return .commit
                    }
                    // Nothing was recorded under the other code, no loan number and no event id: the site file was only not finished yet.
                    guard try Int.fetchOne(db, sql: "SELECT count(*) FROM event") == 0 else {
                        throw StoreError(.otherGateway, "the store belongs to gateway \(owner), not \(gateway)")
                    }
                    try db.execute(sql: "UPDATE meta SET value = ? WHERE key = 'epoch'", arguments: [StoreEpoch.text(drawn)])
                    try db.execute(sql: "UPDATE meta SET value = ? WHERE key = 'gateway'", arguments: [gateway])
                    return .commit
                }
                guard try Int.fetchOne(db, sql: "SELECT count(*) FROM event") == 0 else {
                    throw StoreError(.corrupt, "a log without an epoch")
                }
                try db.execute(
                    sql: """
                        INSERT INTO meta(key, value) VALUES ('epoch', ?), ('gateway', ?), ('created', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
                        """, arguments: [StoreEpoch.text(drawn), gateway])
                return .commit
            }
            return epoch
        }
    }

    /// A cursor past the end of the log means that the newest events are gone: what is appended next would never be delivered.
    static func checkedCursors(_ database: DatabaseQueue, end: Int64) throws(StoreError) -> [String: Int64] {
        try storing("read the delivery cursors") {
            try database.inDatabase { db in
                var cursors: [String: Int64] = [:]
                for row in try Row.fetchAll(db, sql: "SELECT destination, acked FROM cursor") {
                    let destination: String = row[0]
                    let acked: Int64 = row[1]
                    guard acked <= end else {
                        throw StoreError(.corrupt, "\(destination) has acknowledged event \(acked), the log ends at \(end)")
                    }
                    cursors[destination] = acked
                }
                return cursors
            }
        }
    }

    /// Follows the chain of the newest events.
    static func checkNewest(_ database: DatabaseQueue, identity: EventIdentity, end: Int64, count: Int64) throws(StoreError) {
        let first = max(1, end - count + 1)
        let events = try storing("read the newest events") {
            try database.inDatabase {
                try StoredEvent.all($0, sql: "SELECT seq, body FROM event WHERE seq >= ? ORDER BY seq", arguments: [first - 1])
            }
        }
        var chain = EventChain(identity: identity)
        for (position, event) in events.enumerated() {
            if event.sequence >= first {
                let expected = first + Int64(position) - (first > 1 ? 1 : 0)
                guard event.sequence == expected else { throw StoreError(.corrupt, "event \(expected) is missing") }
                if let problem = chain.follow(event) { throw StoreError(.corrupt, problem) }
            } else {
                chain = EventChain(identity: identity, lastHash: SHA256Digest(of: event.bytes).hex)
            }
        }
    }
}
