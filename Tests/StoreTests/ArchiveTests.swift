import Foundation
import GRDB
import Readings
import Testing

@testable import Ledger
@testable import Store

/// Old events leave the log without breaking its chain.
@Suite struct ArchiveTests {
    private static let policy: RetentionPolicy = {
        var policy = RetentionPolicy(days: 30)
        policy.newest = 10
        policy.range = 20
        return policy
    }()
    /// A month and a day after the decider's events.
    private static let later = WallTime(
        milliseconds: Decider.time.milliseconds + 31 * 86_400_000, offsetMinutes: 480, quality: .synchronised)

    private func filled(_ directory: Directory, _ count: Int) async throws -> EventStore {
        let store = try directory.open()
        var decider = Decider(state: try store.load().state)
        for number in 0..<count { _ = await store.commit(number % 5 == 0 ? decider.checkOut("DRILL-\(number)") : decider.putAway(number)) }
        return store
    }

    @Test func oldEventsGoToSignedFilesAndAreFoundThere() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 75)
        let before = try store.events(after: 0, limit: 100)
        #expect(try store.archive(Self.policy, destinations: [], at: Self.later) == 60)
        #expect(store.archivedThrough == 60)
        #expect(try store.events(after: 0, limit: 100) == before)
        #expect(try store.events(after: 55, limit: 10) == Array(before[55..<65]))
        #expect(try store.events(before: 70, limit: 100) == Array(before[..<69].reversed()))
        #expect(try store.event(1) == before[0])
        #expect(try store.event(61) == before[60])
        #expect(try store.event(76) == nil)
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/archive").sorted()
        #expect(names == ["1-20.ndjson", "21-40.ndjson", "41-60.ndjson", "state.ndjson"])
        let report = try store.verify()
        #expect(report.isIntact, "\(report.problems)")
        #expect((report.events, report.archived, report.checkpoints) == (75, 60, 3))
        store.close()

        // Only the log is checked when it is opened, from the checkpoint on.
        let again = try await filled(directory, 30)
        #expect(again.archivedThrough == 60)
        #expect(try again.archive(Self.policy, destinations: [], at: Self.later) == 20)
        #expect(try again.verify().isIntact)
        again.close()
        #expect(try EventStore.verify(directory: directory.path).events == 105)
        let key = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/gateway.key")
        #expect((key[.posixPermissions] as? Int) == 0o600)
    }

    @Test func nothingGoesBeforeEveryDestinationHasItAndItIsOld() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 75)
        #expect(try store.archive(Self.policy, destinations: [], at: Decider.time) == 0)
        #expect(try store.archive(Self.policy, destinations: ["erp", "file"], at: Self.later) == 0)
        store.acknowledge(destination: "erp", upTo: 75)
        store.acknowledge(destination: "file", upTo: 45)
        #expect(try store.archive(Self.policy, destinations: ["erp", "file"], at: Self.later) == 40)
        #expect(store.archivedThrough == 40)
    }

    /// Whoever reads or verifies meanwhile finds every event, in the log or in a file.
    @Test func readersSeeNoGapWhileEventsMove() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 400)
        let mover = Task.detached { try store.archive(Self.policy, destinations: [], at: Self.later) }
        while store.archivedThrough < 380 {
            #expect(try store.events(after: 0, limit: 1_000).map(\.sequence) == Array(1...400))
            #expect(try store.events(after: 133, limit: 50).map(\.sequence) == Array(134...183))
            #expect(try store.event(77)?.sequence == 77)
            let report = try store.verify()
            #expect(report.isIntact && report.events == 400, "\(report.problems)")
        }
        #expect(try await mover.value == 380)
        store.close()
    }

    /// A failure leaves the events where they were; the next time they go.
    @Test func aFailedRemovalIsRepeated() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 35)
        try directory.meddleWhileOpen(store, "CREATE TRIGGER no BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'no'); END")
        #expect(throws: StoreError.self) { try store.archive(Self.policy, destinations: [], at: Self.later) }
        #expect(store.archivedThrough == 0)
        #expect(try store.events(after: 0, limit: 100).count == 35)
        try directory.meddleWhileOpen(store, "DROP TRIGGER no")
        #expect(try store.archive(Self.policy, destinations: [], at: Self.later) == 20)
        #expect(try store.verify().isIntact)
    }

    /// The rows kept beside the archive are only a shortcut.
    @Test func theStateOfTheArchiveIsMadeAnew() async throws {
        let directory = try Directory()
        let store = try await filled(directory, 35)
        #expect(try store.archive(Self.policy, destinations: [], at: Self.later) == 20)
        var decider = Decider(state: try store.load().state)
        for number in 0..<20 { _ = await store.commit(decider.putAway(number)) }
        try "not rows\n".write(toFile: "\(directory.path)/archive/state.ndjson", atomically: true, encoding: .utf8)
        #expect(try store.archive(Self.policy, destinations: [], at: Self.later) == 20)
        #expect(try store.verify().isIntact)
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        var name: String
        var sql: String?
        var file: (name: String, content: String?)?
        var problem: String
        var place: String

        var testDescription: String { name }
    }

    @Test(arguments: [
        Damage(name: "a file is gone", file: ("1-20.ndjson", nil), problem: "events 1 to 20 are in", place: "archive/1-20.ndjson"),
        Damage(name: "a file was changed", file: ("21-40.ndjson", "{}\n"), problem: "", place: "archive/21-40.ndjson"),
        Damage(
            name: "a checkpoint was changed", sql: "UPDATE checkpoint SET hash = replace(hash, 'a', 'b') WHERE last = 20",
            problem: "the checkpoint at event 20 is not signed", place: "events.db"),
        Damage(
            name: "an event of the log was changed", sql: "UPDATE event SET body = replace(body, 'gate', 'Gate') WHERE seq = 50",
            problem: "", place: "events.db"),
        Damage(
            name: "a row was removed", sql: "UPDATE event SET counters = NULL WHERE seq = 55", problem: "state row counters is missing",
            place: "events.db"),
    ])
    func tellsTheFirstThingThatIsWrong(damage: Damage) async throws {
        let directory = try Directory()
        let store = try await filled(directory, 55)
        try store.archive(Self.policy, destinations: [], at: Self.later)
        store.close()
        if let sql = damage.sql { try directory.meddle("events.db", sql) }
        if let (name, content) = damage.file {
            let path = "\(directory.path)/archive/\(name)"
            if let content {
                try content.write(toFile: path, atomically: true, encoding: .utf8)
            } else {
                try FileManager.default.removeItem(atPath: path)
            }
        }
        let report = try EventStore.verify(directory: directory.path)
        let first = try #require(report.findings.first)
        #expect(first.problem.hasPrefix(damage.problem), "\(first)")
        #expect(first.file == damage.place)
        #expect(!first.nextStep.isEmpty)
        if damage.file != nil {
            let store = try directory.open()
            let number: Int64 = damage.place.contains("1-20") ? 5 : 25
            #expect { try store.event(number) } throws: { ($0 as? StoreError)?.code == .archiveMissing }
        }
    }

    /// RFC 8032 section 7.1, test 2.
    @Test func signaturesAreThoseOfTheStandard() throws {
        let directory = try Directory()
        try "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb\n".write(
            toFile: "\(directory.path)/gateway.key", atomically: true, encoding: .utf8)
        let key = try GatewayKey(directory: directory.path)
        #expect(key.publicHex == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        let signature = try key.signature(of: [0x72])
        #expect(
            signature == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
        #expect(GatewayKey.isGenuine(signature, of: [0x72], signer: key.publicHex))
        #expect(!GatewayKey.isGenuine(signature, of: [0x73], signer: key.publicHex))
    }
}
