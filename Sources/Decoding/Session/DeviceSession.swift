import Readings

/// Steers one device by its plan: initialises it, keeps it reading, gives feedback between its rounds, and says whether it can see
/// anything. It owns the decoder; the driver owns the descriptor and the clock.
///
/// The driver calls `advance(to:into:)` at `nextDeadline`, before any later input.
public struct DeviceSession: DeviceSteering {
    /// The longest pause after failed rounds.
    public static let longestPause = Instant.Span.seconds(5)
    /// Feedback waits for the end of a round, but no longer than this.
    public static let longestFeedbackWait = Instant.Span.milliseconds(200)
    /// After feedback the next round waits for the device's answer, but no longer than this.
    static let answerWait = Instant.Span.milliseconds(50)
    /// After so many watchdogs in a row the device has lost its settings or its power: initialise it again.
    static let watchdogLimit = 5
    /// After so many failed rounds in a row the device is not reading; where rounds take turns, all of them and so many less one.
    static let failedRoundLimit = 3
    /// After so many rounds in a row that failed by a fault that stays, the device may have restarted without its settings.
    static let lastingFailureLimit = 5
    /// An antenna that failed in so many of its rounds in a row is missing, and with it what it should see.
    static let antennaFaultLimit = 3

    enum Phase: Hashable, Sendable {
        case closed
        /// Waiting for the answer of a step.
        case step(StepState)
        case running
        case failed
    }

    struct StepState: Hashable, Sendable {
        var index: Int
        /// How often its command was sent again.
        var retries = 0
        /// The question before the command is out.
        var isChecking: Bool
        /// The step is done; its pause is not.
        var isSettling = false
        var deadline: Instant
        var lastAnswer: [UInt8]?
        /// Why the device would not, the last time that it was asked.
        var refusal: String?
    }

    struct Inventory: Hashable, Sendable {
        /// The round that was asked for has not ended.
        var isInRound = false
        /// It was asked for in this very call, so nothing in this call's bytes is its end: a flood of round ends cannot become a
        /// flood of commands.
        var isFresh = false
        /// The command that follows the answer to what was sent before it.
        var selected: [UInt8]?
        /// When the round is given up.
        var watchdog: Instant?
        /// When the next round may be asked for.
        var resume: Instant?
        /// The place of the next command among those of the plan.
        var nextCommand = 0
        var faults = 0
        /// This round brought a fault that does not go away by itself.
        var hasLastingFault = false
        var failedRounds = 0
        /// Rounds in a row that failed so.
        var lastingFailures = 0
        var watchdogs = 0
        /// The antenna that the round is for alone; nil: it is for all of them.
        var antenna: UInt8?
        /// The antennas that failed in this round, and why.
        var antennaFaults: [UInt8: String] = [:]
        /// The antennas that failed in their last round.
        var failedAntennas: [UInt8: FailedAntenna] = [:]
    }

    struct FailedAntenna: Hashable, Sendable {
        var meaning: String
        /// Rounds in a row.
        var rounds = 0
        /// When the first of them ended.
        var since: Instant
        var isMissing = false
    }

    public let plan: SessionPlan
    public internal(set) var counters = SessionCounters()
    /// What was last reported of the device.
    public internal(set) var state = DeviceState.absent(reason: "not opened")
    /// The last right answer of each step, for `stockgate devices`.
    public internal(set) var stepAnswers: [String: [UInt8]] = [:]
    /// The optional steps that failed since the device was opened.
    public internal(set) var skippedSteps: [String] = []

    /// When `advance` must be called; nil: never, until something comes. Stored, not computed: the engine asks after every few bytes,
    /// and asking must not copy the session.
    public private(set) var nextDeadline: Instant?

    var decoder: any Decoder
    var phase = Phase.closed
    var inventory = Inventory()
    var feedback = FeedbackSchedule()
    /// When the device was last shown to be reading.
    var lastLife = Instant.zero
    /// The steps under way are not the first ones: the device worked before, and is to be used again when they are done.
    var isInitialisingAgain = false

    public init(plan: SessionPlan, decoder: any Decoder) {
        self.plan = plan
        self.decoder = decoder
    }

    /// The device was opened: starts its initialisation.
    public mutating func opened(at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        decoder.reset()
        inventory = Inventory()
        isInitialisingAgain = false
        stepAnswers = [:]
        skippedSteps = []
        if !plan.steps.isEmpty || plan.livenessTimeout != nil { report(.silent(reason: "starting"), into: &output) }
        begin(step: 0, at: now, into: &output)
    }

    /// Initialised, whether or not it was heard of lately.
    public var isInitialised: Bool { phase == .running }

    /// The device works already; its initialisation and the beginning of its round are not to be seen.
    public mutating func resumed(from snapshot: JSON?, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        decoder.reset()
        decoder.resumed()
        if let snapshot, !snapshot.isNull {
            restore(snapshot, at: now)
            return report(DeviceState(snapshot: snapshot["state"]), into: &output)
        }
        feedback.removeAll()
        inventory = Inventory()
        phase = .running
        lastLife = now
        report(.reading, into: &output)
        guard let plan = plan.inventory else { return }
        inventory.isInRound = true
        inventory.watchdog = now + plan.watchdog
    }

    /// Bytes came from the device.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        inventory.isFresh = false
        counters.bytes &+= UInt64(bytes.count)
        let before = Mark(output)
        decoder.decode(bytes, at: now, into: &output.batch)
        digest(since: before, at: now, into: &output)
    }

    /// A key event came from the device: `EV_KEY` code and value.
    public mutating func key(_ code: UInt16, value: Int32, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        counters.keys &+= 1
        let before = Mark(output)
        decoder.decode(key: code, value: value, at: now, into: &output.batch)
        digest(since: before, at: now, into: &output)
    }

    /// Input was lost between the device and here.
    public mutating func inputLost(at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        let before = Mark(output)
        decoder.inputLost(at: now, into: &output.batch)
        digest(since: before, at: now, into: &output)
    }

    /// The gateway is about to let the device go: a lamp that is lit goes off, and what reads stops, also where the initialisation is
    /// not over.
    public mutating func release(at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        output.transmissions += feedback.takeRest() + plan.stop
        inventory = Inventory()
        phase = .closed
        isInitialisingAgain = false
    }

    /// The device was closed or lost. A half frame is forgotten; what is left of a feedback is sent when the device works again.
    public mutating func closed(reason: String, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        decoder.reset()
        phase = .closed
        isInitialisingAgain = false
        inventory = Inventory()
        feedback.keepRest(at: now)
        report(.absent(reason: reason), into: &output)
    }

    private var dueNext: Instant? {
        var deadline: Instant?
        func consider(_ other: Instant?) {
            guard let other else { return }
            deadline = deadline.map { min($0, other) } ?? other
        }
        switch phase {
        case .closed, .failed: return nil
        case .step(let step): consider(step.deadline)
        case .running:
            consider(inventory.isInRound ? inventory.watchdog : inventory.resume)
            consider(feedbackDeadline)
            if state.isReading, let timeout = plan.livenessTimeout { consider(lastLife + timeout) }
        }
        consider(decoder.nextDeadline)
        return deadline
    }

    /// Does what is due at `now`.
    public mutating func advance(to now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        inventory.isFresh = false
        if let deadline = decoder.nextDeadline, deadline <= now {
            let before = Mark(output)
            decoder.advance(to: now, into: &output.batch)
            digest(since: before, at: now, into: &output)
        }
        if case .step(let step) = phase, step.deadline <= now { stepTimedOut(step, at: now, into: &output) }
        guard phase == .running else { return }
        if state.isReading, let timeout = plan.livenessTimeout, lastLife + timeout <= now {
            report(.silent(reason: "nothing heard for \(timeout.milliseconds) ms"), into: &output)
        }
        advanceInventory(to: now, into: &output)
        if phase == .running { sendFeedback(at: now, into: &output) }
    }

    /// For the extensions of this type that change what is due.
    mutating func deadlineChanged() { nextDeadline = dueNext }

    // MARK: What the decoder found

    /// Where the output stood before a call of the decoder: the caller need not have emptied it.
    struct Mark {
        let readings: Int
        let signals: Int
        let rejects: RejectCounts

        init(_ output: SessionOutput) {
            readings = output.batch.readings.count
            signals = output.batch.signals.count
            rejects = output.batch.rejects
        }
    }

    private mutating func digest(since before: Mark, at now: Instant, into output: inout SessionOutput) {
        counters.rejects += output.batch.rejects.since(before.rejects)
        let readings = output.batch.readings.count - before.readings
        if readings > 0 {
            counters.readings &+= UInt64(readings)
            alive(at: now, into: &output)
        }
        var index = before.signals
        var isOutdated = false
        while index < output.batch.signals.count {
            let signal = output.batch.signals[index]
            index += 1
            switch signal {
            // What came together with the news that all begins anew answers nothing that is asked since.
            case .answer where isOutdated: break
            case .answer(let frame): answered(frame, at: now, into: &output)
            case .reply(let bytes): output.transmissions.append(bytes)
            case .alive: alive(at: now, into: &output)
            case .interrupted: if initialiseAgain(at: now, into: &output) { isOutdated = true }
            case .noRead:
                counters.noReads &+= 1
                alive(at: now, into: &output)
            case .roundEnded: roundEnded(at: now, into: &output)
            case .roundFailed: roundFailed(at: now, into: &output)
            case .fault(let code, let meaning, let isTransient):
                counters.faults[meaning, default: 0] &+= 1
                counters.lastFault = SessionCounters.Fault(code: code, meaning: meaning, time: now)
                inventory.faults &+= 1
                if !isTransient { inventory.hasLastingFault = true }
                if !isTransient, phase == .running { report(.silent(reason: meaning), into: &output) }
            case .antennaFault(let antenna, let meaning):
                if inventory.isInRound { inventory.antennaFaults[antenna] = meaning }
            }
        }
    }

    /// The device was shown to be reading.
    mutating func alive(at now: Instant, into output: inout SessionOutput) {
        lastLife = now
        inventory.watchdogs = 0
        if let plan = plan.inventory, plan.mode == .stream, inventory.isInRound { inventory.watchdog = now + plan.watchdog }
        if phase == .running { report(missingAntennas.map { .silent(reason: $0) } ?? .reading, into: &output) }
    }

    mutating func report(_ state: DeviceState, into output: inout SessionOutput) {
        guard state != self.state else { return }
        self.state = state
        output.batch.readings.append(.state(state))
    }

    mutating func fail(_ failure: SessionFailure, into output: inout SessionOutput) {
        phase = .failed
        isInitialisingAgain = false
        output.transmissions += feedback.takeRest()
        output.failure = failure
        report(.silent(reason: failure.description), into: &output)
    }
}
