import Foundation
import GRDB
import Readings
import Testing

@testable import Ledger
@testable import Store

/// Files of earlier versions, made here by hand as those versions made them.
@Suite struct MigrationTests {
    @Test func aFileOfTheFirstSchemaKeepsItsEpoch() async throws {
        let directory = try Directory()
        let identity = EventIdentity(gateway: "CRIB1", epoch: 0x0123_4567_89AB_CDEF)
        var chain = EventChain(identity: identity)
        var decider = Decider()
        let decision = decider.checkOut("DRILL-1")
        let sealed = chain.seal(decision.events[0])
        let queue = try DatabaseQueue(path: "\(directory.path)/events.db")
        try await queue.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL; PRAGMA application_id = 1397187958; PRAGMA user_version = 1;
                    CREATE TABLE event(seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
                    CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE cursor(destination TEXT PRIMARY KEY, acked INTEGER NOT NULL, written TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                    INSERT INTO meta VALUES ('epoch', '0123456789abcdef'), ('gateway', 'CRIB1'), ('created', '2026-11-21T00:00:00.000Z');
                    INSERT INTO cursor VALUES ('erp', 1, '2026-11-21T00:00:01.000Z');
                    """)
            try db.execute(sql: "INSERT INTO event VALUES (1, ?)", arguments: [Data(sealed.bytes)])
            for row in decision.rows {
                try db.execute(sql: "INSERT OR REPLACE INTO state VALUES (?, ?)", arguments: [row.key, row.value?.canonicalText])
            }
        }
        try queue.close()

        #expect { try EventStore.verify(directory: directory.path) } throws: { ($0 as? StoreError)?.code == .olderSchema }
        let store = try directory.open(epoch: 99)
        #expect(store.epoch == 0x0123_4567_89AB_CDEF)
        #expect(store.epochs == [.init(first: 1, epoch: store.epoch, reason: "created", at: "2026-11-21T00:00:00.000Z")])
        #expect(store.cursor("erp") == 1)
        #expect(await store.commit(decider.putAway()).events?.map(\.sequence) == [2])
        let report = try store.verify()
        #expect(report.isIntact, "\(report.problems)")
        #expect(FileManager.default.fileExists(atPath: "\(directory.path)/events.db.schema1.backup"))
    }
}
