import GRDB
import Glibc

/// What a restore would do.
public struct RestorePlan: Hashable, Sendable {
    /// Whose key signed the backup.
    public enum Signer: String, Hashable, Sendable {
        /// That of the directory that it is restored to.
        case thisGateway = "this_gateway"
        /// Another one: somebody else's backup, or the key was lost since.
        case other
        /// The directory has no key to compare with: the signature says only that nothing was changed after it.
        case unknown
    }

    public var manifest: BackupManifest
    public var signer = Signer.unknown
    /// The number of the newest event of the present store; nil when there is none, or it cannot be read.
    public var presentLast: Int64?
    /// Why the present store cannot be read.
    public var presentProblem: String?
    /// What each destination has acknowledged of events that are not in the backup, by its name.
    public var acknowledged: [String: Int64] = [:]

    /// How many events of the present store are not in the backup; nil when it cannot be read.
    public var lost: Int64? { presentProblem == nil ? max(0, (presentLast ?? 0) - manifest.last) : nil }
}

/// Puts a backup in the place of a store whose daemon does not run.
public enum StoreRestore {
    /// Looks at the backup, every byte of it, and at what is there.
    /// - Throws: `.badBackup`, `.locked` while a daemon has the store open, `.otherGateway`.
    public static func plan(backup folder: String, directory: String) throws(StoreError) -> RestorePlan {
        let manifest = try BackupManifest(folder: folder)
        if let problem = manifest.problem {
            throw StoreError(.badBackup, "\(folder) was made of a store that was damaged already: \(problem)")
        }
        try manifest.check(folder: folder)
        var plan = RestorePlan(manifest: manifest)
        if let key = GatewayKey.publicHex(directory: directory) { plan.signer = key == manifest.signer ? .thisGateway : .other }
        guard StoreFiles.exists("\(directory)/events.db") else { return plan }
        do throws(StoreError) {
            let present = try RestingStore(directory: directory)
            defer { present.close() }
            guard present.gateway == manifest.gateway || present.end.sequence == 0 else {
                throw StoreError(.otherGateway, "the backup is of gateway \(manifest.gateway), the store of \(present.gateway)")
            }
            plan.presentLast = max(present.end.sequence, present.archive.last)
            plan.acknowledged = present.cursors.filter { $0.value > manifest.last }
        } catch {
            guard error.code != .locked, error.code != .otherGateway else { throw error }
            plan.presentProblem = error.context
        }
        return plan
    }

    /// Restores: a new epoch begins behind the backup's last event, and what was there is moved aside, never removed. People who were
    /// erased since are erased in what comes back.
    /// - Parameter acceptsOtherSigner: whether a backup that another key has signed will do.
    /// - Returns: the folder with what was there.
    public static func run(
        backup folder: String, directory: String, acceptsOtherSigner: Bool = false, random: () -> UInt64
    ) throws(StoreError) -> String {
        guard mkdir(directory, 0o750) == 0 || errno == EEXIST else { throw StoreFiles.failure("make", directory) }
        let plan = try plan(backup: folder, directory: directory)
        guard plan.signer != .other || acceptsOtherSigner else {
            throw StoreError(.badBackup, "\(folder) is signed by another key than that of \(directory)")
        }
        let lock = try StoreLock(directory: directory)
        defer { lock.release() }
        // One that was interrupted comes first.
        try StoreReplacement.finish(in: directory)
        let replacement = try StoreReplacement(directory: directory, kind: "replaced")
        do throws(StoreError) {
            try stage(plan.manifest, from: folder, directory: directory, in: replacement.staging, epoch: random())
            try replacement.commit()
        } catch {
            replacement.discard()
            throw error
        }
        return replacement.aside
    }

    private static func stage(
        _ manifest: BackupManifest, from folder: String, directory: String, in staging: String, epoch: UInt64
    ) throws(StoreError) {
        func copy(_ file: BackupManifest.File, _ source: String, to target: String, mode: mode_t) throws(StoreError) {
            // Once more: the disk of the backup may give other bytes than a moment ago.
            guard try StoreFiles.copy(source, to: "\(staging)/\(target)", mode: mode).hex == file.digest else {
                throw StoreError(.badBackup, "\(source) is not what the manifest says")
            }
        }
        for file in manifest.files { try copy(file, "\(folder)/\(file.name)", to: file.name, mode: 0o600) }
        let parent = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "."
        // Also when it stays empty: the archive that is there belongs to the store that goes.
        try StoreFiles.makeFolder("\(staging)/archive")
        for file in manifest.archives {
            guard let name = BackupManifest.archiveName(file, gateway: manifest.gateway) else { continue }
            try copy(file, "\(parent)/archive/\(file.name)", to: "archive/\(name)", mode: 0o640)
        }
        if manifest.file("master.db") != nil { try MasterErasure.repeatErasures(notedIn: directory, on: staging) }
        let file = DatabaseFile(path: "\(staging)/events.db", schema: .events, durability: .full)
        let queue = try file.openWriter()
        defer { try? queue.close() }
        let last = try LogEnd(reading: queue).sequence
        let epochs = try storing("begin a new epoch in \(file.path)") {
            try queue.inTransaction(.immediate) { db in
                try StoreEpoch.begin(epoch, reason: "restored", at: EventStore.now(), after: last, db)
                return .commit
            }
            return try queue.inDatabase { try StoreEpoch.all($0) }
        }
        try StoreReplacement.settle(queue)
        try StoreTimeline.write(epochs, in: staging)
    }
}
