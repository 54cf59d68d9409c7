import Foundation
import GRDB
import Readings
import Testing

@testable import Ledger
@testable import Store

/// Files that are not what this program wrote: said so, never trapped, and what can be made again is.
@Suite struct DamageTests {
    /// Changes a store at rest behind its back.
    private static func change(_ directory: Directory, file: String = "events.db", _ sql: String) throws {
        let queue = try DatabaseQueue(path: "\(directory.path)/\(file)")
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    @Test(
        "A column of another type is damage, whichever it is",
        arguments: [
            "INSERT INTO cursor VALUES ('erp', 'many', '')", "UPDATE cursor SET acked = x'00ff'",
            "UPDATE epoch SET reason = x'ff'", "UPDATE epoch SET epoch = x'ff'",
            "INSERT INTO checkpoint VALUES (1, 'x', 'x', 'x', 'x', 'x', 'x', 'x')",
        ])
    func columns(sql: String) async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider(state: try store.load().state)
        _ = await store.commit(decider.putAway(1))
        store.acknowledge(destination: "file", upTo: 1)
        store.close()
        try Self.change(directory, sql)
        #expect(performing: { _ = try directory.open() }, throws: { ($0 as? StoreError)?.code == .corrupt })
    }

    @Test func anIndexThatIsNoneIsMadeAnew() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider(state: try store.load().state)
        _ = await store.commit(decider.checkOut("DRILL-7"))
        try Data(repeating: 0x5A, count: 8_192).write(to: URL(filePath: "\(directory.path)/index.db"))
        let index = try EventIndex(directory: directory.path)
        try index.update(from: store)
        #expect(try index.sequences(subject: "item/DRILL-7", limit: 10) == [1])
        index.close()
        store.close()
    }

    @Test(arguments: [false, true]) func masterDataThatCannotBeReadAreSetAside(hasBackup: Bool) async throws {
        let directory = try Directory()
        let backups = "\(directory.path)/backups"
        let store = try directory.open()
        var decider = Decider(state: try store.load().state)
        _ = await store.commit(decider.putAway(1))
        let master = try MasterStore(directory: directory.path)
        try master.apply(
            [MasterRow(set: .items, id: "DRILL-01", body: ["name": "Drill"])], at: "2026-11-22T08:00:00.000+08:00", source: "test")
        if hasBackup { _ = try store.backUp(to: backups, keep: 3) }
        master.close()
        // One row, in a way that opening does not notice.
        try Self.change(directory, file: "master.db", "UPDATE master SET body = x'00'")
        let (opened, rescue) = try MasterStore.opened(directory: directory.path, gateway: store.gateway, backups: backups)
        #expect(try opened.load().map(\.id) == (hasBackup ? ["DRILL-01"] : []))
        let told = try #require(rescue)
        #expect((told.backup != nil) == hasBackup && FileManager.default.fileExists(atPath: told.setAside))
        opened.close()
        let (again, nothing) = try MasterStore.opened(directory: directory.path, gateway: store.gateway, backups: backups)
        #expect(nothing == nil && again.version.number == (hasBackup ? 1 : 0))
        again.close()
        store.close()
    }
}
