import Control
import Devices
import Engine
import Identifiers
import Ledger
import Logging
import NIOCore
import NIOPosix
import Profiles
import Readings
import SiteConfiguration
import Store
import Synchronization
import Upstream

/// The parts of a running gateway, joined: what the control API asks of it.
final class GatewayService: Sendable {
    /// The site file that a reload reads again.
    let configurationPath: String
    let loop: any EventLoop
    let store: EventStore
    let masterStore: MasterStore
    let index: EventIndex
    let logger: Logger
    let started = BootClock.now()
    private let imports = Turns()
    /// One backup at a time, because they share a folder.
    let backups = Turns()
    /// Damage of the store that was found while running.
    let damage = AsyncStream<StoreError>.makeStream()
    /// One reload at a time, likewise.
    let reloads = Turns()
    private let engineLoop: NIOLoopBound<EngineLoop>
    private let deliveries = Mutex<[String: Delivery]>([:])
    let sources = Mutex<[String: Source]>([:])
    let masterAge = Mutex(MasterAge())
    private let nodes = Mutex<[String: DeviceNode]>([:])
    /// For destinations that show the devices.
    private let deviceStates = DeviceStateBoard()
    /// For destinations that tell people what is due.
    let reminders: ReminderBoard

    struct Delivery: Sendable {
        var configuration: Site.Destination
        /// Of the gateway; they stand in what is delivered.
        var uriPrefix: String
        var site: String
        var loop: DeliveryLoop
    }

    init(
        configurationPath: String, engineLoop: NIOLoopBound<EngineLoop>, loop: any EventLoop, store: EventStore, masterStore: MasterStore,
        index: EventIndex, reminders: ReminderBoard, logger: Logger
    ) {
        self.reminders = reminders
        self.configurationPath = configurationPath
        self.engineLoop = engineLoop
        self.loop = loop
        self.store = store
        self.masterStore = masterStore
        self.index = index
        self.logger = logger
    }

    /// Runs `body` on the engine's loop.
    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (EngineLoop) throws -> Value) async throws -> Value {
        let bound = engineLoop
        return try await loop.submit { try body(bound.value) }.get()
    }

    /// The engine loop, for code that is on it already.
    func withEngineLoop(_ body: (EngineLoop) -> Void) { body(engineLoop.value) }

    /// The same, for bodies that cannot fail; the loop itself only refuses when it is over.
    func look<Value: Sendable>(_ body: @escaping @Sendable (EngineLoop) -> Value) async throws(OperationError) -> Value {
        do { return try await onLoop(body) } catch { throw OperationError(.unavailable, "the gateway is ending") }
    }

    /// Runs what may wait for the disk on a thread that may.
    func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws(OperationError) -> Value {
        do { return try await NIOThreadPool.singleton.runIfActive(body) } catch let error as OperationError { throw error } catch {
            throw OperationError(.notStored, "\(error)")
        }
    }

    // MARK: Destinations

    /// Starts the destinations of a site, and ends those that are no longer in it or were changed.
    func startDeliveries(of site: Site) {
        let old = deliveries.withLock { $0 }
        var new: [String: Delivery] = [:]
        for destination in site.destinations {
            if let same = old[destination.name], same.configuration == destination, same.uriPrefix == site.gateway.uriPrefix,
                same.site == site.gateway.site
            {
                // What it waits out may be what the reload is for: a secret, a certificate.
                same.loop.retryNow()
                new[destination.name] = same
                continue
            }
            _ = old[destination.name]?.loop.stop()
            let name = destination.name
            let log = StoreLog(store: store) { [weak self] (destination, sequence, reason) throws(EventLogError) in
                guard let self else { throw EventLogError("the gateway is ending") }
                try self.recordDeadLetter(destination, sequence, reason)
            }
            do throws(DeliveryError) {
                let delivery = try DeliveryLoop(
                    destination, of: site.gateway, log: log, board: deviceStates, reminders: reminders,
                    stateDirectory: site.gateway.stateDirectory
                ) { [logger] status in
                    let metadata: Logger.Metadata = ["destination": "\(name)", "state": "\(status.state.rawValue)"]
                    if let error = status.lastError {
                        logger.warning("delivery fails", metadata: metadata.merging(["error": "\(error)"]) { $1 })
                    } else {
                        logger.notice("delivery works again", metadata: metadata)
                    }
                }
                try delivery.start()
                new[destination.name] = Delivery(
                    configuration: destination, uriPrefix: site.gateway.uriPrefix, site: site.gateway.site, loop: delivery)
            } catch {
                logger.error("destination cannot work", metadata: ["destination": "\(destination.name)", "error": "\(error)"])
            }
        }
        for (name, delivery) in old where new[name] == nil { _ = delivery.loop.stop() }
        let started = new
        deliveries.withLock { $0 = started }
    }

    func show(_ device: String, _ state: DeviceState) {
        deviceStates.update(device, .compact(["state": .string(state.word), "reason": state.reasonText.map(JSON.string)]))
    }

    func stopDeliveries() {
        for delivery in deliveries.withLock({ Array($0.values) }) where !delivery.loop.stop() {
            logger.warning("destination did not end in time", metadata: ["destination": "\(delivery.configuration.name)"])
        }
    }

    func wakeDeliveries() {
        for delivery in deliveries.withLock({ Array($0.values) }) { delivery.loop.wake() }
    }

    var deliveryStates: [(configuration: Site.Destination, status: DeliveryStatus)] {
        deliveries.withLock { Array($0.values) }.sorted { $0.configuration.name < $1.configuration.name }.map {
            ($0.configuration, $0.loop.status())
        }
    }

    /// Called on a destination's thread; waits until the exception is on the disk, because the cursor moves only then.
    private func recordDeadLetter(_ destination: String, _ sequence: Int64, _ reason: String) throws(EventLogError) {
        let bound = engineLoop
        let answered = loop.makePromise(of: Void.self)
        loop.execute {
            do throws(CommandRefusal) {
                try bound.value.perform(.reportDeadLetter(destination: destination, sequence: sequence, reason: reason), by: "gateway") {
                    outcome in
                    switch outcome {
                    case .committed: answered.succeed()
                    case .failed(let error): answered.fail(error)
                    }
                }
            } catch { answered.fail(error) }
        }
        do { try answered.futureResult.wait() } catch { throw EventLogError("the dead letter was not recorded: \(error)") }
    }

    // MARK: Nodes that udev showed, for `profile explain`

    func nodeEvent(_ event: DeviceMonitor.Event) {
        switch event {
        case .appeared(let node): nodes.withLock { $0[node.path] = node }
        case .disappeared(let node): _ = nodes.withLock { $0.removeValue(forKey: node.path) }
        case .enumerated: break
        case .unavailable(let reason):
            logger.warning("udev is not there; devices with a port are found all the same", metadata: ["reason": "\(reason)"])
        }
    }

    var knownNodes: [DeviceNode] { nodes.withLock { $0.values.sorted { $0.path < $1.path } } }

    // MARK: Master data

    /// Checks a batch against the master data in force, and takes it in unless it is a dry run.
    /// - Parameters:
    ///   - client: who asked for it; nil: it came by itself.
    ///   - snapshot: sets of which the rows are all there is.
    ///   - cursor: up to where a source is taken in with it, also when it changes nothing.
    func importMaster(
        _ rows: [MasterRow], source: String, dryRun: Bool, client: String?, snapshot: Set<MasterRow.Set> = [],
        cursor: (source: String, text: String)? = nil
    ) async throws(OperationError) -> ImportOutcome {
        try await importing { () throws(OperationError) in
            try await importInTurn(rows, source: source, dryRun: dryRun, client: client, snapshot: snapshot, cursor: cursor)
        }
    }

    /// One change of the master data at a time: each is checked against what the one before it left.
    func importing<Outcome: Sendable>(_ body: () async throws(OperationError) -> Outcome) async throws(OperationError) -> Outcome {
        await imports.enter()
        let outcome: Result<Outcome, OperationError>
        do throws(OperationError) { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        await imports.leave()
        return try outcome.get()
    }

    private func importInTurn(
        _ rows: [MasterRow], source: String, dryRun: Bool, client: String?, snapshot: Set<MasterRow.Set>,
        cursor: (source: String, text: String)?
    ) async throws(OperationError) -> ImportOutcome {
        let (master, tags, time, isStale) = try await look {
            ($0.engine.ledger.master, $0.engine.ledger.state.tags, $0.wallTime, $0.engine.isStale)
        }
        guard !isStale else { throw OperationError(.notStored, "the store cannot be written at present; nothing was changed") }
        let masterStore = masterStore
        let stored = try await blocking { try masterStore.load() }
        let whole = MasterBatch(snapshot: snapshot, rows: rows, cursor: "").rows(over: stored)
        let keyed = master.mintingKeys(for: whole) { UInt64.random(in: .min ... .max) }
        let next: MasterData
        do throws(MasterRefusal) { next = try master.applying(keyed) } catch {
            throw OperationError(
                .invalid, "\(error.problems.count) problem\(error.problems.count == 1 ? "" : "s"): nothing was changed",
                problems: error.problems.map { .init(row: $0.row, $0.description) })
        }
        let clashes = tags.compactMap { epc, bearer in
            next.tags[epc].flatMap {
                $0 == bearer || master.tags[epc] == $0 ? nil : "tag \(epc.hex): is bound here to \(bearer.description)"
            }
        }
        guard clashes.isEmpty else { throw OperationError(.invalid, "nothing was changed", problems: clashes.sorted().map { .init($0) }) }
        let changes = MasterRow.changes(from: stored, by: keyed)
        var outcome = ImportOutcome(isDryRun: dryRun, version: masterStore.version.number, counts: Self.counts(keyed, changes), changes: [])
        outcome.changes = Array(changes.prefix(ImportOutcome.maximumChanges))
        guard !dryRun else { return outcome }
        guard !changes.isEmpty else {
            if let cursor { try await blocking { try masterStore.setCursor(of: cursor.source, to: cursor.text) } }
            return outcome
        }
        let version = try await blocking { try masterStore.apply(keyed, at: time.rfc3339, source: source, cursor: cursor) }
        var applied = next
        applied.version = version.number
        let final = applied
        try await committed { engineLoop, answer in
            engineLoop.masterChanged(final, rows: keyed, digest: version.digest, by: client, answer: answer)
        }
        outcome.version = version.number
        return outcome
    }

    /// Master data that came in just before a power cut: the event of it is recorded now.
    func recordMasterVersion(_ state: LedgerState) async throws(OperationError) {
        let version = masterStore.version
        guard version.number > state.masterVersion else { return }
        let master = try await look { $0.engine.ledger.master }
        try await committed { engineLoop, answer in
            engineLoop.masterChanged(master, rows: [], digest: version.digest, by: nil, answer: answer)
        }
    }

    private static func counts(_ rows: [MasterRow], _ changes: [MasterChange]) -> [MasterRow.Set: ImportOutcome.Counts] {
        var counts: [MasterRow.Set: ImportOutcome.Counts] = [:]
        for row in rows { counts[row.set, default: .init()].unchanged += 1 }
        for change in changes {
            counts[change.set, default: .init()].unchanged -= 1
            switch change.kind {
            case .added: counts[change.set, default: .init()].added += 1
            case .changed: counts[change.set, default: .init()].changed += 1
            case .removed: counts[change.set, default: .init()].removed += 1
            }
        }
        return counts
    }

    /// Lets the engine decide something and waits until it is on the disk.
    @discardableResult
    func committed(_ body: @escaping @Sendable (EngineLoop, @escaping @Sendable (CommitOutcome) -> Void) throws -> Void)
        async throws(OperationError)
        -> [StoredEvent]
    {
        let promise = loop.makePromise(of: [StoredEvent].self)
        let bound = engineLoop
        loop.execute {
            do {
                try body(bound.value) { outcome in
                    switch outcome {
                    case .committed(let events): promise.succeed(events)
                    case .failed(let error): promise.fail(OperationError(.notStored, error.description))
                    }
                }
            } catch let refusal as CommandRefusal { promise.fail(OperationError(refusal)) } catch { promise.fail(error) }
        }
        do { return try await promise.futureResult.get() } catch let error as OperationError { throw error } catch {
            throw OperationError(.internal, "\(error)")
        }
    }
}

/// Lets callers in one after the other, in the order in which they came.
actor Turns {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    var waitingCount: Int { waiting.count }

    func enter() async {
        if !isTaken {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
