import CFaultVFS
import GRDB
import Glibc
import Readings
import Upstream

@testable import Ledger
@testable import Store

/// What was promised so far.
struct Truth {
    /// Acknowledged to somebody or shown to the engine, from the first on.
    private(set) var events: [StoredEvent] = []
    private(set) var chain = EventChain(identity: CrashMachine.identity)
    /// The fold of `events`.
    private(set) var state = LedgerState()
    /// Decisions that somebody was told are not in the log, with the reason that was given.
    var denied: [Int64: String] = [:]
    /// The newest decision that only learned something and was acknowledged.
    var learned: Int64 = 0
    /// What the engine was given and the machine has not looked at yet.
    var loaded: LoadedState?

    /// - Returns: what is wrong with it as the next event.
    @discardableResult
    mutating func append(_ event: StoredEvent) -> String? {
        events.append(event)
        let problem = chain.follow(event)
        do {
            let json = try event.json()
            if json.canonicalBytes != event.bytes { return "event \(event.sequence) is not in canonical form" }
            _ = state.apply(try Event(json: json))
        } catch {
            return "event \(event.sequence): \(error)"
        }
        return problem
    }
}

extension CrashMachine {
    /// Compares the log with everything that was promised. What it finds is promised from now on: the engine builds on it.
    func inspect(_ loaded: LoadedState?) {
        guard let database = writer?.database else { return }
        let found: (events: [StoredEvent], rows: [StateRow])
        do {
            found = try database.inDatabase { db in
                (try StoredEvent.all(db, sql: "SELECT seq, body FROM event ORDER BY seq"), try StateRow.all(db))
            }
        } catch let error as StoreError {
            return violate(.state, "\(error)")
        } catch {
            // The disk failed under the one who looks, not under the gateway. The engine looks at the same again after the next start.
            note("nothing seen: \(error)")
            if let error = error as? DatabaseError, error.resultCode == .SQLITE_CORRUPT { violate(.chain, "\(error)") }
            needsImage = true
            return
        }
        compare(found.events)
        guard !isDead else { return }
        compare(found.rows)
        if let loaded {
            if loaded.state.nextSequence != Int64(found.events.count) + 1 || loaded.lastHash != truth.chain.lastHash {
                violate(.state, "the image ends before event \(loaded.state.nextSequence), the log at \(found.events.count)")
            }
            if loaded.state.rows.filter({ !$0.isLearned }) != truth.state.rows { violate(.state, "the image is not the fold of the log") }
        }
    }

    private func compare(_ events: [StoredEvent]) {
        let promised = truth.events
        guard events.count >= promised.count else {
            return violate(.lost, "the log ends at \(events.count), event \(promised.count) was acknowledged")
        }
        for (place, expected) in promised.enumerated() where !Self.isSame(events[place], expected) {
            return violate(.lost, "event \(expected.sequence) is not the one that was acknowledged")
        }
        for event in events[promised.count...] {
            guard event.sequence == Int64(truth.events.count) + 1 else {
                return violate(.chain, "event \(truth.events.count + 1) is missing")
            }
            if let problem = truth.append(event) { return violate(.chain, problem) }
            if let number = (try? event.json()).flatMap(Workload.decision), let reason = truth.denied[number] {
                return violate(.toldFailed, "event \(event.sequence) is there, and somebody was told: \(reason)")
            }
        }
        for (name, last) in [("web", web.effects.last), ("application", application.effects.last)] {
            if let last, last.sequence > Int64(events.count) {
                violate(.ahead, "\(name) has event \(last.sequence), the log ends at \(events.count)")
            }
        }
    }

    private static func same(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        guard let one = one.baseAddress, let second = other.baseAddress else { return other.isEmpty }
        return memcmp(one, second, other.count) == 0
    }

    /// In tests that are not optimised, thousands of times as fast as `==`.
    private static func isSame(_ one: StoredEvent, _ other: StoredEvent) -> Bool {
        one.sequence == other.sequence && one.bytes.count == other.bytes.count
            && one.bytes.withUnsafeBytes { bytes in
                other.bytes.withUnsafeBytes { same(bytes, $0) }
            }
    }

    private func compare(_ rows: [StateRow]) {
        let learned = rows.first { $0.key == Workload.learnedKey }?.value?.integer ?? 0
        if learned < truth.learned { violate(.lost, "what decision \(truth.learned) learned is gone, decision \(learned) stands there") }
        let stored = rows.filter { !$0.isLearned }
        let expected = truth.state.rows
        guard stored != expected else { return }
        let difference = Set(stored).symmetricDifference(expected).map(\.key)
        violate(.state, "rows that are not the fold of the log: \(Set(difference).sorted().joined(separator: ", "))")
    }

    /// Nothing fails any more: everything must arrive, and hold.
    func finish() {
        isCalm = true
        fault_disk_heal(disk)
        fault_disk_limit(disk, -1)
        web.downUntil = 0
        application.downUntil = 0
        life = CrashPlan.Life(ending: .order(after: .max), cutsPower: true, healsAfter: 0)
        placesLeft = .max
        for round in 0..<2 {
            // The first time a file that never was a store may be in the way.
            guard start() || start() else { return violate(.refusedToStart, "nothing fails, and it does not start") }
            let deadline = now + 48 * 3_600_000
            while !isSettled, now < deadline, run(until: now + 60_000) {}
            guard violations.isEmpty else { return }
            if !isSettled {
                let positions = couriers.map { "\($0.name) at \($0.status.cursor)" }.joined(separator: ", ")
                return violate(.undelivered, "the log ends at \(truth.events.count), \(positions) after two days")
            }
            inspect(nil)
            web.compare(with: truth.events, self)
            application.compare(with: truth.events, self)
            writer?.closeDown()
            abandon()
            // What was ended in order survives anything.
            if round == 0 { fault_disk_cut_power(disk) }
        }
    }

    private var isSettled: Bool {
        !needsImage && posted.isEmpty && workloadIsOver && couriers.allSatisfy { $0.status.cursor == Int64(truth.events.count) }
    }
}
