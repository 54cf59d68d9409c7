import Foundation
import GRDB
import Ledger
import Readings
import Synchronization

/// How a commit ended: the truth, found out where need be.
public enum CommitOutcome: Sendable {
    /// On the disk, with these numbers.
    case committed([StoredEvent])
    /// Not in the log. Only `.inputOutput` after a failed reopening leaves it open; loading the image tells.
    case failed(StoreError)
}

/// One order to the writer thread.
enum WriterJob: Sendable {
    case commit(Commit)
    case acknowledge(destination: String, upTo: Int64, distance: Int64)
    case probe(UInt64, @Sendable (UInt64) -> Void)
    case load(@Sendable (Result<LoadedState, StoreError>) -> Void)
    /// A transaction of its own.
    case maintain(String, @Sendable (Database) throws -> Void, @Sendable (Result<Void, StoreError>) -> Void)

    struct Commit: Sendable {
        var decision: RenderedDecision
        var generation: UInt64
        var completion: @Sendable (CommitOutcome) -> Void
    }
}

struct LoadedState: Sendable {
    var state: LedgerState
    var lastHash: String
}

/// The only writer of `events.db`. It lives on its own thread; nothing else ever touches it.
///
/// `run` drives it by a mailbox. Whoever drives it in another way calls `start`, then `handle` and `rest`, then `closeDown`.
struct EventWriter {
    let file: DatabaseFile
    let tuning: StoreTuning
    let shared: StoreShared
    let reserve: any SpaceReserve
    let wal = WALCounter()
    /// nil after it could not be opened again: the next order tries.
    var database: DatabaseQueue?
    var statements: WriterStatements?
    var chain: EventChain
    var lastSequence: Int64
    /// The state row that rides on the newest event; nil while nothing was counted.
    var counters: [UInt8]?
    /// Decisions of this generation and older were made on an image that does not hold.
    var failedGeneration: UInt64?
    var pendingCursors: [String: Int64] = [:]
    var pendingSince: Int64?
    var pendingDistance: Int64 = 0
    var nextReserveAttempt: Int64 = 0
    /// Whether the WAL is still shorter than it may be made.
    var isWALShort = false

    /// Decisions sealed for one transaction, with the answers to give when it is over, in the order of the orders.
    struct Group {
        enum Answer {
            case committed(WriterJob.Commit, [StoredEvent])
            case refused(WriterJob.Commit, StoreError)
            case probe(UInt64, @Sendable (UInt64) -> Void)
        }

        var chain: EventChain
        var lastSequence: Int64
        var events: [StoredEvent] = []
        var rows: [RenderedDecision.Row] = []
        /// As the newest event leaves them.
        var counters: [UInt8]?
        var answers: [Answer] = []
        var decisions = 0
    }

    init(_ log: OpenedLog, file: DatabaseFile, tuning: StoreTuning, reserve: any SpaceReserve) {
        self.file = file
        self.tuning = tuning
        self.reserve = reserve
        shared = log.shared
        database = log.database
        chain = log.chain
        lastSequence = log.lastSequence
        counters = log.counters
    }

    mutating func run(_ mailbox: WriterMailbox<WriterJob>) {
        start()
        while true {
            let (jobs, isClosed) = mailbox.take(waitingAtMost: patience)
            if jobs.isEmpty {
                if isClosed { break }
                rest()
            } else {
                handle(jobs)
            }
        }
        closeDown()
    }

    mutating func start() {
        if let database { wal.attach(to: database) }
        makeReserve()
    }

    mutating func handle(_ jobs: [WriterJob]) {
        var group = Group(chain: chain, lastSequence: lastSequence, counters: counters)
        for job in jobs {
            switch job {
            case .commit(let commit):
                take(commit, into: &group)
                if group.decisions >= tuning.groupLimit { write(&group) }
            case .acknowledge(let destination, let sequence, let distance):
                pendingCursors[destination] = max(sequence, pendingCursors[destination] ?? 0)
                pendingDistance += distance
                if pendingSince == nil { pendingSince = tuning.clock() }
            case .probe(let token, let completion):
                group.answers.append(.probe(token, completion))
            case .load(let completion):
                write(&group)
                completion(load())
            case .maintain(let context, let body, let completion):
                write(&group)
                completion(maintain(context, body))
            }
        }
        write(&group)
        if pendingDistance >= tuning.cursorEvents || pendingSince.map({ tuning.clock() - $0 >= tuning.cursorDelay }) == true {
            writeCursors()
        }
        if wal.backlogBytes >= tuning.checkpointBytes { checkpoint(.passive) }
    }

    /// Seals what continues the log, refuses what does not.
    private mutating func take(_ commit: WriterJob.Commit, into group: inout Group) {
        if let failed = failedGeneration, commit.generation <= failed {
            group.answers.append(.refused(commit, StoreError(.superseded, "decided on an image that no longer holds")))
            return
        }
        var chain = group.chain
        var sequence = group.lastSequence
        var sealed: [StoredEvent] = []
        for event in commit.decision.events {
            guard event.sequence == sequence + 1 else {
                failedGeneration = commit.generation
                let error = StoreError(.outOfSequence, "event \(event.sequence) after \(sequence)")
                group.answers.append(.refused(commit, error))
                return
            }
            sequence += 1
            sealed.append(chain.seal(event))
        }
        group.chain = chain
        group.lastSequence = sequence
        group.events += sealed
        // They follow from events, so that there is one to ride on.
        for row in commit.decision.rows {
            if row.key == StateRow.counters { group.counters = row.value } else { group.rows.append(row) }
        }
        group.decisions += 1
        group.answers.append(.committed(commit, sealed))
    }

    /// Writes the group, answers everybody in it, and starts the next one.
    private mutating func write(_ group: inout Group) {
        guard !group.answers.isEmpty else { return }
        var failure: StoreError?
        if !group.events.isEmpty || !group.rows.isEmpty {
            do throws(StoreError) {
                try commit(group)
                chain = group.chain
                lastSequence = group.lastSequence
                counters = group.counters
                shared.lastSequence.withLock { $0 = group.lastSequence }
            } catch {
                failure = error
                shared.note(error)
            }
        }
        answer(group, failure)
        group = Group(chain: chain, lastSequence: lastSequence, counters: counters)
    }

    private mutating func answer(_ group: Group, _ failure: StoreError?) {
        if failure != nil {
            for case .committed(let commit, _) in group.answers { failedGeneration = max(failedGeneration ?? 0, commit.generation) }
        }
        let wrote = failure == nil && !group.events.isEmpty
        let refused = group.answers.count { if case .refused = $0 { true } else { false } }
        shared.statistics.withLock { statistics in
            statistics.walBytes = wal.bytes
            statistics.walBytesWritten = wal.bytesWritten
            statistics.failures += Int64(refused + (failure == nil ? 0 : group.decisions))
            guard failure == nil else { return }
            statistics.commits += Int64(group.decisions)
            statistics.events += Int64(group.events.count)
            statistics.groups += wrote ? 1 : 0
        }
        for answer in group.answers {
            switch answer {
            case .committed(let commit, let events): commit.completion(failure.map(CommitOutcome.failed) ?? .committed(events))
            case .refused(let commit, let error): commit.completion(.failed(error))
            case .probe(let token, let completion): completion(token)
            }
        }
    }

    /// How long to wait for orders before there is something to do without any; nil: nothing is pending.
    var patience: Int64? {
        var waits: [Int64] = []
        let now = tuning.clock()
        if let pendingSince { waits.append(pendingSince + tuning.cursorDelay - now) }
        if wal.backlog > tuning.idleCheckpointFrames { waits.append(tuning.idle) }
        if nextReserveAttempt > 0 { waits.append(nextReserveAttempt - now) }
        if lengthensWAL { waits.append(0) }
        return waits.min().map { max(0, $0) }
    }

    /// What is done when nothing is asked.
    mutating func rest() {
        let now = tuning.clock()
        if let since = pendingSince, now - since >= tuning.cursorDelay { writeCursors() }
        if wal.backlog > tuning.idleCheckpointFrames { checkpoint(.passive) }
        if nextReserveAttempt > 0, now >= nextReserveAttempt { makeReserve() }
        // A piece at a time, so that no order waits long.
        if lengthensWAL { isWALShort = file.lengthenWAL(to: tuning.checkpointBytes) == .more }
    }

    /// Not while the reserve is wanting, which goes first.
    private var lengthensWAL: Bool { isWALShort && nextReserveAttempt == 0 && database != nil }

    mutating func makeReserve() {
        let isThere = reserve.create()
        nextReserveAttempt = isThere ? 0 : tuning.clock() + tuning.reserveRetry
        if isThere { isWALShort = true }
        shared.statistics.withLock { $0.hasReserve = isThere }
    }
}
