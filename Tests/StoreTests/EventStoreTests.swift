import Foundation
import GRDB
import Readings
import Testing

@testable import Ledger
@testable import Store

@Suite struct EventStoreTests {
    /// FIPS 180-4, the example "abc" of its appendix; the empty text by coreutils' sha256sum.
    @Test(arguments: [
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ])
    func digest(text: String, expected: String) {
        #expect(SHA256Digest(of: Array(text.utf8)).hex == expected)
    }

    /// `printf 'CRIB1|0123456789abcdef' | sha256sum` begins with a241808f86bbb719.
    @Test func identity() {
        let identity = EventIdentity(gateway: "CRIB1", epoch: 0x0123_4567_89AB_CDEF)
        #expect(identity.prefix == 0xA24_1808_F86B_BB71)
        #expect(identity.id(sequence: 1) == "a241808f-86bb-8b71-8000-000000000001")
    }

    @Test func roundTrip() async throws {
        let directory = try Directory()
        var decider = Decider()
        let first = try directory.open()
        #expect(first.lastSequence == 0)
        #expect(try first.load().lastHash == String(repeating: "0", count: 64))
        for number in 1...30 {
            let outcome = await first.commit(number % 3 == 0 ? decider.checkOut("DRILL-\(number)") : decider.putAway(number))
            #expect(outcome.events?.map(\.sequence) == [Int64(number)])
        }
        let events = try first.events(after: 0, limit: 100)
        #expect(events.map(\.sequence) == Array(1...30))
        var previous = String(repeating: "0", count: 64)
        for event in events {
            let json = try event.json()
            #expect(json["prev"]?.string == previous)
            previous = SHA256Digest(of: event.bytes).hex
        }
        #expect(try first.event(7) == events[6])
        #expect(try first.event(31) == nil)
        #expect(try first.events(after: 28, limit: 100) == Array(events.suffix(2)))
        #expect(try first.events(before: 4, limit: 2).map(\.sequence) == [3, 2])
        #expect(first.statistics.events == 30)
        #expect(first.close())

        let second = try directory.open(epoch: 99)
        #expect(second.epoch == 0x0123_4567_89AB_CDEF)
        let loaded = try second.load()
        #expect(loaded.state == decider.state)
        #expect(loaded.lastHash == previous)
        let report = try second.verify()
        #expect(report.isIntact, "\(report.problems)")
        #expect(report.events == 30)
        #expect(report.lastHash == previous)
        #expect(await second.commit(decider.putAway()).events?.first?.sequence == 31)
    }

    /// A file that version 0.1.0 wrote, kept for all that come after it.
    @Test func takesOverAStoreOfSchemaOne() throws {
        let directory = try Directory()
        let kept = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Lab/stored/events-schema-1.sql")
        try directory.meddle("events.db", String(contentsOf: kept, encoding: .utf8))
        let store = try EventStore(directory: directory.path, gateway: "LAB", random: { 1 })
        #expect(store.lastSequence == 5)
        #expect(store.epoch == 0xD7DF_EF0B_B5F3_4FA2)
        #expect(try store.verify().isIntact)
        #expect(try store.event(5)?.json()["data"]?["code"]?.string == "STORED-5")
        #expect(try store.load().state.exceptions.count == 5)
    }

    @Test func commitsNothingForADecisionWithoutEvents() async throws {
        let store = try Directory().open()
        #expect(await store.commit(Decision()).events == [])
        #expect(store.statistics.groups == 0)
    }

    @Test func refusesASecondProcess() throws {
        let directory = try Directory()
        let store = try directory.open()
        #expect { try directory.open() } throws: { ($0 as? StoreError)?.code == .locked }
        store.close()
        #expect(throws: Never.self) { try directory.open() }
    }

    /// The first start after an installation has the code of the package's site file.
    @Test func takesAnotherCodeBeforeTheFirstEvent() throws {
        let directory = try Directory()
        let first = try directory.open(epoch: 1)
        #expect(first.epoch == 1)
        first.close()
        let second = try EventStore(directory: directory.path, gateway: "CRIB2", random: { 2 })
        #expect(second.epoch == 2)
        second.close()
        let third = try EventStore(directory: directory.path, gateway: "CRIB2", random: { 3 })
        #expect(third.epoch == 2)
        third.close()
    }

    @Test func refusesAnotherGateway() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        _ = await store.commit(decider.putAway())
        store.close()
        #expect {
            try EventStore(directory: directory.path, gateway: "CRIB2", random: { 1 })
        } throws: { ($0 as? StoreError)?.code == .otherGateway }
    }

    /// Everything that gathers while the writer waits for the disk goes into one transaction, and is answered in order.
    @Test func groupsWhatGathers() throws {
        let directory = try Directory()
        let gate = Gate()
        let store = try directory.open(gate.tuning)
        let outcomes = Outcomes()
        var decider = Decider()
        store.commit(decider.putAway(), generation: 1) { outcomes.add($0) }
        gate.waitUntilEntered()
        for number in 2...200 {
            store.commit(decider.putAway(number), generation: 1) { outcomes.add($0) }
            if number == 100 { store.probe(token: 42) { outcomes.add("probe \($0)") } }
        }
        gate.release()
        let all = outcomes.wait(for: 201)
        let expected = (1...100).map { "committed \($0)" } + ["probe 42"] + (101...200).map { "committed \($0)" }
        #expect(all == expected)
        #expect(store.statistics.groups == 2)
        #expect(store.statistics.commits == 200)
        #expect(try store.verify().isIntact)
    }

    /// The counters stand with the newest event: one that counts nothing carries them on, and so does the last of many in one transaction.
    @Test func countersAreFoundWithTheNewestEvent() async throws {
        let directory = try Directory()
        var decider = Decider()
        func quiet() -> Decision {
            let event = Event(
                sequence: decider.state.nextSequence, time: Decider.time, station: "gate", episode: nil, actor: .unknown, subjects: [],
                place: nil, certainty: .final, corrects: nil, masterVersion: 3, body: .stationModeChanged(.running), evidence: .null)
            return Decision(events: [event], rows: decider.state.apply(event))
        }
        var expected: Int64 = 0
        for groups in [[1], [0, 0, 1, 1, 0], [0], [1, 0], [0, 1]] {
            let store = try directory.open()
            let outcomes = Outcomes()
            for counts in groups {
                let decision = counts == 1 ? decider.checkOut("DRILL-\(expected)") : quiet()
                if counts == 1 { expected += 1 }
                store.commit(decision, generation: 1) { outcomes.add($0) }
            }
            _ = outcomes.wait(for: groups.count)
            #expect(try store.load().state == decider.state)
            #expect(try store.load().state.loanCounter == expected)
            #expect(try store.verify().isIntact)
            store.close()
        }
        #expect(expected == 5)
    }

    @Test func closeDrains() throws {
        let directory = try Directory()
        let store = try directory.open()
        let outcomes = Outcomes()
        var decider = Decider()
        for number in 1...500 { store.commit(decider.putAway(number), generation: 1) { outcomes.add($0) } }
        #expect(store.close())
        #expect(outcomes.wait(for: 500) == (1...500).map { "committed \($0)" })
        store.commit(decider.putAway(), generation: 1) { outcomes.add($0) }
        #expect(outcomes.wait(for: 1).last == "failed closed")
        #expect(throws: StoreError.self) { try store.load() }
        // The WAL was moved into the database.
        let wal = try? FileManager.default.attributesOfItem(atPath: "\(directory.path)/events.db-wal")[.size] as? Int
        #expect(wal ?? 0 == 0)
        #expect(try directory.open().lastSequence == 500)
    }

    @Test func checkpointsByItself() async throws {
        let directory = try Directory()
        var tuning = StoreTuning()
        tuning.checkpointBytes = 100_000
        let store = try directory.open(tuning)
        var decider = Decider()
        for number in 1...300 { _ = await store.commit(decider.putAway(number)) }
        let size = try #require(try FileManager.default.attributesOfItem(atPath: "\(directory.path)/events.db-wal")[.size] as? Int)
        // Without checkpoints: 300 commits of at least three frames.
        #expect(size < 300_000)
        #expect(store.statistics.checkpoints > 5)
        #expect(store.statistics.walBytes < 200_000)
    }

    /// Many threads read, acknowledge and probe while one commits: for the thread sanitiser.
    @Test func survivesManyThreads() async throws {
        let directory = try Directory()
        let store = try directory.open()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var decider = Decider()
                for number in 1...400 {
                    let decision = decider.putAway(number)
                    store.commit(decision, generation: 1) { outcome in
                        if let event = outcome.events?.first { store.acknowledge(destination: "a", upTo: event.sequence) }
                    }
                    if number % 50 == 0 { _ = try? store.load() }
                }
            }
            for worker in 0..<3 {
                group.addTask {
                    for round in 0..<60 {
                        _ = try? store.events(after: Int64(round), limit: 10)
                        store.acknowledge(destination: "b\(worker)", upTo: Int64(round))
                        _ = (store.statistics, store.cursor("a"), store.lastSequence)
                        await withCheckedContinuation { continuation in
                            store.probe(token: UInt64(round)) { _ in continuation.resume() }
                        }
                    }
                }
            }
        }
        let report = try store.verify()
        #expect(report.isIntact)
        #expect(report.events == 400)
        #expect(store.close())
    }

    @Test("What stations have learned is kept beside the events, alone or with them, and follows from none")
    func learned() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        let bias = StateRow(key: "learned/gate/bias", value: ["1": 2])
        #expect(await store.commit(Decision(rows: [bias])).events == [])
        var decision = decider.checkOut("DRILL-01")
        decision.rows += [StateRow(key: "learned/gate/resident/1", value: 7), StateRow(key: bias.key, value: ["1": 3])]
        #expect(await store.commit(decision).events?.count == 1)
        #expect(await store.commit(Decision(rows: [StateRow(key: "learned/gate/resident/1", value: nil)])).events == [])
        #expect(try store.verify().isIntact)
        store.close()
        let again = try directory.open()
        #expect(try again.load().state.learned(by: "gate") == [LearnedState(name: "bias", value: ["1": 3])])
        again.close()
    }

    @Test("Provisional facts are rows of the state until they are corrected, whenever the process is killed")
    func provisional() async throws {
        let directory = try Directory()
        let store = try directory.open()
        var decider = Decider()
        var first = decider.state
        var event = try #require(decider.checkOut("DRILL-01").events.first)
        event.certainty = .provisional
        #expect(await store.commit(Decision(events: [event], rows: first.apply(event))).events?.count == 1)
        #expect(try store.verify().isIntact)
        store.close()
        let second = try directory.open()
        var state = try second.load().state
        #expect(state.provisional.values.map(\.event) == [event])
        event.corrects = event.sequence
        event.sequence += 1
        event.certainty = .final
        #expect(await second.commit(Decision(events: [event], rows: state.apply(event))).events?.count == 1)
        #expect(try second.verify().isIntact)
        #expect(try second.load().state.provisional.isEmpty)
        second.close()
    }
}
