import Readings

/// The control panel of one OSDP reader: it asks, the reader answers, one packet each.
///
/// After opening it asks for identification, capabilities and states, then polls for ever. A command without an answer is sent again
/// with the same sequence number, so that the reader repeats its reply and no badge is lost or read twice; after `tries` the exchange
/// begins anew with sequence number 0. The secure channel is not spoken.
public struct OSDPSession: DeviceSteering {
    public struct Configuration: Hashable, Sendable {
        public enum Bits: String, Hashable, Sendable, CaseIterable {
            /// Parity is checked and taken off where the number of bits has one (26, 34, 37).
            case wiegand
            /// All bits are the number.
            case all
        }

        public var check: OSDPPacket.Check
        /// The pause between a reply and the next poll, 20...1000 ms; the standard wants a poll every 50 ms or so.
        public var poll: Instant.Span
        /// How long a reply may take, 20...2000 ms; 200 ms in the standard.
        public var replyTimeout: Instant.Span
        /// Without a reply for this long the reader is not reading, 500 ms...60 s.
        public var offlineTimeout: Instant.Span
        public var bits: Bits
        public var form: BadgeForm

        public init(
            check: OSDPPacket.Check = .crc, poll: Instant.Span = .milliseconds(50), replyTimeout: Instant.Span = .milliseconds(200),
            offlineTimeout: Instant.Span = .milliseconds(2_000), bits: Bits = .wiegand, form: BadgeForm = BadgeForm()
        ) {
            self.check = check
            self.poll = max(poll, .milliseconds(1))
            self.replyTimeout = max(replyTimeout, .milliseconds(1))
            self.offlineTimeout = max(offlineTimeout, .milliseconds(1))
            self.bits = bits
            self.form = form
        }
    }

    /// How often a command is sent before the exchange begins anew.
    static let tries = 4
    /// Between a reply and a command that does not wait for the next poll: the line must have turned round.
    static let turnaround = Instant.Span.milliseconds(5)
    /// Between attempts to reach a reader that does not answer.
    static let offlinePause = Instant.Span.milliseconds(1_000)
    /// Between attempts at a reader that demands the secure channel.
    static let refusedPause = Instant.Span.seconds(5)

    /// The questions at the beginning, in this order.
    enum Question: String, Hashable, Sendable, CaseIterable {
        case identification
        case capabilities
        case localStatus = "local status"
        case inputs

        var command: [UInt8] {
            switch self {
            case .identification: [0x61, 0x00]
            case .capabilities: [0x62, 0x00]
            case .localStatus: [0x64]
            case .inputs: [0x65]
            }
        }
    }

    enum Phase: Hashable, Sendable {
        case closed
        case asking(Question)
        case polling
    }

    /// A command that is out, until its reply has come.
    struct Turn: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case question(Question)
            case poll
            case feedback
        }

        var kind: Kind
        /// Code and data.
        var command: [UInt8]
        /// nil: the command was sent before this session began to listen, so any number is right.
        var sequence: UInt8?
        /// When it is sent again.
        var deadline: Instant
        var tries = 1
        /// The reader said that it is busy: sending again is no retry.
        var isBusy = false
    }

    public let configuration: Configuration
    public let plan: SessionPlan
    public let address: UInt8
    public internal(set) var counters = SessionCounters()
    public internal(set) var state = DeviceState.absent(reason: "not opened")
    public internal(set) var stepAnswers: [String: [UInt8]] = [:]
    public internal(set) var skippedSteps: [String] = []
    public internal(set) var isInitialised = false
    /// Stored, not computed: it is asked for after every few bytes.
    public internal(set) var nextDeadline: Instant?

    var phase = Phase.closed
    var framer = OSDPFramer()
    var report: OSDPReport
    var turn: Turn?
    /// The number of the next command.
    var sequence: UInt8 = 0
    /// When the next command may go out, with no turn under way.
    var nextTurn = Instant.zero
    /// Late replies to what was sent again may come until then; nothing is sent before.
    var quietUntil = Instant.zero
    /// When the last reply came that belonged to a command.
    var lastReply = Instant.zero
    /// Silence was told.
    var isOffline = false
    /// Why nothing usable comes though the reader answers; nil: it does not.
    var hindrance: String?
    /// The reader refuses to speak plainly.
    var isRefused = false
    var hasInputs = false
    var feedback = FeedbackSchedule()

    /// - Parameter address: 0...126, or `OSDPPacket.broadcast` where the reader is alone on its line and its address is not known.
    public init(_ configuration: Configuration, plan: SessionPlan, address: UInt8) {
        self.configuration = configuration
        self.plan = plan
        self.address = address & 0x7F
        report = OSDPReport(configuration)
    }

    // MARK: The life of the connection

    public mutating func opened(at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        forget()
        lastReply = now
        tell(.silent(reason: "starting"), into: &output)
        startAnew(at: now)
        beginTurn(at: now, into: &output)
    }

    public mutating func resumed(from snapshot: JSON?, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        forget()
        feedback.removeAll()
        if let snapshot, !snapshot.isNull {
            restore(snapshot, at: now)
            return tell(DeviceState(snapshot: snapshot["state"]), into: &output)
        }
        lastReply = now
        isInitialised = true
        phase = .polling
        let patience = Instant.Span(nanoseconds: configuration.poll.nanoseconds &+ configuration.replyTimeout.nanoseconds)
        turn = Turn(kind: .poll, command: [0x60], sequence: nil, deadline: now + patience)
        tell(.reading, into: &output)
    }

    /// A reader shows by itself that its panel is gone; only the end of a feedback that is going on is sent, as the first command of a new
    /// exchange (number 0), since nobody waits for the reply any more. One command and not all that is left: the reader would answer the
    /// first while the second is on the line.
    public mutating func release(at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed else { return }
        putBackTurn(at: now)
        if let command = feedback.takeRest().last { transmit(command, sequence: 0, into: &output) }
        forget()
    }

    public mutating func closed(reason: String, at now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        putBackTurn(at: now)
        forget()
        feedback.keepRest(at: now)
        tell(.absent(reason: reason), into: &output)
    }

    public mutating func inputLost(at now: Instant, into output: inout SessionOutput) {
        framer.reset()
    }

    private mutating func forget() {
        phase = .closed
        isInitialised = false
        isOffline = false
        isRefused = false
        hindrance = nil
        turn = nil
        framer.reset()
        report.reset()
    }

    // MARK: Time

    var dueNext: Instant? {
        guard phase != .closed else { return nil }
        var deadline = turn?.deadline ?? commandDue
        if !isOffline, !isRefused { deadline = min(deadline, lastReply + configuration.offlineTimeout) }
        return deadline
    }

    /// When the next command goes out: at the next poll, or earlier for feedback that is due.
    private var commandDue: Instant {
        guard phase == .polling, let due = feedback.nextDeadline else { return nextTurn }
        return min(nextTurn, max(due, lastReply + Self.turnaround, quietUntil))
    }

    public mutating func advance(to now: Instant, into output: inout SessionOutput) {
        defer { nextDeadline = dueNext }
        guard phase != .closed else { return }
        if let late = turn, late.deadline <= now {
            let before = output.batch.rejects
            let packets = framer.giveUp(rejects: &output.batch.rejects)
            counters.rejects += output.batch.rejects.since(before)
            for packet in packets { take(packet, at: now, into: &output) }
            if let turn, turn.deadline <= now { sendAgain(turn, at: now, into: &output) }
        }
        if !isOffline, !isRefused, lastReply + configuration.offlineTimeout <= now { goOffline(at: now, into: &output) }
        if turn == nil, commandDue <= now { beginTurn(at: now, into: &output) }
    }

    private mutating func goOffline(at now: Instant, into output: inout SessionOutput) {
        isOffline = true
        isInitialised = false
        if turn?.kind == .feedback {
            startAnew(at: now)
            nextTurn = now + Self.turnaround
        }
        feedback.keepRest(at: now)
        let what = hindrance ?? "no answer from address \(address)"
        tell(.silent(reason: "\(what), for \(configuration.offlineTimeout.milliseconds) ms"), into: &output)
    }

    // MARK: Commands

    /// The next command begins the exchange anew, with number 0: what the reader thought of the numbers before is void.
    mutating func startAnew(at now: Instant) {
        putBackTurn(at: now)
        turn = nil
        quietUntil = now
        sequence = 0
        hasInputs = false
        stepAnswers = [:]
        skippedSteps = []
        phase = .asking(.identification)
        nextTurn = now
    }

    /// A feedback's command whose reply did not come is still to be sent.
    private mutating func putBackTurn(at now: Instant) {
        if let turn, turn.kind == .feedback { feedback.putBack(turn.command, at: now) }
    }

    private mutating func beginTurn(at now: Instant, into output: inout SessionOutput) {
        switch phase {
        case .closed: return
        case .asking(let question): send(.question(question), question.command, at: now, into: &output)
        case .polling:
            guard let command = feedback.takeNext(at: now) else { return send(.poll, [0x60], at: now, into: &output) }
            send(.feedback, command, at: now, into: &output)
        }
    }

    private mutating func send(_ kind: Turn.Kind, _ command: [UInt8], at now: Instant, into output: inout SessionOutput) {
        let turn = Turn(kind: kind, command: command, sequence: sequence, deadline: now + configuration.replyTimeout)
        self.turn = turn
        transmit(command, sequence: sequence, into: &output)
    }

    private func transmit(_ command: [UInt8], sequence: UInt8, into output: inout SessionOutput) {
        guard let code = command.first else { return }
        output.transmissions.append(
            OSDPPacket(
                address: address, sequence: sequence, check: configuration.check, code: code, data: Array(command.dropFirst())
            ).encoded)
    }

    /// Nothing usable came in time, or the reader asked for it.
    private mutating func sendAgain(_ late: Turn, at now: Instant, into output: inout SessionOutput) {
        guard let sequence = late.sequence, late.isBusy || late.tries < (isOffline ? 1 : Self.tries) else {
            counters.failedRounds &+= 1
            if isRefused { (isRefused, hindrance) = (false, nil) }
            startAnew(at: now)
            if isOffline { nextTurn = now + Self.offlinePause }
            return
        }
        var again = late
        if !late.isBusy {
            again.tries += 1
            counters.retries &+= 1
        }
        again.isBusy = false
        again.sequence = sequence
        again.deadline = now + configuration.replyTimeout
        turn = again
        transmit(again.command, sequence: sequence, into: &output)
    }

    /// Shows a feedback by the commands that the plan has for it, at the next turns. One that is still going on is cut short: what is
    /// left of it is sent first.
    /// - Returns: false when the plan has none, the reader does not answer, or too much is waiting already.
    public mutating func give(_ kind: Feedback, at now: Instant, into output: inout SessionOutput) -> Bool {
        defer { nextDeadline = dueNext }
        guard phase == .polling, state.isReading, let transmissions = plan.feedback[kind],
            feedback.add(kind, transmissions, at: now)
        else { return false }
        return true
    }

    mutating func tell(_ state: DeviceState, into output: inout SessionOutput) {
        guard state != self.state else { return }
        self.state = state
        output.batch.readings.append(.state(state))
    }
}
