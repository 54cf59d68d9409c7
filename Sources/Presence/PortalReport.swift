import Identifiers
import Readings

/// What went through a portal in one transaction.
public struct PortalReport: Hashable, Sendable {
    public enum Opening: String, Hashable, Sendable {
        case trigger
        case tag
    }

    public enum Ending: String, Hashable, Sendable {
        /// No new tag for a while, and the trigger clear.
        case stable
        /// The longest time was over; what follows is another transaction.
        case limit
    }

    public struct Entry: Hashable, Sendable {
        public var epc: EPC
        /// ln of the odds that it went through, in steps of 0.001, with what was expected.
        public var logOdds: Double
        public var motion: MotionTest.Verdict
        public var isExpected: Bool
        public var first: Instant
        public var last: Instant
        public var reads: Int

        /// For the evidence of an event.
        public var evidence: JSON {
            .compact([
                "log_odds": logOdds.json, "motion": .string(motion.rawValue), "expected": isExpected ? .bool(true) : nil,
                "reads": .integer(Int64(reads)), "seconds": .decimal((last - first).milliseconds, scale: 1_000),
            ])
        }
    }

    public var number: UInt64
    public var openedBy: Opening
    public var endedBy: Ending
    public var opened: Instant
    /// The last new tag, or the trigger's clearing if that was later.
    public var closed: Instant
    /// Each list is sorted by EPC.
    public var moved: [Entry] = []
    /// Tags that stand beside the portal.
    public var staged: [Entry] = []
    public var uncertain: [Entry] = []
    /// Expected and not read at all.
    public var missing: [EPC] = []
    /// The reader did not read for a part of it: what is missing may have gone through.
    public var isDegraded = false
}
