import GRDB
import Ledger
import Readings
import Synchronization

/// Which events leave the log.
public struct RetentionPolicy: Hashable, Sendable {
    /// Events younger than this stay.
    public var days: Int64
    /// The newest so many stay whatever their age: for a look, and so that the log never ends before a cursor.
    public var newest: Int64 = 10_000
    /// Events in one file, and in one transaction.
    public var range: Int64 = 2_000

    public init(days: Int64 = 30) {
        self.days = days
    }
}

extension EventStore {
    /// The number of the newest event that is in a file of the archive; 0: none.
    public var archivedThrough: Int64 { archive.last }

    /// Moves events that every destination has acknowledged, and that are old enough, to files: file first, then one transaction with a
    /// signed checkpoint and the removal. Must not be called from a completion; one call at a time.
    /// - Parameters:
    ///   - destinations: those that must have acknowledged them.
    ///   - time: now. Only where the clock is known to be right.
    ///   - limit: the most ranges that one call moves.
    /// - Returns: how many events were moved.
    @discardableResult
    public func archive(
        _ policy: RetentionPolicy, destinations: [String], at time: WallTime, limit: Int = .max
    ) throws(StoreError) -> Int64 {
        try settleCheckpoint()
        let acknowledged = destinations.map { cursor($0) }.min() ?? .max
        let end = min(acknowledged, lastSequence - policy.newest)
        let cutoff = time.milliseconds - policy.days * 86_400_000
        var moved: Int64 = 0
        var fold: LedgerState?
        var ranges = 0
        while archive.last + policy.range <= end, ranges < limit {
            let (first, last) = (archive.last + 1, archive.last + policy.range)
            let events = try logged(first, last)
            guard let newest = events.last, let json = try? newest.json(),
                let happened = json["time"]?.string.flatMap(WallTime.init(rfc3339:)),
                happened.milliseconds < cutoff
            else { break }
            var state: LedgerState
            if let fold { state = fold } else { state = try archivedState() }
            var chain = EventChain(identities: identities, lastHash: archive.lastHash)
            for event in events {
                if let problem = chain.follow(event) { throw StoreError(.corrupt, problem) }
                try state.take(event, of: identities)
            }
            fold = state
            let key = try GatewayKey(directory: directory, hasSigned: !archive.checkpoints.isEmpty)
            var checkpoint = ArchiveCheckpoint(
                first: first, last: last, hash: chain.lastHash, file: "", state: ArchiveCheckpoint.digest(of: state), at: time.rfc3339,
                signer: key.publicHex, signature: "")
            checkpoint.file = try archive.write(events, to: checkpoint.fileName)
            checkpoint.signature = try key.signature(of: checkpoint.signedBytes(gateway: gateway))
            let signed = checkpoint
            // Known before they leave the log, so that whoever reads at this moment finds them in one place or the other.
            archive.add(signed)
            do throws(StoreError) {
                try maintain("archive events \(first) to \(last)") { db in
                    try signed.insert(db)
                    try db.execute(sql: "DELETE FROM event WHERE seq BETWEEN ? AND ?", arguments: [first, last])
                }
            } catch {
                // Not known to be there is not known to be gone: while the disk does not tell, the file answers for what may have left the
                // log, and the next call looks again.
                unsettledCheckpoint.withLock { $0 = signed }
                try settleCheckpoint()
                guard archive.last == signed.last else { throw error }
            }
            moved += policy.range
            ranges += 1
        }
        if moved > 0, let fold { try keep(fold) }
        return moved
    }

    /// Finds out whether the checkpoint of a failed transaction is in the log after all.
    private func settleCheckpoint() throws(StoreError) {
        guard let signed = unsettledCheckpoint.withLock({ $0 }) else { return }
        let stored = try shared.read("read the checkpoints") { try ArchiveCheckpoint.all($0) }
        if stored.last?.last != signed.last { archive.forgetNewest() }
        unsettledCheckpoint.withLock { $0 = nil }
    }

    private func logged(_ first: Int64, _ last: Int64) throws(StoreError) -> [StoredEvent] {
        let events = try shared.read("read events \(first) to \(last)") {
            try StoredEvent.all($0, sql: "SELECT seq, body FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq", arguments: [first, last])
        }
        guard events.count == last - first + 1 else { throw StoreError(.corrupt, "of events \(first) to \(last) some are missing") }
        return events
    }

    // MARK: The state at the end of the archive

    /// The fold of everything in the archive: from the rows kept beside it where they agree with the checkpoint, else from the files.
    private func archivedState() throws(StoreError) -> LedgerState {
        let checkpoints = archive.checkpoints
        guard let newest = checkpoints.last else { return LedgerState() }
        if let kept = Archive.keptState(in: archive.directory, last: newest.last, digest: newest.state) { return kept }
        var state = LedgerState()
        for checkpoint in checkpoints {
            for event in try archive.events(of: checkpoint) { try state.take(event, of: identities) }
        }
        guard ArchiveCheckpoint.digest(of: state) == newest.state else {
            throw StoreError(.corrupt, "the archive up to event \(newest.last) does not make the state that was signed")
        }
        return state
    }

    private func keep(_ state: LedgerState) throws(StoreError) {
        var bytes: [UInt8] = []
        for row in state.rows where !row.isLearned {
            bytes += JSON.object(["key": .string(row.key), "value": row.value ?? .null]).canonicalBytes + [0x0A]
        }
        try StoreFiles.write(bytes, to: "\(archive.directory)/\(Archive.keptStateName)")
    }
}

extension LedgerState {
    /// Takes in a stored event, and before it the border between two epochs where there is one.
    mutating func take(_ stored: StoredEvent, of identities: EventIdentities) throws(StoreError) {
        if identities.beginsEpoch(stored.sequence) { beginEpoch() }
        do {
            _ = apply(try Event(json: try stored.json()))
        } catch {
            throw StoreError(.corrupt, "event \(stored.sequence): \(error)")
        }
    }
}
