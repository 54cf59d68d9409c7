import Identifiers
import Readings

/// One row of the current state: what the store keeps beside the event log, in the same transaction.
///
/// The state is the fold of the log (`LedgerState.apply`); rows exist so that a start needs no fold. nil: the row is removed.
public struct StateRow: Hashable, Sendable {
    /// `loan/ITEM`, `tool/ITEM`, `borrower/PERSON`, `request/PERMIT`, `place/ITEM`, `stock/LOCATION/SUBJECT`, `permit/PERMIT`, `exception/NUMBER`, `provisional/NUMBER`, `tag/EPC`, `station/NAME`,
    /// `counters`, `master`, and `learned/STATION/NAME`, which alone follows from no event.
    public var key: String
    public var value: JSON?

    public init(key: String, value: JSON?) {
        self.key = key
        self.value = value
    }

    static let learnedPrefix = "learned/"

    /// Whether it follows from no event.
    public var isLearned: Bool { key.hasPrefix(Self.learnedPrefix) }
}
