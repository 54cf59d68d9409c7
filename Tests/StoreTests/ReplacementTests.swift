import Foundation
import Readings
import Testing

@testable import Ledger
@testable import Store

/// Replacing a store's files, stopped at any moment; and what a restore accepts.
@Suite struct ReplacementTests {
    private func filled(_ directory: Directory, _ count: Int) async throws -> EventStore {
        let store = try directory.open()
        var decider = Decider(state: try store.load().state)
        for number in 0..<count { _ = await store.commit(decider.putAway(number)) }
        return store
    }

    /// The power went while the folder was removed: it is empty, or only the note is in it.
    @Test(arguments: [true, false])
    func anEmptyFolderIsNoReplacement(hasNote: Bool) async throws {
        let directory = try Directory()
        try await filled(directory, 3).close()
        try FileManager.default.createDirectory(atPath: "\(directory.path)/restoring", withIntermediateDirectories: false)
        if hasNote { try "damaged-x".write(toFile: "\(directory.path)/restoring/aside", atomically: false, encoding: .utf8) }
        #expect(try directory.open().lastSequence == 3)
        #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/restoring"))
    }

    /// What cannot be looked into may hold a store that was to come. The old one must not be written to meanwhile.
    @Test func whatCannotBeLookedIntoIsNotDone() async throws {
        let directory = try Directory()
        try await filled(directory, 3).close()
        // No folder: opendir fails, as it does on a disk that gives no answer.
        try "x".write(toFile: "\(directory.path)/restoring", atomically: false, encoding: .utf8)
        #expect(throws: StoreError.self) { try directory.open() }
        #expect(StoreFiles.exists("\(directory.path)/restoring"))
    }

    @Test(arguments: ["../outside", "/outside", "restoring", ""])
    func theNoteLeadsNowhereElse(note: String) async throws {
        let directory = try Directory()
        try await filled(directory, 3).close()
        try FileManager.default.createDirectory(atPath: "\(directory.path)/restoring", withIntermediateDirectories: false)
        try note.write(toFile: "\(directory.path)/restoring/aside", atomically: false, encoding: .utf8)
        try "x".write(toFile: "\(directory.path)/restoring/master.db", atomically: false, encoding: .utf8)
        #expect(throws: StoreError.self) { try directory.open() }
    }

    /// An index without its WAL is torn: both go.
    @Test func theIndexGoesWhole() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try await filled(directory, 3)
        let backup = try store.backUp(to: parent, keep: 1)
        store.close()
        for name in ["index.db", "index.db-wal", "index.db-shm"] {
            try "x".write(toFile: "\(directory.path)/\(name)", atomically: false, encoding: .utf8)
        }
        let aside = try StoreRestore.run(backup: backup.path, directory: directory.path, random: { 2 })
        #expect(StoreFiles.names(in: aside).filter { $0.hasPrefix("index") }.count == 3)
        let index = try EventIndex(directory: directory.path)
        #expect(try index.update(from: try directory.open()) == 3)
    }

    @Test func aLinkIsNotFollowed() throws {
        let (directory, other) = (try Directory(), try Directory())
        try "x".write(toFile: "\(other.path)/file", atomically: false, encoding: .utf8)
        symlink(other.path, "\(directory.path)/restoring.new")
        StoreFiles.removeFolder("\(directory.path)/restoring.new")
        #expect(StoreFiles.exists("\(other.path)/file"))
    }

    /// What root restores belongs to the daemon's user all the same.
    @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
    func whatRootRestoresTheDaemonCanOpen() async throws {
        let (directory, target, parent) = (try Directory(), try Directory(), try Directory().path)
        let store = try await filled(directory, 3)
        let backup = try store.backUp(to: parent, keep: 1)
        store.close()
        chown(target.path, 12_345, 12_345)
        _ = try StoreRestore.run(backup: backup.path, directory: target.path, random: { 2 })
        for name in StoreFiles.names(in: target.path) {
            var status = stat()
            #expect(lstat("\(target.path)/\(name)", &status) == 0)
            #expect(status.st_uid == 12_345, "\(name)")
        }
    }

    // MARK: Manifests

    private func changed(_ backup: BackupReport, _ key: GatewayKey, _ change: (inout BackupManifest) -> Void) throws {
        var manifest = backup.manifest
        change(&manifest)
        try manifest.write(to: backup.path, key)
    }

    @Test(arguments: ["lock", "aside", "events.db-wal", "restoring"])
    func aManifestNamesOnlyWhatABackupHas(name: String) async throws {
        let directory = try Directory()
        let store = try await filled(directory, 3)
        let backup = try store.backUp(to: try Directory().path, keep: 1)
        let key = try GatewayKey(directory: directory.path)
        try changed(backup, key) { $0.files[0].name = name }
        #expect(throws: StoreError.self) { try BackupManifest(folder: backup.path) }
        try changed(backup, key) { $0.files.append(.init(name: name, bytes: 1, digest: "")) }
        #expect(throws: StoreError.self) { try BackupManifest(folder: backup.path) }
        try changed(backup, key) { _ in }
        #expect(throws: Never.self) { try BackupManifest(folder: backup.path) }
    }

    /// Anybody can make a key and sign with it: the signature counts when the key is ours.
    @Test func anotherSignerIsToldAndRefused() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 3)
        let backup = try store.backUp(to: try Directory().path, keep: 1)
        store.close()
        #expect(try StoreRestore.plan(backup: backup.path, directory: directory.path).signer == .thisGateway)
        #expect(try StoreRestore.plan(backup: backup.path, directory: try Directory().path).signer == .unknown)
        try changed(backup, try GatewayKey(directory: try Directory().path)) { _ in }
        #expect(try StoreRestore.plan(backup: backup.path, directory: directory.path).signer == .other)
        #expect {
            try StoreRestore.run(backup: backup.path, directory: directory.path, random: { 2 })
        } throws: {
            ($0 as? StoreError)?.code == .badBackup
        }
        _ = try StoreRestore.run(backup: backup.path, directory: directory.path, acceptsOtherSigner: true, random: { 2 })
        // Nor does the daemon take it by itself.
        try Data().write(to: URL(fileURLWithPath: "\(directory.path)/events.db"))
        try StoreFiles.copy("\(backup.path)/gateway.key", to: "\(directory.path)/gateway.key")
        let parent = backup.path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
        let recovered = try EventStore.opened(directory: directory.path, gateway: "CRIB1", backups: parent, random: { 3 }).store
        #expect(try recovered.recovery()?.backup == nil)
    }

    /// A key that is gone is not replaced in silence by one that proves nothing about what was signed before.
    @Test func aLostKeyIsToldOf() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 50)
        var policy = RetentionPolicy(days: 0)
        (policy.newest, policy.range) = (5, 20)
        let later = WallTime(milliseconds: Decider.time.milliseconds + 1, offsetMinutes: 0, quality: .synchronised)
        #expect(try store.archive(policy, destinations: [], at: later, limit: 1) == 20)
        unlink("\(directory.path)/gateway.key")
        let actions = [
            { _ = try store.archive(policy, destinations: [], at: later) },
            { _ = try store.backUp(to: Directory().path, keep: 1) },
        ]
        for action in actions {
            #expect {
                try action()
            } throws: {
                ($0 as? StoreError)?.code == .keyMissing
            }
        }
        #expect(!StoreFiles.exists("\(directory.path)/gateway.key"))
        #expect(try store.verify().findings.map(\.file) == ["gateway.key"])
        store.close()
        #expect(try EventStore.verify(directory: directory.path).findings.map(\.file) == ["gateway.key"])
    }

    // MARK: Clocks and room

    @Test func theOrderOfBackupsIsNoMatterOfTheClock() async throws {
        let directory = try Directory()
        let (store, parent) = (try await filled(directory, 3), try Directory().path)
        let key = try GatewayKey(directory: directory.path)
        let first = try store.backUp(to: parent, keep: 2)
        try changed(first, key) { $0.created = "2099-01-01T00:00:00Z" }
        // Made by a clock that is wrong: another one is due.
        #expect(store.newestBackup(in: parent) == nil)
        let second = try store.backUp(to: parent, keep: 2)
        #expect((first.manifest.number, second.manifest.number) == (1, 2))
        #expect(store.newestBackup(in: parent) == second.manifest.created)
        try changed(second, key) { $0.created = "1970-01-01T00:00:10Z" }
        let third = try store.backUp(to: parent, keep: 2)
        #expect(third.removed == [first.path])
        #expect(StoreBackups.folders(in: parent, gateway: "CRIB1").map(\.path) == [second.path, third.path])
        #expect(try store.backUp(to: parent, keep: 1).removed == [second.path, third.path])
    }

    /// Said in words before anything is written.
    @Test func aBackupNeedsRoom() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 100)
        let size = StoreFiles.size("\(directory.path)/events.db") + store.statistics.walBytes
        try store.checkSpace(at: "/backups", free: 64 << 20 + size + size / 5)
        #expect {
            try store.checkSpace(at: "/backups", free: 64 << 20 + size)
        } throws: {
            guard let error = $0 as? StoreError else { return false }
            return error.code == .diskFull && error.context.contains("MiB in /backups, 64 MiB are free")
        }
    }

    /// Files of the archive that no backup has any more go with the last one that had them.
    @Test func theArchiveBesideTheBackupsIsBounded() async throws {
        let parent = try Directory().path
        var names: [[String]] = []
        for epoch in UInt64(1)...2 {
            let store = try EventStore(directory: try Directory().path, gateway: "CRIB1", random: { epoch })
            var decider = Decider()
            for number in 0..<50 { _ = await store.commit(decider.putAway(number)) }
            var policy = RetentionPolicy(days: 0)
            (policy.newest, policy.range) = (5, 20)
            try store.archive(
                policy, destinations: [],
                at: WallTime(milliseconds: Decider.time.milliseconds + 1, offsetMinutes: 0, quality: .synchronised))
            names.append(try store.backUp(to: parent, keep: 1).manifest.archives.map(\.name))
        }
        #expect(StoreFiles.names(in: "\(parent)/archive") == names[1].sorted())
        #expect(Set(names[0]).isDisjoint(with: names[1]))
    }
}
