import Readings

/// The client of an LLRP reader.
public struct LLRPSession: DeviceSteering {
    public struct Configuration: Hashable, Sendable {
        public init() {}
    }

    public private(set) var counters = SessionCounters()
    public private(set) var state = DeviceState.absent(reason: "not opened")
    public private(set) var stepAnswers: [String: [UInt8]] = [:]
    public private(set) var skippedSteps: [String] = []
    public private(set) var isInitialised = false
    public private(set) var nextDeadline: Instant?

    public init(_ configuration: Configuration, plan: SessionPlan, radio: RadioSettings) {}

    public mutating func opened(at now: Instant, into output: inout SessionOutput) {}
    public mutating func resumed(at now: Instant, into output: inout SessionOutput) {}
    public mutating func receive(_ bytes: UnsafeRawBufferPointer, at now: Instant, into output: inout SessionOutput) {}
    public mutating func release(at now: Instant, into output: inout SessionOutput) {}
    public mutating func closed(reason: String, at now: Instant, into output: inout SessionOutput) {}
    public mutating func advance(to now: Instant, into output: inout SessionOutput) {}
    public mutating func give(_ kind: Feedback, at now: Instant, into output: inout SessionOutput) -> Bool { false }
}
