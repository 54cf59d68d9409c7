import Control
import Decoding
import Devices
import Engine
import Ledger
import Logging
import NIOCore
import NIOPosix
import Profiles
import Readings
import SiteConfiguration
import Store
import Upstream

/// Drives the engine: brings it its inputs in one order, at their times, and does what it returns.
///
/// Confined to one event loop. Whatever comes from another thread (the store's answers, udev, the API) is posted here first.
final class EngineLoop {
    let loop: any EventLoop
    let store: EventStore
    let logger: Logger
    private let pool: NIOThreadPool
    private(set) var engine: Engine
    private(set) var site: Site
    private(set) var library: ProfileLibrary
    private(set) var supervisor: DeviceSupervisor
    private let clockAhead: ClockAhead?
    private var wallClock: WallClock
    private var timer: Scheduled<Void>?
    private var timerDeadline: Instant?
    private var clockTimer: RepeatedTask?
    private var answers: [UInt64: @Sendable (CommitOutcome) -> Void] = [:]
    private var isReloading = false
    /// Failed commits and loads in a row.
    private var failures: Int64 = 0
    private var reconfigurations = 0
    /// Decisions on their way to the disk.
    private(set) var outstanding = 0
    private(set) var isStopped = false
    /// The recording that somebody asked for.
    var recorder: CaptureWriter?
    /// The always-on recording of the site file.
    var ring: CaptureWriter?
    /// The always-on recording is to go on in a new file as soon as no decision is on its way.
    var isRingFull = false
    /// The newest event committed since `loaded`, whose hash is made only for a recording.
    private(set) var newestEvent: StoredEvent?
    private(set) var loaded: StartPoint
    private(set) var masterDigest: String
    let watchers = Watchers()
    /// What is true of loans, for those who tell people.
    let reminders = ReminderBoard()
    /// Called on the loop when new events are on the disk.
    var eventsCommitted: (@Sendable ([StoredEvent]) -> Void)?
    /// Called on the loop when the store turns out to be damaged: only a start can recover it.
    var storeDamaged: @Sendable (StoreError) -> Void = { _ in }
    /// Called on the loop with the name of a device that has come, gone, or fallen silent.
    var deviceChanged: @Sendable (String, DeviceState) -> Void = { _, _ in }

    /// What was last loaded from the store.
    struct StartPoint: Sendable {
        var state: LedgerState
        /// The hash of the newest event.
        var lastHash: String

        init(_ state: LedgerState, lastHash: String) { (self.state, self.lastHash) = (state, lastHash) }

        /// Waits for the store's writer: not for the event loop.
        init(loading store: EventStore) throws(StoreError) { (state, lastHash) = try store.load() }
    }

    init(
        loop: any EventLoop, pool: NIOThreadPool, site: Site, library: ProfileLibrary, store: EventStore, loaded: StartPoint,
        master: MasterData, masterDigest: String, clockAhead: ClockAhead?, logger: Logger
    ) {
        self.loop = loop
        self.site = site
        self.library = library
        self.store = store
        self.logger = logger
        engine = Engine(site: site, epoch: store.epoch, state: loaded.state, master: master, startingAt: BootClock.now())
        self.loaded = loaded
        self.masterDigest = masterDigest
        self.pool = pool
        self.clockAhead = clockAhead
        wallClock = WallClock(ahead: clockAhead)
        reminders.replace(with: loaded.state)
        reminders.update(master)
        supervisor = DeviceSupervisor(loop: loop, devices: DeviceBinding(site: site, library: library).supervised, pool: pool)
    }

    func start() {
        loop.preconditionInEventLoop()
        lookAtClock()
        // When the time is known, and before any device speaks.
        startRing()
        let bound = NIOLoopBound(self, eventLoop: loop)
        // A look a second finds a step of the wall clock long before anything that depends on it is due.
        clockTimer = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.lookAtClock()
            bound.value.flushRecordings()
        }
        supervisor.delegate = self
        supervisor.start()
    }

    /// Closes the devices; what was decided before is still committed.
    func stop() -> EventLoopFuture<Void> {
        loop.preconditionInEventLoop()
        isStopped = true
        clockTimer?.cancel()
        timer?.cancel()
        let bound = NIOLoopBound(self, eventLoop: loop)
        releaseDevices()
        return supervisor.shutdown().flatMap {
            bound.value.finishWalks()
            return bound.value.settled(within: 200)
        }.flatMap { bound.value.lastTry() }.map {
            bound.value.recorder?.end()
            bound.value.ring?.end()
            bound.value.watchers.finish()
        }
    }

    /// What devices must be told before they are let go, for example to stop reading; closing lets it go out.
    private func releaseDevices() {
        let now = BootClock.now()
        record(.released, at: now)
        input { $0.release(at: now, into: &$1) }
    }

    /// Crossings that wait for a store that failed are tried once more; what cannot be recorded even now is said aloud.
    private func lastTry() -> EventLoopFuture<Void> {
        guard engine.isStale else { return loop.makeSucceededVoidFuture() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let store = store
        return pool.runIfActive(eventLoop: loop) { try StartPoint(loading: store) }.flatMap { loaded in
            bound.value.reloaded(.success(loaded))
            return bound.value.settled(within: 200)
        }.flatMapError { _ in bound.value.loop.makeSucceededVoidFuture() }.map {
            let waiting = bound.value.engine.unrecorded.count
            guard waiting > 0 else { return }
            bound.value.logger.critical(
                "crossings or late reads are lost, the store could not take them", metadata: ["count": "\(waiting)"])
        }
    }

    /// A tool that was carried out a second ago must not be forgotten because the gateway ends or reads its configuration again.
    private func finishWalks() {
        let now = BootClock.now()
        record(.finished, at: now)
        input { $0.finish(at: now, into: &$1) }
    }

    /// Succeeds when every decision has its answer, or after `looks` times 10 ms.
    /// - Parameter isFinal: whether none may be provisional either.
    private func settled(within looks: Int, isFinal: Bool = false) -> EventLoopFuture<Void> {
        guard outstanding > 0 || isFinal && (engine.hasOpenDecisions || engine.isSettling), looks > 0 else {
            return loop.makeSucceededVoidFuture()
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loop.scheduleTask(in: .milliseconds(10)) {}.futureResult.flatMap { bound.value.settled(within: looks - 1, isFinal: isFinal) }
    }

    /// Does something when no decision is on its way to the disk, or after 2 s.
    /// - Parameter isFinal: when none is provisional either, or after 10 s.
    func whenSettled<Value: Sendable>(
        isFinal: Bool = false, _ body: @escaping @Sendable (EngineLoop) throws -> Value
    ) -> EventLoopFuture<Value> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return settled(within: isFinal ? 1_000 : 200, isFinal: isFinal).flatMapThrowing { try body(bound.value) }
    }

    /// Takes a new site file and new profiles: every device is closed and opened again, the ledger goes on as it is.
    /// - Returns: fails when decisions are still on their way to the disk after 2 s.
    func reconfigure(_ site: Site, library: ProfileLibrary) throws -> EventLoopFuture<Void> {
        loop.preconditionInEventLoop()
        guard !engine.isStale else { throw ReconfigurationError() }
        // Walks under way are decided only when nothing stands against the change.
        let bound = NIOLoopBound(self, eventLoop: loop)
        return settled(within: 200).flatMapThrowing {
            guard bound.value.outstanding == 0, !bound.value.engine.isStale else { throw ReconfigurationError() }
            bound.value.finishWalks()
        }.flatMap {
            bound.value.whenSettled { try $0.replaceEngine(site, library: library) }
        }
    }

    private func replaceEngine(_ site: Site, library: ProfileLibrary) throws {
        guard outstanding == 0, !engine.isStale else { throw ReconfigurationError() }
        releaseDevices()
        if recorder != nil { logger.notice("the recording ends: the configuration changed") }
        for recording in [recorder, ring] { recording?.end() }
        (recorder, ring) = (nil, nil)
        self.site = site
        self.library = library
        let generation = engine.generation
        let isWatched = engine.isWatched
        engine = Engine(
            site: site, epoch: store.epoch, state: engine.ledger.state, master: engine.ledger.master, startingAt: BootClock.now(),
            generation: generation, nextTicket: engine.nextTicket)
        engine.isWatched = isWatched
        wallClock = WallClock(ahead: clockAhead)
        lookAtClock()
        startRing()
        reconfigurations += 1
        supervisor.reconfigure(DeviceBinding(site: site, library: library, revision: reconfigurations).supervised)
        armTimer()
    }

    // MARK: Inputs

    /// Gives the engine one input and does what it returns.
    func input(_ body: (inout Engine, inout EngineOutput) -> Void) {
        var output = EngineOutput()
        let lost = engine.lostCrossings
        let lostLateReads = engine.lostLateReads
        body(&engine, &output)
        if engine.lostCrossings > lost { logger.critical("crossings are lost: too many wait to be recorded") }
        if engine.lostLateReads > lostLateReads {
            logger.warning(
                "\(engine.lostLateReads - lostLateReads) reads that a reader had kept are not recorded: too many tags at once, or the store fails"
            )
        }
        carryOut(output)
        armTimer()
    }

    func record(_ content: @autoclosure () -> Capture.Content, device: DeviceIndex? = nil, at now: Instant) {
        guard recorder != nil || ring != nil else { return }
        let name = device.map { site.devices[Int($0.rawValue)].name }
        let content = content()
        recorder?.write(content, device: name, at: now)
        ring?.write(content, device: name, at: now)
        dropEndedRecordings()
    }

    private func lookAtClock() {
        guard let anchor = wallClock.look() else { return }
        record(.wall(anchor), at: anchor.instant)
        input { $0.wallChanged(anchor, into: &$1) }
    }

    /// - Throws: `CommandRefusal` when the ledger refuses; otherwise `answer` is called when the outcome is known.
    func perform(_ command: Command, by client: String, answer: @escaping @Sendable (CommitOutcome) -> Void) throws(CommandRefusal) {
        let now = BootClock.now()
        record(.command(.object(["client": .string(client), "command": command.json])), at: now)
        var output = EngineOutput()
        defer {
            carryOut(output)
            armTimer()
        }
        let ticket = try engine.perform(command, by: client, at: now, into: &output)
        answers[ticket] = answer
    }

    func masterChanged(
        _ master: MasterData, rows: [MasterRow], digest: String, by client: String?, answer: @escaping @Sendable (CommitOutcome) -> Void
    ) {
        let now = BootClock.now()
        masterDigest = digest
        reminders.update(master)
        record(
            .master(
                .compact([
                    "version": .integer(master.version), "digest": .string(digest), "client": client.map(JSON.string),
                    "rows": .array(rows.map(\.json)),
                ])), at: now)
        input { engine, output in
            let ticket = engine.masterChanged(master, digest: digest, rows: rows.count, by: client, at: now, into: &output)
            answers[ticket] = answer
        }
    }

    func name(_ device: DeviceIndex) -> String { site.devices[Int(device.rawValue)].name }

    // MARK: Outputs

    private func carryOut(_ output: EngineOutput) {
        // Decisions first: a write that fails closes its device at once, and what comes of that must stand behind them.
        for commit in output.commits { submit(commit) }
        for transmission in output.transmissions {
            record(.transmitted(transmission.bytes), device: transmission.device, at: BootClock.now())
            supervisor.write(transmission.bytes, to: transmission.device)
        }
        for happening in output.happenings { tell(happening) }
        for failure in output.failures {
            logger.warning("device does not do its work", metadata: ["device": "\(name(failure.device))", "reason": "\(failure.failure)"])
            supervisor.restart(failure.device, reason: failure.failure.description)
        }
    }

    private func submit(_ commit: EngineOutput.Commit) {
        outstanding += 1
        let bound = NIOLoopBound(self, eventLoop: loop)
        let (loop, reminders, rows) = (loop, reminders, commit.decision.rows)
        store.commit(commit.decision, generation: commit.generation) { outcome in
            // Here, and not on the loop: a destination may read the events as soon as they are on the disk.
            if case .committed(let events) = outcome, let last = events.last { reminders.take(rows, upTo: last.sequence) }
            loop.execute { bound.value.decided(commit.ticket, outcome) }
        }
    }

    private func decided(_ ticket: UInt64, _ outcome: CommitOutcome) {
        let now = BootClock.now()
        outstanding -= 1
        switch outcome {
        case .committed(let events):
            newestEvent = events.last ?? newestEvent
            failures = 0
            record(.committed(ticket: ticket), at: now)
            input { $0.committed(ticket: ticket, at: now, into: &$1) }
            watchers.tell(events: events)
            eventsCommitted?(events)
        case .failed(let error):
            // Of many decisions that wait when one fails, only that one says why.
            logger.log(level: error.code == .superseded ? .debug : .error, "not recorded", metadata: ["error": "\(error)"])
            record(.commitFailed(ticket: ticket), at: now)
            input { $0.commitFailed(ticket: ticket, at: now, into: &$1) }
            if error.code == .corrupt { storeDamaged(error) }
            reloadSoon()
        }
        answers.removeValue(forKey: ticket)?(outcome)
    }

    /// Loads the image again: at once after a first failure, later and later while the store goes on failing, because every load is
    /// followed by another try of the crossings that wait.
    private func reloadSoon() {
        guard !isReloading, !isStopped else { return }
        isReloading = true
        failures += 1
        let milliseconds: Int64 = failures == 1 ? 0 : min(10_000, 250 << min(failures, 10))
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: .milliseconds(milliseconds)) { bound.value.reload() }
    }

    /// Loads the image again, until the store can be read.
    private func reload() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let (loop, store) = (loop, store)
        // Loading waits for the writer, so it waits on a thread that may.
        pool.submit { _ in
            let result = Result { () throws(StoreError) in try StartPoint(loading: store) }
            loop.execute { bound.value.reloaded(result) }
        }
    }

    private func reloaded(_ result: Result<StartPoint, StoreError>) {
        isReloading = false
        switch result {
        case .success(let loaded):
            let now = BootClock.now()
            (self.loaded, newestEvent) = (loaded, nil)
            record(.reloaded(nextSequence: loaded.state.nextSequence), at: now)
            logger.notice("state loaded again from the store", metadata: ["next": "\(loaded.state.nextSequence)"])
            reminders.replace(with: loaded.state)
            input { $0.reloaded(loaded.state, at: now, into: &$1) }
        case .failure(let error):
            logger.error("the store cannot be read", metadata: ["error": "\(error)"])
            if error.code == .corrupt { storeDamaged(error) }
            reloadSoon()
        }
    }

    private func tell(_ happening: Happening) {
        if case .deviceState(let device, let state) = happening { deviceChanged(name(device), state) }
        switch happening {
        case .deviceState(let device, .silent(let reason)):
            logger.notice("device is silent", metadata: ["device": "\(name(device))", "reason": "\(reason)"])
        case .deviceState(let device, .reading): logger.info("device is reading", metadata: ["device": "\(name(device))"])
        default: break
        }
        guard !watchers.isEmpty else { return }
        watchers.tell(happening.json(site: site, ledger: engine.ledger))
    }

    private func armTimer() {
        let deadline = engine.nextDeadline
        guard deadline != timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        guard let deadline, !isStopped else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(in: .nanoseconds(max(0, (deadline - BootClock.now()).nanoseconds))) {
            bound.value.timerFired()
        }
    }

    private func timerFired() {
        timerDeadline = nil
        let now = BootClock.now()
        // A timer that is early by a hair must not: an input that still comes before the deadline would be taken after it, and a
        // replay would decide otherwise.
        if let deadline = engine.nextDeadline, deadline <= now { return input { $0.advance(to: now, into: &$1) } }
        armTimer()
    }

    func setWatched(_ isWatched: Bool) { engine.isWatched = isWatched }
}

/// The engine cannot be replaced now: decisions are on their way to the disk.
struct ReconfigurationError: Error, CustomStringConvertible {
    let description = "decisions are still on their way to the disk"
}
