import Readings

extension Double {
    /// The nearest multiple of 0.001, so that learned and reported numbers agree between machines and survive being written.
    var thousandths: Double { (self * 1_000).rounded() / 1_000 }

    /// The same for JSON; null when it is not finite.
    var json: JSON { magnitude < 1e12 ? .decimal(Int64((self * 1_000).rounded()), scale: 1_000) : .null }
}
