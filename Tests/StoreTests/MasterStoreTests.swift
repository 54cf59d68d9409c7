import GRDB
import Identifiers
import Readings
import TestSupport
import Testing

@testable import Ledger
@testable import Store

@Suite struct MasterStoreTests {
    private let drill = MasterRow(set: .items, id: "DRILL-01", body: ["name": "Drill 18 V", "class": "power-tool"])
    private let saw = MasterRow(set: .items, id: "SAW-01", body: ["name": "锯子"])

    @Test func keepsRowsAndTombstones() throws {
        let directory = try Directory()
        let store = try MasterStore(directory: directory.path)
        #expect(store.version.number == 0)
        let first = try store.apply([saw, drill], at: "2026-11-21T08:00:00.000+08:00", source: "items.csv")
        #expect(first.number == 1)
        #expect(try store.load() == [drill, saw])
        let second = try store.apply(
            [MasterRow(set: .items, id: "SAW-01", isDeleted: true), MasterRow(set: .tags, id: "3034", isDeleted: true)],
            at: "2026-11-21T09:00:00.000+08:00", source: "upstream")
        #expect(second.number == 2)
        #expect(second.digest != first.digest)
        #expect(try store.load() == [drill])
        #expect(try store.tombstones().map(\.body) == [saw.body])
        #expect(try store.row(.items, "SAW-01")?.isDeleted == true)
        #expect(try store.row(.items, "HAMMER") == nil)
        store.close()
        let again = try MasterStore(directory: directory.path)
        #expect(again.version == second)
        #expect(again.version.source == "upstream")
        try again.apply([saw], at: "2026-11-21T10:00:00.000+08:00", source: "items.csv")
        #expect(again.version.digest == first.digest)
        #expect(again.version.digest == MasterStore.digest(of: [saw, drill]))
    }

    @Test func remembersWhenSourcesWereComplete() throws {
        let directory = try Directory()
        let store = try MasterStore(directory: directory.path)
        #expect(try store.seen() == [:])
        try store.setSeen("erp", at: "2026-11-21T08:00:00.000+08:00")
        try store.setSeen("", at: "2026-11-21T09:00:00.000+08:00")
        try store.setSeen("erp", at: "2026-11-21T10:00:00.000+08:00")
        store.close()
        let again = try MasterStore(directory: directory.path)
        #expect(try again.seen() == ["erp": "2026-11-21T10:00:00.000+08:00", "": "2026-11-21T09:00:00.000+08:00"])
        #expect(again.version.number == 0)
    }

    /// A backup that reads just then keeps what was committed from being moved out of the WAL.
    @Test func whatIsAnsweredIsOnTheDisk() throws {
        let directory = try Directory()
        let store = try MasterStore(directory: directory.path)
        let row = MasterRow(set: .items, id: "DRILL-01", body: ["name": "Drill"])
        try store.apply([row], at: "2026-11-22T08:00:00Z", source: "test", cursor: ("erp", "c1"))
        let reader = try DatabaseFile(path: "\(directory.path)/master.db", schema: .master, durability: .full).openReader()
        let wal = "\(directory.path)/master.db-wal"
        try reader.read { db in
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM master")
            try store.apply([row], at: "2026-11-22T08:00:01Z", source: "test", cursor: ("erp", "c2"))
            #expect(StoreFiles.size(wal) > 0)
            #expect(UnwrittenFile.holdsUnwritten(wal) != true)
        }
        try reader.close()
        store.close()
    }

    @Test func remembersTheCursorsThatASourceWasAt() throws {
        let directory = try Directory()
        var store = try MasterStore(directory: directory.path)
        #expect(try store.cursor(of: "erp") == nil && !store.hasPassed("c1", of: "erp"))
        try store.apply([drill], at: "2026-11-21T08:00:00.000+08:00", source: "source erp", cursor: ("erp", "c1"))
        try store.setCursor(of: "erp", to: "c1")
        #expect(try store.cursor(of: "erp") == "c1" && !store.hasPassed("c1", of: "erp"))
        try store.setCursor(of: "erp", to: "c2")
        try store.apply([saw], at: "2026-11-21T08:00:00.000+08:00", source: "source erp", cursor: ("erp", "c3"))
        store.close()
        store = try MasterStore(directory: directory.path)
        #expect(try store.cursor(of: "erp") == "c3")
        #expect(try ["c1", "c2", "c3", "c4"].map { try store.hasPassed($0, of: "erp") } == [true, true, false, false])
        #expect(try !store.hasPassed("c1", of: "other"))
        // Back where it was, by changes that begin at the present cursor.
        try store.setCursor(of: "erp", to: "c1")
        #expect(try ["c1", "c2", "c3"].map { try store.hasPassed($0, of: "erp") } == [false, true, true])
    }

    @Test func forgetsTheOldestCursors() throws {
        let directory = try Directory()
        let store = try MasterStore(directory: directory.path)
        let long = String(repeating: "x", count: 500)
        for number in 1...200 { try store.setCursor(of: "erp", to: "\(number) \(long)") }
        let known = try (1...199).filter { try store.hasPassed("\($0) \(long)", of: "erp") }
        #expect(known.count > 100 && known.count * 500 <= MasterStore.maximumPassedBytes && known.last == 199)
        #expect(known == Array(known[0]...199))
        for number in 1...(MasterStore.maximumPassed + 50) { try store.setCursor(of: "badges", to: "c\(number)") }
        #expect(try !store.hasPassed("c49", of: "badges") && store.hasPassed("c50", of: "badges"))
    }

    /// The digest tells what is there, not how it came.
    @Test func theDigestDoesNotDependOnTheOrder() {
        #expect(MasterStore.digest(of: [drill, saw]) == MasterStore.digest(of: [saw, drill]))
        #expect(MasterStore.digest(of: [drill]) != MasterStore.digest(of: [drill, saw]))
        let deleted = MasterRow(set: .items, id: "X", isDeleted: true)
        #expect(MasterStore.digest(of: [drill, deleted]) == MasterStore.digest(of: [drill]))
    }
}

@Suite struct EventIndexTests {
    /// Who asks while the index begins from nothing is not kept waiting for the end, and nothing of the work is lost.
    @Test func interrupted() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        for number in 1...1_100 { _ = await store.commit(decider.putAway(number)) }
        let index = try EventIndex(directory: directory.path)
        #expect(try index.update(from: store, while: { false }) == 0)
        #expect(try index.sequences(subject: "product/BOLT-1", limit: 10) == [])
        var looks = 0
        let position = try index.update(from: store) {
            looks += 1
            return looks == 1
        }
        #expect(position == 1_000 && looks == 2)
        #expect(try index.sequences(subject: "product/BOLT-1", limit: 2) == [995, 988])
        #expect(try index.update(from: store) == 1_100)
        #expect(try index.sequences(subject: "product/BOLT-1", limit: 2) == [1_100, 1_093])
        index.close()
        #expect(store.close())
    }

    @Test func findsEventsByWhatTheyAreAbout() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        _ = await store.commit(decider.checkOut("DRILL-01"))
        _ = await store.commit(decider.putAway(1))
        let loan = LoanNumber(gateway: "CRIB1", epoch: store.epoch, counter: 1)
        _ = await store.commit(
            decider.decide(.returned(.init(loan: loan, item: ItemKey("DRILL-01")!, epc: nil, borrower: PersonKey("p-0123456789abcdef")!))))
        _ = await store.commit(
            decider.decide(
                .exceptionRaised(
                    .init(
                        kind: .unknownTag, items: [], epcs: [.init(hex: "3034AABB")!], candidates: [], loan: nil, code: nil,
                        direction: .out,
                        owner: "keeper", deadline: Decider.time))))
        _ = await store.commit(decider.decide(.exceptionResolved(exception: 4, resolution: "known", note: "")))

        let index = try EventIndex(directory: directory.path)
        #expect(try index.update(from: store) == 5)
        let expected: [(String, [Int64])] = [
            ("item/DRILL-01", [3, 1]), ("person/p-0123456789abcdef", [3, 1]), ("loan/\(loan)", [3, 1]), ("permit/REQ-7", [1]),
            ("product/BOLT-1", [2]), ("location/A-1", [2]), ("epc/3034AABB", [4]), ("exception/4", [5, 4]),
            ("urn:x:drill", [5, 4, 3, 2, 1]),
            ("item/SAW", []),
        ]
        for (subject, sequences) in expected { #expect(try index.sequences(subject: subject, limit: 10) == sequences, "\(subject)") }
        #expect(try index.sequences(subject: "urn:x:drill", limit: 2, before: 4) == [3, 2])

        _ = await store.commit(decider.checkOut("SAW"))
        try index.update(from: store)
        #expect(try index.sequences(subject: "item/SAW", limit: 10) == [6])
        index.close()
        store.close()

        // Another log under the same index: it starts over.
        let other = try Directory()
        let fresh = try other.open(epoch: 5)
        let reopened = try EventIndex(directory: directory.path)
        #expect(try reopened.update(from: fresh) == 0)
        #expect(try reopened.sequences(subject: "item/SAW", limit: 10) == [])
    }
}
