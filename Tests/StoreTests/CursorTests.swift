import GRDB
import Testing

@testable import Ledger
@testable import Store

@Suite struct CursorTests {
    private func stored(_ directory: Directory) throws -> [String: Int64] {
        let queue = try DatabaseQueue(path: "\(directory.path)/events.db")
        return try queue.read { db in
            try Dictionary(uniqueKeysWithValues: Row.fetchAll(db, sql: "SELECT destination, acked FROM cursor").map { ($0[0], $0[1]) })
        }
    }

    @Test func movesForwardOnlyAndNotPastTheLog() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        for _ in 1...5 { _ = await store.commit(decider.putAway()) }
        #expect(store.cursor("mqtt") == 0)
        store.acknowledge(destination: "mqtt", upTo: 3)
        #expect(store.cursor("mqtt") == 3)
        store.acknowledge(destination: "mqtt", upTo: 2)
        #expect(store.cursor("mqtt") == 3)
        store.acknowledge(destination: "mqtt", upTo: 99)
        #expect(store.cursor("mqtt") == 5)
        #expect(store.close())
        #expect(try stored(directory) == ["mqtt": 5])
        #expect(try directory.open().cursor("mqtt") == 5)
    }

    @Test func ridesOnTheNextCommit() async throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        tuning.cursorDelay = 3_600_000_000_000
        let store = try directory.open(tuning)
        var decider = Decider()
        _ = await store.commit(decider.putAway())
        store.acknowledge(destination: "file", upTo: 1)
        _ = await store.commit(decider.putAway())
        #expect(store.statistics.groups == 2)
        #expect(try stored(directory) == ["file": 1])
    }

    @Test func isWrittenAfterItsDelayWithoutACommit() async throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        tuning.cursorDelay = 1_000_000
        let store = try directory.open(tuning)
        var decider = Decider()
        _ = await store.commit(decider.putAway())
        store.acknowledge(destination: "file", upTo: 1)
        var found: [String: Int64] = [:]
        while found.isEmpty {
            found = try stored(directory)
            await Task.yield()
        }
        #expect(found == ["file": 1])
    }

    @Test func isWrittenAfterSoManyEvents() async throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        tuning.cursorDelay = 3_600_000_000_000
        tuning.cursorEvents = 4
        let store = try directory.open(tuning)
        var decider = Decider()
        for _ in 1...5 { _ = await store.commit(decider.putAway()) }
        store.acknowledge(destination: "file", upTo: 4)
        _ = try store.load()
        #expect(await withCheckedContinuation { done in store.probe(token: 1) { done.resume(returning: $0) } } == 1)
        #expect(try stored(directory) == ["file": 4])
    }
}
