import GRDB
import Ledger
import Readings

/// Reads from a store's database, the running one's or that of one at rest.
protocol StoreReading {
    func read<Result: Sendable>(_ context: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result
}

extension StoreShared: StoreReading {}

/// How far a verification has come.
public struct VerificationProgress: Hashable, Sendable {
    public var events: Int64
    /// The number of the newest event.
    public var last: Int64
}

/// Walks archive and log as one chain, folds every event, and compares the result with what is stored.
struct StoreWalk {
    private let identities: EventIdentities
    private let gateway: String
    private let archive: Archive
    private let signer: String?
    private var chain: EventChain
    private var state = LedgerState()
    private var isFoldWhole = true
    private var lastSequence: Int64 = 0
    private var result = StoreVerification()

    /// - Parameter signer: the public key of the gateway; nil where it is not there.
    init(identities: EventIdentities, gateway: String, archive: Archive, signer: String?) {
        self.identities = identities
        self.gateway = gateway
        self.archive = archive
        self.signer = signer
        chain = EventChain(identities: identities)
    }

    /// - Parameter progress: called after every step; false ends the walk early.
    static func run(
        _ walk: StoreWalk, over reading: some StoreReading, last: Int64, progress: (VerificationProgress) -> Bool
    ) throws(StoreError) -> StoreVerification {
        var walk = walk
        while true {
            // Again after every step: meanwhile events can have gone from the log to files.
            let checkpoints = walk.archive.checkpoints.filter { $0.first > walk.lastSequence }
            for checkpoint in checkpoints {
                walk.take(checkpoint, isNewest: checkpoint == checkpoints.last)
                guard progress(.init(events: walk.result.events, last: last)) else { return walk.result }
            }
            let position = walk.lastSequence
            if walk.archive.last > position {
                let events = try walk.archive.events(after: position, limit: 1_000)
                guard !events.isEmpty else { throw StoreError(.archiveMissing, "event \(position + 1) is in no file of the archive") }
                for event in events { walk.take(event, from: "archive") }
                continue
            }
            // Steps, so that the writer's checkpoints are not held up; the last one sees the end of the log and the state together.
            let step = try reading.read("verify after event \(position)") { db in
                let events = try StoredEvent.all(
                    db, sql: "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT 1000", arguments: [position])
                return (events, events.count < 1_000 ? try StateRow.all(db) : nil)
            }
            if walk.archive.last > position, step.0.first?.sequence != position + 1 { continue }
            for event in step.0 { walk.take(event, from: "events.db") }
            if let rows = step.1 { return walk.compare(rows) }
            guard progress(.init(events: walk.result.events, last: last)) else { return walk.result }
        }
    }

    private mutating func take(_ checkpoint: ArchiveCheckpoint, isNewest: Bool) {
        result.checkpoints += 1
        let file = "archive/\(checkpoint.fileName)"
        if checkpoint.first != lastSequence + 1 {
            result.add("events \(lastSequence + 1) to \(checkpoint.first - 1) are in no file of the archive", event: lastSequence + 1)
        }
        if !checkpoint.isGenuine(gateway: gateway) {
            result.add("the checkpoint at event \(checkpoint.last) is not signed by the key that it names", event: checkpoint.last)
        } else if let signer, signer != checkpoint.signer {
            result.add(
                "the checkpoint at event \(checkpoint.last) is signed by another gateway's key", event: checkpoint.last,
                nextStep: .askWhoSigned)
        }
        do throws(StoreError) {
            for event in try archive.events(of: checkpoint) { take(event, from: file) }
            result.archived += checkpoint.last - checkpoint.first + 1
            if lastSequence != checkpoint.last || chain.lastHash != checkpoint.hash {
                result.add("\(file) does not end with the event that was signed", event: checkpoint.last, file: file, nextStep: .putBack)
            }
            // Each of them would take as long as all events together; the last one covers the others, for the fold is one.
            if isNewest, isFoldWhole, ArchiveCheckpoint.digest(of: state) != checkpoint.state {
                result.add("the events up to \(checkpoint.last) do not make the state that was signed", event: checkpoint.last)
            }
        } catch {
            result.add(error.context, event: checkpoint.first, file: file, nextStep: .putBack)
            // The chain can be followed on from the signed hash, the state cannot.
            isFoldWhole = false
        }
        lastSequence = checkpoint.last
        chain = EventChain(identities: identities, lastHash: checkpoint.hash)
    }

    private mutating func take(_ stored: StoredEvent, from file: String) {
        let number = stored.sequence
        if number != lastSequence + 1 { result.add("event \(lastSequence + 1) is missing", event: lastSequence + 1, file: file) }
        lastSequence = number
        result.events += 1
        if let problem = chain.follow(stored) { result.add(problem, event: number, file: file) }
        if identities.beginsEpoch(number) { state.beginEpoch() }
        do {
            let json = try stored.json()
            if json.canonicalBytes != stored.bytes { result.add("event \(number) is not in canonical form", event: number, file: file) }
            _ = state.apply(try Event(json: json))
        } catch {
            result.add("event \(number): \(error)", event: number, file: file)
        }
    }

    private mutating func compare(_ stored: [StateRow]) -> StoreVerification {
        result.rows = stored.count
        result.last = lastSequence
        result.lastHash = chain.lastHash
        guard isFoldWhole else { return result }
        // Restored or recovered, and nothing has happened since.
        if identities.beginsEpoch(lastSequence + 1) { state.beginEpoch() }
        // By bytes, as SQLite compares them.
        var expected: [[UInt8]: JSON] = [:]
        for row in state.rows { expected[Array(row.key.utf8)] = row.value }
        for row in stored where !row.isLearned {
            guard let value = expected.removeValue(forKey: Array(row.key.utf8)) else {
                result.add("state row \(row.key) follows from no event", nextStep: .restoreState)
                continue
            }
            if value != row.value { result.add("state row \(row.key) is not what the events say", nextStep: .restoreState) }
        }
        for key in expected.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            result.add("state row \(String(decoding: key, as: UTF8.self)) is missing", nextStep: .restoreState)
        }
        return result
    }
}

extension EventStore {
    /// Walks archive and log: no gap, right ids, one chain, canonical bytes, genuine checkpoints, and the fold of all events is exactly
    /// the stored state. What stations have learned follows from no event and is left out.
    /// - Parameter progress: called from time to time; false ends the walk early.
    public func verify(progress: (VerificationProgress) -> Bool = { _ in true }) throws(StoreError) -> StoreVerification {
        let signer = StoreFiles.exists("\(directory)/gateway.key") ? try GatewayKey(directory: directory).publicHex : nil
        let walk = StoreWalk(identities: identities, gateway: gateway, archive: archive, signer: signer)
        return try StoreWalk.run(walk, over: shared, last: lastSequence, progress: progress).notingKey(isThere: signer != nil)
    }

    /// The same for the store of a daemon that does not run; nothing is written.
    /// - Throws: `.locked` while a daemon has it open, `.olderSchema` when this version has never opened it.
    public static func verify(
        directory: String, progress: (VerificationProgress) -> Bool = { _ in true }
    ) throws(StoreError) -> StoreVerification {
        let store = try RestingStore(directory: directory)
        defer { store.close() }
        let signer = StoreFiles.exists("\(directory)/gateway.key") ? try GatewayKey(directory: directory).publicHex : nil
        let walk = StoreWalk(identities: store.identities, gateway: store.gateway, archive: store.archive, signer: signer)
        return try StoreWalk.run(walk, over: store, last: store.end.sequence, progress: progress).notingKey(isThere: signer != nil)
    }
}
