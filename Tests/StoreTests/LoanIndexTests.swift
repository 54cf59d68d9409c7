import Foundation
import GRDB
import Readings
import Testing

@testable import Ledger
@testable import Store

/// Loans in `index.db`, read from a real log.
@Suite struct LoanIndexTests {
    private func lines(_ index: EventIndex) throws -> [LoanHistory.Line] { try index.loanHistory(from: .min, to: .max).lines }

    /// So many loans, each returned but the last.
    private func fill(_ store: EventStore, _ decider: inout Decider, _ count: Int) async {
        for number in 1...count {
            _ = await store.commit(decider.checkOut("TOOL-\(number)"))
            guard number < count else { return }
            let loan = LoanNumber(gateway: "CRIB1", epoch: 0x0123_4567_89AB_CDEF, counter: decider.state.loanCounter)
            _ = await store.commit(
                decider.decide(
                    .returned(.init(loan: loan, item: ItemKey("TOOL-\(number)")!, epc: nil, borrower: PersonKey("p-0123456789abcdef")!))))
        }
    }

    @Test("Events that are in the archive already count like those of the log")
    func archived() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        await fill(store, &decider, 20)
        let before = try EventIndex(directory: directory.path)
        try before.update(from: store)
        let expected = try lines(before)
        #expect(expected.count == 20 && expected.filter { $0.end == nil }.map(\.item.text) == ["TOOL-20"])
        before.close()
        var policy = RetentionPolicy(days: 1)
        (policy.newest, policy.range) = (5, 10)
        _ = try store.archive(
            policy, destinations: [],
            at: WallTime(milliseconds: Decider.time.milliseconds + 90 * 86_400_000, offsetMinutes: 480, quality: .synchronised),
            limit: 20)
        #expect(store.archivedThrough > 0)
        for suffix in ["", "-wal", "-shm"] { unlink("\(directory.path)/index.db\(suffix)") }
        let again = try EventIndex(directory: directory.path)
        try again.update(from: store)
        #expect(try lines(again) == expected)
    }

    @Test("An index of an older or a newer version is thrown away and read from the log again", arguments: [1, 99])
    func versions(version: Int) async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        await fill(store, &decider, 3)
        let file = DatabaseFile(
            path: "\(directory.path)/index.db",
            schema: StoreSchema(applicationID: StoreSchema.index.applicationID, migrations: [StoreSchema.index.migrations[0]]),
            durability: .normal)
        let old = try file.openWriter()
        // It has read all of the log, and knew nothing of loans.
        try await old.write { db in
            try db.execute(
                sql: "INSERT INTO meta(key, value) VALUES ('epoch', ?), ('position', '5')", arguments: [StoreEpoch.text(store.epoch)])
            try db.execute(sql: "PRAGMA user_version = \(version)")
        }
        try old.close()
        let index = try EventIndex(directory: directory.path)
        try index.update(from: store)
        #expect(try lines(index).count == 3)
        #expect(try index.sequences(subject: "item/TOOL-1", limit: 10) == [2, 1])
        #expect(try !FileManager.default.contentsOfDirectory(atPath: directory.path).contains { $0.contains("schema") })
    }

    @Test("A log that begins again under a new epoch leaves no loans of the old one")
    func epochs() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        await fill(store, &decider, 3)
        let index = try EventIndex(directory: directory.path)
        try index.update(from: store)
        store.close()
        let other = try Directory().open(epoch: 5)
        var fresh = Decider()
        await fill(other, &fresh, 2)
        try index.update(from: other)
        #expect(try lines(index).map(\.item.text) == ["TOOL-1", "TOOL-2"])
    }
}
