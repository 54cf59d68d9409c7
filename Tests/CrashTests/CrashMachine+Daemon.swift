import CFaultVFS
import GRDB
import Ledger
import Upstream

@testable import Store

/// Starting, deciding, writing and ending.
extension CrashMachine {
    /// One life of the daemon, from its start to a stop or an orderly end.
    func liveOnce() {
        counts.lives += 1
        life = CrashPlan.life(&random)
        lifeBegan = now
        isOrderedToEnd = false
        placesLeft = .max
        switch life.ending {
        case .operation(let count): fault_disk_stop_before(disk, fault_disk_counts(disk).operations + count)
        case .place(let count): placesLeft = count
        case .order: break
        }
        fault_disk_heal(disk)
        for failure in life.failures { fault_disk_fail(disk, failure.kind, failure.after, failure.times) }
        let number = counts.lives
        send(after: life.healsAfter) { if $0.counts.lives == number { fault_disk_heal($0.disk) } }
        if random.chance(0.25) { web.downUntil = now + Int64(random.below(6 * 3_600_000)) }
        if random.chance(0.25) { application.downUntil = now + Int64(random.below(6 * 3_600_000)) }
        note("life \(counts.lives): \(life)")
        while !isDead, !start() { _ = run(until: now + 5_000) }
        if !isDead { _ = run(until: .max) }
        end()
    }

    /// Stops what still runs and starts the machine again, with what survived.
    private func end() {
        if isOrderedToEnd, !fault_disk_is_stopped(disk) {
            writer?.closeDown()
            note("ended in order")
        }
        abandon()
        if life.cutsPower {
            fault_disk_cut_power(disk)
            note("power cut")
        } else {
            fault_disk_kill(disk)
            note("killed")
        }
        isOrderedToEnd = false
    }

    func abandon() {
        couriers.removeAll()
        posted.removeAll()
        writerDue = nil
        restDue = nil
        shared?.setReader(nil)
        shared = nil
        writer?.wal.detach()
        // SQLite closes nothing that a statement still holds.
        writer?.statements = nil
        do { try writer?.database?.close() } catch { preconditionFailure("the database of a dead machine is still in use: \(error)") }
        writer = nil
    }

    /// - Returns: false when the disk did not let it.
    func start() -> Bool {
        let tuning = tuning
        let reserve = DiskReserve(disk: self)
        do throws(StoreError) {
            let log = try OpenedLog(
                file, tuning: tuning, reserve: reserve, gateway: Self.gateway, random: { Self.epoch }, wasClosedCleanly: false)
            shared = log.shared
            writer = EventWriter(log, file: file, tuning: tuning, reserve: reserve)
            writer?.start()
            hasStarted = true
        } catch {
            counts.refusedStarts += 1
            note("start refused: \(error)")
            guard !isDead else { return false }
            // A store that was never open holds nothing; a start sets such a file aside, as it does with a damaged one.
            if !hasStarted, [.corrupt, .foreignFile].contains(error.code) {
                for suffix in ["", "-wal", "-journal"] { fault_disk_remove(disk, file.path + suffix) }
                note("a file that never was a store is set aside")
                return false
            }
            // A start that fails because the disk fails is tried again by systemd. Nothing else may stand in the way.
            if ![.inputOutput, .diskFull].contains(error.code) { violate(.refusedToStart, "\(error)") }
            return false
        }
        couriers = [
            Courier(self, name: "web", types: [], batch: random.below(20) + 1, destination: WebDestination(machine: self)),
            Courier(
                self, name: "application", types: [], batch: random.below(20) + 1, destination: ApplicationDestination(machine: self)),
        ]
        line = ApplicationLine(window: random.below(20) + 1)
        needsImage = true
        isLoading = false
        generation += 1
        nextTick = now
        return true
    }

    private var tuning: StoreTuning {
        var tuning = StoreTuning()
        let machine = Unowned(machine: self)
        tuning.clock = { machine.machine.now * 1_000_000 }
        tuning.checkpointBytes = Int64(random.below(60) + 4) * 4_120
        tuning.idleCheckpointFrames = Int32(random.below(40) + 2)
        tuning.cursorEvents = Int64(random.below(40) + 5)
        tuning.groupLimit = random.chance(0.3) ? random.below(6) + 1 : 1_000
        tuning.checkedEvents = Int64(random.below(200) + 1)
        return tuning
    }

    // MARK: The engine

    /// Something is decided at a station, or the image is loaded again.
    func tick() {
        nextTick = now + Int64(random.chance(0.5) ? random.below(50) : random.below(20_000)) + 1
        if isCalm, workloadIsOver { nextTick = now + 3_600_000 }
        if needsImage {
            guard !isLoading else { return }
            isLoading = true
            let machine = Unowned(machine: self)
            post(.load { result in machine.machine.loaded(result) })
            return
        }
        guard !workloadIsOver else { return }
        for _ in 0..<(random.chance(0.3) ? random.below(20) + 1 : random.below(3) + 1) {
            let (number, decision) = workload.decide(&random, at: now)
            counts.decisions += 1
            let machine = Unowned(machine: self)
            let rendered = RenderedDecision(decision, identity: Self.identity)
            post(
                .commit(
                    .init(decision: rendered, generation: generation) { outcome in machine.machine.answered(number, decision, outcome) }))
        }
    }

    var workloadIsOver: Bool { counts.decisions >= decisions * (counts.lives + (isCalm ? 1 : 0)) }

    private func post(_ job: WriterJob) {
        posted.append(job)
        writerDue = min(writerDue ?? .max, now + Int64(random.below(4)))
    }

    func acknowledge(_ destination: String, upTo sequence: Int64) {
        let isTrue = destination == "web" ? web.has(upTo: sequence, truth.events) : application.has(upTo: sequence, truth.events)
        if !isTrue, sabotage == nil { return violate(.cursor, "\(destination) is to move to \(sequence), the receiver is not there") }
        if let job = shared?.moveCursor(of: destination, upTo: sequence) { post(job) }
    }

    /// Called by the writer, who is in the middle of its work.
    private func loaded(_ result: Result<LoadedState, StoreError>) {
        isLoading = false
        guard !fault_disk_is_stopped(disk) else { return }
        switch result {
        case .success(let loaded):
            workload.image = loaded.state
            needsImage = false
            generation += 1
            truth.loaded = loaded
        case .failure(let error):
            note("load: \(error)")
            if error.code == .corrupt { violate(.state, "\(error)") }
        }
    }

    private func answered(_ number: Int64, _ decision: Decision, _ outcome: CommitOutcome) {
        // The process is gone: nobody hears it.
        guard !fault_disk_is_stopped(disk) else { return }
        switch outcome {
        case .committed(let events):
            counts.acknowledged += events.count
            if decision.events.isEmpty { truth.learned = number }
            for event in events {
                guard event.sequence == Int64(truth.events.count) + 1 else {
                    return violate(.lost, "event \(event.sequence) was acknowledged, \(truth.events.count) was the last that is known")
                }
                truth.append(event)
            }
            for courier in couriers { courier.wake(at: now) }
        case .failed(let error):
            note("decision \(number): \(error)")
            // Its documentation leaves the outcome open, and loading tells.
            if error.code == .inputOutput {
                counts.unknown += 1
            } else {
                counts.failed += 1
                truth.denied[number] = error.description
            }
            needsImage = true
        }
    }

    // MARK: The writer

    func turnWriter() {
        writerDue = nil
        let jobs = posted
        posted = []
        writer?.handle(jobs)
        planRest()
        look()
    }

    func restWriter() {
        writer?.rest()
        planRest()
    }

    private func planRest() {
        restDue = writer?.patience.map { now + max(1, ($0 + 999_999) / 1_000_000) }
    }

    /// The image was loaded: what the engine builds on must be there from now on.
    private func look() {
        guard let loaded = truth.loaded, !isDead else { return }
        truth.loaded = nil
        inspect(loaded)
    }
}

/// For closures that the writer wants to be sendable; the machine outlives them.
struct Unowned: Sendable {
    unowned let machine: CrashMachine
}

/// The space kept back, on the disk of the machine.
struct DiskReserve: SpaceReserve {
    private static let size: Int64 = 1 << 20
    unowned let disk: CrashMachine

    func remove() -> Bool {
        guard disk.hasReserve else { return false }
        disk.hasReserve = false
        fault_disk_give(disk.disk, Self.size)
        return true
    }

    func create() -> Bool {
        if !disk.hasReserve { disk.hasReserve = fault_disk_take(disk.disk, Self.size) }
        return disk.hasReserve
    }
}
