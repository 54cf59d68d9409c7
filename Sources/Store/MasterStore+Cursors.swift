import GRDB
import Ledger
import Readings

/// How far the sources of master data have been taken in.
extension MasterStore {
    /// Earlier cursors of a source that are known; the oldest go first.
    static let maximumPassed = 1_000
    /// Their bytes: they are written with every change.
    static let maximumPassedBytes = 64 << 10

    /// Up to where a source of master data has been taken in; nil: nothing yet.
    public func cursor(of source: String) throws(StoreError) -> String? {
        let database = database
        return try storing("read the cursor of \(source)") { try database.read { try Self.value(of: Self.cursorKey(source), $0) } }
    }

    /// Whether a source stood at a cursor before it came to the present one, as far back as is known.
    public func hasPassed(_ cursor: String, of source: String) throws(StoreError) -> Bool {
        let database = database
        let passed = try storing("read the cursors of \(source)") { try database.read { try Self.passed(by: source, $0) } }
        return passed.contains(cursor)
    }

    /// Moves the cursor of a source that had nothing to change.
    public func setCursor(of source: String, to text: String) throws(StoreError) {
        let database = database
        try storing("write the cursor of \(source)") {
            try database.inTransaction(.immediate) { db in
                try Self.moveCursor(of: source, to: text, db)
                return .commit
            }
            _ = try? database.inDatabase { try $0.checkpoint(.truncate) }
        }
    }

    /// Part of the transaction that takes a batch in.
    static func moveCursor(of source: String, to text: String, _ db: Database) throws {
        let key = cursorKey(source)
        guard let old = try value(of: key, db), old != text else { return try set(key, text, db) }
        var passed = try passed(by: source, db).filter { $0 != old && $0 != text } + [old]
        var bytes = passed.reduce(0) { $0 + $1.utf8.count }
        while passed.count > maximumPassed || bytes > maximumPassedBytes { bytes -= passed.removeFirst().utf8.count }
        try set(passedKey(source), JSON.array(passed.map { .string($0) }).canonicalText, db)
        try set(key, text, db)
    }

    private static func passed(by source: String, _ db: Database) throws -> [String] {
        guard let text = try value(of: passedKey(source), db) else { return [] }
        return (try? JSON(parsing: text))?.array?.compactMap(\.string) ?? []
    }

    // MARK: When a source was complete

    /// When each source last said that there is nothing more, RFC 3339; an import by hand has an empty name.
    public func seen() throws(StoreError) -> [String: String] {
        let database = database
        return try storing("read when master data were complete") {
            try database.read { db in
                var times: [String: String] = [:]
                for row in try Row.fetchAll(db, sql: "SELECT key, value FROM meta WHERE key LIKE 'seen/%'") {
                    let (key, time): (String, String) = (try row.checked(0), try row.checked(1))
                    times[String(key.dropFirst(Self.seenPrefix.count))] = time
                }
                return times
            }
        }
    }

    public func setSeen(_ source: String, at time: String) throws(StoreError) {
        let database = database
        try storing("write when \(source) was complete") {
            try database.inTransaction(.immediate) { db in
                try Self.set(Self.seenPrefix + source, time, db)
                return .commit
            }
            _ = try? database.inDatabase { try $0.checkpoint(.truncate) }
        }
    }

    private static let seenPrefix = "seen/"

    private static func value(of key: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
    }

    private static func cursorKey(_ source: String) -> String { "cursor/\(source)" }

    private static func passedKey(_ source: String) -> String { "passed/\(source)" }
}
