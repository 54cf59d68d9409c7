import CFaultVFS
import Ledger
import Synchronization
import TestSupport

@testable import Store
@testable import Upstream

/// A whole gateway in one thread and in virtual time: decisions, the real event writer on a disk that fails, the real delivery workers,
/// and two receivers behind a bad network. The seed decides everything; the machine looks after every start whether all that was
/// promised holds.
///
/// `@unchecked Sendable`: the thread that made it is the only one that ever touches it.
final class CrashMachine: @unchecked Sendable {
    static let gateway = "CRIB1"
    static let epoch: UInt64 = 0x0123_4567_89AB_CDEF
    private static let made = Atomic(0)
    static let identity = EventIdentity(gateway: gateway, epoch: epoch)

    let seed: UInt64
    let sabotage: CrashPlan.Sabotage?
    /// Whether the history is printed.
    let isTold: Bool
    /// In one life.
    let decisions: Int
    let disk: OpaquePointer
    let file: DatabaseFile
    var random: SeededGenerator
    /// Virtual time in milliseconds.
    var now: Int64 = 0
    /// At the end nothing fails any more, and everything must arrive.
    var isCalm = false

    // What lives from one start to the next.
    var writer: EventWriter?
    var shared: StoreShared?
    var couriers: [Courier] = []
    var posted: [WriterJob] = []
    var writerDue: Int64?
    var restDue: Int64?
    var nextTick: Int64 = 0
    var generation: UInt64 = 1
    /// The engine's image does not hold: nothing is decided before it was loaded again.
    var needsImage = true
    /// To the application, in this life.
    var line = ApplicationLine()
    var isLoading = false
    var life = CrashPlan.Life(ending: .order(after: 0), cutsPower: false, healsAfter: 0)
    var lifeBegan: Int64 = 0
    var placesLeft = Int.max
    var isOrderedToEnd = false
    /// In any life.
    var hasStarted = false
    /// The space kept back lies on the disk.
    var hasReserve = false

    // What stays, and what the machine knows.
    var workload: Workload
    var network: [Message] = []
    let web: WebReceiver
    let application: ApplicationReceiver
    var truth = Truth()
    private(set) var violations: [Violation] = []
    var counts = Counts()

    struct Violation: CustomStringConvertible {
        enum Kind: String {
            /// Acknowledged, or shown to the engine, and gone or changed.
            case lost
            /// Somebody was told that it failed, and it is there.
            case toldFailed
            case chain
            case state
            /// A cursor moved past what the receiver has.
            case cursor
            /// The receiver had an event before one with a smaller number, or not at all.
            case order
            /// Two different events with one id came to a receiver.
            case idReused
            /// The receiver has what the log does not have.
            case ahead
            case undelivered
            case refusedToStart
            case endless
        }

        var kind: Kind
        var text: String
        var description: String { "\(kind.rawValue): \(text)" }
    }

    /// What comes over the network at its time.
    struct Message {
        var time: Int64
        var arrives: (CrashMachine) -> Void
    }

    struct Counts: Hashable {
        var lives = 0
        var refusedStarts = 0
        var decisions = 0
        var acknowledged = 0
        var unknown = 0
        var failed = 0
        var steps = 0
        var network: [String: Int] = [:]
    }

    init(seed: UInt64, sabotage: CrashPlan.Sabotage? = nil, isTold: Bool = false) throws {
        self.seed = seed
        self.isTold = isTold
        self.sabotage = sabotage
        random = SeededGenerator(seed: seed)
        decisions = CrashPlan.decisions(&random)
        // Machines of the same seed can run beside each other: SQLite knows a file by its path.
        let folder = "/stockgate-crash-machine/\(Self.made.add(1, ordering: .relaxed).newValue)"
        guard let disk = fault_disk_create(folder, random.next()) else { throw StoreError(.inputOutput, "no disk") }
        self.disk = disk
        let durability: DatabaseFile.Durability = sabotage == .synchronousNormal ? .normal : .full
        var file = DatabaseFile(path: "\(folder)/events.db", schema: .events, durability: durability, maximumPages: nil)
        let address = UInt(bitPattern: disk)
        file.synchroniseDirectory = { path throws(StoreError) in
            guard fault_disk_sync_directory(OpaquePointer(bitPattern: address)) else {
                throw StoreError(.inputOutput, "fsync the directory of \(path)")
            }
        }
        file.writeAgain = { path throws(StoreError) in
            guard fault_disk_write_again(OpaquePointer(bitPattern: address), path) else {
                throw StoreError(.inputOutput, "write \(path) again")
            }
        }
        file.lengthen = { path, length in
            switch fault_disk_lengthen(OpaquePointer(bitPattern: address), path, length) {
            case FAULT_LENGTH_DONE: .done
            case FAULT_LENGTH_MORE: .more
            default: .refused
            }
        }
        self.file = file
        workload = Workload(gateway: Self.gateway, epoch: Self.epoch)
        web = WebReceiver()
        application = ApplicationReceiver()
    }

    deinit {
        abandon()
        fault_disk_destroy(disk)
    }

    /// Runs the whole history.
    /// - Returns: what was promised and did not hold; empty when all is well. The first finding ends the run.
    func run() -> [Violation] {
        for _ in 0..<random.below(6) + 3 where violations.isEmpty {
            liveOnce()
        }
        guard violations.isEmpty else { return violations }
        finish()
        return violations
    }

    func violate(_ kind: Violation.Kind, _ text: String) {
        note("VIOLATION \(kind.rawValue): \(text)")
        violations.append(Violation(kind: kind, text: text))
        fault_disk_stop(disk)
    }

    // MARK: Time

    var isDead: Bool { fault_disk_is_stopped(disk) || isOrderedToEnd }

    /// Lets time go on, and everything happen that is due in it.
    /// - Parameter condition: ends it too.
    /// - Returns: false when the machine stopped.
    func run(until end: Int64, orWhen condition: () -> Bool = { false }) -> Bool {
        while !isDead {
            if condition() { return true }
            guard let (time, happen) = nextHappening(), time <= end else {
                now = max(now, end)
                return true
            }
            now = max(now, time)
            counts.steps += 1
            if counts.steps > 200_000 { violate(.endless, "200,000 steps and no end") }
            happen()
        }
        return false
    }

    private func nextHappening() -> (Int64, () -> Void)? {
        var first: (Int64, () -> Void)?
        func consider(_ time: Int64?, _ happen: @escaping () -> Void) {
            guard let time, time < first?.0 ?? .max else { return }
            first = (time, happen)
        }
        consider(nextTick) { self.tick() }
        consider(writerDue) { self.turnWriter() }
        consider(restDue) { self.restWriter() }
        for courier in couriers where !courier.isBusy { consider(courier.next) { self.step(courier) } }
        if let place = network.indices.min(by: { network[$0].time < network[$1].time }) {
            consider(network[place].time) { self.network.remove(at: place).arrives(self) }
        }
        if !isCalm {
            consider(life.fullDisk.map { lifeBegan + $0.at }) {
                if let full = self.life.fullDisk {
                    fault_disk_limit(self.disk, full.free)
                    self.send(after: full.lasting) { fault_disk_limit($0.disk, -1) }
                }
                self.life.fullDisk = nil
            }
            if case .order(let after) = life.ending {
                consider(lifeBegan + after) { self.isOrderedToEnd = true }
            } else {
                consider(lifeBegan + 1_800_000) { self.isOrderedToEnd = true }
            }
        }
        return first
    }

    func send(after milliseconds: Int64, _ arrives: @escaping (CrashMachine) -> Void) {
        network.append(Message(time: now + max(0, milliseconds), arrives: arrives))
    }

    /// A place outside of the store where the machine may stop.
    func pass() throws(DeliveryError) {
        if !isCalm {
            placesLeft -= 1
            if placesLeft == 0 { fault_disk_stop(disk) }
        }
        if isDead { throw .stopped }
    }

    // MARK: Telling

    func note(_ text: @autoclosure () -> String) {
        if isTold { print("\(seed) \(now) ms: \(text())") }
    }

    /// The same for the same seed, always.
    var fingerprint: [UInt64] {
        var random = random
        let disk = fault_disk_counts(disk)
        return [
            random.next(), disk.operations, disk.sectors_lost, disk.sectors_kept, UInt64(now), UInt64(truth.events.count),
            UInt64(counts.steps), UInt64(counts.acknowledged),
        ]
    }
}
