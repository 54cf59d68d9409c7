import Foundation
import HTTPClient
import Ledger
import Readings
import SiteConfiguration
import Synchronization
import Testing
import Upstream

@Suite("Master data is pulled by cursor")
struct MasterPullTests {
    /// Keeps rows as a gateway does, and lets a test wait for what happens.
    final class Shelf: MasterIntake {
        struct State: Sendable {
            var rows: [String: MasterRow] = [:]
            var cursor: String?
            var batches: [MasterBatch] = []
            var refusals = 0
            /// How often the source said that there is nothing more.
            var completions = 0
            var refusesID: String?
            var failures = 0
            /// Of every batch, in milliseconds.
            var delay: UInt32 = 0
        }

        let state = Mutex(State())
        private let changed = NSCondition()

        func cursor(of source: String) throws(MasterIntakeError) -> String? { state.withLock(\.cursor) }

        func hasPassed(_ cursor: String, of source: String) throws(MasterIntakeError) -> Bool {
            state.withLock { $0.cursor != cursor && $0.batches.contains { $0.cursor == cursor } }
        }

        func take(_ batch: MasterBatch, from source: String) throws(MasterIntakeError) -> Bool {
            defer { signal() }
            usleep(state.withLock(\.delay) * 1_000)
            let error: MasterIntakeError? = state.withLock { state in
                if state.failures > 0 {
                    state.failures -= 1
                    return .notStored("the disk is full")
                }
                if let id = state.refusesID, batch.rows.contains(where: { $0.id == id }) { return .refused("\(id) is wrong") }
                for row in batch.rows(over: Array(state.rows.values)) { state.rows[row.label] = row.isDeleted ? nil : row }
                state.cursor = batch.cursor
                state.batches.append(batch)
                return nil
            }
            if let error { throw error }
            return !batch.rows.isEmpty
        }

        func reportComplete(from source: String) {
            state.withLock { $0.completions += 1 }
            signal()
        }

        func reportRefusal(from source: String) {
            state.withLock { $0.refusals += 1 }
            signal()
        }

        func signal() {
            changed.lock()
            changed.broadcast()
            changed.unlock()
        }

        func wait(_ what: String, until condition: (State) -> Bool) throws {
            let limit = Date(timeIntervalSinceNow: 20)
            changed.lock()
            defer { changed.unlock() }
            while !condition(state.withLock { $0 }) {
                try #require(changed.wait(until: limit) || condition(state.withLock { $0 }), "did not happen: \(what)")
            }
        }
    }

    /// The source, and a pull from it that has started.
    final class Scene {
        let server: Counterpart
        let shelf = Shelf()
        let pull: MasterPull
        private let url: String

        init(_ behaviour: JSON, tokenFile: String? = nil, cursor: String? = nil) throws {
            server = try Counterpart("master_server.py")
            url = "http://127.0.0.1:\(server.firstLine)"
            shelf.state.withLock { $0.cursor = cursor }
            let shelf = shelf
            pull = try MasterPull(
                name: "erp", .init(url: "\(url)/v2/", tokenFile: tokenFile, intervalSeconds: 86_400), intake: shelf, random: { 0 },
                onChange: { _ in shelf.signal() })
            try control(behaviour)
            try pull.start()
        }

        deinit { pull.stop() }

        func control(_ changes: JSON) throws {
            _ = try HTTPConnection().perform(HTTPRequest("POST", "\(url)/control", body: changes.canonicalBytes))
        }

        func asked() throws -> [String?] {
            let response = try HTTPConnection().perform(HTTPRequest("GET", "\(url)/control"))
            return try (JSON(parsing: response.body)["asked"]?.array ?? []).map(\.string)
        }
    }

    static func item(_ id: String, _ name: String = "a tool") -> JSON { ["set": "items", "id": .string(id), "name": .string(name)] }

    @Test("A snapshot first, then changes page by page, up to the last")
    func snapshotAndChanges() throws {
        let scene = try Scene(["rows": [Self.item("A"), Self.item("B"), Self.item("A", "renamed")]])
        try scene.shelf.wait("the snapshot") { $0.cursor == "c3" }
        #expect(scene.shelf.state.withLock { $0.rows["items A"]?.body["name"] } == "renamed")
        try scene.control(["page": 2, "rows": [Self.item("C"), Self.item("D"), ["set": "items", "id": "B", "deleted": true]]])
        scene.pull.askNow()
        try scene.shelf.wait("the changes") { $0.cursor == "c6" }
        #expect(scene.shelf.state.withLock { $0.rows.keys.sorted() } == ["items A", "items C", "items D"])
        #expect(scene.shelf.state.withLock { $0.batches.map(\.rows.count) } == [2, 2, 1])
        #expect(scene.shelf.state.withLock { $0.batches.map(\.hasMore) } == [false, true, false])
        try scene.shelf.wait("twice it said that this is all") { $0.completions == 2 }
    }

    @Test("Started anew it goes on where it was; a source that has forgotten the cursor tells everything once more")
    func resume() throws {
        let scene = try Scene(["rows": [Self.item("A"), Self.item("B")]], cursor: "c1")
        try scene.shelf.wait("the change") { $0.cursor == "c2" }
        #expect(scene.shelf.state.withLock { $0.rows.keys.sorted() } == ["items B"])
        try scene.control(["forget": true, "rows": [Self.item("C")]])
        scene.pull.askNow()
        try scene.shelf.wait("everything") { $0.rows.count == 3 }
        #expect(try scene.asked() == ["c1", "c2", nil])
    }

    @Test("An answer that is cut off counts for nothing and is asked for again")
    func cut() throws {
        let scene = try Scene(["rows": .array((1...50).map { Self.item("T\($0)") }), "cut": 3])
        try scene.shelf.wait("the whole") { $0.cursor == "c50" }
        #expect(scene.shelf.state.withLock { ($0.batches.count, $0.rows.count, $0.refusals) } == (1, 50, 0))
        #expect(try scene.asked().count == 4)
    }

    @Test("Trouble passes by itself: the server's, and that of the own disk")
    func trouble() throws {
        let scene = try Scene(["rows": [Self.item("A")], "status": 503, "times": 2])
        scene.shelf.state.withLock { $0.failures = 2 }
        try scene.shelf.wait("the row") { $0.cursor == "c1" }
        #expect(scene.shelf.state.withLock(\.refusals) == 0)
    }

    @Test("What cannot be taken in is refused whole, said, and asked for again when somebody wants it")
    func refused() throws {
        let scene = try Scene(["rows": [Self.item("A"), Self.item("BAD")]])
        scene.shelf.state.withLock { $0.refusesID = "BAD" }
        scene.pull.askNow()
        try scene.shelf.wait("the refusal") { $0.refusals > 0 }
        while scene.pull.status().state != .refused { sched_yield() }
        #expect(scene.pull.status().lastError == "BAD is wrong")
        #expect(scene.shelf.state.withLock(\.completions) == 0)
        scene.shelf.state.withLock { $0.refusesID = nil }
        scene.pull.askNow()
        try scene.shelf.wait("all of it") { $0.cursor == "c2" }
    }

    @Test("Changes that begin elsewhere than asked for are not taken: something would be missing")
    func gap() throws {
        let scene = try Scene(["rows": [Self.item("A")], "wrong_since": true], cursor: "c0")
        while scene.pull.status().state != .refused { sched_yield() }
        #expect(scene.pull.status().lastError?.contains("sent those since c999") == true)
        #expect(scene.shelf.state.withLock { $0.batches.isEmpty && $0.cursor == "c0" })
    }

    @Test("A source that has forgotten the cursor and sends changes all the same is refused: what was deleted meanwhile would stay")
    func changesToNothing() throws {
        let scene = try Scene(["rows": [Self.item("A"), Self.item("B")], "forget": true, "snapshots": false], cursor: "c1")
        try scene.shelf.wait("the refusal") { $0.refusals > 0 }
        #expect(scene.shelf.state.withLock { $0.batches.isEmpty && $0.cursor == "c1" })
        while scene.pull.status().state != .refused { sched_yield() }
        #expect(scene.pull.status().lastError?.contains("sent no snapshot") == true)
        try scene.control(["snapshots": true])
        scene.pull.askNow()
        try scene.shelf.wait("everything") { $0.cursor == "c2" }
    }

    @Test("A source that falls silent in the middle of its answer is given up after the time-out, and a stop ends it at once")
    func silent() throws {
        for timeout in [1, 300] {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"master\":1,\"snapshot\":true}\n{\"set\":"
            let peer = try SilentPeer(.breakingOff(head))
            let pull = try MasterPull(
                name: "erp", .init(url: "http://127.0.0.1:\(peer.port)", timeoutSeconds: timeout), intake: Shelf(), random: { 1 })
            try pull.start()
            #expect(peer.falls())
            if timeout == 1 {
                let end = Date(timeIntervalSinceNow: 20)
                while pull.status().state != .backingOff, Date() < end { usleep(20_000) }
                #expect(pull.status().state == .backingOff && pull.status().lastError?.contains("too slow") == true)
            } else {
                usleep(300_000)
            }
            #expect(pull.stop())
        }
    }

    @Test("A renewed token is read for the next question")
    func token() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("token-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "old".write(toFile: file, atomically: true, encoding: .utf8)
        let scene = try Scene(["rows": [Self.item("A")], "token": "new"], tokenFile: file)
        while scene.pull.status().state != .refused { sched_yield() }
        #expect(scene.pull.status().lastError?.contains("401") == true)
        try "new\n".write(toFile: file, atomically: true, encoding: .utf8)
        scene.pull.askNow()
        try scene.shelf.wait("the row") { $0.cursor == "c1" }
    }
}
