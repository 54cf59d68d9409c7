import GRDB
import Synchronization

/// What the writer thread and the callers of the store both touch.
final class StoreShared: Sendable {
    let statistics = Mutex(StoreStatistics())
    /// Acknowledged positions, those that are not yet written included.
    let cursors = Mutex<[String: Int64]>([:])
    let lastSequence = Mutex<Int64>(0)
    private let reader = Mutex<DatabaseQueue?>(nil)

    /// Reads on the one read-only connection; waits while the database is being opened again.
    func read<Result: Sendable>(_ context: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
        let outcome: Swift.Result<Result, StoreError> = reader.withLock { queue in
            do throws(StoreError) {
                guard let queue else { throw StoreError(.closed, "\(context): the store is not open") }
                // One deferred transaction is one view of the log and the state together.
                return .success(try storing(context) { try queue.read(body) })
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    func setReader(_ queue: DatabaseQueue?) {
        reader.withLock { current in
            if let current { try? current.close() }
            current = queue
        }
    }

    /// Moves the cursor of a destination, never back and never past the log.
    /// - Returns: the order that the writer needs for it; nil when it does not move.
    func moveCursor(of destination: String, upTo sequence: Int64) -> WriterJob? {
        let bounded = min(sequence, lastSequence.withLock { $0 })
        let distance = cursors.withLock { cursors in
            let distance = bounded - (cursors[destination] ?? 0)
            if distance > 0 { cursors[destination] = bounded }
            return distance
        }
        return distance > 0 ? .acknowledge(destination: destination, upTo: bounded, distance: distance) : nil
    }

    func note(_ error: StoreError) {
        statistics.withLock { $0.lastError = error }
    }
}
