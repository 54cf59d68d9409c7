import Readings

/// What one call of a `DeviceSession` brought. Reused from call to call.
public struct SessionOutput: Sendable {
    /// Readings, also those about the device's own state, signals and rejects.
    public var batch = DecodedBatch()
    /// To be written to the device now, in this order.
    public var transmissions: [[UInt8]] = []
    /// The session cannot go on: close the device and open it again after a pause.
    public var failure: SessionFailure?

    public init() {}

    public mutating func removeAll() {
        batch.removeAll()
        transmissions.removeAll(keepingCapacity: true)
        failure = nil
    }
}

/// Why a session gave up.
public struct SessionFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the step, or `inventory`.
    public var step: String
    /// What went wrong, for people.
    public var reason: String
    /// The last answer that came instead of the expected one.
    public var received: [UInt8]?

    public init(step: String, reason: String, received: [UInt8]? = nil) {
        self.step = step
        self.reason = reason
        self.received = received
    }

    public var description: String {
        "step \(step): \(reason)" + (received.map { ", received \(Hex.text($0))" } ?? "")
    }
}

/// What a session has seen since it was made, over all openings.
public struct SessionCounters: Hashable, Sendable {
    public var bytes: UInt64 = 0
    public var keys: UInt64 = 0
    /// Tags, scans and badges.
    public var readings: UInt64 = 0
    /// How often a scanner looked for a code and found none.
    public var noReads: UInt64 = 0
    /// Reads and input changes that the device kept while nobody was connected: too late to be taken as of now.
    public var history: UInt64 = 0
    public var rejects = RejectCounts()
    /// Rounds of inventory that ended as they should.
    public var rounds: UInt64 = 0
    public var failedRounds: UInt64 = 0
    /// Rounds that never ended and were asked for again.
    public var watchdogFires: UInt64 = 0
    /// Commands of the initialisation that were sent again.
    public var retries: UInt64 = 0
    /// Faults by meaning; the meanings come from the protocol's table, so they are few.
    public var faults: [String: UInt64] = [:]
    public var lastFault: Fault?

    public init() {}

    public struct Fault: Hashable, Sendable {
        public var code: UInt8
        public var meaning: String
        public var time: Instant

        public init(code: UInt8, meaning: String, time: Instant) {
            self.code = code
            self.meaning = meaning
            self.time = time
        }
    }
}
