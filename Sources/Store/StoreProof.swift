import GRDB
import Ledger

/// Whether the store in a copy is sound: a copy holds faithfully what is wrong with the original.
enum StoreProof {
    /// Looks at the pages, the cursors, the chain of the log from its newest checkpoint on, and the state that it makes. The files of the
    /// archive are not read.
    /// - Returns: what is wrong; nil when nothing is.
    static func problem(of store: RestingStore) throws(StoreError) -> String? {
        do throws(StoreError) {
            let pages = try store.read("check the pages") { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") ?? "no answer" }
            guard pages == "ok" else { return pages }
            let archived = store.archive.checkpoints.last
            let last = max(store.end.sequence, archived?.last ?? 0)
            if let (destination, acknowledged) = store.cursors.first(where: { $0.value > last }) {
                return "\(destination) has acknowledged event \(acknowledged), the log ends at \(last)"
            }
            let fold = archived.map { Archive.keptState(in: store.archive.directory, last: $0.last, digest: $0.state) } ?? LedgerState()
            return try problem(of: store, after: archived, fold: fold)
        } catch {
            guard error.code == .corrupt else { throw error }
            return error.context
        }
    }

    /// - Parameter fold: the state at the end of the archive; nil: not known, and then the state is not compared.
    private static func problem(
        of store: RestingStore, after archived: ArchiveCheckpoint?, fold: LedgerState?
    ) throws(StoreError) -> String? {
        var fold = fold
        var position = archived?.last ?? 0
        var chain = EventChain(identities: store.identities, lastHash: archived?.hash ?? EventChain.origin)
        while true {
            let after = position
            let events = try store.read("check events after \(after)") { db in
                try StoredEvent.all(db, sql: "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT 1000", arguments: [after])
            }
            for event in events {
                guard event.sequence == position + 1 else { return "event \(position + 1) is missing" }
                if let problem = chain.follow(event) { return problem }
                try fold?.take(event, of: store.identities)
                position = event.sequence
            }
            if events.count < 1_000 { break }
        }
        let rows = try store.read("check the state") { try StateRow.all($0) }
        guard var fold else { return nil }
        if store.identities.beginsEpoch(position + 1) { fold.beginEpoch() }
        let (stored, expected) = (Set(rows.lazy.filter { !$0.isLearned }), Set(fold.rows.lazy.filter { !$0.isLearned }))
        return stored == expected ? nil : "the state is not what the events say"
    }
}
