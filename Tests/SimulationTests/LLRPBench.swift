import Decoding
import DeviceSimulators
import Identifiers
import Readings
import Testing

/// An `LLRPSession` and a simulated reader, joined without a network, on a clock of their own. What a device connection does, it does:
/// it passes bytes on, keeps deadlines, and opens anew after a failure when told to.
struct LLRPBench {
    var session: LLRPSession
    var reader: LLRPReaderSimulator
    var now = Instant(nanoseconds: 5_000_000_000)
    /// The session has an open connection.
    var isOpen = false
    /// Nothing gets through.
    var isCut = false
    var readings: [Reading] = []
    var failures: [SessionFailure] = []
    /// All that the client sent, message by message.
    var sent: [[UInt8]] = []
    /// Bytes come in pieces of this many; 0: message by message.
    var pieces = 0
    private var coming: [[UInt8]] = []
    private var isPassing = false

    init(
        _ personality: LLRPReaderSimulator.Personality = .generic, radio: RadioSettings = RadioSettings(region: .fcc),
        configuration: LLRPSession.Configuration = .init(), plan: SessionPlan = SessionPlan(),
        _ change: (inout LLRPReaderSimulator.Configuration) -> Void = { _ in }
    ) {
        var reader = LLRPReaderSimulator.Configuration(personality)
        change(&reader)
        session = LLRPSession(configuration, plan: plan, radio: radio)
        self.reader = LLRPReaderSimulator(reader)
    }

    /// Opens the connection, which the reader may have made itself.
    mutating func open() {
        isOpen = true
        isCut = false
        act { $0.opened(at: $1, into: &$2) }
        pass(reader.connected(at: now))
    }

    /// The connection is lost.
    mutating func close(_ reason: String = "connection lost") {
        isOpen = false
        reader.disconnected(at: now)
        act { $0.closed(reason: reason, at: $1, into: &$2) }
    }

    mutating func act(_ body: (inout LLRPSession, Instant, inout SessionOutput) -> Void) {
        var output = SessionOutput()
        body(&session, now, &output)
        readings += output.batch.readings
        sent += output.transmissions
        if let failure = output.failure { failures.append(failure) }
        guard isOpen, !isCut else { return }
        for message in output.transmissions { pass(reader.receive(message, at: now)) }
    }

    /// Messages of the reader reach the session, in order; what it answers meanwhile comes after them.
    mutating func pass(_ messages: [[UInt8]]) {
        guard isOpen, !isCut else { return }
        coming += pieces == 0 ? messages : []
        if pieces > 0 {
            let bytes = messages.flatMap { $0 }
            for start in stride(from: 0, to: bytes.count, by: pieces) {
                coming.append(Array(bytes[start..<min(bytes.count, start + pieces)]))
            }
        }
        guard !isPassing else { return }
        isPassing = true
        var index = 0
        while index < coming.count {
            let piece = coming[index]
            index += 1
            act { session, now, output in piece.withUnsafeBytes { session.receive($0, at: now, into: &output) } }
        }
        coming = []
        isPassing = false
    }

    /// Something happens at the reader.
    mutating func happen(_ body: (inout LLRPReaderSimulator, Instant) -> [[UInt8]]) { pass(body(&reader, now)) }

    mutating func wait(_ span: Instant.Span) {
        let end = now + span
        // A deadline that stays where it is would never end.
        var turnsAtOneTime = 0
        while let due = [session.nextDeadline, reader.nextDeadline].compactMap({ $0 }).min(), due <= end {
            turnsAtOneTime = due > now ? 0 : turnsAtOneTime + 1
            guard turnsAtOneTime < 1_000 else {
                Issue.record("the deadline \(due) does not move")
                return
            }
            now = max(now, due)
            if let deadline = session.nextDeadline, deadline <= now { act { $0.advance(to: $1, into: &$2) } }
            if let deadline = reader.nextDeadline, deadline <= now { pass(reader.advance(to: now)) }
        }
        now = end
    }

    var tags: [TagRead] { readings.compactMap { if case .tag(let read) = $0 { read } else { nil } } }
    var lateReads: [TagRead] { readings.compactMap { if case .late(let read) = $0 { read } else { nil } } }
    var inputs: [InputChange] { readings.compactMap { if case .input(let change) = $0 { change } else { nil } } }
    var states: [DeviceState] { readings.compactMap { if case .state(let state) = $0 { state } else { nil } } }

    func answer(_ name: String) -> String { String(decoding: session.stepAnswers[name] ?? [], as: UTF8.self) }

    /// What the client sent, by name.
    var sentNames: [String] { sent.map { (try? LLRPMessage($0).name) ?? "?" } }

    var addedInventory: LLRPMessage? { sent.compactMap { try? LLRPMessage($0) }.last { $0.name == "ADD_ROSPEC" } }

    static let tag = EPC([0x30, 0x05, 0xFB, 0x63, 0xAC, 0x1F, 0x38, 0x41, 0xEC, 0x88, 0x04, 0x67])!
}
