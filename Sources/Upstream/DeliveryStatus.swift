import Readings

/// What one destination is doing, for the control API.
public struct DeliveryStatus: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        /// Everything is settled.
        case idle
        case sending
        /// Waits for the machine to learn what time it is.
        case holding
        /// Failed, and tried again by itself.
        case backingOff = "backing_off"
        /// Refused as a whole: a person must look. Tried again every five minutes and when asked to.
        case refused
        /// The thread has ended or was never started.
        case ended
    }

    public var destination: String
    public var state: State
    /// Everything up to this number is settled.
    public var cursor: Int64
    /// Events in the log above the cursor, those of other types included; nil: the log could not be asked.
    public var pending: Int64?
    /// RFC 3339: the time of the first event that waits; nil: none, or not looked at yet.
    public var oldest: String?
    /// The latest failure; nil after a success.
    public var lastError: String?
    /// How long until the next attempt when the wait began, in milliseconds.
    public var retryIn: Int64?
    public var counters: Counters

    /// Since the thread was started.
    public struct Counters: Hashable, Sendable {
        public var delivered: Int64 = 0
        public var duplicates: Int64 = 0
        /// Without meaning for this destination, or of types that it does not get.
        public var passedOver: Int64 = 0
        public var deadLetters: Int64 = 0
        /// Reminders that were no longer true when they would have been sent.
        public var outdated: Int64 = 0
        /// Reminders for somebody whose address nobody knows.
        public var withoutAddress: Int64 = 0
        public var failures: Int64 = 0
    }

    public var json: JSON {
        .compact([
            "destination": .string(destination), "state": .string(state.rawValue), "cursor": .integer(cursor),
            "pending": pending.map(JSON.integer), "oldest": oldest.map(JSON.string), "last_error": lastError.map(JSON.string),
            "retry_in_ms": retryIn.map(JSON.integer), "delivered": .integer(counters.delivered),
            "duplicates": .integer(counters.duplicates), "passed_over": .integer(counters.passedOver),
            "dead_letters": .integer(counters.deadLetters), "outdated": .integer(counters.outdated),
            "without_address": .integer(counters.withoutAddress), "failures": .integer(counters.failures),
        ])
    }
}
