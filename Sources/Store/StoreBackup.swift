import GRDB
import Glibc
import Ledger
import Readings

/// A backup that was made.
public struct BackupReport: Hashable, Sendable {
    /// The folder.
    public var path: String
    public var manifest: BackupManifest
    /// Bytes of its own files, those of the archive not counted.
    public var bytes: Int64
    /// Folders of older backups that made room.
    public var removed: [String]
}

extension EventStore {
    /// Copies the record, the master data and the key to a folder of their own, beside the running writer: the copies are made over
    /// connections that only read. Files of the archive stand in one folder `archive` beside all backups, each copied once.
    /// - Parameters:
    ///   - parent: is made when it is missing; gets the folder `GATEWAY-TIME`.
    ///   - keep: the number of backups of this gateway that stay, 1 or more.
    /// - Throws: `.diskFull` when there is no room for it, `.inputOutput`, `.keyMissing`; what was begun is removed again. `.corrupt` when
    ///   the copy shows that the store is damaged: the older backups stay then.
    public func backUp(to parent: String, keep: Int) throws(StoreError) -> BackupReport {
        try StoreFiles.makeFolder(parent)
        try checkSpace(at: parent)
        let created = Self.now()
        let stamp = created.filter { $0 != "-" && $0 != ":" }
        let path = StoreFiles.free("\(parent)/\(gateway)-\(stamp)")
        let temporary = "\(parent)/.\(gateway)-unfinished"
        StoreFiles.removeFolder(temporary)
        try StoreFiles.makeFolder(temporary)
        var isDone = false
        defer { if !isDone { StoreFiles.removeFolder(temporary) } }

        try copy("events.db", schema: .events, to: temporary)
        if StoreFiles.exists("\(directory)/master.db") { try copy("master.db", schema: .master, to: temporary) }
        let key = try GatewayKey(directory: directory, hasSigned: !archive.checkpoints.isEmpty)
        try StoreFiles.copy("\(directory)/gateway.key", to: "\(temporary)/gateway.key")
        // What the copy holds, not what the log has by now.
        let copied = try RestingStore(directory: temporary, takesLock: false, archive: archive.directory)
        let (end, epoch, checkpoints) = (copied.end, copied.epochs.last?.epoch ?? 0, copied.archive.checkpoints)
        let problem: String?
        do throws(StoreError) { problem = try StoreProof.problem(of: copied) } catch {
            copied.close()
            throw error
        }
        copied.close()
        for name in ["events.db-wal", "events.db-shm"] { unlink("\(temporary)/\(name)") }
        var manifest = BackupManifest(
            gateway: gateway, epoch: epoch, last: max(end.sequence, checkpoints.last?.last ?? 0),
            lastHash: end.sequence == 0 ? checkpoints.last?.hash ?? end.hash : end.hash, created: created,
            archives: try copyArchive(checkpoints, to: "\(parent)/archive"), signer: key.publicHex)
        manifest.number = (StoreBackups.folders(in: parent, gateway: gateway).map(\.manifest.number).max() ?? 0) + 1
        manifest.problem = problem
        for name in StoreFiles.names(in: temporary) {
            let digest = try FileDigest(of: "\(temporary)/\(name)")
            manifest.files.append(.init(name: name, bytes: digest.bytes, digest: digest.hex))
        }
        try manifest.write(to: temporary, key)
        try StoreFiles.rename(temporary, to: path)
        isDone = true
        let removed = StoreBackups.rotate(parent, gateway: gateway, keep: keep, made: path)
        if let problem {
            throw StoreError(.corrupt, "the ledger is damaged: \(problem). The copy is \(path); the backups before it stay")
        }
        return BackupReport(path: path, manifest: manifest, bytes: manifest.files.reduce(0) { $0 + $1.bytes }, removed: removed)
    }

    /// A backup that fills the disk would take the room of the ledger on it.
    /// - Parameter free: bytes; nil: what is free there.
    func checkSpace(at parent: String, free: Int64? = nil) throws(StoreError) {
        // Not the length of the WAL, which has its full one from the start.
        let own = ["events.db", "master.db"].reduce(statistics.walBytes) { $0 + StoreFiles.size("\(directory)/\($1)") }
        let needed = own + own / 5 + 64 << 20
        let free = if let free { free } else { try StoreFiles.free(at: parent) }
        guard free >= needed else {
            throw StoreError(.diskFull, "a backup needs \(needed >> 20) MiB in \(parent), \(free >> 20) MiB are free")
        }
    }

    private func copy(_ name: String, schema: StoreSchema, to folder: String) throws(StoreError) {
        let target = "\(folder)/\(name)"
        let reader = try DatabaseFile(path: "\(directory)/\(name)", schema: schema, durability: .full).openReader()
        defer { try? reader.close() }
        try storing("back up \(name) to \(folder)") {
            try reader.inDatabase { try $0.execute(sql: "VACUUM INTO ?", arguments: [target]) }
        }
        chmod(target, 0o600)
        try StoreFiles.synchronise(target)
    }

    private func copyArchive(_ checkpoints: [ArchiveCheckpoint], to folder: String) throws(StoreError) -> [BackupManifest.File] {
        guard !checkpoints.isEmpty else { return [] }
        try StoreFiles.makeFolder(folder)
        var files: [BackupManifest.File] = []
        for checkpoint in checkpoints {
            let (source, name) = (archive.path(of: checkpoint), checkpoint.backupName(gateway: gateway))
            let target = "\(folder)/\(name)"
            var held = StoreFiles.exists(target) ? try FileDigest(of: target) : nil
            if held?.hex != checkpoint.file {
                held = try StoreFiles.copy(source, to: "\(target).new")
                guard held?.hex == checkpoint.file else {
                    unlink("\(target).new")
                    throw StoreError(.archiveMissing, "\(source) is not the file that was signed when events were moved to it")
                }
                try StoreFiles.rename("\(target).new", to: target)
            }
            files.append(.init(name: name, bytes: held?.bytes ?? 0, digest: checkpoint.file))
        }
        try DatabaseFile.synchroniseDirectory(of: "\(folder)/.")
        return files
    }

    /// When the newest backup of this log in a folder was made, RFC 3339; nil: a backup is due. There is none, the clock was wrong when it
    /// was made, it is of a log that a restore or recovery has left behind, or another key has signed it.
    public func newestBackup(in parent: String) -> String? {
        guard let newest = StoreBackups.folders(in: parent, gateway: gateway).last?.manifest, newest.epoch == epoch,
            newest.signer == GatewayKey.publicHex(directory: directory)
        else { return nil }
        return newest.created <= Self.now() ? newest.created : nil
    }

    static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The backups in a folder.
enum StoreBackups {
    /// Folders that have a manifest that can be read and is genuine, oldest first.
    static func folders(in parent: String, gateway: String) -> [(path: String, manifest: BackupManifest)] {
        StoreFiles.names(in: parent).filter { $0.hasPrefix("\(gateway)-") }.compactMap { name in
            let path = "\(parent)/\(name)"
            return (try? BackupManifest(folder: path)).map { (path, $0) }
        }.filter { $0.manifest.gateway == gateway }.sorted {
            ($0.manifest.number, $0.manifest.created, $0.path) < ($1.manifest.number, $1.manifest.created, $1.path)
        }
    }

    /// Removes the oldest backups, and the files of the archive that only these had. A damaged one takes no place of a good one.
    /// - Parameter made: the one that was just made.
    /// - Returns: what was removed.
    static func rotate(_ parent: String, gateway: String, keep: Int, made: String) -> [String] {
        let all = folders(in: parent, gateway: gateway)
        let damaged = all.filter { $0.manifest.problem != nil && $0.path != made }
        let isSound = !all.contains { $0.path == made && $0.manifest.problem != nil }
        let good = all.filter { $0.manifest.problem == nil && $0.path != made }
        // While the ledger is damaged, the good ones are all that there is.
        let old = damaged + (isSound ? Array(good.dropLast(max(1, keep) - 1)) : [])
        for folder in old {
            MasterErasure.removeRemains(in: folder.path)
            StoreFiles.removeFolder(folder.path)
        }
        let left = folders(in: parent, gateway: gateway)
        // With one that cannot be read nobody knows what it needs.
        guard left.count == StoreFiles.names(in: parent).count(where: { $0.hasPrefix("\(gateway)-") }) else { return old.map(\.path) }
        let needed = Set(left.flatMap { $0.manifest.archives.map(\.name) })
        for name in Set(old.flatMap { $0.manifest.archives.map(\.name) }).subtracting(needed) { unlink("\(parent)/archive/\(name)") }
        return old.map(\.path)
    }
}

extension StoreFiles {
    /// The path, or with `-2`, `-3` … behind it, that is not taken.
    static func free(_ path: String) -> String {
        var candidate = path
        var number = 1
        while exists(candidate) {
            number += 1
            candidate = "\(path)-\(number)"
        }
        return candidate
    }
}
