import GRDB

/// The epochs of a store: a new one begins with every creation, restore and recovery, so that no number of an event, told with its
/// epoch, ever means two events.
public enum StoreEpoch {
    /// One epoch, as it stands in the store.
    public struct Entry: Hashable, Sendable {
        /// The number of its first event.
        public var first: Int64
        public var epoch: UInt64
        /// `created`, `restored` or `recovered`.
        public var reason: String
        /// RFC 3339, by the machine's clock at that moment; empty when nobody knows.
        public var at: String
    }

    /// 16 lower-case hexadecimal digits.
    public static func text(_ epoch: UInt64) -> String {
        let digits = String(epoch, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// nil unless it is 16 hexadecimal digits.
    public static func value(_ text: String) -> UInt64? {
        guard text.utf8.count == 16, text.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }) else { return nil }
        return UInt64(text, radix: 16)
    }

    /// All of a store, by first number.
    static func all(_ db: Database) throws -> [Entry] {
        try Row.fetchAll(db, sql: "SELECT first, epoch, reason, at FROM epoch ORDER BY first").map(entry)
    }

    /// Those of a damaged store that can be read, and whether these are all.
    static func readable(_ db: Database) throws -> (entries: [Entry], isWhole: Bool) {
        let rows = try Row.fetchAll(db, sql: "SELECT first, epoch, reason, at FROM epoch ORDER BY first")
        let entries = rows.compactMap { try? entry($0) }
        return (entries, entries.count == rows.count && !entries.isEmpty)
    }

    private static func entry(_ row: Row) throws -> Entry {
        let text = try row.decode(String.self, atIndex: 1)
        guard let epoch = value(text) else { throw StoreError(.corrupt, "the epoch \(text.prefix(32))") }
        return Entry(
            first: try row.decode(Int64.self, atIndex: 0), epoch: epoch, reason: try row.decode(String.self, atIndex: 2),
            at: try row.decode(String.self, atIndex: 3))
    }

    /// Writes that a new epoch begins behind the log, and drops what was provisional: the devices that could confirm or withdraw it have
    /// gone on without it.
    static func begin(_ epoch: UInt64, reason: String, at time: String, after last: Int64, _ db: Database) throws {
        // One whose events are all gone gives way. Were it left, it would be taken for the newest, and its ids would be given again.
        try db.execute(sql: "DELETE FROM epoch WHERE first > ?", arguments: [last])
        try db.execute(
            sql: "INSERT INTO epoch(first, epoch, reason, at) VALUES (?, ?, ?, ?)", arguments: [last + 1, text(epoch), reason, time])
        try db.execute(sql: "DELETE FROM state WHERE key >= 'provisional/' AND key < 'provisional0'")
        // A cursor past the end is no cursor of this log; whoever gets events again knows them by their ids.
        try db.execute(sql: "UPDATE cursor SET acked = 0 WHERE acked > ?", arguments: [last])
    }
}
