import Foundation
import GRDB
import Readings
import Testing

@testable import Ledger
@testable import Store

/// What is saved from a store that was damaged in a way that once did harm.
@Suite struct RecoveryTests {
    private func commit(_ count: Int, to store: EventStore) async throws {
        var decider = Decider(state: try store.load().state)
        for number in 0..<count { _ = await store.commit(decider.putAway(number)) }
    }

    private func filled(_ directory: Directory, _ count: Int) async throws -> EventStore {
        let store = try directory.open()
        try await commit(count, to: store)
        return store
    }

    private func ids(_ store: EventStore) throws -> [String] {
        try store.events(after: 0, limit: 10_000).compactMap { try $0.json()["id"]?.string }
    }

    private func opened(
        _ directory: Directory, _ backups: String?, epoch: UInt64 = 0xFEED
    ) throws -> (store: EventStore, report: RecoveryReport?) {
        let opened = try EventStore.opened(directory: directory.path, gateway: "CRIB1", backups: backups, random: { epoch })
        return (opened.store, try opened.store.recovery())
    }

    private func destroy(_ directory: Directory) throws {
        try Data(repeating: 0xFF, count: 40_000).write(to: URL(fileURLWithPath: "\(directory.path)/events.db"))
    }

    /// Overwrites the page by which a table is found.
    private func destroyTable(_ table: String, in directory: Directory) throws {
        let queue = try DatabaseQueue(path: "\(directory.path)/events.db")
        let root = try queue.inDatabase {
            try $0.checkpoint(.truncate)
            return try Int.fetchOne($0, sql: "SELECT rootpage FROM sqlite_schema WHERE name = ?", arguments: [table])
        }
        try queue.close()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(directory.path)/events.db"))
        try file.seek(toOffset: UInt64((try #require(root) - 1) * 4_096))
        try file.write(contentsOf: Data(repeating: 0xFF, count: 4_096))
        try file.close()
    }

    private func archive(_ store: EventStore) throws {
        var policy = RetentionPolicy(days: 0)
        policy.newest = 5
        policy.range = 20
        try store.archive(
            policy, destinations: [],
            at: WallTime(milliseconds: Decider.time.milliseconds + 1, offsetMinutes: 0, quality: .synchronised))
    }

    // MARK: Ids

    /// The epoch of the first recovery ends behind the second one's: its ids must not be given again.
    @Test func noEpochBeginsTwice() async throws {
        let directory = try Directory()
        try await filled(directory, 35).close()
        try directory.meddle("events.db", "UPDATE state SET value = 'no JSON'")
        let (first, _) = try opened(directory, nil, epoch: 0xE2)
        try await commit(10, to: first)
        var given = try ids(first)
        #expect(first.lastSequence == 45)
        first.close()
        try directory.meddle("events.db", "UPDATE event SET body = replace(body, 'gate', 'Gate') WHERE seq = 11")
        let (second, _) = try opened(directory, nil, epoch: 0xE3)
        #expect(second.lastSequence == 10)
        #expect(second.epoch == 0xE3)
        #expect(second.epochs.map(\.first) == [1, 11])
        try await commit(40, to: second)
        given += try ids(second).suffix(40)
        #expect(Set(given).count == given.count)
        second.close()
        let (third, report) = try opened(directory, nil, epoch: 0xE4)
        #expect(third.lastSequence == 50)
        #expect(report?.last == 10)
        let verified = try third.verify()
        #expect(verified.isIntact, "\(verified.problems)")
    }

    // MARK: Logs that are gone

    @Test(arguments: ["gone", "empty"], ["archive", "index", "backup"])
    func aLogThatIsGoneIsNotBegunAnew(how: String, trace: String) async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try await filled(directory, 50)
        switch trace {
        case "archive": try archive(store)
        case "index":
            let index = try EventIndex(directory: directory.path)
            try index.update(from: store)
            index.close()
        default: _ = try store.backUp(to: parent, keep: 3)
        }
        let before = try ids(store)
        store.close()
        for ending in ["", "-wal", "-shm"] { unlink("\(directory.path)/events.db\(ending)") }
        if how == "empty" { try Data().write(to: URL(fileURLWithPath: "\(directory.path)/events.db")) }

        let (recovered, report) = try opened(directory, parent)
        let found = try #require(report)
        let saved = ["archive": 0, "index": 0, "backup": 50][trace]
        // The files of the archive carry ids of an epoch that nobody knows any more.
        #expect(found.last == Int64(saved ?? 0))
        #expect(found.code == "\(found.last + 1)-?")
        try await commit(5, to: recovered)
        #expect(Set(try ids(recovered).suffix(5)).isDisjoint(with: before))
        #expect(try recovered.verify().isIntact)
    }

    /// With the note of the index the archive is believed: its ids are those of the epoch that the index knows.
    @Test func theArchiveIsReadBack() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 50)
        try archive(store)
        let index = try EventIndex(directory: directory.path)
        try index.update(from: store)
        index.close()
        store.close()
        try destroy(directory)
        let (recovered, report) = try opened(directory, nil)
        #expect((report?.last, report?.known, report?.code) == (40, 50, "41-?"))
        #expect(try recovered.verify().isIntact)
    }

    /// A new disk in an old gateway: log, key and master data come back from the backup, and so do the files of the archive.
    @Test func aNewDiskIsFilled() async throws {
        let (directory, parent, new) = (try Directory(), try Directory().path, try Directory())
        let store = try await filled(directory, 50)
        let master = try MasterStore(directory: directory.path)
        try master.apply(
            [MasterRow(set: .items, id: "DRILL", body: ["name": "Drill"])], at: "2026-11-22T08:00:00Z", source: "test")
        try archive(store)
        _ = try store.backUp(to: parent, keep: 1)
        let key = try GatewayKey(directory: directory.path).publicHex
        store.close()
        let (recovered, report) = try opened(new, parent)
        #expect((report?.last, report?.code) == (50, "51-?"))
        #expect(try GatewayKey(directory: new.path).publicHex == key)
        #expect(try MasterStore(directory: new.path).load().map(\.id) == ["DRILL"])
        let verified = try recovered.verify()
        #expect(verified.isIntact, "\(verified.problems)")
        #expect(verified.events == 50)
    }

    @Test func aNewDirectoryBegins() throws {
        let directory = try Directory()
        let (store, report) = try opened(directory, try Directory().path)
        #expect(report == nil)
        #expect(store.epochs.map(\.reason) == ["created"])
    }

    // MARK: Rows that are no longer what they were

    @Test(arguments: [
        "UPDATE cursor SET acked = 'x'", "UPDATE cursor SET acked = x'FFFE'", "UPDATE epoch SET epoch = x'FFFE' WHERE first = 1",
        "UPDATE epoch SET at = x'FF'", "UPDATE state SET value = x'FFFE'",
        "UPDATE state SET key = 'learned/gate/x', value = x'FF' WHERE key = 'counters'",
    ])
    func rottenRowsAreNoEnd(sql: String) async throws {
        let directory = try Directory()
        let store = try await filled(directory, 12)
        store.acknowledge(destination: "erp", upTo: 5)
        try await commit(1, to: store)
        store.close()
        try directory.meddle("events.db", sql)
        let damaged = DamagedLog(path: "\(directory.path)/events.db")
        #expect(damaged.last == 13)
        damaged.close()
        #expect(throws: Never.self) { try? RestingStore(directory: directory.path).close() }
    }

    // MARK: Cursors

    /// A cursor that a flipped bit moved past the end: what is recorded next would never be sent.
    @Test(arguments: [true, false])
    func aCursorPastTheEndIsNotBelieved(hasBackup: Bool) async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try await filled(directory, 10)
        store.acknowledge(destination: "erp", upTo: 7)
        store.acknowledge(destination: "file", upTo: 9)
        try await commit(1, to: store)
        if hasBackup { _ = try store.backUp(to: parent, keep: 1) }
        try await commit(9, to: store)
        store.close()
        try directory.meddle("events.db", "UPDATE cursor SET acked = 900000000 WHERE destination = 'erp'")
        let (recovered, report) = try opened(directory, hasBackup ? parent : nil)
        #expect(recovered.lastSequence == 20)
        #expect(recovered.cursor("erp") == (hasBackup ? 7 : 0))
        #expect(recovered.cursor("file") == 9)
        #expect(report?.code == "21-?")
        #expect(report?.acknowledged == ["erp": 900_000_000, "file": 9])
    }

    // MARK: Which backup

    /// A copy holds faithfully what is rotten in the original: the backup before it is taken.
    @Test func aRottenBackupIsPassedOver() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try await filled(directory, 20)
        let good = try store.backUp(to: parent, keep: 1)
        try await commit(10, to: store)
        try directory.meddleWhileOpen(store, "UPDATE event SET body = replace(body, 'gate', 'Gate') WHERE seq = 25")
        #expect {
            _ = try store.backUp(to: parent, keep: 1)
        } throws: {
            ($0 as? StoreError)?.code == .corrupt
        }
        // The good one stays, and an hour later it is not tried again at once.
        #expect(FileManager.default.fileExists(atPath: good.path))
        #expect(store.newestBackup(in: parent) != nil)
        store.close()
        try destroy(directory)
        let (recovered, report) = try opened(directory, parent)
        #expect((report?.backup, report?.last) == (good.path, 20))
        #expect(try recovered.verify().isIntact)
    }

    /// Signed by us, and rotten all the same: made before copies were looked at.
    @Test func aSignatureProvesNoStore() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try await filled(directory, 20)
        let good = try store.backUp(to: parent, keep: 3)
        try await commit(10, to: store)
        let bad = try store.backUp(to: parent, keep: 3)
        store.close()
        let queue = try DatabaseQueue(path: "\(bad.path)/events.db")
        try await queue.writeWithoutTransaction {
            try $0.execute(sql: "UPDATE state SET value = replace(value, '1', '2') WHERE key LIKE 'stock/%'")
            _ = try $0.checkpoint(.truncate)
        }
        try queue.close()
        for name in ["events.db-wal", "events.db-shm"] { unlink("\(bad.path)/\(name)") }
        var manifest = bad.manifest
        let digest = try FileDigest(of: "\(bad.path)/events.db")
        let position = try #require(manifest.files.firstIndex { $0.name == "events.db" })
        manifest.files[position].digest = digest.hex
        manifest.files[position].bytes = digest.bytes
        try manifest.write(to: bad.path, try GatewayKey(directory: directory.path))
        try destroy(directory)
        let (recovered, report) = try opened(directory, parent)
        #expect((report?.backup, report?.last) == (good.path, 20))
        #expect(try recovered.verify().isIntact)
    }

    /// B1, B2, B1 restored, damage: what B2 holds behind B1 never happened in this log.
    @Test(arguments: ["state", "everything"])
    func aBackupOfALogThatWasLeftIsPassedOver(damage: String) async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try await filled(directory, 10)
        let first = try store.backUp(to: parent, keep: 5)
        try await commit(20, to: store)
        _ = try store.backUp(to: parent, keep: 5)
        #expect(store.newestBackup(in: parent) != nil)
        store.close()
        _ = try StoreRestore.run(backup: first.path, directory: directory.path, random: { 0xE2 })
        let restored = try directory.open()
        // So the next look makes one.
        #expect(restored.newestBackup(in: parent) == nil)
        try await commit(5, to: restored)
        let now = try ids(restored)
        restored.close()
        if damage == "state" { try directory.meddle("events.db", "UPDATE state SET value = 'no JSON'") } else { try destroy(directory) }
        let (recovered, report) = try opened(directory, parent)
        #expect(report?.backup == first.path)
        #expect(report?.last == (damage == "state" ? 15 : 10))
        #expect(try ids(recovered) == Array(now.prefix(Int(recovered.lastSequence))))
        let verified = try recovered.verify()
        #expect(verified.isIntact, "\(verified.problems)")
    }

    // MARK: The archive

    /// Two gateways, or two timelines, share a folder: their files have one range and different events.
    @Test func archivesDoNotMeet() async throws {
        let parent = try Directory().path
        let (one, two) = (try Directory(), try Directory())
        let first = try await filled(one, 50)
        try archive(first)
        let backup = try first.backUp(to: parent, keep: 5)
        first.close()
        let second = try EventStore(directory: two.path, gateway: "CRIB2", random: { 2 })
        try await commit(50, to: second)
        try archive(second)
        let other = try second.backUp(to: parent, keep: 5)
        second.close()
        // A timeline that leaves the first one at its beginning.
        let third = try EventStore(directory: try Directory().path, gateway: "CRIB1", random: { 3 })
        try await commit(50, to: third)
        try archive(third)
        _ = try third.backUp(to: parent, keep: 5)
        for folder in [backup.path, other.path] {
            #expect(throws: Never.self) { try BackupManifest(folder: folder).check(folder: folder) }
        }
    }

    /// A file of the archive is gone and there is no backup: the chain goes on from what we signed.
    @Test(arguments: [true, false])
    func aFileOfTheArchiveIsGone(hasBackupOfIt: Bool) async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try await filled(directory, 50)
        try archive(store)
        if hasBackupOfIt {
            let backup = try store.backUp(to: parent, keep: 1)
            StoreFiles.removeFolder(backup.path)
        }
        let state = try store.load().state
        store.close()
        unlink("\(directory.path)/archive/1-20.ndjson")
        try directory.meddle("events.db", "UPDATE state SET value = 'no JSON'")
        let (recovered, report) = try opened(directory, parent)
        #expect((report?.last, report?.code) == (50, "none"))
        #expect(try recovered.load().state == state)
        #expect(recovered.archivedThrough == 40)
        let verified = try recovered.verify()
        #expect(verified.findings.map(\.file) == (hasBackupOfIt ? [] : ["archive/1-20.ndjson"]))
    }

    /// Of the log nothing can be read but the signed checkpoints: it goes on behind the archive and gives no number a second time.
    @Test func theLogGoesOnBehindTheArchive() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 50)
        try archive(store)
        store.acknowledge(destination: "erp", upTo: 50)
        let given = try ids(store)
        store.close()
        try destroyTable("event", in: directory)
        let (recovered, report) = try opened(directory, nil)
        #expect((report?.last, report?.code) == (40, "41-?"))
        #expect((recovered.lastSequence, recovered.archivedThrough) == (40, 40))
        #expect(try recovered.load().lastHash == recovered.archive.lastHash)
        try await commit(5, to: recovered)
        #expect(try ids(recovered).prefix(40) == given.prefix(40))
        #expect(Set(try ids(recovered).suffix(5)).isDisjoint(with: given))
        recovered.close()
        let (again, second) = try opened(directory, nil, epoch: 0xBEEF)
        #expect(second == report)
        #expect(again.lastSequence == 45)
        let verified = try again.verify()
        #expect(verified.isIntact, "\(verified.problems)")
    }

    /// A store that was restored writes its own archive: what the one before had is moved aside with it.
    @Test func aRestoreMovesTheArchiveAside() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try await filled(directory, 5)
        let backup = try store.backUp(to: parent, keep: 1)
        #expect(backup.manifest.archives.isEmpty)
        try await commit(50, to: store)
        try archive(store)
        store.close()
        let aside = try StoreRestore.run(backup: backup.path, directory: directory.path, random: { 0xE2 })
        #expect(StoreFiles.names(in: "\(aside)/archive").contains("1-20.ndjson"))
        #expect(StoreFiles.names(in: "\(directory.path)/archive").isEmpty)
        #expect(!StoreFiles.exists("\(directory.path)/events.db-wal"))
        let restored = try directory.open()
        try await commit(50, to: restored)
        try archive(restored)
        #expect(try restored.verify().isIntact)
        #expect(try EventStore.verify(directory: aside).isIntact)
    }

    /// A file of the archive that is there already, of events that were not saved, is not written over.
    @Test func theArchiveIsNotWrittenOver() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 30)
        try FileManager.default.createDirectory(atPath: "\(directory.path)/archive", withIntermediateDirectories: false)
        try "old\n".write(toFile: "\(directory.path)/archive/1-20.ndjson", atomically: false, encoding: .utf8)
        try archive(store)
        #expect(try String(contentsOfFile: "\(directory.path)/archive/1-20.ndjson.old", encoding: .utf8) == "old\n")
        #expect(try store.verify().isIntact)
    }
}
