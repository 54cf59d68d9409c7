import Readings

/// Steers one open device: brings it to read, keeps it reading, gives feedback, and says whether it can see anything.
///
/// `DeviceSession` does so by the plan of a profile; a protocol that negotiates (LLRP, OSDP) has a session of its own. The driver owns
/// the descriptor and the clock, and calls `advance(to:into:)` at `nextDeadline`, before any later input.
public protocol DeviceSteering: Sendable {
    var counters: SessionCounters { get }
    /// What was last reported of the device.
    var state: DeviceState { get }
    /// What the device said about itself when it was initialised, by name, as bytes or text for people: for `stockgate devices`.
    var stepAnswers: [String: [UInt8]] { get }
    /// What the device could not do of what was asked, and is used without.
    var skippedSteps: [String] { get }
    /// Initialised, whether or not it was heard of lately.
    var isInitialised: Bool { get }
    /// When `advance` must be called; nil: never, until something comes. Asked after every few bytes: it must cost nothing.
    var nextDeadline: Instant? { get }

    /// The device was opened: starts its initialisation.
    mutating func opened(at now: Instant, into output: inout SessionOutput)
    /// What another session needs to go on from here as this one would, given the same input: for a recording that begins now. A frame of
    /// which only a part came may be missing. Null: nothing that a new session would not know.
    func snapshot(at now: Instant) -> JSON
    /// The device is in use already, and how is told by the snapshot of the session that steered it; nil: it works, and its
    /// initialisation and the beginning of its round are not to be seen.
    mutating func resumed(from snapshot: JSON?, at now: Instant, into output: inout SessionOutput)
    /// Bytes came from the device.
    mutating func receive(_ bytes: UnsafeRawBufferPointer, at now: Instant, into output: inout SessionOutput)
    /// A key event came from the device: `EV_KEY` code and value.
    mutating func key(_ code: UInt16, value: Int32, at now: Instant, into output: inout SessionOutput)
    /// Input was lost between the device and here.
    mutating func inputLost(at now: Instant, into output: inout SessionOutput)
    /// The gateway is about to let the device go: what must be sent before. Nothing more is sent after it.
    mutating func release(at now: Instant, into output: inout SessionOutput)
    /// The device was closed or lost.
    mutating func closed(reason: String, at now: Instant, into output: inout SessionOutput)
    /// Does what is due at `now`.
    mutating func advance(to now: Instant, into output: inout SessionOutput)
    /// Shows a feedback. Returns false when the device cannot.
    mutating func give(_ kind: Feedback, at now: Instant, into output: inout SessionOutput) -> Bool
}

extension DeviceSteering {
    public mutating func key(_ code: UInt16, value: Int32, at now: Instant, into output: inout SessionOutput) {}

    public mutating func inputLost(at now: Instant, into output: inout SessionOutput) {}

    public func snapshot(at now: Instant) -> JSON { .null }

    /// Without a snapshot.
    public mutating func resumed(at now: Instant, into output: inout SessionOutput) { resumed(from: nil, at: now, into: &output) }
}

/// Everything that a session is made from: what the profile says, made concrete by the site file.
public struct DeviceProgram: Hashable, Sendable {
    public var decoder: DecoderConfiguration
    public var plan: SessionPlan
    public var radio: RadioSettings
    /// The device's address on a bus that it shares: a Modbus unit (1...247) or an OSDP address (0...126).
    public var unit: UInt8?

    public init(
        decoder: DecoderConfiguration, plan: SessionPlan = SessionPlan(), radio: RadioSettings = RadioSettings(), unit: UInt8? = nil
    ) {
        self.decoder = decoder
        self.plan = plan
        self.radio = radio
        self.unit = unit
    }

    /// A session in its first state.
    public func makeSession() -> any DeviceSteering {
        switch decoder {
        case .llrp(let configuration): LLRPSession(configuration, plan: plan, radio: radio)
        case .osdp(let configuration): OSDPSession(configuration, plan: plan, address: unit ?? 0)
        default: DeviceSession(plan: plan, decoder: decoder.makeDecoder())
        }
    }
}
