import Identifiers
import Readings

/// How wrong somebody's word about presence in a field is, epoch by epoch: the measure by which SMURF was compared with static windows.
public struct FieldScore: Hashable, Sendable {
    public let epochs: Int
    /// Over all tags: epochs in which a tag was said to be there and was not, and the other way round.
    public let falsePositives: Int
    public let falseNegatives: Int

    /// Errors of all tags together in one epoch, on average; 0 where there is no epoch.
    public var errorsPerEpoch: Double { epochs > 0 ? Double(falsePositives + falseNegatives) / Double(epochs) : 0 }

    /// What holds in the middle of an epoch holds for the epoch.
    /// - Parameter said: intervals of presence in any order; they may overlap.
    public init(_ said: [Truth.Presence], against truth: Truth, epoch: Instant.Span = FieldRun.epoch) {
        let length = max(epoch.nanoseconds, 1)
        let duration = max(truth.duration.nanoseconds, 0)
        epochs = Int(duration / length)
        let (claimed, real) = (
            Self.epochs(of: said, length: length, duration: duration), Self.epochs(of: truth.presences, length: length, duration: duration)
        )
        falsePositives = claimed.reduce(0) { $0 + Self.count($1.value.subtracting(real[$1.key] ?? RangeSet())) }
        falseNegatives = real.reduce(0) { $0 + Self.count($1.value.subtracting(claimed[$1.key] ?? RangeSet())) }
    }

    private static func count(_ set: RangeSet<Int>) -> Int { set.ranges.reduce(0) { $0 + $1.count } }

    private static func epochs(of presences: [Truth.Presence], length: Int64, duration: Int64) -> [EPC: RangeSet<Int>] {
        /// The first epoch whose middle is not before this.
        func epoch(from time: Instant) -> Int {
            let clamped = min(max(time.nanoseconds, 0), duration / length * length)
            let sinceMiddle = clamped - length / 2
            return sinceMiddle <= 0 ? 0 : Int((sinceMiddle - 1) / length) + 1
        }
        var result: [EPC: RangeSet<Int>] = [:]
        for presence in presences {
            let (first, end) = (epoch(from: presence.start), epoch(from: presence.end))
            guard first < end else { continue }
            result[presence.epc, default: RangeSet()].insert(contentsOf: first..<end)
        }
        return result
    }
}
