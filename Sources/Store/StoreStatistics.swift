/// Counts since the store was opened.
public struct StoreStatistics: Hashable, Sendable {
    /// Decisions that are on the disk.
    public var commits: Int64 = 0
    /// Events that are on the disk.
    public var events: Int64 = 0
    /// Transactions that decisions were written in.
    public var groups: Int64 = 0
    /// Decisions that were answered with an error.
    public var failures: Int64 = 0
    /// Times that the database was opened again to find out what is true.
    public var reopenings: Int64 = 0
    public var checkpoints: Int64 = 0
    /// Bytes in the WAL after the last commit.
    public var walBytes: Int64 = 0
    /// Bytes written to the WAL: whole pages and their frame headers.
    public var walBytesWritten: Int64 = 0
    /// Bytes that checkpoints wrote to the database.
    public var checkpointBytesWritten: Int64 = 0
    /// Whether the space kept back for a full disk is there. false: the disk is or was full, somebody must make room.
    public var hasReserve = false
    public var lastError: StoreError?

    /// What an event has cost so far in bytes written, its state rows and cursors included; nil before the first. The disk writes
    /// somewhat more: whole blocks, and what the file system keeps for itself.
    public var bytesPerEvent: Double? {
        events > 0 ? Double(walBytesWritten + checkpointBytesWritten) / Double(events) : nil
    }
}
