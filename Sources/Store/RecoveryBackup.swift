import Glibc

/// The backup that a recovery starts from.
struct RecoveryBackup {
    let path: String
    let manifest: BackupManifest
    /// Whether its events are those of the damaged log, and not of one that a restore has left behind.
    let isOfTimeline: Bool

    /// What is looked for.
    struct Search {
        /// The folder with the backups.
        var parent: String
        var directory: String
        var gateway: String
        /// The public key of the gateway; nil when it is gone.
        var signer: String?
        var timeline: StoreTimeline
        /// Whether one of another timeline is better than none.
        var acceptsAny: Bool
    }

    /// Finds the newest backup that is genuine, whole, sound and of this store, and copies the log in it to a folder.
    ///
    /// Its digests only say that it is what was copied; so the store in it is walked from the first event to the last.
    /// - Throws: `.diskFull`: a backup for which there is no room is no bad one.
    static func find(_ search: Search, copyingTo staging: String) throws(StoreError) -> RecoveryBackup? {
        let candidates = StoreBackups.folders(in: search.parent, gateway: search.gateway).reversed().filter {
            $0.manifest.problem == nil && (search.signer == nil || search.signer == $0.manifest.signer)
        }
        for isOfTimeline in search.acceptsAny ? [true, false] : [true] {
            for candidate in candidates {
                do throws(StoreError) {
                    if try copy(candidate.path, candidate.manifest, search, isOfTimeline, to: staging) {
                        return RecoveryBackup(path: candidate.path, manifest: candidate.manifest, isOfTimeline: isOfTimeline)
                    }
                } catch {
                    guard error.code != .diskFull else { throw error }
                }
                for name in ["events.db", "events.db-wal", "events.db-shm"] { unlink("\(staging)/\(name)") }
            }
        }
        return nil
    }

    private static func copy(
        _ path: String, _ manifest: BackupManifest, _ search: Search, _ isOfTimeline: Bool, to staging: String
    ) throws(StoreError) -> Bool {
        guard let expected = manifest.file("events.db"),
            try StoreFiles.copy("\(path)/events.db", to: "\(staging)/events.db").hex == expected.digest
        else { return false }
        let archive = "\(search.directory)/archive"
        let store = try RestingStore(directory: staging, takesLock: false, archive: archive)
        defer { store.close() }
        guard store.gateway == search.gateway else { return false }
        if isOfTimeline, !search.timeline.holds(store.epochs, last: manifest.last) { return false }
        for checkpoint in store.archive.checkpoints {
            Archive.fetch(checkpoint, gateway: search.gateway, from: "\(search.parent)/archive", to: archive)
        }
        guard try StoreProof.problem(of: store) == nil else { return false }
        let walk = StoreWalk(identities: store.identities, gateway: store.gateway, archive: store.archive, signer: search.signer)
        let verification = try StoreWalk.run(walk, over: store, last: store.end.sequence) { _ in true }
        // A file of the archive that is gone everywhere is no fault of the backup: the chain runs on from what was signed.
        return verification.findings.allSatisfy { $0.nextStep == StoreVerification.NextStep.putBack.rawValue }
    }
}
