import Foundation
import GRDB
import Glibc
import Ledger
import Synchronization

/// The record of a gateway: the append-only event log with its hash chain, the current state and the delivery cursors, in `events.db`.
///
/// One thread writes, and writes everything that gathered while it wrote before in one transaction. What `commit` answers is on the disk.
public final class EventStore: Sendable {
    /// That of the events to come. Drawn when the store was created, restored or recovered: no two stores ever share one.
    public let epoch: UInt64
    public let epochs: [StoreEpoch.Entry]
    /// The ids of the events to come.
    public let identity: EventIdentity
    let identities: EventIdentities
    public let directory: String
    public let gateway: String
    let archive: Archive
    /// A checkpoint whose transaction ended in an error that says nothing.
    let unsettledCheckpoint = Mutex<ArchiveCheckpoint?>(nil)
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

    /// A store that answers before its events are on the disk: for the proof that a power-cut test finds what it looks for.
    package static func notDurable(directory: String, gateway: String, random: () -> UInt64) throws(StoreError) -> EventStore {
        var tuning = StoreTuning()
        tuning.durability = .normal
        return try EventStore(directory: directory, gateway: gateway, random: random, tuning: tuning)
    }

    init(directory: String, gateway: String, random: () -> UInt64, tuning: StoreTuning, schema: StoreSchema = .events) throws(StoreError) {
        guard mkdir(directory, 0o750) == 0 || errno == EEXIST else {
            throw StoreError(.inputOutput, "make \(directory)", errorNumber: errno)
        }
        let lock = try StoreLock(directory: directory)
        try StoreReplacement.finish(in: directory)
        let wasClosedCleanly = StoreFiles.size("\(directory)/events.db-wal") == 0
        let file = DatabaseFile(
            path: "\(directory)/events.db", schema: schema, durability: tuning.durability, maximumPages: tuning.maximumPages)
        let reserve = ReserveFile(path: "\(directory)/reserve", size: tuning.reserveBytes)
        let log = try OpenedLog(
            file, tuning: tuning, reserve: reserve, gateway: gateway, random: random, wasClosedCleanly: wasClosedCleanly)
        epoch = log.epoch
        epochs = log.epochs
        identities = log.identities
        identity = log.identities.newest
        self.directory = directory
        self.gateway = gateway
        archive = Archive(directory: "\(directory)/archive", checkpoints: log.checkpoints)
        shared = log.shared
        // The writer is made on its thread and never leaves it.
        let thread = Thread { [mailbox] in
            nameThread("store-writer")
            var writer = EventWriter(log, file: file, tuning: tuning, reserve: reserve)
            writer.run(mailbox)
            lock.release()
            mailbox.finish()
        }
        thread.start()
    }

    deinit {
        mailbox.close()
    }

    /// Writes a decision, together with all others that wait. Its bytes are made here, on the caller's thread.
    /// - Parameters:
    ///   - generation: counts the images that decisions are made on. After a failure every decision of the same or an older generation is
    ///     refused, until one with a newer generation comes.
    ///   - completion: called on the writer's thread, in the order of the commits. It must not wait for the store.
    public func commit(_ decision: Decision, generation: UInt64, completion: @escaping @Sendable (CommitOutcome) -> Void) {
        let rendered = RenderedDecision(decision, identity: identity)
        guard mailbox.post(.commit(.init(decision: rendered, generation: generation, completion: completion))) else {
            return completion(.failed(StoreError(.closed, "the store is closed")))
        }
    }

    /// Gives a token back from the writer's thread once everything before it is answered: progress that a watchdog can believe in.
    public func probe(token: UInt64, completion: @escaping @Sendable (UInt64) -> Void) {
        _ = mailbox.post(.probe(token, completion))
    }

    /// Runs `body` in a transaction of its own, between two groups. Waits for the writer; must not be called from a completion.
    func maintain(_ context: String, _ body: @escaping @Sendable (Database) throws -> Void) throws(StoreError) {
        let answer = Answer<Result<Void, StoreError>>()
        guard mailbox.post(.maintain(context, body) { answer.give($0) }) else { throw StoreError(.closed, "the store is closed") }
        try answer.wait().get()
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
        if let job = shared.moveCursor(of: destination, upTo: sequence) { _ = mailbox.post(job) }
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
