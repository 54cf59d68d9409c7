/// The numbers by which the store runs. Production uses the defaults; tests make small limits and failures.
struct StoreTuning: Sendable {
    /// Where a failure is put in.
    enum FaultPoint: Hashable, Sendable {
        /// Everything is written, nothing is committed.
        case beforeCommit
        /// Committed, but the answer is an error, as when the disk fails the flush and holds the data all the same.
        case afterCommit
        case reopen
        /// The WAL cannot be moved into the database.
        case checkpoint
    }

    /// Bytes kept back for a full disk.
    var reserveBytes: Int64 = 1 << 20
    /// Nanoseconds between attempts to make the reserve again.
    var reserveRetry: Int64 = 30_000_000_000
    /// Bytes of WAL that call for a checkpoint.
    var checkpointBytes: Int64 = 8 << 20
    /// Frames of WAL that call for a checkpoint when there is nothing else to do.
    var idleCheckpointFrames: Int32 = 256
    /// Nanoseconds without work that count as idle.
    var idle: Int64 = 2_000_000_000
    /// Nanoseconds that an acknowledged cursor may wait for a commit to ride on. Losing it costs only a repeated delivery.
    var cursorDelay: Int64 = 1_000_000_000
    /// Events that cursors may move before they are written.
    var cursorEvents: Int64 = 500
    /// The newest events whose chain is checked when the store is opened.
    var checkedEvents: Int64 = 1_000
    /// Decisions in one transaction.
    var groupLimit = 1_000
    var maximumPages: Int64?
    var durability = DatabaseFile.Durability.full
    /// A clock that never steps, in nanoseconds.
    var clock: @Sendable () -> Int64 = monotonicNanoseconds
    var fault: (@Sendable (FaultPoint) throws -> Void)?
}
