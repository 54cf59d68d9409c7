import GRDB
import Glibc

/// Puts other files in the place of a store's, so that a power cut at any moment leaves the old store or the new one, whole.
///
/// The new files are made in `restoring.new`. Renamed to `restoring` they are final: from then on whoever opens the store first moves
/// the old files to the folder that `restoring/aside` names, and the new ones to their places.
struct StoreReplacement {
    private let directory: String
    /// The name of the folder, in the directory, that the old files go to.
    let asideName: String
    /// Where the old files go.
    let aside: String
    /// Where the new files are made.
    let staging: String

    /// The file that tells where the old files go.
    private static let note = "aside"

    /// - Parameter kind: `replaced` or `damaged`, the beginning of the folder's name.
    init(directory: String, kind: String) throws(StoreError) {
        self.directory = directory
        staging = "\(directory)/restoring.new"
        let stamp = EventStore.now().filter { $0 != "-" && $0 != ":" }
        aside = StoreFiles.free("\(directory)/\(kind)-\(stamp)")
        asideName = String(aside.dropFirst(directory.count + 1))
        discard()
        try StoreFiles.makeFolder(staging)
        try StoreFiles.write(Array(asideName.utf8), to: "\(staging)/\(Self.note)")
    }

    /// Forgets what was made.
    func discard() {
        StoreFiles.removeFolder("\(staging)/archive")
        MasterErasure.removeRemains(in: staging)
        StoreFiles.removeFolder(staging)
    }

    /// Brings a staged database to rest: once its connection is closed, nothing stands beside the file.
    static func settle(_ queue: DatabaseQueue) throws(StoreError) {
        try storing("move the WAL into the new file") { _ = try queue.inDatabase { try $0.checkpoint(.truncate) } }
        DatabaseFile.keepWAL(of: queue, false)
    }

    func commit() throws(StoreError) {
        let archive = "\(staging)/archive"
        if StoreFiles.exists(archive) {
            try DatabaseFile.synchroniseDirectory(of: "\(archive)/.")
            try StoreFiles.give(archive, toOwnerOf: directory)
        }
        try StoreFiles.give(staging, toOwnerOf: directory)
        try StoreFiles.give("\(directory)/lock", toOwnerOf: directory)
        try DatabaseFile.synchroniseDirectory(of: "\(staging)/\(Self.note)")
        try StoreFiles.rename(staging, to: "\(directory)/restoring")
        try Self.finish(in: directory)
    }

    /// Does what is left to do of a replacement that was committed.
    static func finish(in directory: String) throws(StoreError) {
        let ready = "\(directory)/restoring"
        guard StoreFiles.exists(ready) else { return }
        let staged = StoreFiles.names(in: ready).filter { $0 != note }
        // Everything is in its place, and the power went while the folder was removed.
        guard !staged.isEmpty else { return try remove(ready) }
        let aside = "\(directory)/\(try asideName(in: ready))"
        try StoreFiles.makeFolder(aside)
        try StoreFiles.give(aside, toOwnerOf: directory)
        // Beside the new file the old WAL would be taken for its own. These files are never staged, so what is there is old.
        for name in ["events.db", "master.db"] where staged.contains(name) {
            try move(["\(name)-wal", "\(name)-shm"], from: directory, to: aside)
        }
        // The index is made anew from the new log. Its WAL goes last: without it the file would be torn.
        try move(["index.db", "index.db-shm", "index.db-wal"], from: directory, to: aside)
        // Once its file is in place, a name is staged no longer: what is done is not done again.
        for name in staged {
            try move([name], from: directory, to: aside)
            try StoreFiles.rename("\(ready)/\(name)", to: "\(directory)/\(name)")
        }
        try remove(ready)
    }

    private static func asideName(in ready: String) throws(StoreError) -> String {
        let name = String(decoding: try StoreFiles.read("\(ready)/\(note)"), as: UTF8.self)
        guard name.hasPrefix("replaced-") || name.hasPrefix("damaged-"), !name.utf8.contains(UInt8(ascii: "/")) else {
            throw StoreError(.corrupt, "\(ready)/\(note) names no folder for the old files")
        }
        return name
    }

    private static func move(_ names: [String], from directory: String, to aside: String) throws(StoreError) {
        for name in names where StoreFiles.exists("\(directory)/\(name)") {
            try StoreFiles.rename("\(directory)/\(name)", to: "\(aside)/\(name)")
        }
    }

    private static func remove(_ ready: String) throws(StoreError) {
        StoreFiles.removeFolder(ready)
        // One that could not be looked into is not done. The store that was to go would be written to, and go with that at the next start.
        guard !StoreFiles.exists(ready) else { throw StoreError(.inputOutput, "\(ready) cannot be looked into or not be removed") }
        try DatabaseFile.synchroniseDirectory(of: ready)
    }
}
