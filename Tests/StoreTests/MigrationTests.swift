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
        #expect(try store.load().state == decider.state)
        #expect(await store.commit(decider.putAway()).events?.map(\.sequence) == [2])
        let report = try store.verify()
        #expect(report.isIntact, "\(report.problems)")
        #expect(FileManager.default.fileExists(atPath: "\(directory.path)/events.db.schema1.backup"))
    }

    /// What was counted stood in a row of its own until schema 2. It moves with the next event, and none of it is forgotten.
    @Test func countersOfTheSecondSchemaGoOn() async throws {
        let directory = try Directory()
        var decider = Decider()
        var older = StoreSchema.events
        older.migrations.removeLast()
        let made = try DatabaseFile(path: "\(directory.path)/events.db", schema: older, durability: .full).openWriter()
        var chain = EventChain(identity: EventIdentity(gateway: "CRIB1", epoch: 7))
        let decisions = [decider.checkOut("DRILL-1"), decider.checkOut("DRILL-2")]
        let sealed = decisions.map { chain.seal($0.events[0]) }
        try await made.writeWithoutTransaction { db in
            try db.execute(sql: "INSERT INTO meta VALUES ('gateway', 'CRIB1')")
            try db.execute(sql: "INSERT INTO epoch VALUES (1, '0000000000000007', 'created', '')")
            for (decision, event) in zip(decisions, sealed) {
                try db.execute(sql: "INSERT INTO event VALUES (?, ?)", arguments: [event.sequence, Data(event.bytes)])
                for row in decision.rows {
                    try db.execute(sql: "INSERT OR REPLACE INTO state VALUES (?, ?)", arguments: [row.key, row.value?.canonicalText])
                }
            }
        }
        try made.close()

        var store = try directory.open()
        #expect(try store.load().state == decider.state)
        #expect(decider.state.loanCounter == 2 && decider.state.episodeCounter == 2)
        #expect(try store.verify().isIntact)
        for item in ["DRILL-3", "DRILL-4"] {
            #expect(await store.commit(decider.checkOut(item)).events?.count == 1)
            #expect(try store.load().state == decider.state)
            #expect(try store.verify().isIntact)
            store.close()
            store = try directory.open()
        }
        #expect(try store.load().state == decider.state)
        store.close()
    }
}
