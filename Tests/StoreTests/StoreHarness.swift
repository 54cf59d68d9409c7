import Foundation
import GRDB
import Readings
import Synchronization

@testable import Ledger
@testable import Store

/// A directory of its own for one test, gone when the process ends: a writer's thread may outlive the test by a moment.
struct Directory: Sendable {
    let path: String

    private static let made = Mutex<[String]>([])
    private static let removal: Void = {
        atexit { Directory.made.withLock { for path in $0 { try? FileManager.default.removeItem(atPath: path) } } }
    }()

    init() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        self.path = path
        Self.removal
        Self.made.withLock { $0.append(path) }
    }

    func open(_ tuning: StoreTuning = StoreTuning(), epoch: UInt64 = 0x0123_4567_89AB_CDEF) throws -> EventStore {
        try EventStore(directory: path, gateway: "CRIB1", random: { epoch }, tuning: tuning)
    }

    /// Another connection to a file of a store that is not open: somebody who writes past the program.
    func meddle(_ file: String, _ sql: String) throws {
        let queue = try DatabaseQueue(path: "\(path)/\(file)")
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}

/// Decides like an engine: on an image in memory, one event after the other.
struct Decider {
    var state = LedgerState()
    var generation: UInt64 = 1
    static let time = WallTime(milliseconds: 1_795_248_930_123, offsetMinutes: 480, quality: .synchronised)

    mutating func decide(_ body: Event.Body) -> Decision {
        let event = Event(
            sequence: state.nextSequence, time: Self.time, station: "gate", episode: "gate/\(state.nextSequence)", actor: .unknown,
            subjects: ["urn:x:drill"], place: nil, certainty: .final, corrects: nil, masterVersion: 3, body: body, evidence: .null)
        return Decision(events: [event], rows: state.apply(event))
    }

    /// Bolts laid on a shelf.
    mutating func putAway(_ number: Int = 0) -> Decision {
        decide(
            .putAway(
                .init(
                    subject: .product(ProductKey("BOLT-\(number % 7)")!, lot: nil), quantity: 1, location: LocationKey("A-\(number % 3)")!,
                    locationURI: "urn:x:a", from: nil)))
    }

    mutating func checkOut(_ item: String) -> Decision {
        decide(
            .checkedOut(
                .init(
                    loan: LoanNumber(gateway: "CRIB1", epoch: 0x0123_4567_89AB_CDEF, counter: state.loanCounter + 1), item: ItemKey(item)!,
                    epc: nil,
                    person: PersonKey("p-0123456789abcdef")!, permit: PermitKey("REQ-7"), due: Self.time)))
    }
}

extension EventStore {
    func commit(_ decision: Decision, generation: UInt64 = 1) async -> CommitOutcome {
        await withCheckedContinuation { continuation in
            commit(decision, generation: generation) { continuation.resume(returning: $0) }
        }
    }
}

extension CommitOutcome {
    var events: [StoredEvent]? { if case .committed(let events) = self { events } else { nil } }
    var failure: StoreError.Code? { if case .failed(let error) = self { error.code } else { nil } }
}

/// A failure that happens so many times at a point, as the disk would give it.
final class Faults: Sendable {
    private let left: Mutex<[StoreTuning.FaultPoint: Int]>

    init(_ count: [StoreTuning.FaultPoint: Int]) {
        left = Mutex(count)
    }

    func throwIfDue(_ point: StoreTuning.FaultPoint) throws {
        let isDue = left.withLock { left in
            guard let count = left[point], count > 0 else { return false }
            left[point] = count - 1
            return true
        }
        if isDue { throw DatabaseError(resultCode: .SQLITE_IOERR, message: "injected") }
    }

    var tuning: StoreTuning {
        var tuning = StoreTuning()
        tuning.fault = { [self] in try throwIfDue($0) }
        return tuning
    }
}

/// Collects what completions say, and lets a test wait for a number of them.
final class Outcomes: Sendable {
    private let all = Mutex<[String]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func add(_ text: String) {
        all.withLock { $0.append(text) }
        arrived.signal()
    }

    func add(_ outcome: CommitOutcome) {
        switch outcome {
        case .committed(let events): add("committed \(events.map { String($0.sequence) }.joined(separator: ","))")
        case .failed(let error): add("failed \(error.code.rawValue)")
        }
    }

    func wait(for count: Int) -> [String] {
        for _ in 0..<count { arrived.wait() }
        return all.withLock { $0 }
    }
}

/// Holds the writer inside of a transaction until it is let go.
final class Gate: Sendable {
    private let entered = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)
    private let isArmed = Mutex(true)

    func pass() {
        guard
            isArmed.withLock({ armed in
                defer { armed = false }; return armed
            })
        else { return }
        entered.signal()
        released.wait()
    }

    func waitUntilEntered() { entered.wait() }
    func release() { released.signal() }

    var tuning: StoreTuning {
        var tuning = StoreTuning()
        tuning.fault = { [self] point in if point == .beforeCommit { pass() } }
        return tuning
    }
}

extension Directory {
    /// The same in the writer's own connection, while the store is open.
    func meddleWhileOpen(_ store: EventStore, _ sql: String) throws {
        try store.maintain("meddle") { try $0.execute(sql: sql) }
    }
}
