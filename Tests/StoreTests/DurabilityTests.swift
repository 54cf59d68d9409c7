import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct DurabilityTests {
    private func file(_ directory: Directory, _ durability: DatabaseFile.Durability = .full) -> DatabaseFile {
        DatabaseFile(path: "\(directory.path)/events.db", schema: .events, durability: durability)
    }

    private func value(_ pragma: String, _ queue: DatabaseQueue) throws -> String? {
        try queue.inDatabase { try String.fetchOne($0, sql: "PRAGMA \(pragma)") }
    }

    @Test(arguments: [
        ("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("trusted_schema", "0"), ("cell_size_check", "1"),
        ("mmap_size", "0"),
        ("temp_store", "2"), ("busy_timeout", "5000"), ("journal_size_limit", "8388608"), ("wal_autocheckpoint", "0"),
        ("user_version", "3"),
        ("page_size", "4096"),
    ])
    func settings(pragma: String, expected: String) throws {
        let directory = try Directory()
        #expect(try value(pragma, file(directory).openWriter()) == expected)
    }

    /// Why the settings are made after opening: asked for before, they do not last.
    @Test func theLibraryLowersSynchronousByItself() throws {
        let directory = try Directory()
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let queue = try DatabaseQueue(path: "\(directory.path)/events.db", configuration: configuration)
        #expect(try value("synchronous", queue) == "1")
        #expect { try file(directory).assertSettings(queue) } throws: { ($0 as? StoreError)?.code == .notDurable }
        try file(directory).settle(queue)
        #expect(try value("synchronous", queue) == "2")
    }

    @Test(arguments: ["synchronous = NORMAL", "wal_autocheckpoint = 1000", "foreign_keys = OFF"])
    func refusesToRunWithout(pragma: String) throws {
        let directory = try Directory()
        let queue = try file(directory).openWriter()
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA \(pragma)") }
        #expect { try file(directory).assertSettings(queue) } throws: { ($0 as? StoreError)?.code == .notDurable }
    }

    @Test func refusesAFileOfAnotherProgram() throws {
        let directory = try Directory()
        try directory.meddle("events.db", "CREATE TABLE theirs(x)")
        #expect { try directory.open() } throws: { ($0 as? StoreError)?.code == .foreignFile }
        let other = try Directory()
        try "not a database, only text that is long enough to be looked at".write(
            toFile: "\(other.path)/events.db", atomically: true, encoding: .utf8)
        #expect { try other.open() } throws: { ($0 as? StoreError)?.code == .foreignFile }
    }

    @Test func goesForwardWithABackupAndNeverBack() async throws {
        let directory = try Directory()
        let old = try directory.open()
        var decider = Decider()
        _ = await old.commit(decider.putAway())
        old.close()

        var newer = StoreSchema.events
        newer.migrations.append { try $0.execute(sql: "CREATE TABLE added(x)") }
        let store = try EventStore(directory: directory.path, gateway: "CRIB1", random: { 1 }, tuning: StoreTuning(), schema: newer)
        #expect(try store.verify().events == 1)
        store.close()
        let backup = try DatabaseQueue(path: "\(directory.path)/events.db.schema3.backup")
        #expect(try await backup.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM event") } == 1)
        #expect(try value("user_version", backup) == "3")
        #expect(try value("application_id", backup) == "1397187958")

        #expect { try directory.open() } throws: { ($0 as? StoreError)?.code == .newerSchema }
    }

    /// A step that fails leaves the old file as it was.
    @Test func aFailedStepChangesNothing() throws {
        let directory = try Directory()
        try directory.open().close()
        var newer = StoreSchema.events
        newer.migrations.append { db in
            try db.execute(sql: "CREATE TABLE added(x)")
            try db.execute(sql: "CREATE TABLE event(y)")
        }
        #expect(throws: StoreError.self) {
            try EventStore(directory: directory.path, gateway: "CRIB1", random: { 1 }, tuning: StoreTuning(), schema: newer)
        }
        let store = try directory.open()
        #expect(try store.verify().isIntact)
        store.close()
        let queue = try DatabaseQueue(path: "\(directory.path)/events.db")
        #expect(try queue.read { try $0.tableExists("added") } == false)
    }
}
