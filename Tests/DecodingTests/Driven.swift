import Decoding
import Readings
import Testing

/// A session with its output kept apart, driven by hand.
final class Driven {
    var session: DeviceSession
    var now = Instant.zero
    /// What was sent, in hexadecimal, since it was last looked at.
    var sent: [String] = []
    var states: [DeviceState] = []
    var failure: SessionFailure?
    private var output = SessionOutput()

    init(_ plan: SessionPlan, _ configuration: DecoderConfiguration = .a0(.init())) {
        session = DeviceSession(plan: plan, decoder: configuration.makeDecoder())
    }

    func open() {
        session.opened(at: now, into: &output)
        collect()
    }

    func receive(_ hex: String) {
        (Hex.bytes(hex) ?? []).withUnsafeBytes { session.receive($0, at: now, into: &output) }
        collect()
    }

    func close() {
        session.closed(reason: "unplugged", at: now, into: &output)
        collect()
    }

    func release() {
        session.release(at: now, into: &output)
        collect()
    }

    func give(_ feedback: Feedback) -> Bool {
        defer { collect() }
        return session.give(feedback, at: now, into: &output)
    }

    func wait(_ milliseconds: Int64) {
        let end = now + .milliseconds(milliseconds)
        while let deadline = session.nextDeadline, deadline <= end {
            now = max(now, deadline)
            session.advance(to: now, into: &output)
            collect()
            // A deadline that stays would make the driver spin.
            if let next = session.nextDeadline { #expect(next > now) }
        }
        now = end
    }

    /// What was sent since the last call.
    func take() -> [String] {
        defer { sent = [] }
        return sent
    }

    private func collect() {
        sent += output.transmissions.map { Hex.text($0) }
        for case .state(let state) in output.batch.readings { states.append(state) }
        if let failure = output.failure { self.failure = failure }
        output.removeAll()
    }
}
