import GRDB
import Ledger
import Readings

/// What can still be read of a damaged store, each thing for itself.
struct DamagedLog {
    private let queue: DatabaseQueue?
    /// Those that can be read.
    let epochs: [StoreEpoch.Entry]
    /// Whether these are all.
    let areEpochsWhole: Bool
    let cursors: [String: Int64]
    /// What the file says of the archive; nobody has looked at the signatures.
    let checkpoints: [ArchiveCheckpoint]
    let learned: [StateRow]
    /// The number of the newest event; nil when the end of the log cannot be read.
    let last: Int64?
    /// Whether no page contradicts itself: numbers that stand alone, like cursors, can be believed then.
    let hasSoundPages: Bool

    init(path: String) {
        let queue = StoreFiles.size(path) > 0 ? try? DatabaseFile(path: path, schema: .events, durability: .full).openReader() : nil
        self.queue = queue
        func read<Result>(_ body: (Database) throws -> Result) -> Result? { queue.flatMap { try? $0.inDatabase(body) } }
        /// The rows of a query, but for those that cannot be read.
        func rows<Result>(_ sql: String, _ body: (Row) throws -> Result?) -> [Result] {
            read { db in
                var results: [Result] = []
                let cursor = try Row.fetchCursor(db, sql: sql)
                // A page that cannot be read ends the reading; what came before it is kept.
                while let row = try? cursor.next() {
                    if let result = try? body(row) { results.append(result) }
                }
                return results
            } ?? []
        }
        let found: (entries: [StoreEpoch.Entry], isWhole: Bool)? =
            read { try StoreEpoch.readable($0) }
            ?? read { db in
                try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'epoch'").flatMap(StoreEpoch.value)
                    .map { ([StoreEpoch.Entry(first: 1, epoch: $0, reason: "created", at: "")], true) } ?? ([], false)
            }
        epochs = found?.entries ?? []
        areEpochsWhole = found?.isWhole ?? false
        cursors = rows("SELECT destination, acked FROM cursor") {
            (try $0.decode(String.self, atIndex: 0), try $0.decode(Int64.self, atIndex: 1))
        }.reduce(into: [:]) { $0[$1.0] = $1.1 }
        checkpoints = rows("SELECT \(ArchiveCheckpoint.columns) FROM checkpoint ORDER BY last") { try ArchiveCheckpoint(decoding: $0) }
        learned = rows("SELECT key, value FROM state WHERE key >= 'learned/' AND key < 'learned0'") {
            StateRow(key: try $0.decode(String.self, atIndex: 0), value: try JSON(parsing: try $0.decode(String.self, atIndex: 1)))
        }
        let newest = read { try StoredEvent.all($0, sql: "SELECT seq, body FROM event ORDER BY seq DESC LIMIT 1") }
        last = newest.flatMap { newest in
            guard let event = newest.first else { return 0 }
            // A number that is not the one inside was hit itself.
            return (try? event.json())?["seq"]?.integer == event.sequence ? event.sequence : nil
        }
        hasSoundPages = read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") } == "ok"
    }

    /// Events after a number, as far as the pages can be read, and whether the log ends with them.
    func events(after sequence: Int64) -> (events: [StoredEvent], isEnd: Bool) {
        // Fewer where a page cannot be read; two, so that the second one proves the first.
        for limit in [500, 2, 1] {
            let events = queue.flatMap { queue in
                try? queue.inDatabase {
                    try StoredEvent.all(
                        $0, sql: "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", arguments: [sequence, limit])
                }
            }
            if let events { return (events, events.count < limit) }
        }
        return ([], true)
    }

    func close() { try? queue?.close() }
}
