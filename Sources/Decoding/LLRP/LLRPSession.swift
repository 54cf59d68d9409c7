import Readings

/// The client of an LLRP reader: asks what it is, sets it up for what the site wants, keeps it reading, and says whether it can see
/// anything. Sources: EPCglobal Low Level Reader Protocol 1.0.1 and 1.1.
///
/// It makes no difference who opened the connection: the reader greets either way.
public struct LLRPSession: DeviceSteering {
    /// How long the reader may take to greet.
    public static let greetingTimeout = Instant.Span.seconds(5)
    /// How long it may take to answer.
    public static let answerTimeout = Instant.Span.seconds(5)
    /// A question is asked this often in all.
    static let attempts = 2
    /// So many keepalives must be missing before the reader is given up.
    static let missingKeepalives: Int64 = 3
    /// After so many inventories in a row that ended by themselves the reader is opened anew.
    static let restartLimit = 5
    static let longestRestartPause = Instant.Span.seconds(16)

    public enum Extensions: String, Hashable, Sendable, CaseIterable {
        /// By the manufacturer that the reader names.
        case auto
        case impinj, zebra, none
    }

    /// Whose extensions are used.
    public enum Vendor: String, Hashable, Sendable {
        case impinj, zebra, none
    }

    public enum Rotation: String, Hashable, Sendable, CaseIterable {
        /// By protocol version and vendor.
        case auto
        /// The reader goes from antenna to antenna as it likes.
        case reader
        /// The stay at each antenna is prescribed.
        case gateway
    }

    public enum Version: String, Hashable, Sendable, CaseIterable {
        /// 1.1 where the reader has it.
        case auto
        case first = "1.0.1"
    }

    /// What becomes of a reader that does not say its region, where the site names one.
    public enum UnknownRegion: String, Hashable, Sendable, CaseIterable {
        /// It must not transmit.
        case refuse
        /// It may: the model is known to leave its region out.
        case accept
    }

    public struct Configuration: Hashable, Sendable {
        /// How often the reader says that it is there, 1...60 s.
        public var keepalive: Instant.Span
        public var extensions: Extensions
        public var rotation: Rotation
        public var version: Version
        /// A report after so many reads, 1...1000.
        public var reportEvery: UInt16
        /// The identifier of the air protocol mode; nil: chosen by intent from those that the reader names.
        public var mode: UInt32?
        public var unknownRegion: UnknownRegion

        public init(
            keepalive: Instant.Span = .seconds(10), extensions: Extensions = .auto, rotation: Rotation = .auto, version: Version = .auto,
            reportEvery: UInt16 = 1, mode: UInt32? = nil, unknownRegion: UnknownRegion = .refuse
        ) {
            self.keepalive = min(max(keepalive, .seconds(1)), .seconds(60))
            self.extensions = extensions
            self.rotation = rotation
            self.version = version
            self.reportEvery = max(1, reportEvery)
            self.mode = mode
            self.unknownRegion = unknownRegion
        }
    }

    enum Phase: Hashable, Sendable {
        case closed
        /// Waiting for the connection event.
        case greeting(deadline: Instant)
        case step(Pending)
        case running
        /// The reader must not transmit here; the connection is kept, so that this can be seen.
        case refused
        case failed
    }

    /// The question whether the inventory is still there.
    struct Check: Hashable, Sendable {
        var ids: [UInt32]
        var deadline: Instant
    }

    /// A question that is out.
    struct Pending: Hashable, Sendable {
        var step: Step
        /// Of the first attempt and of those after it: an answer to any of them will do.
        var ids: [UInt32]
        var deadline: Instant
    }

    public internal(set) var counters = SessionCounters()
    public internal(set) var state = DeviceState.absent(reason: "not opened")
    public internal(set) var stepAnswers: [String: [UInt8]] = [:]
    public internal(set) var skippedSteps: [String] = []
    public private(set) var nextDeadline: Instant?

    /// What the reader said of itself; nil before.
    public internal(set) var capabilities: LLRPReaderCapabilities?
    /// The message that said it.
    var capabilitiesAnswer: [UInt8] = []
    /// What was asked of it; nil before.
    public internal(set) var inventory: LLRPInventoryPlan?

    let configuration: Configuration
    let plan: SessionPlan
    let radio: RadioSettings
    var decoder = LLRPReportDecoder()
    var phase = Phase.closed
    /// Of the protocol: 1 is 1.0.1, 2 is 1.1.
    var version: UInt8 = 1
    var lastID: UInt32 = 0
    /// The reader hung up on the question for its version: it is not asked again.
    var avoidsVersionQuestion = false
    var vendor = Vendor.none
    /// Ports at which the reader found an antenna, and those that it lost since.
    var connectedAntennas: [UInt16] = []
    var lostAntennas: Set<UInt16> = []
    /// The reader says of all its ports that nothing is connected, and the site file leaves the choice to it.
    var hasNoAntenna = false
    /// The reader said that it takes this client; reads before that are of no known time.
    var isGreeted = false
    var history: History?
    var feedback = FeedbackSchedule()
    var lastLife = Instant.zero
    var lastTag = Instant.zero
    /// The inventory ended by itself and is begun again then.
    var restartAt: Instant?
    var restarts = 0
    var check: Check?
    /// Why the reader did not answer that question; nil: it did, or tags came since.
    var checkFault: String?
    var lastCheck = Instant.zero
    /// The reader refused the inventory, or its configuration, as wanted; it gets no more than every reader takes.
    var isPlain = false
    /// The reader enabled the inventory.
    var isEnabled = false
    var isConfigurationPlain = false

    public init(_ configuration: Configuration, plan: SessionPlan, radio: RadioSettings) {
        self.configuration = configuration
        self.plan = plan
        self.radio = radio
    }

    public var isInitialised: Bool { phase == .running }

    public mutating func opened(at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        forget()
        stepAnswers = [:]
        skippedSteps = []
        report(.silent(reason: "starting"), into: &output)
        phase = .greeting(deadline: now + Self.greetingTimeout)
        lastLife = now
    }

    public mutating func resumed(from snapshot: JSON?, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        forget()
        feedback.removeAll()
        if let snapshot, !snapshot.isNull {
            restore(snapshot, at: now)
            return report(DeviceState(snapshot: snapshot["state"]), into: &output)
        }
        isGreeted = true
        phase = .running
        lastLife = now
        lastTag = now
        report(.reading, into: &output)
    }

    public mutating func receive(_ bytes: UnsafeRawBufferPointer, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        counters.bytes &+= UInt64(bytes.count)
        let before = DeviceSession.Mark(output)
        decoder.decode(bytes, at: now, into: &output.batch)
        digest(since: before, at: now, into: &output)
    }

    public mutating func inputLost(at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        // What is left of a message cannot be told from the next: only a new connection is in step.
        output.batch.rejects.count(.incomplete)
        counters.rejects.count(.incomplete)
        fail("connection", "bytes were lost", into: &output)
    }

    public mutating func release(at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        do throws(LLRPError) {
            for bytes in feedback.takeRest() { try sendOutputs(bytes, into: &output) }
            if let inventory {
                try send("STOP_ROSPEC", ["ROSpecID": LLRPValue(inventory.roSpecID)], into: &output)
                try send("DELETE_ROSPEC", ["ROSpecID": LLRPValue(inventory.roSpecID)], into: &output)
            }
            try send("CLOSE_CONNECTION", into: &output)
        } catch {
            // The connection ends in any case.
        }
        phase = .closed
    }

    public mutating func closed(reason: String, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        if case .step(let pending) = phase, pending.step == .supportedVersion { avoidsVersionQuestion = true }
        forget()
        feedback.keepRest(at: now)
        phase = .closed
        report(.absent(reason: reason), into: &output)
    }

    public mutating func advance(to now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed, phase != .failed else { return }
        if let deadline = decoder.nextDeadline, deadline <= now {
            let before = DeviceSession.Mark(output)
            decoder.advance(to: now, into: &output.batch)
            digest(since: before, at: now, into: &output)
        }
        switch phase {
        case .greeting(let deadline) where deadline <= now:
            return fail("connection", "the reader did not greet within \(Self.greetingTimeout.milliseconds / 1_000) s", into: &output)
        case .step(let pending) where pending.deadline <= now: timedOut(pending, at: now, into: &output)
        case .running, .refused:
            if lastLife + watchdog <= now {
                let quiet = "connected but silent: neither reports nor keepalives for \((now - lastLife).milliseconds / 1_000) s"
                counters.watchdogFires &+= 1
                return fail("inventory", quiet, isReachable: false, into: &output)
            }
            advanceInventory(to: now, into: &output)
        default: break
        }
        advanceHistory(to: now, into: &output)
        sendFeedback(at: now, into: &output)
    }

    public mutating func give(_ kind: Feedback, at now: Instant, into output: inout SessionOutput) -> Bool {
        defer { nextDeadline = dueNext }
        guard canSwitchOutputs, let transmissions = plan.feedback[kind],
            transmissions.allSatisfy({ isSwitchable($0.bytes) }), feedback.add(kind, transmissions, at: now)
        else { return false }
        sendFeedback(at: now, into: &output)
        return true
    }
}
