import Foundation
import GRDB
import Readings
import Testing

@testable import Ledger
@testable import Store

/// Backups, what comes back from them, and what is saved from a damaged file.
@Suite struct RestoreTests {
    private func commit(_ count: Int, to store: EventStore) async throws {
        var decider = Decider(state: try store.load().state)
        for number in 0..<count { _ = await store.commit(decider.putAway(number)) }
    }

    private func ids(_ store: EventStore) throws -> [String] {
        try store.events(after: 0, limit: 1_000).compactMap { try $0.json()["id"]?.string }
    }

    private func epoch(_ number: UInt64) -> () -> UInt64 { { number } }

    @Test func aBackupIsCheckedRotatedAndRestored() async throws {
        let (directory, parent) = (try Directory(), try Directory().path + "/backups")
        let store = try directory.open()
        try MasterStore(directory: directory.path).close()
        try await commit(10, to: store)
        store.acknowledge(destination: "erp", upTo: 7)
        try await commit(2, to: store)
        let backup = try store.backUp(to: parent, keep: 2)
        #expect(backup.manifest.last == 12)
        #expect(backup.manifest.files.map(\.name) == ["events.db", "gateway.key", "master.db"])
        #expect(backup.bytes > 0)
        try await commit(5, to: store)
        store.acknowledge(destination: "erp", upTo: 15)
        let before = try ids(store)
        store.close()

        let plan = try StoreRestore.plan(backup: backup.path, directory: directory.path)
        #expect((plan.presentLast, plan.lost, plan.acknowledged) == (17, 5, ["erp": 15]))
        let aside = try StoreRestore.run(backup: backup.path, directory: directory.path, random: epoch(77))
        #expect(try EventStore.verify(directory: directory.path).isIntact)
        let restored = try directory.open()
        #expect(restored.lastSequence == 12)
        #expect(restored.epoch == 77)
        #expect(restored.epochs.map(\.first) == [1, 13])
        #expect(restored.cursor("erp") == 7)
        try await commit(5, to: restored)
        // The same numbers, other ids: nothing that is delivered can be taken for what was lost.
        let after = try ids(restored)
        #expect(after.prefix(12) == before.prefix(12))
        #expect(Set(after).intersection(before.suffix(5)).isEmpty)
        #expect(try restored.verify().isIntact)
        restored.close()
        #expect(try RestingStore(directory: aside, takesLock: false).end.sequence == 17)

        let again = try directory.open()
        let names = try [1, 2, 3].map { _ in try again.backUp(to: parent, keep: 2).path }
        #expect(StoreBackups.folders(in: parent, gateway: "CRIB1").map(\.path) == Array(names.suffix(2)))
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent).filter { $0.hasPrefix(".") }.isEmpty)
    }

    @Test(arguments: ["events.db", "manifest.json", "master.db"])
    func aChangedBackupIsRefused(file: String) async throws {
        let directory = try Directory()
        let store = try directory.open()
        try MasterStore(directory: directory.path).close()
        try await commit(3, to: store)
        let backup = try store.backUp(to: try Directory().path, keep: 1)
        store.close()
        let path = "\(backup.path)/\(file)"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect { try StoreRestore.run(backup: backup.path, directory: directory.path, random: epoch(2)) } throws: {
            ($0 as? StoreError)?.code == .badBackup
        }
        #expect(try directory.open().lastSequence == 3)
    }

    @Test func notUnderARunningDaemon() async throws {
        let directory = try Directory()
        let store = try directory.open()
        try await commit(1, to: store)
        let backup = try store.backUp(to: try Directory().path, keep: 1)
        #expect { try StoreRestore.run(backup: backup.path, directory: directory.path, random: epoch(2)) } throws: {
            ($0 as? StoreError)?.code == .locked
        }
    }

    /// What was provisional when the store ended is left as it stands: nobody knows any more what it was about.
    @Test func provisionalFactsEndWithTheirEpoch() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        var decision = decider.checkOut("DRILL-1")
        var event = decision.events[0]
        event.certainty = .provisional
        decider = Decider()
        decision = Decision(events: [event], rows: decider.state.apply(event))
        _ = await store.commit(decision)
        #expect(try store.load().state.provisional.count == 1)
        let backup = try store.backUp(to: try Directory().path, keep: 1)
        store.close()
        _ = try StoreRestore.run(backup: backup.path, directory: directory.path, random: epoch(5))
        let restored = try directory.open()
        #expect(try restored.load().state.provisional.isEmpty)
        #expect(try restored.load().state.loans.count == 1)
        #expect(try restored.verify().isIntact)
    }

    /// With the archive: what the backup needs of it comes back too.
    @Test func theArchiveIsBackedUpOnceAndRestored() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try directory.open()
        try await commit(50, to: store)
        var policy = RetentionPolicy(days: 0)
        policy.newest = 5
        policy.range = 20
        let later = WallTime(milliseconds: Decider.time.milliseconds + 1, offsetMinutes: 0, quality: .synchronised)
        try store.archive(policy, destinations: [], at: later)
        let backup = try store.backUp(to: parent, keep: 3)
        let digests = store.archive.checkpoints.map { $0.file.prefix(16) }
        #expect(backup.manifest.archives.map(\.name) == ["CRIB1-1-20-\(digests[0]).ndjson", "CRIB1-21-40-\(digests[1]).ndjson"])
        store.close()
        let other = try Directory()
        _ = try StoreRestore.run(backup: backup.path, directory: other.path, random: epoch(9))
        let report = try EventStore.verify(directory: other.path)
        #expect(report.isIntact, "\(report.problems)")
        #expect(report.events == 50)
    }

    // MARK: Recovery

    private func damage(_ directory: Directory, from byte: Int, to end: Int? = nil) throws {
        let path = "\(directory.path)/events.db"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        for position in byte..<min(end ?? bytes.count, bytes.count) { bytes[position] = 0xFF }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    private func opened(_ directory: Directory, _ backups: String?) throws -> (store: EventStore, report: RecoveryReport?) {
        let opened = try EventStore.opened(directory: directory.path, gateway: "CRIB1", backups: backups, random: epoch(0xFEED))
        return (opened.store, try opened.store.recovery())
    }

    /// Nothing of the file is left: the backup, and the index, which says what was there.
    @Test func aDestroyedFileComesBackFromTheBackup() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try directory.open()
        try await commit(20, to: store)
        _ = try store.backUp(to: parent, keep: 3)
        try await commit(15, to: store)
        let before = try ids(store)
        let index = try EventIndex(directory: directory.path)
        try index.update(from: store)
        index.close()
        store.close()
        try damage(directory, from: 0)

        let (recovered, report) = try opened(directory, parent)
        let found = try #require(report)
        #expect((found.backupLast, found.last, found.known, found.code) == (20, 20, 35, "21-?"))
        #expect(recovered.lastSequence == 20)
        try await commit(3, to: recovered)
        #expect(Set(try ids(recovered).suffix(3)).isDisjoint(with: before))
        #expect(try recovered.verify().isIntact)
        #expect(FileManager.default.fileExists(atPath: "\(directory.path)/\(found.setAside)/events.db"))
        try recovered.forgetRecovery()
        #expect(try recovered.recovery() == nil)
    }

    /// A page of the state is gone, the log is whole: nothing is missing, with and without a backup.
    @Test(arguments: [true, false])
    func eventsThatCanBeReadAreSaved(hasBackup: Bool) async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try directory.open()
        try await commit(20, to: store)
        if hasBackup { _ = try store.backUp(to: parent, keep: 3) }
        try await commit(15, to: store)
        let state = try store.load().state
        store.close()
        try directory.meddle("events.db", "UPDATE state SET value = 'no JSON'")

        let (recovered, report) = try opened(directory, hasBackup ? parent : nil)
        let found = try #require(report)
        #expect((found.backupLast, found.last, found.code) == (hasBackup ? 20 : 0, 35, "none"))
        #expect(try recovered.load().state == state)
        let verified = try recovered.verify()
        #expect(verified.isIntact, "\(verified.problems)")
        #expect(recovered.epoch == 0xFEED)
    }

    /// An event in the middle was changed: what follows it is proven by nothing.
    @Test func onlyWhatTheChainProvesIsSaved() async throws {
        let directory = try Directory()
        let store = try directory.open()
        try await commit(30, to: store)
        store.close()
        try directory.meddle("events.db", "UPDATE event SET body = replace(body, 'gate', 'Gate') WHERE seq = 11")
        let (recovered, report) = try opened(directory, nil)
        #expect(report?.code == "11-30")
        #expect(recovered.lastSequence == 10)
        #expect(try recovered.verify().isIntact)
    }

    @Test func aSoundStoreIsNotRecovered() async throws {
        let directory = try Directory()
        let store = try directory.open()
        try await commit(3, to: store)
        store.close()
        let (again, report) = try opened(directory, nil)
        #expect(report == nil)
        #expect(again.epochs.count == 1)
        again.close()
        #expect { try EventStore.opened(directory: directory.path, gateway: "CRIB2", backups: nil, random: epoch(1)) } throws: {
            ($0 as? StoreError)?.code == .otherGateway
        }
    }

    /// A power cut after the decision and before the last move: the next start goes on.
    @Test func aReplacementIsFinishedAtTheNextStart() async throws {
        let directory = try Directory()
        let store = try directory.open()
        try await commit(3, to: store)
        store.close()
        let files = FileManager.default
        try files.createDirectory(atPath: "\(directory.path)/restoring", withIntermediateDirectories: false)
        try "replaced-x".write(toFile: "\(directory.path)/restoring/aside", atomically: true, encoding: .utf8)
        // The old file is moved, the new one is not yet in its place.
        try files.createDirectory(atPath: "\(directory.path)/replaced-x", withIntermediateDirectories: false)
        try files.copyItem(atPath: "\(directory.path)/events.db", toPath: "\(directory.path)/restoring/events.db")
        try files.moveItem(atPath: "\(directory.path)/events.db", toPath: "\(directory.path)/replaced-x/events.db")
        #expect(try directory.open().lastSequence == 3)
        #expect(!files.fileExists(atPath: "\(directory.path)/restoring"))
    }
}
