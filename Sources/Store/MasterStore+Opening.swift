import GRDB
import Glibc
import Ledger

/// What became of master data whose file was damaged.
public struct MasterRescue: Hashable, Sendable {
    /// What was wrong with the file.
    public var reason: String
    /// Where it lies now.
    public var setAside: String
    /// The backup that the master data were taken from; nil: there are none now, until they are imported or come down again.
    public var backup: String?
}

extension MasterStore {
    /// Opens `master.db`. A damaged file is set aside, because a gateway must start without it, and the newest backup takes its place.
    public static func opened(
        directory: String, gateway: String, backups: String
    ) throws(StoreError) -> (store: MasterStore, rescue: MasterRescue?) {
        let path = "\(directory)/master.db"
        let damage: StoreError
        do throws(StoreError) { return (try readable(directory), nil) } catch {
            guard error.code == .corrupt || error.code == .foreignFile else { throw error }
            damage = error
        }
        var rescue = MasterRescue(reason: damage.description, setAside: StoreFiles.free("\(path).damaged"))
        defer { MasterErasure.removeRemains(in: directory) }
        for folder in StoreBackups.folders(in: backups, gateway: gateway).reversed() {
            do throws(StoreError) {
                let copy = try copy(folder.path, in: directory)
                try replace(path, by: copy, settingAside: rescue.setAside)
                rescue.backup = folder.path
                return (try readable(directory), rescue)
            } catch {
                // One for which there is no room is no bad one; the one before may be good.
                guard error.code != .diskFull else { throw error }
                continue
            }
        }
        try replace(path, by: nil, settingAside: rescue.setAside)
        return (try MasterStore(directory: directory), rescue)
    }

    /// Copies the master data of a backup to a folder of their own, without whoever was erased since. Under their own name they would be
    /// taken for good after a power cut, half of them or with the people in them.
    private static func copy(_ backup: String, in directory: String) throws(StoreError) -> String {
        MasterErasure.removeRemains(in: directory)
        let folder = "\(directory)/master.db.rescued"
        try StoreFiles.makeFolder(folder)
        let copy = "\(folder)/master.db"
        try StoreFiles.copy("\(backup)/master.db", to: copy)
        try MasterErasure.repeatErasures(notedIn: directory, on: folder)
        try readable(folder).close()
        try StoreFiles.synchronise(copy)
        return copy
    }

    /// Puts a file in the place of a damaged one, in one step; nil: none.
    private static func replace(_ path: String, by file: String?, settingAside aside: String) throws(StoreError) {
        guard link(path, aside) == 0 || errno == EEXIST || errno == ENOENT else { throw StoreFiles.failure("set aside", path) }
        for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
        if let file {
            try StoreFiles.rename(file, to: path)
        } else {
            unlink(path)
        }
    }

    /// - Throws: `.corrupt` when not every row can be read.
    private static func readable(_ directory: String) throws(StoreError) -> MasterStore {
        let store = try MasterStore(directory: directory)
        do throws(StoreError) {
            _ = try store.load()
            return store
        } catch {
            store.close()
            throw error
        }
    }
}
