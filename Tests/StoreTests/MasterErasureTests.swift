import Foundation
import Readings
import Testing

@testable import Ledger
@testable import Store

/// A person who is erased is erased in every copy, and no restore brings the person back.
@Suite struct MasterErasureTests {
    private static let key = "p-0123456789abcdef"
    private static let rows: [MasterRow] = [
        MasterRow(
            set: .people, id: "1001",
            body: ["key": .string(key), "name": "Wilhelmine Zwirnknopf", "email": "w.zwirnknopf@example.com"]),
        MasterRow(set: .people, id: "1002", body: ["key": "p-fedcba9876543210", "name": "Li", "supervisor": "1001"]),
        MasterRow(set: .credentials, id: "04A1B2C3", body: ["person": "1001"]),
        MasterRow(set: .credentials, id: "04FFFFFF", body: ["person": "1002"]),
        MasterRow(set: .items, id: "DRILL", body: ["name": "Drill"]),
    ]

    private func holdsName(_ folder: String) throws -> [String] {
        let files = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
        return files.filter { name in
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { return false }
            return ["Zwirnknopf", "zwirnknopf", "04A1B2C3"].contains { data.range(of: Data($0.utf8)) != nil }
        }
    }

    private func people(_ folder: String) throws -> [String] {
        let store = try MasterStore(directory: folder)
        defer { store.close() }
        return try store.load().filter { $0.set == .people }.map(\.id)
    }

    @Test func everyCopyIsErased() async throws {
        let (directory, parent, elsewhere) = (try Directory(), try Directory().path, try Directory().path)
        let store = try directory.open()
        var decider = Decider()
        for number in 0..<3 { _ = await store.commit(decider.putAway(number)) }
        let master = try MasterStore(directory: directory.path)
        try master.apply(Self.rows, at: "2026-11-22T08:00:00Z", source: "test")
        let backups = try [1, 2].map { _ in try store.backUp(to: parent, keep: 5) }
        let kept = try store.backUp(to: elsewhere, keep: 5)
        // Set aside by an earlier restore, one of them not closed: its rows are in the WAL.
        for name in ["replaced-20261101T000000Z", "damaged-20261102T000000Z"] {
            try FileManager.default.createDirectory(atPath: "\(directory.path)/\(name)", withIntermediateDirectories: false)
        }
        try FileManager.default.copyItem(
            atPath: "\(directory.path)/master.db", toPath: "\(directory.path)/replaced-20261101T000000Z/master.db")
        try "no database".write(toFile: "\(directory.path)/damaged-20261102T000000Z/master.db", atomically: false, encoding: .utf8)
        let open = try MasterStore(directory: "\(directory.path)/replaced-20261101T000000Z")
        try open.apply(
            [MasterRow(set: .people, id: "1001", body: ["key": .string(Self.key), "name": "W. Zwirnknopf"])], at: "2026-11-22T08:00:00Z",
            source: "test")

        let person = try #require(PersonKey(Self.key))
        let outcome = try MasterErasure.eraseCopies(
            of: person, in: directory.path, backups: parent, gateway: "CRIB1", at: "2026-11-22T09:00:00Z")
        let expected = backups.map { "\($0.path)/master.db" } + ["\(directory.path)/replaced-20261101T000000Z/master.db"]
        #expect(outcome.erased.sorted() == expected.sorted())
        #expect(outcome.failed.keys.sorted() == ["\(directory.path)/damaged-20261102T000000Z/master.db"])
        let rest = try master.load().rows(supervisedBy: "1001")
        #expect(rest == [MasterRow(set: .people, id: "1002", body: ["key": "p-fedcba9876543210", "name": "Li"])])
        try master.erase(
            [(.people, "1001"), (.credentials, "04A1B2C3")], rewriting: rest, at: "2026-11-22T09:00:00Z", source: "test")
        try master.scrub()
        master.close()
        #expect(try holdsName(parent) == [])
        #expect(try holdsName(directory.path) == [])
        for backup in backups {
            #expect(StoreFiles.names(in: backup.path) == ["events.db", "gateway.key", "manifest.json", "master.db"])
            #expect(throws: Never.self) { try BackupManifest(folder: backup.path).check(folder: backup.path) }
        }
        // A second time nothing is left to do.
        let again = try MasterErasure.eraseCopies(
            of: person, in: directory.path, backups: parent, gateway: "CRIB1", at: "2026-11-22T09:00:00Z")
        #expect(again.erased.isEmpty)
        #expect(again.clean.count == 3)

        // A backup that lay elsewhere comes back without the person.
        store.close()
        _ = try StoreRestore.run(backup: kept.path, directory: directory.path, random: { 9 })
        #expect(try people(directory.path) == ["1002"])
        // What is left still fits together: nobody has a supervisor who is not there.
        let restored = try MasterStore(directory: directory.path)
        #expect(try MasterData().applying(restored.load()).people.count == 1)
        restored.close()
        #expect(try holdsName(directory.path).isEmpty)
    }

    /// The power goes between the changed file and its manifest: the next time it is signed.
    @Test func anErasureIsFinished() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try directory.open()
        let master = try MasterStore(directory: directory.path)
        try master.apply(Self.rows, at: "2026-11-22T08:00:00Z", source: "test")
        let backup = try store.backUp(to: parent, keep: 5)
        let manifest = try StoreFiles.read("\(backup.path)/manifest.json")
        let person = try #require(PersonKey(Self.key))
        func erase() throws -> ErasedCopies {
            try MasterErasure.eraseCopies(of: person, in: directory.path, backups: parent, gateway: "CRIB1", at: "2026-11-22T09:00:00Z")
        }
        _ = try erase()
        try StoreFiles.write(manifest, to: "\(backup.path)/manifest.json")
        try StoreFiles.write(
            Array(try FileDigest(of: "\(backup.path)/master.db").hex.utf8), to: "\(backup.path)/master.db.erased")
        #expect(throws: StoreError.self) { try backup.manifest.check(folder: backup.path) }
        let outcome = try erase()
        #expect(outcome.failed.isEmpty)
        #expect(throws: Never.self) { try BackupManifest(folder: backup.path).check(folder: backup.path) }
    }

    /// A gateway that is killed while a backup takes the place of damaged master data has not taken in who was erased since.
    @Test func aBackupTakesThePlaceWithoutThem() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try directory.open()
        let master = try MasterStore(directory: directory.path)
        try master.apply(Self.rows, at: "2026-11-22T08:00:00Z", source: "test")
        _ = try store.backUp(to: parent, keep: 5)
        master.close()
        store.close()
        try "no database".write(toFile: "\(directory.path)/master.db", atomically: false, encoding: .utf8)
        // Whoever reads the list waits for us.
        let list = "\(directory.path)/erased"
        #expect(mkfifo(list, 0o600) == 0)
        let opening = Task.detached {
            try MasterStore.opened(directory: directory.path, gateway: "CRIB1", backups: parent)
        }
        let seen = try await Task.detached { () throws -> [String] in
            let writer = open(list, O_WRONLY | O_CLOEXEC)
            defer { close(writer) }
            let seen = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter {
                FileManager.default.contents(atPath: "\(directory.path)/\($0)")?.range(of: Data("Zwirnknopf".utf8)) != nil
            }
            let key = Array("\(Self.key)\n".utf8)
            #expect(write(writer, key, key.count) == key.count)
            return seen
        }.value
        #expect(seen == [])
        let (opened, rescue) = try await opening.value
        #expect(rescue?.backup != nil)
        #expect(try opened.load().filter { $0.set == .people }.map(\.id) == ["1002"])
        opened.close()
        unlink(list)
        #expect(try holdsName(directory.path) == [])
    }

    /// Erasing works on copies; those that a kill has left hold the person, also when their backup has made room since.
    @Test func whatAKillHasLeftIsErased() async throws {
        let (directory, parent) = (try Directory(), try Directory().path)
        let store = try directory.open()
        let master = try MasterStore(directory: directory.path)
        try master.apply(Self.rows, at: "2026-11-22T08:00:00Z", source: "test")
        let backups = try [1, 2].map { _ in try store.backUp(to: parent, keep: 5) }
        // Of a backup, of a restore that was begun, of a rescue, and of a backup that had only begun.
        let manager = FileManager.default
        for folder in [
            "\(backups[0].path)/master.db.erasing", "\(directory.path)/restoring.new/master.db.erasing",
            "\(directory.path)/master.db.rescued/master.db.erasing", "\(parent)/.CRIB1-unfinished",
        ] {
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try manager.copyItem(atPath: "\(backups[1].path)/master.db", toPath: "\(folder)/master.db")
        }
        try Data(repeating: 0, count: 100).write(to: URL(fileURLWithPath: "\(parent)/.CRIB1-unfinished/events.db"))
        let torn = try FileHandle(forUpdating: URL(fileURLWithPath: "\(parent)/.CRIB1-unfinished/master.db"))
        try torn.write(contentsOf: Data(repeating: 0, count: 512))
        try torn.close()
        _ = StoreBackups.rotate(parent, gateway: "CRIB1", keep: 1, made: backups[1].path)
        let outcome = try MasterErasure.eraseCopies(
            of: try #require(PersonKey(Self.key)), in: directory.path, backups: parent, gateway: "CRIB1", at: "2026-11-22T09:00:00Z")
        #expect(outcome.failed == [:])
        try master.erase([(.people, "1001"), (.credentials, "04A1B2C3")], at: "2026-11-22T09:00:00Z", source: "test")
        try master.scrub()
        master.close()
        #expect(try holdsName(parent) == [])
        #expect(try holdsName(directory.path) == [])
        #expect(!StoreFiles.exists(backups[0].path))
    }
}
