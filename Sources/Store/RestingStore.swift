import GRDB

/// The store of a daemon that does not run, or a backup, opened to be read.
final class RestingStore: StoreReading {
    let gateway: String
    let epochs: [StoreEpoch.Entry]
    let identities: EventIdentities
    let archive: Archive
    let end: LogEnd
    let cursors: [String: Int64]
    private let queue: DatabaseQueue
    private let lock: StoreLock?

    /// - Parameters:
    ///   - takesLock: false where no daemon ever works: a backup, a file set aside.
    ///   - archive: the folder of the archive; nil: that beside the file.
    init(directory: String, takesLock: Bool = true, archive folder: String? = nil) throws(StoreError) {
        let file = "events.db"
        let path = "\(directory)/\(file)"
        guard StoreFiles.exists(path) else { throw StoreError(.inputOutput, "there is no \(path)") }
        lock = takesLock ? try StoreLock(directory: directory) : nil
        let queue = try DatabaseFile(path: path, schema: .events, durability: .full).openReader()
        self.queue = queue
        (gateway, epochs, cursors) = try storing("read \(path)") {
            try queue.inDatabase { db in
                guard try Int32.fetchOne(db, sql: "PRAGMA application_id") == StoreSchema.events.applicationID else {
                    throw StoreError(.foreignFile, "\(path) is a database of another program")
                }
                let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                guard version == StoreSchema.events.version else {
                    throw StoreError(
                        version > StoreSchema.events.version ? .newerSchema : .olderSchema,
                        "\(path) has schema \(version), this program works on \(StoreSchema.events.version)")
                }
                guard let gateway = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'gateway'") else {
                    throw StoreError(.corrupt, "\(path) belongs to no gateway")
                }
                var cursors: [String: Int64] = [:]
                for row in try Row.fetchAll(db, sql: "SELECT destination, acked FROM cursor") {
                    cursors[try row.decode(String.self, atIndex: 0)] = try row.decode(Int64.self, atIndex: 1)
                }
                return (gateway, try StoreEpoch.all(db), cursors)
            }
        }
        guard let identities = EventIdentities(gateway: gateway, epochs: epochs) else {
            throw StoreError(.corrupt, "\(path): a log without an epoch")
        }
        self.identities = identities
        archive = Archive(directory: folder ?? "\(directory)/archive", checkpoints: try ArchiveCheckpoint.all(queue))
        end = try LogEnd(reading: queue)
    }

    func read<Result: Sendable>(_ context: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
        try storing(context) { try queue.read(body) }
    }

    func close() {
        try? queue.close()
        lock?.release()
    }
}
