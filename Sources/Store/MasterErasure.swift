import Glibc
import Ledger
import Readings

/// What became of the copies of the master data when a person was erased.
public struct ErasedCopies: Hashable, Sendable {
    /// Files that held something of the person, and hold nothing of it any more.
    public var erased: [String] = []
    /// Files that were looked at and held nothing.
    public var clean: [String] = []
    /// Files that could not be looked at or not be changed, and why. Somebody must remove them.
    public var failed: [String: String] = [:]
}

/// Erases a person from every copy of the master data beside the one in use: backups, files set aside, files of older schemas.
public enum MasterErasure {
    /// Call it under the same lock as backups, before the person is erased from the store in use: a power cut leaves the person there to
    /// be erased once more. The key, which is random and says nothing, is noted, so that no restore brings the person back.
    /// - Parameters:
    ///   - person: the random key of the person.
    ///   - backups: the folder with the backups; nil: there is none.
    ///   - time: RFC 3339.
    /// - Throws: `.inputOutput` when the key could not be noted; nothing is erased then.
    public static func eraseCopies(
        of person: PersonKey, in directory: String, backups: String?, gateway: String, at time: String
    ) throws(StoreError) -> ErasedCopies {
        try note(person, in: directory)
        let key = try? GatewayKey(directory: directory, hasSigned: true)
        var outcome = ErasedCopies()
        let folders = folders(in: directory, backups: backups, gateway: gateway)
        for folder in [directory] + folders { removeRemains(in: folder) }
        for file in copies(in: directory, folders) {
            do throws(StoreError) {
                let isErased = try erase([person.description], from: file, at: time)
                if isErased { outcome.erased.append(file) } else { outcome.clean.append(file) }
                try sign(file, key)
            } catch {
                outcome.failed[file] = error.description
            }
        }
        return outcome
    }

    // MARK: The list of those who were erased

    private static func listPath(_ directory: String) -> String { "\(directory)/erased" }

    private static func noted(in directory: String) throws(StoreError) -> [String] {
        guard StoreFiles.exists(listPath(directory)) else { return [] }
        return String(decoding: try StoreFiles.read(listPath(directory)), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func note(_ person: PersonKey, in directory: String) throws(StoreError) {
        let known = try noted(in: directory)
        guard !known.contains(person.description) else { return }
        let text = (known + [person.description]).map { "\($0)\n" }.joined()
        try StoreFiles.write(Array(text.utf8), to: listPath(directory), mode: 0o600)
    }

    /// Erases in a folder's `master.db` whoever was erased before.
    /// - Parameter directory: the state directory with the list.
    static func repeatErasures(notedIn directory: String, on folder: String) throws(StoreError) {
        let people = try noted(in: directory)
        if !people.isEmpty { _ = try erase(people, from: "\(folder)/master.db", at: EventStore.now()) }
    }

    // MARK: One copy

    /// Folders that can hold a `master.db` with names.
    private static func folders(in directory: String, backups: String?, gateway: String) -> [String] {
        let aside = StoreFiles.names(in: directory).filter {
            $0.hasPrefix("replaced-") || $0.hasPrefix("damaged-") || $0.hasPrefix("restoring")
        }
        var folders = aside.map { "\(directory)/\($0)" }
        for parent in Set([backups, "\(directory)/backups"].compactMap(\.self)).sorted() {
            // One that was not finished is none, and nobody is at it: see `eraseCopies`.
            StoreFiles.removeFolder("\(parent)/.\(gateway)-unfinished")
            folders += StoreFiles.names(in: parent).filter { $0.hasPrefix("\(gateway)-") }.map { "\(parent)/\($0)" }
        }
        return folders.filter(StoreFiles.isFolder)
    }

    /// Every other `master.db` that can hold names.
    private static func copies(in directory: String, _ folders: [String]) -> [String] {
        var files = StoreFiles.names(in: directory).filter { $0.hasPrefix("master.db.schema") && $0.contains(".backup") }
            .map { "\(directory)/\($0)" }
        for folder in folders {
            files += StoreFiles.names(in: folder).filter { $0 == "master.db" || $0.hasPrefix("master.db.schema") }.map { "\(folder)/\($0)" }
        }
        return files
    }

    /// Removes the folders with copies of master data that a power cut has left.
    static func removeRemains(in folder: String) {
        for name in StoreFiles.names(in: folder) where name.hasPrefix("master.db") && StoreFiles.isFolder("\(folder)/\(name)") {
            removeRemains(in: "\(folder)/\(name)")
            StoreFiles.removeFolder("\(folder)/\(name)")
        }
    }

    /// Works on a copy and puts it in the place of the file, so that a power cut leaves the one or the other.
    /// - Returns: whether there was anything to erase.
    private static func erase(_ people: [String], from file: String, at time: String) throws(StoreError) -> Bool {
        let folder = workFolder(of: file)
        StoreFiles.removeFolder(folder)
        try StoreFiles.makeFolder(folder)
        defer { StoreFiles.removeFolder(folder) }
        let copy = "\(folder)/master.db"
        try StoreFiles.copy(file, to: copy)
        // What a store that was not closed had not moved into the file yet.
        let hasWAL = StoreFiles.size("\(file)-wal") > 0
        if hasWAL { try StoreFiles.copy("\(file)-wal", to: "\(copy)-wal") }
        let store = try MasterStore(directory: folder)
        let all: [MasterRow]
        do throws(StoreError) {
            all = try store.load() + store.tombstones()
        } catch {
            store.close()
            throw error
        }
        let rows = people.flatMap(all.rows(about:))
        guard !rows.isEmpty || hasWAL || people.contains(where: { !all.rows(supervisedBy: $0).isEmpty }) else {
            store.close()
            return false
        }
        do throws(StoreError) {
            // Without rows too: what was spelled otherwise before may lie in pages that are no longer used.
            try store.erase(
                rows.map { ($0.set, $0.id) }, rewriting: people.flatMap(all.rows(supervisedBy:)), at: time, source: "erasure")
            try store.scrub()
            store.close()
        } catch {
            store.close()
            throw error
        }
        try StoreFiles.synchronise(copy)
        for rest in ["-wal", "-shm"] { unlink("\(file)\(rest)") }
        let digest = try FileDigest(of: copy)
        // Should the power go before the manifest is signed anew, this tells that it was us.
        if StoreFiles.exists(manifestPath(of: file)) { try StoreFiles.write(Array(digest.hex.utf8), to: "\(file).erased", mode: 0o600) }
        try StoreFiles.rename(copy, to: file)
        return true
    }

    private static func parent(_ file: String) -> String { file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "." }

    private static func workFolder(of file: String) -> String { "\(file).erasing" }

    private static func manifestPath(of file: String) -> String { "\(parent(file))/\(BackupManifest.fileName)" }

    /// Signs the manifest of a backup anew, if we are the ones who changed the file.
    private static func sign(_ file: String, _ key: GatewayKey?) throws(StoreError) {
        let note = "\(file).erased"
        guard StoreFiles.exists(note) else { return }
        let expected = String(decoding: try StoreFiles.read(note), as: UTF8.self)
        let found = try FileDigest(of: file)
        guard found.hex == expected else {
            // The power went before the changed file was in its place.
            unlink(note)
            return
        }
        guard let key else { throw StoreError(.keyMissing, "\(file) is changed, and there is no key to sign its manifest with") }
        var manifest = try BackupManifest(folder: parent(file))
        guard let position = manifest.files.firstIndex(where: { $0.name == "master.db" }) else { return }
        manifest.files[position].bytes = found.bytes
        manifest.files[position].digest = found.hex
        try manifest.write(to: parent(file), key)
        unlink(note)
    }
}
