import Identifiers
import Readings

/// What a method said about one tag, as scoring needs it: its last word, and when it first spoke.
public struct ScoredDecision: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        case passed(Direction)
        /// It may have passed; somebody must look.
        case undecided
        /// Said before and taken back.
        case retracted
    }

    public var epc: EPC
    public var verdict: Verdict
    /// When it happened, as the method says.
    public var time: Instant
    /// The tag's last read.
    public var lastRead: Instant?
    /// When the method first said that it passed, the tag's last read then, and when it would not change its mind any more.
    public var provisional: Instant?
    public var lastReadThen: Instant?
    public var final: Instant?
    /// The badge of who carried it, if the method named exactly one.
    public var badge: String?
    /// The method said that this contradicts the records.
    public var isAgainstRecord: Bool

    public init(
        epc: EPC, verdict: Verdict, time: Instant, lastRead: Instant? = nil, provisional: Instant? = nil, lastReadThen: Instant? = nil,
        final: Instant? = nil, badge: String? = nil, isAgainstRecord: Bool = false
    ) {
        self.epc = epc
        self.verdict = verdict
        self.time = time
        self.lastRead = lastRead
        self.provisional = provisional
        self.lastReadThen = lastReadThen ?? lastRead
        self.final = final
        self.badge = badge
        self.isAgainstRecord = isAgainstRecord
    }
}
