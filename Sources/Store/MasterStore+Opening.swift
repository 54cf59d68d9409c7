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
        guard rename(path, rescue.setAside) == 0 else {
            throw StoreError(.inputOutput, "set \(path) aside", errorNumber: errno)
        }
        for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
        for folder in StoreBackups.folders(in: backups, gateway: gateway).reversed() {
            remove(path)
            do throws(StoreError) {
                _ = try StoreFiles.copy("\(folder.path)/master.db", to: path)
                // Whoever was erased since then must not come back.
                try MasterErasure.repeatErasures(notedIn: directory, on: directory)
                let store = try readable(directory)
                rescue.backup = folder.path
                return (store, rescue)
            } catch {
                // The one before may be good.
                continue
            }
        }
        remove(path)
        return (try MasterStore(directory: directory), rescue)
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

    private static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    }
}
