import GRDB
import Ledger
import Readings

extension EventStore {
    /// Opens a store as `init` does, and recovers it when its file is damaged or gone: the damaged file is set aside, and what may be
    /// missing stands in `recovery` until it is recorded.
    /// - Parameter backups: the folder with the backups; nil: there is none.
    public static func opened(
        directory: String, gateway: String, backups: String?, random: () -> UInt64
    ) throws(StoreError) -> (store: EventStore, state: LedgerState, lastHash: String) {
        if let loss = try StoreRecovery.loss(directory: directory, gateway: gateway, backups: backups) {
            _ = try StoreRecovery.run(directory: directory, gateway: gateway, backups: backups, reason: loss, random: random)
        }
        do throws(StoreError) {
            return try loaded(directory, gateway, random)
        } catch {
            // 26 is SQLITE_NOTADB: not even the head of the file is left.
            guard error.code == .corrupt || error.sqliteCode == 26 else { throw error }
            _ = try StoreRecovery.run(directory: directory, gateway: gateway, backups: backups, reason: error, random: random)
            return try loaded(directory, gateway, random)
        }
    }

    private static func loaded(_ directory: String, _ gateway: String, _ random: () -> UInt64) throws(StoreError)
        -> (store: EventStore, state: LedgerState, lastHash: String)
    {
        let store = try EventStore(directory: directory, gateway: gateway, random: random)
        do throws(StoreError) {
            let (state, lastHash) = try store.load()
            return (store, state, lastHash)
        } catch {
            store.close()
            throw error
        }
    }

    /// The recovery that brought the store to what it is, until `forgetRecovery`.
    public func recovery() throws(StoreError) -> RecoveryReport? {
        try shared.read("read about the recovery") { db in
            try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'recovery'").flatMap { try? JSON(parsing: $0) }
                .flatMap(RecoveryReport.init(json:))
        }
    }

    /// Once everybody who must know can know: the exception is in the log. Must not be called from a completion.
    public func forgetRecovery() throws(StoreError) {
        try maintain("forget the recovery") { try $0.execute(sql: "DELETE FROM meta WHERE key = 'recovery'") }
    }
}
