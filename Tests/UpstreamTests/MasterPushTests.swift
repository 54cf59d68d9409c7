import Foundation
import Ledger
import Readings
import SiteConfiguration
import Synchronization
import Testing
import Upstream

@Suite("Master data are pushed by messages")
struct MasterPushTests {
    typealias Shelf = MasterPullTests.Shelf

    static let own = "stockgate/1/test/CRIB1/master/erp"
    static let shared = "stockgate/1/test/master/erp"

    /// A message, as the form of batches has it.
    static func batch(_ head: JSON, _ rows: [JSON], cursor: String) -> String {
        let end: JSON = ["end": 1, "cursor": .string(cursor), "rows": .integer(Int64(rows.count))]
        return ([head] + rows + [end]).map(\.canonicalText).joined(separator: "\n")
    }

    static func snapshot(_ cursor: String, _ ids: [String]) -> String {
        batch(["master": 1, "snapshot": true], ids.map { MasterPullTests.item($0) }, cursor: cursor)
    }

    static func change(_ since: String, _ cursor: String, _ rows: [JSON]) -> String {
        batch(["master": 1, "since": .string(since)], rows, cursor: cursor)
    }

    /// A source over a broker in memory, which has started.
    final class Scene {
        let broker: PushingBroker
        let shelf = Shelf()
        let push: MasterPush

        init(_ broker: PushingBroker = PushingBroker(), cursor: String? = nil, patience: Int64 = MasterPush.patience) throws {
            self.broker = broker
            let shelf = shelf
            shelf.state.withLock { $0.cursor = cursor }
            push = MasterPush(
                name: "erp", .init(host: "broker.invalid", port: 1_883, timeoutSeconds: 5), gateway: .init(code: "CRIB1", site: "test"),
                intake: shelf, patience: patience, random: { 0 }, onChange: { _ in shelf.signal() }, linkMaker: broker)
            try push.start()
        }

        deinit { push.stop() }

        /// The word of the last answer about a batch.
        func result(of cursor: String) throws -> JSON {
            try #require(broker.wait { $0.contains { $0["batch"] == .string(cursor) } }, "no answer about \(cursor): \(broker.states)")
            return try #require(broker.states.last { $0["batch"] == .string(cursor) })
        }

        var rows: [String] { shelf.state.withLock { $0.rows.keys.sorted() } }
    }

    @Test("A snapshot, changes on either topic, and a repetition; each is answered")
    func course() throws {
        let scene = try Scene()
        scene.broker.publish(Self.own, Self.snapshot("c1", ["A", "B"]))
        let applied = try scene.result(of: "c1")
        #expect(applied["result"] == "applied" && applied["cursor"] == "c1" && applied["needs"] == nil)
        #expect(applied["gateway"] == "CRIB1" && applied["site"] == "test" && applied["source"] == "erp")
        scene.broker.publish(
            Self.shared, Self.change("c1", "c2", [MasterPullTests.item("C"), ["set": "items", "id": "A", "deleted": true]]))
        #expect(try scene.result(of: "c2")["result"] == "applied")
        #expect(scene.rows == ["items B", "items C"])
        // Neither the same change nor an older one is wrong, and neither brings anything back.
        let count = scene.broker.states.count
        scene.broker.publish(Self.shared, Self.change("c1", "c2", [MasterPullTests.item("C")]))
        scene.broker.publish(Self.own, Self.snapshot("c1", ["A", "B"]))
        #expect(scene.broker.wait { $0.count == count + 2 })
        #expect(scene.broker.states.suffix(2).map { $0["result"] } == ["known", "known"])
        #expect(scene.broker.states.allSatisfy { $0["reasons"] == nil } && scene.broker.states.last?["cursor"] == "c2")
        #expect(scene.rows == ["items B", "items C"] && scene.shelf.state.withLock { $0.batches.count } == 2)
        let status = scene.push.status()
        #expect(status.state == .current && status.cursor == "c2" && status.batches == 2 && (status.age ?? -1) >= 0)
        // What is none of its business, and a retained message that is taken back.
        scene.broker.publish("stockgate/1/test/CRIB2/master/erp", Self.snapshot("x", []))
        scene.broker.publish(Self.own, "")
        scene.broker.publish(Self.own, Self.change("c2", "c3", []))
        #expect(try scene.result(of: "c3")["result"] == "applied")
        #expect(scene.shelf.state.withLock(\.refusals) == 0)
        #expect(scene.push.stop() && scene.push.status().state == .ended)
    }

    @Test("Changes that begin elsewhere are refused in words, and a snapshot heals it")
    func gap() throws {
        let scene = try Scene(cursor: "c4")
        scene.broker.publish(Self.own, Self.change("c6", "c7", [MasterPullTests.item("A")]))
        let refused = try scene.result(of: "c7")
        #expect(refused["result"] == "refused" && refused["cursor"] == "c4" && refused["needs"] == "snapshot")
        let reason = "changes since c6 do not fit: this gateway is at c4 and needs a snapshot, or the changes since then"
        #expect(refused["reasons"] == [.string(reason)])
        #expect(scene.shelf.state.withLock(\.refusals) == 1)
        #expect(scene.push.status().state == .refused && scene.push.status().lastError == reason)
        // Not even a lost connection makes it forgotten.
        scene.broker.loseConnection()
        #expect(scene.broker.wait { $0.count { $0["result"] == "refused" } >= 2 })
        scene.broker.publish(Self.own, Self.snapshot("c7", ["A"]))
        #expect(scene.broker.wait { $0.last?["result"] == "applied" })
        try scene.shelf.wait("all is well") { _ in scene.push.status().state == .current }
        #expect(scene.rows == ["items A"])
    }

    @Test("Changes without a beginning fit a gateway that has nothing only")
    func withoutBeginning() throws {
        let scene = try Scene()
        scene.broker.publish(Self.own, Self.batch(["master": 1], [MasterPullTests.item("A")], cursor: "c1"))
        #expect(try scene.result(of: "c1")["result"] == "applied")
        scene.broker.publish(Self.own, Self.batch(["master": 1], [MasterPullTests.item("B")], cursor: "c2"))
        #expect(try scene.result(of: "c2")["reasons"]?.array?.first?.string?.contains("since nothing do not fit") == true)
        #expect(scene.rows == ["items A"])
    }

    @Test(
        "What is no batch changes nothing, and is told line by line",
        arguments: [
            (#"{"rows":[]}"#, "line 1: the first line must be the head"), ("nonsense", "line 1: "),
            (#"{"master":1,"snapshot":true}"# + "\n" + #"{"set":"items","id":"A"}"#, #"the message ended before its "end" line"#),
            (#"{"master":1}"# + "\n" + #"{"end":1,"cursor":"c1","rows":3}"#, "line 2: the end must count"),
        ])
    func malformed(text: String, part: String) throws {
        let scene = try Scene(cursor: "c0")
        scene.broker.publish(Self.own, text)
        #expect(scene.broker.wait { $0.last?["result"] == "refused" })
        let answer = try #require(scene.broker.states.last)
        #expect(answer["reasons"]?.array?.first?.string?.hasPrefix(part) == true, "\(answer)")
        #expect(answer["batch"] == nil && answer["cursor"] == "c0" && answer["needs"] == nil)
        #expect(scene.shelf.state.withLock { $0.batches.isEmpty && $0.refusals == 1 })
        scene.broker.publish(Self.own, Self.change("c0", "c1", [MasterPullTests.item("A")]))
        #expect(try scene.result(of: "c1")["result"] == "applied")
    }

    @Test("A message that is too large is refused in words")
    func oversized() throws {
        let scene = try Scene()
        scene.broker.publishOversized(Self.own, bytes: 100 << 20)
        #expect(scene.broker.wait { $0.last?["result"] == "refused" })
        #expect(scene.broker.states.last?["reasons"] == ["a message may have 64 MiB, and one came with 100"])
    }

    /// A link that is busy hears nothing of the broker's next words.
    @Test("A batch that takes longer than the broker may is waited for")
    func slow() throws {
        let broker = PushingBroker()
        let shelf = Shelf()
        let push = MasterPush(
            name: "erp", .init(host: "broker.invalid", port: 1_883, timeoutSeconds: 1), gateway: .init(code: "CRIB1", site: "test"),
            intake: shelf, random: { 0 }, linkMaker: broker)
        try push.start()
        defer { push.stop() }
        #expect(broker.wait { $0.count == 1 })
        broker.publish(Self.own, Self.snapshot("c1", ["A"]))
        #expect(broker.wait { $0.last?["result"] == "applied" })
        shelf.state.withLock { $0.delay = 2_500 }
        // What waits comes before the subscriptions are answered, as with Mosquitto.
        broker.loseConnection()
        broker.publish(Self.own, Self.change("c1", "c2", []))
        push.askNow()
        #expect(broker.wait { $0.last?["cursor"] == "c2" } && broker.connections == 2)
    }

    @Test("What the checks refuse is refused whole")
    func refused() throws {
        let scene = try Scene()
        scene.shelf.state.withLock { $0.refusesID = "BAD" }
        scene.broker.publish(Self.own, Self.snapshot("c1", ["A", "BAD"]))
        let answer = try scene.result(of: "c1")
        #expect(answer["result"] == "refused" && answer["reasons"] == ["BAD is wrong"] && answer["cursor"] == .null)
        #expect(scene.rows.isEmpty && scene.shelf.state.withLock(\.refusals) == 1)
    }

    @Test("A retained snapshot comes at every connection, and brings nothing back")
    func retained() throws {
        let scene = try Scene()
        scene.broker.publish(Self.shared, Self.snapshot("c1", ["A"]), retain: true)
        scene.broker.publish(Self.shared, Self.change("c1", "c2", [MasterPullTests.item("B")]))
        #expect(try scene.result(of: "c2")["result"] == "applied")
        scene.broker.loseConnection()
        #expect(scene.broker.wait { $0.last?["result"] == "known" })
        #expect(scene.rows == ["items A", "items B"] && scene.push.status().cursor == "c2")
    }

    @Test("What cannot be stored is held for a while, then left to the broker, which sends it again", arguments: [MasterPush.patience, 0])
    func notStored(patience: Int64) throws {
        let scene = try Scene(patience: patience)
        scene.shelf.state.withLock { $0.failures = 2 }
        scene.broker.publish(Self.own, Self.snapshot("c1", ["A"]))
        #expect(scene.broker.wait { $0.contains { $0["result"] == "not_stored" } })
        scene.push.askNow()
        #expect(scene.broker.wait { $0.last?["result"] == "applied" })
        #expect(scene.rows == ["items A"] && scene.shelf.state.withLock(\.refusals) == 0)
        #expect(scene.broker.connections == (patience == 0 ? 3 : 1))
    }

    /// Nothing lost, nothing brought back, whatever the broker and the disk do.
    @Test(arguments: 1...12 as ClosedRange<UInt64>) func faults(seed: UInt64) throws {
        let scene = try Scene(PushingBroker(seed: seed), patience: 0)
        var expected: Set<String> = []
        for number in 1...80 {
            // Every so often all of it, which stays with the broker.
            if number % 20 == 1 {
                expected = Set((0..<5).map { "S\(number + $0)" })
                scene.broker.publish(Self.shared, Self.snapshot("c\(number)", expected.sorted()), retain: true)
            } else {
                expected.insert("T\(number)")
                scene.broker.publish(Self.own, Self.change("c\(number - 1)", "c\(number)", [MasterPullTests.item("T\(number)")]))
            }
            if number % 9 == 0 { scene.shelf.state.withLock { $0.failures = 1 } }
        }
        let limit = Date(timeIntervalSinceNow: 60)
        while scene.shelf.state.withLock({ $0.cursor }) != "c80", Date() < limit {
            scene.push.askNow()
            usleep(2_000)
        }
        scene.broker.calm()
        scene.push.askNow()
        let (cursors, refusals) = scene.shelf.state.withLock { ($0.batches.map(\.cursor), $0.refusals) }
        #expect(scene.rows == expected.map { "items \($0)" }.sorted(), "seed \(seed)")
        // The newest snapshot may be taken once more; nothing else comes twice, and nothing out of order.
        let numbers = cursors.compactMap { Int($0.dropFirst()) }
        #expect(numbers == numbers.sorted() && Set(numbers).count == 80, "seed \(seed): \(cursors)")
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 != $1 || $0 % 20 == 1 }, "seed \(seed): \(cursors)")
        #expect(refusals == 0, "seed \(seed): \(refusals)")
        #expect(scene.broker.connections > 1)
    }
}
