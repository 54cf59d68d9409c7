import Readings

/// One row of learned state, to be saved in the transaction of the events that came with it; nil: the row is removed.
public struct SavedRow: Hashable, Sendable {
    /// Unique within the place it belongs to: an EPC in hexadecimal, or a fixed word.
    public var key: String
    public var value: JSON?

    public init(key: String, value: JSON?) {
        self.key = key
        self.value = value
    }
}

extension Double {
    /// The nearest multiple of 0.001, so that learned and reported numbers agree between machines and survive being written.
    var thousandths: Double { (self * 1_000).rounded() / 1_000 }

    /// The same for JSON; null when it is not finite.
    var json: JSON { magnitude < 1e12 ? .decimal(Int64((self * 1_000).rounded()), scale: 1_000) : .null }
}
