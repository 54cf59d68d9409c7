import Ledger
import Readings
import Synchronization
import Testing

@testable import Upstream

/// Events of a machine that does not know the time yet, and a receiver that keeps times for good.
@Suite("Events of an unknown time are held back until it is known")
struct ClockHoldTests {
    /// Takes everything, and keeps what EPCIS would say of its times.
    final class Repository: Destination {
        let needsTime: Bool
        let times = Mutex<[Int64: String]>([:])
        private let mapping = EPCISMapping(uriPrefix: "https://x.example", gatewayCode: "C1", usesOnlyCBV: false)

        init(needsTime: Bool = true) {
            self.needsTime = needsTime
        }

        func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
            for event in batch {
                guard case .event(let json) = mapping.map(event) else { continue }
                times.withLock { $0[event.sequence] = json["eventTime"]?.string }
            }
            return Receipt(upTo: batch.last?.sequence ?? 0, delivered: batch.count)
        }
    }

    static let boot = "00000000000000aa"

    /// A checkout 60 s and `sequence` after a start in 1970.
    static func early(_ sequence: Int64) throws -> StoredEvent {
        var members = try SampleEvents.checkout(sequence).json().object ?? [:]
        members["time"] = .string("1970-01-01T00:01:0\(sequence).000+00:00")
        members["clock"] = "unknown"
        members["boot"] = .string(boot)
        members["uptime"] = .integer(60_000 + sequence * 1_000)
        return StoredEvent(sequence: sequence, bytes: JSON.object(members).canonicalBytes)
    }

    /// The clock is found to be `shift` ms behind.
    static func correction(_ sequence: Int64, first: Int64, shift: Int64, offset: Int64? = nil, boot: String = boot) throws -> StoredEvent {
        var members =
            try SampleEvents.event(
                sequence, type: "clock.corrected",
                data: [
                    "boot": .string(boot), "first": .integer(first), "shift_ms": .integer(shift),
                    "offset_ms": .integer(offset ?? shift), "was": "unknown",
                ], subject: []
            ).json().object ?? [:]
        members["boot"] = .string(boot)
        members["uptime"] = 300_000
        members["actor"] = "gateway"
        return StoredEvent(sequence: sequence, bytes: JSON.object(members).canonicalBytes)
    }

    struct Scene {
        let log: MemoryLog
        let repository: Repository
        var worker: DeliveryWorker

        init(needsTime: Bool = true, uptime: Int64 = 100_000, boot: UInt64 = 0xAA, log: MemoryLog = MemoryLog()) {
            self.log = log
            repository = Repository(needsTime: needsTime)
            log.set(bootTime: BootTime(boot: boot, milliseconds: uptime))
            worker = DeliveryWorker(
                name: "d", filter: EventFilter(types: []), batch: 10, log: log, destination: repository, backOff: BackOff())
        }

        mutating func step() -> DeliveryWorker.Next { worker.step(random: { 0 }, publish: { _ in }).next }
        var times: [Int64: String] { repository.times.withLock { $0 } }
    }

    /// From 1970-01-01 to 2026-11-22T04:00:00Z.
    static let shift: Int64 = 1_795_320_000_000

    @Test("What came before waits, is sent with the right time once it is known, and nothing overtakes it")
    func held() throws {
        var scene = Scene()
        scene.log.append([SampleEvents.checkout(1)] + (try [Self.early(2), Self.early(3)]))
        #expect(scene.step() == .again)
        #expect(scene.times.keys.sorted() == [1])
        #expect(scene.step() == .pause(milliseconds: DeliveryWorker.clockRetry))
        #expect(scene.worker.status.state == .holding && scene.worker.status.counters.failures == 0)

        scene.log.append(try [Self.correction(4, first: 2, shift: Self.shift)])
        #expect(scene.step() == .again)
        #expect(scene.times[2] == "2026-11-22T04:01:02.000+00:00" && scene.times[3] == "2026-11-22T04:01:03.000+00:00")
        #expect(scene.step() == .waitForEvents)
        #expect(scene.log.snapshot.cursor == 4)
    }

    @Test("A clock that was put right wrongly is put right once more; another start's correction is none")
    func twice() throws {
        var scene = Scene()
        scene.log.append(
            try [
                Self.early(1), Self.correction(2, first: 1, shift: Self.shift - 3_600_000),
                Self.correction(3, first: 1, shift: 7, boot: "00000000000000bb"),
                Self.correction(4, first: 2, shift: 3_600_000, offset: Self.shift),
            ])
        #expect(scene.step() == .again)
        #expect(scene.times == [1: "2026-11-22T04:01:01.000+00:00"])
    }

    @Test("A withdrawal repeats the time as it was put right, also after a restart of the gateway", arguments: [0, 2, 4] as [Int64])
    func withdrawn(cursor: Int64) throws {
        let early = try Self.early(1)
        var withdrawal = try SampleEvents.retraction(5, of: 1).json().object ?? [:]
        var data = withdrawal["data"]?.object ?? [:]
        data["time"] = try early.json()["time"]
        withdrawal["data"] = .object(data)
        let events = try [
            early, Self.correction(2, first: 1, shift: Self.shift), SampleEvents.checkout(3), SampleEvents.checkout(4),
            StoredEvent(sequence: 5, bytes: JSON.object(withdrawal).canonicalBytes), SampleEvents.retraction(6, of: 3),
        ]
        var scene = Scene(log: MemoryLog(events, cursor: cursor))
        #expect(scene.step() == .again)
        #expect(scene.times[5] == "2026-11-22T04:01:01.000+00:00")
        #expect(cursor > 0 || scene.times[1] == scene.times[5])
        // What was stamped by a clock that was right is repeated as it stands.
        #expect(scene.times[6] == "2026-11-20T09:15:30.123+01:00")
    }

    @Test(
        "Nobody waits for ever, for another start of the machine, or for a receiver that can put times right itself",
        arguments: [(true, 961_001, 0xAA), (true, 100_000, 0xBB), (false, 100_000, 0xAA)] as [(Bool, Int64, UInt64)])
    func impatient(needsTime: Bool, uptime: Int64, boot: UInt64) throws {
        var scene = Scene(needsTime: needsTime, uptime: uptime, boot: boot)
        scene.log.append(try [Self.early(1)])
        #expect(scene.step() == .again)
        #expect(scene.times == [1: "1970-01-01T00:01:01.000+00:00"])
    }
}
