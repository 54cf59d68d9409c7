/// How long to wait after a failure: exponential with full jitter, so that the gateways of a site do not all come back at the same
/// moment when a server returns.
public struct BackOff: Hashable, Sendable {
    /// The upper bound of the first wait, in milliseconds.
    public let base: Int64
    /// The upper bound of every wait, in milliseconds.
    public let maximum: Int64
    /// Failures since the last success.
    public private(set) var failures = 0

    /// The longest `Retry-After` that is obeyed, in milliseconds: a wrong header must not silence a gateway for a year.
    public static let longestRequestedWait: Int64 = 3_600_000

    /// - Parameters:
    ///   - base: 1 ms to one day; clamped.
    ///   - maximum: from `base` to one day; clamped.
    public init(base: Int64 = 1_000, maximum: Int64 = 300_000) {
        let day: Int64 = 86_400_000
        self.base = max(1, min(base, day))
        self.maximum = max(self.base, min(maximum, day))
    }

    /// The upper bound of the next wait, in milliseconds: `base`, doubled with every failure, at most `maximum`.
    public var ceiling: Int64 {
        // Beyond 32 doublings the bound is the maximum for any base, and the shift would overflow.
        guard failures < 32 else { return maximum }
        let (product, overflow) = base.multipliedReportingOverflow(by: 1 << Int64(failures))
        return overflow ? maximum : min(product, maximum)
    }

    /// Counts a failure.
    /// - Parameters:
    ///   - random: 0 up to but not including 1.
    ///   - requested: what the server asked for, in milliseconds; the wait is not shorter, up to `longestRequestedWait`.
    /// - Returns: how long to wait, in milliseconds.
    public mutating func failed(random: Double, requested: Int64? = nil) -> Int64 {
        let share = random.isFinite ? max(0, min(1, random)) : 1
        let wait = min(ceiling, Int64(share * Double(ceiling)))
        failures += failures < Int.max ? 1 : 0
        guard let requested, requested > 0 else { return wait }
        return min(requested, Self.longestRequestedWait) + Int64(share * Double(base))
    }

    public mutating func succeeded() {
        failures = 0
    }
}
