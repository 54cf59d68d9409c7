import GRDB
import GRDBSQLite

/// Counts the frames in the WAL of the writing connection, told by SQLite after each commit, so that the checkpoints are ours:
/// SQLite's own would stop a commit in the middle of a rush.
final class WALCounter {
    private struct Frames {
        /// In the WAL after the last commit.
        var count: Int32 = 0
        /// Of these, in the database too.
        var settled: Int32 = 0
        /// Pages that this connection has ever written to the WAL.
        var written: Int64 = 0
    }

    /// Written by SQLite's hook, on the thread that commits.
    private let frames = UnsafeMutablePointer<Frames>.allocate(capacity: 1)
    private var connection: DatabaseQueue?

    init() {
        frames.initialize(to: Frames())
    }

    deinit {
        detach()
        frames.deallocate()
    }

    func attach(to queue: DatabaseQueue) {
        detach()
        frames.pointee = Frames(written: frames.pointee.written)
        connection = queue
        let counter = frames
        queue.inDatabase { db in
            _ = sqlite3_wal_hook(db.sqliteConnection, { counter, db, _, count in WALCounter.record(counter, db, count) }, counter)
        }
    }

    /// Before the connection is closed.
    func detach() {
        connection?.inDatabase { db in
            guard let pointer = db.sqliteConnection else { return }
            _ = sqlite3_wal_hook(pointer, nil, nil)
        }
        connection = nil
    }

    /// Frames that are in the WAL only.
    var backlog: Int32 { frames.pointee.count - frames.pointee.settled }

    /// A frame is a page of 4,096 bytes behind a header of 24 (sqlite.org/fileformat.html section 4).
    var backlogBytes: Int64 { Int64(backlog) * 4_120 }
    var bytes: Int64 { Int64(frames.pointee.count) * 4_120 }
    var bytesWritten: Int64 { frames.pointee.written * 4_120 }

    func checkpointed(done: Int, of count: Int, mode: Database.CheckpointMode) {
        let isEmpty = mode == .truncate
        frames.pointee = Frames(
            count: isEmpty ? 0 : Int32(clamping: max(0, count)), settled: isEmpty ? 0 : Int32(clamping: max(0, min(done, count))),
            written: frames.pointee.written)
    }

    /// After a checkpoint that failed: the next one is due when as much again has gathered.
    func postpone() {
        frames.pointee.settled = frames.pointee.count
    }

    private static func record(_ counter: UnsafeMutableRawPointer?, _ db: OpaquePointer?, _ count: Int32) -> Int32 {
        guard let frames = counter?.assumingMemoryBound(to: Frames.self) else { return SQLITE_OK }
        var pages: Int32 = 0
        var highest: Int32 = 0
        // In WAL mode: pages written to the WAL since this was last asked (sqlite.org/c3ref/c_dbstatus_options.html).
        sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 1)
        frames.pointee.written += Int64(pages)
        // Nothing stands before these pages: SQLite has started the WAL from its beginning, because all of it was in the database.
        if count <= pages || count < frames.pointee.count { frames.pointee.settled = 0 }
        frames.pointee.count = count
        return SQLITE_OK
    }
}
