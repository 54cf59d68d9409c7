import CSQLite
import GRDB
import Glibc

/// One SQLite file of ours: how it is opened, what must be true of it before it is used, and how it is brought forward.
struct DatabaseFile: Sendable {
    enum Durability: Int64, Sendable {
        /// What was committed survives a power cut up to the last checkpoint: for files that can be made again.
        case normal = 1
        /// Every commit is on the disk when it returns.
        case full = 2
    }

    var path: String
    var schema: StoreSchema
    var durability: Durability
    /// The largest number of pages the file may have; nil: as many as the disk holds.
    var maximumPages: Int64?
    /// Puts on the disk which files the directory of a path holds; tests with a disk of their own replace it.
    var synchroniseDirectory: @Sendable (_ path: String) throws(StoreError) -> Void = { path throws(StoreError) in
        try DatabaseFile.synchroniseDirectory(of: path)
    }

    /// Writes a file once more as it is read, and flushes it; a file that is not there is none to write. Tests with a disk of their own
    /// replace it.
    var writeAgain: @Sendable (_ path: String) throws(StoreError) -> Void = { path throws(StoreError) in
        try StoreFiles.writeAgain(path)
    }

    /// Appends zeros to a file until it has so many bytes, a piece at a time, and flushes each. Tests with a disk of their own replace
    /// it.
    var lengthen: @Sendable (_ path: String, _ length: Int64) -> StoreFiles.Lengthening = { path, length in
        StoreFiles.lengthen(path, to: length)
    }

    /// The WAL is kept at most this long when it begins anew after a checkpoint, in bytes.
    static let walLimit: Int64 = 8 << 20

    private var pragmas: [(name: String, value: Int64)] {
        [
            ("synchronous", durability.rawValue), ("foreign_keys", 1), ("trusted_schema", 0), ("cell_size_check", 1), ("mmap_size", 0),
            ("temp_store", 2), ("busy_timeout", 5_000), ("journal_size_limit", Self.walLimit), ("wal_autocheckpoint", 0),
        ]
    }

    /// Opens the one connection that writes: settings made and read back, file recognised, schema brought forward.
    ///
    /// An existing file of an older schema is copied to `NAME.schemaN.backup` before the first step.
    /// - Throws: `.notDurable` when a setting did not take, `.foreignFile`, `.newerSchema`, or what SQLite answered.
    func openWriter() throws(StoreError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.label = "stockgate.writer"
        configuration.observesSuspensionNotifications = false
        if durability == .full { try flushWAL() }
        let queue = try storing("open \(path)") { try DatabaseQueue(path: path, configuration: configuration) }
        do throws(StoreError) {
            if durability == .full { Self.keepWAL(of: queue, true) }
            try recognise(queue)
            try settle(queue)
            try migrate(queue)
            return queue
        } catch {
            try? queue.close()
            throw error
        }
    }

    /// Whether closing the last connection leaves the WAL as it is. Moving it into the database then would trust what this connection
    /// believes to be in the WAL; after a failed flush the file can hold something else, and only reading it anew, with its checksums,
    /// tells.
    static func keepWAL(of queue: DatabaseQueue, _ keeps: Bool) {
        queue.inDatabase { db in
            if let connection = db.sqliteConnection { _ = stockgate_sqlite_keep_wal(connection, keeps ? 1 : 0) }
        }
    }

    /// Brings the WAL of a log that is about to be opened to the disk.
    ///
    /// It may stand only in pages that the kernel has not written, or, after a failed flush, wrongly takes for written: then a second flush
    /// succeeds and writes nothing. SQLite would trust it, move pages into the database, and after a power cut neither would be whole. What
    /// is written once more is flushed.
    /// - Throws: when that did not succeed: nothing may be built on this log then.
    private func flushWAL() throws(StoreError) {
        try writeAgain("\(path)-wal")
        // A process that ended between making the WAL and its first flush has not made the name durable, and no other does.
        try synchroniseDirectory(path)
    }

    /// Moves the WAL of a log that was just opened into the database.
    ///
    /// It is cut then, but not flushed: after a power cut it can be there again, and if a flush had failed, without its end, so that it
    /// would turn pages of the database back. A commit begins a new WAL and flushes it.
    /// - Throws: when that did not succeed: nothing may be built on this log then.
    func makeDurable(_ queue: DatabaseQueue) throws(StoreError) {
        do throws(StoreError) {
            try storing("checkpoint of \(path)") {
                try queue.inDatabase { db in
                    let (frames, done) = try db.checkpoint(.truncate)
                    guard frames >= 0 else { throw StoreError(.inputOutput, "\(path): there is no WAL") }
                    guard frames == done else { throw StoreError(.inputOutput, "\(path): checkpoint of \(done) of \(frames) frames") }
                    try db.execute(sql: "PRAGMA user_version = \(schema.version)")
                }
            }
        } catch {
            // The WAL is on the disk; it does not matter where the pages are.
            guard error.code == .diskFull else { throw error }
        }
    }

    /// Makes the WAL as long as it becomes before a checkpoint, with zeros behind what it holds.
    ///
    /// A file that grows costs ext4 a commit of its journal with every flush, near as much as a page for each event; one whose blocks are
    /// there and written costs none. Zeros are no part of a WAL: a frame of page 0 is never valid, whatever its salt, and what stands
    /// behind the newest commit is not read (sqlite.org/fileformat.html section 4.1). The flush cannot hurt a frame, because no block
    /// that holds one is touched. SQLite locks the database and its shared memory, never the WAL, so that a second descriptor can be
    /// closed without taking locks away.
    /// - Parameter length: bytes at which a checkpoint is due.
    func lengthenWAL(to length: Int64) -> StoreFiles.Lengthening {
        // Beyond the limit SQLite would cut it again.
        lengthen("\(path)-wal", min(length, Self.walLimit))
    }

    /// Opens a connection that only reads. It never writes and never checkpoints: SQLite before 3.51.3 can reset a WAL wrongly when
    /// two connections write or checkpoint at the same moment (sqlite.org/wal.html, "the WAL-reset bug").
    func openReader() throws(StoreError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.label = "stockgate.reader"
        return try storing("open \(path) for reading") { try DatabaseQueue(path: path, configuration: configuration) }
    }

    /// GRDB lowers `synchronous` after its own preparation step when it sets up a WAL, so the settings are made on the open connection
    /// and read back; a connection on which one did not take is not used.
    func settle(_ queue: DatabaseQueue) throws(StoreError) {
        try storing("settings of \(path)") {
            try queue.inDatabase { db in
                // To its end: SQLite gives the new mode first and commits the change afterwards, and that can fail.
                let mode = try String.fetchAll(db, sql: "PRAGMA journal_mode = WAL").last
                guard mode == "wal" else { throw StoreError(.notDurable, "\(path): journal_mode is \(mode ?? "unknown"), not wal") }
                for (name, value) in pragmas { try db.execute(sql: "PRAGMA \(name) = \(value)") }
                if let maximumPages { try db.execute(sql: "PRAGMA max_page_count = \(maximumPages)") }
            }
        }
        try assertSettings(queue)
    }

    /// - Throws: `.notDurable` when a setting is not what it must be.
    func assertSettings(_ queue: DatabaseQueue) throws(StoreError) {
        try storing("settings of \(path)") {
            try queue.inDatabase { db in
                for (name, expected) in pragmas {
                    let found = try Int64.fetchOne(db, sql: "PRAGMA \(name)")
                    guard found == expected || name == "mmap_size" && found == nil else {
                        throw StoreError(.notDurable, "\(path): PRAGMA \(name) is \(found.map(String.init) ?? "unknown"), not \(expected)")
                    }
                }
            }
        }
    }

    private func recognise(_ queue: DatabaseQueue) throws(StoreError) {
        try storing("recognise \(path)") {
            try queue.inDatabase { db in
                let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
                let mark = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
                let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                guard tables == 0 && mark == 0 && version == 0 || mark == schema.applicationID else {
                    throw StoreError(.foreignFile, "\(path) is a database of another program")
                }
                guard version <= schema.version else {
                    throw StoreError(.newerSchema, "\(path) has schema \(version), this program knows \(schema.version)")
                }
            }
        }
    }

    /// The schema of the file as it is; nil where there is none, or nothing that can be read.
    func readVersion() -> Int? {
        guard StoreFiles.size(path) > 0, let queue = try? openReader() else { return nil }
        defer { try? queue.close() }
        return try? queue.inDatabase { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    }

    private func migrate(_ queue: DatabaseQueue) throws(StoreError) {
        let version = try storing("schema of \(path)") { try queue.inDatabase { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 } }
        guard version < schema.version else { return }
        if version > 0 { try backUp(queue, to: backupPath(version: version)) }
        try storing("bring \(path) from schema \(version) to \(schema.version)") {
            try queue.inTransaction(.immediate) { db in
                for step in schema.migrations[version...] { try step(db) }
                try db.execute(sql: "PRAGMA application_id = \(schema.applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(schema.version)")
                return .commit
            }
        }
        // SQLite syncs the directory for a journal, not for a new database file.
        try synchroniseDirectory(path)
    }

    private func backupPath(version: Int) -> String {
        let plain = "\(path).schema\(version).backup"
        var candidate = plain
        var number = 1
        while access(candidate, F_OK) == 0 {
            number += 1
            candidate = "\(plain).\(number)"
        }
        return candidate
    }

    private func backUp(_ queue: DatabaseQueue, to backup: String) throws(StoreError) {
        // Under another name until it is whole: what an attempt left that ran out of time or space is no backup.
        let unfinished = "\(backup).new"
        unlink(unfinished)
        do throws(StoreError) {
            try storing("back up \(path) to \(backup)") {
                try queue.inDatabase { try $0.execute(sql: "VACUUM INTO ?", arguments: [unfinished]) }
            }
            let descriptor = open(unfinished, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw StoreError(.inputOutput, "open \(unfinished)", errorNumber: errno) }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw StoreError(.inputOutput, "fsync \(unfinished)", errorNumber: errno) }
            guard rename(unfinished, backup) == 0 else { throw StoreError(.inputOutput, "rename \(unfinished)", errorNumber: errno) }
        } catch {
            unlink(unfinished)
            throw error
        }
        try synchroniseDirectory(backup)
    }

    static func synchroniseDirectory(of path: String) throws(StoreError) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(.inputOutput, "open \(directory)", errorNumber: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError(.inputOutput, "fsync \(directory)", errorNumber: errno) }
    }
}
