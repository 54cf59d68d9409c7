import Foundation
import GRDB
import Glibc
import Ledger
import Synchronization

/// The record of a gateway: the append-only event log with its hash chain, the current state and the delivery cursors, in `events.db`.
///
/// One thread writes, and writes everything that gathered while it wrote before in one transaction. What `commit` answers is on the disk.
public final class EventStore: Sendable {
    /// Drawn when the store was created; restored or new stores never share one.
    public let epoch: UInt64
    public let identity: EventIdentity
    let shared: StoreShared
    private let mailbox = WriterMailbox<WriterJob>()

    /// Opens the store in a directory, or creates it there.
    /// - Parameters:
    ///   - directory: is made when it is missing; one process at a time may have it open.
    ///   - gateway: the code of the gateway; a store belongs to one from its first event on.
    ///   - random: the epoch of a new store.
    /// - Throws: `.locked`, `.notDurable`, `.foreignFile`, `.newerSchema`, `.otherGateway`, `.corrupt` when the newest 1,000 events are not
    ///   one chain or a cursor is past the end of the log, `.inputOutput`.
    public convenience init(directory: String, gateway: String, random: () -> UInt64) throws(StoreError) {
        try self.init(directory: directory, gateway: gateway, random: random, tuning: StoreTuning())
    }

    init(directory: String, gateway: String, random: () -> UInt64, tuning: StoreTuning, schema: StoreSchema = .events) throws(StoreError) {
        guard mkdir(directory, 0o750) == 0 || errno == EEXIST else {
            throw StoreError(.inputOutput, "make \(directory)", errorNumber: errno)
        }
        let lock = try StoreLock(directory: directory)
        let file = DatabaseFile(path: "\(directory)/events.db", schema: schema, durability: .full, maximumPages: tuning.maximumPages)
        let reserve = ReserveFile(path: "\(directory)/reserve", size: tuning.reserveBytes)
        let database = try Self.open(file, reserve)
        epoch = try Self.epoch(database, gateway: gateway, random: random)
        identity = EventIdentity(gateway: gateway, epoch: epoch)
        let end = try LogEnd(reading: database)
        let cursors = try Self.checkedCursors(database, end: end.sequence)
        try Self.checkNewest(database, identity: identity, end: end.sequence, count: tuning.checkedEvents)

        shared = StoreShared()
        shared.cursors.withLock { $0 = cursors }
        shared.lastSequence.withLock { $0 = end.sequence }
        shared.setReader(try file.openReader())
        let chain = EventChain(identity: identity, lastHash: end.hash)
        // The writer is made on its thread and never leaves it.
        let thread = Thread { [shared, mailbox] in
            nameThread("store-writer")
            var writer = EventWriter(
                file: file, tuning: tuning, shared: shared, reserve: reserve, database: database, chain: chain, lastSequence: end.sequence)
            writer.run(mailbox)
            lock.release()
            mailbox.finish()
        }
        thread.start()
    }

    deinit {
        mailbox.close()
    }

    /// Writes a decision, together with all others that wait.
    /// - Parameters:
    ///   - generation: counts the images that decisions are made on. After a failure every decision of the same or an older generation is
    ///     refused, until one with a newer generation comes.
    ///   - completion: called on the writer's thread, in the order of the commits. It must not wait for the store.
    public func commit(_ decision: Decision, generation: UInt64, completion: @escaping @Sendable (CommitOutcome) -> Void) {
        guard mailbox.post(.commit(.init(decision: decision, generation: generation, completion: completion))) else {
            return completion(.failed(StoreError(.closed, "the store is closed")))
        }
    }

    /// Gives a token back from the writer's thread once everything before it is answered: progress that a watchdog can believe in.
    public func probe(token: UInt64, completion: @escaping @Sendable (UInt64) -> Void) {
        _ = mailbox.post(.probe(token, completion))
    }

    /// The current state as it stands on the disk behind every commit asked for so far, and the hash of the newest event. Waits for the
    /// writer; must not be called from a completion.
    /// - Throws: `.corrupt` when rows cannot be read or speak of events that are not in the log.
    public func load() throws(StoreError) -> (state: LedgerState, lastHash: String) {
        let answer = Answer<Result<LoadedState, StoreError>>()
        guard mailbox.post(.load { answer.give($0) }) else { throw StoreError(.closed, "the store is closed") }
        let loaded = try answer.wait().get()
        return (loaded.state, loaded.lastHash)
    }

    /// Moves the cursor of a destination, never back and never past the log. Written with the next commit, at the latest after 1 s or
    /// 500 events: losing it costs a repeated delivery.
    public func acknowledge(destination: String, upTo sequence: Int64) {
        let bounded = min(sequence, lastSequence)
        let distance = shared.cursors.withLock { cursors in
            let distance = bounded - (cursors[destination] ?? 0)
            if distance > 0 { cursors[destination] = bounded }
            return distance
        }
        if distance > 0 { _ = mailbox.post(.acknowledge(destination: destination, upTo: bounded, distance: distance)) }
    }

    /// The newest event that a destination has acknowledged; 0 for none.
    public func cursor(_ destination: String) -> Int64 {
        shared.cursors.withLock { $0[destination] ?? 0 }
    }

    /// The number of the newest committed event; 0 for an empty log.
    public var lastSequence: Int64 { shared.lastSequence.withLock { $0 } }

    public var statistics: StoreStatistics { shared.statistics.withLock { $0 } }

    /// Writes what waits, moves the WAL into the database and lets go of the files. Later commits are answered with `.closed`. Must not
    /// be called from a completion.
    /// - Returns: false when the disk did not let the writer finish in `seconds`.
    @discardableResult
    public func close(within seconds: Int64 = 10) -> Bool {
        mailbox.close()
        return mailbox.waitUntilFinished(within: Int64(clamping: max(0, min(seconds, 86_400))) * 1_000_000_000)
    }
}

/// One value that one thread waits for and another one gives.
private final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let given = DispatchSemaphore(value: 0)

    func give(_ answer: Value) {
        value.withLock { $0 = answer }
        given.signal()
    }

    func wait() throws(StoreError) -> Value {
        given.wait()
        guard let answer = value.withLock({ $0 }) else { throw StoreError(.closed, "no answer") }
        return answer
    }
}

/// Names the calling thread for top, gdb and /proc (proc(5), comm): Foundation's name of a thread does not always reach the kernel.
private func nameThread(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, name, name.utf8.count)
    close(descriptor)
}
