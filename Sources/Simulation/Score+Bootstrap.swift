/// A figure with the interval in which it would lie in 95 of 100 sets of runs like these.
public struct Estimate: Hashable, Sendable {
    public var value: Double
    public var lower: Double
    public var upper: Double
}

extension Score {
    /// 95 % intervals by drawing runs again with replacement (percentile bootstrap).
    /// - Parameters:
    ///   - runs: one score for each run
    ///   - draws: how often all runs are drawn
    public static func bootstrap(
        _ runs: [Score], draws: Int = 1_000, seed: UInt64, _ figure: (BootstrapCounts) -> Double
    ) -> Estimate {
        let counts = runs.map(BootstrapCounts.init)
        let whole = counts.reduce(into: BootstrapCounts()) { $0.add($1) }
        guard counts.count > 1 else { return Estimate(value: figure(whole), lower: figure(whole), upper: figure(whole)) }
        var random = SplitMix64(state: seed)
        var figures: [Double] = []
        figures.reserveCapacity(draws)
        for _ in 0..<draws {
            var sum = BootstrapCounts()
            for _ in counts.indices { sum.add(counts[Int(truncatingIfNeeded: random.next() % UInt64(counts.count))]) }
            figures.append(figure(sum))
        }
        figures.sort()
        return Estimate(
            value: figure(whole), lower: figures[Int(Double(draws) * 0.025)], upper: figures[min(draws - 1, Int(Double(draws) * 0.975))])
    }
}

/// The counts of a score that figures are made of, small enough to be added a million times.
public struct BootstrapCounts: Hashable, Sendable {
    public private(set) var crossings = 0
    public private(set) var found = 0
    public private(set) var readable = 0
    public private(set) var readableFound = 0
    public private(set) var wrongDirection = 0
    public private(set) var undecided = 0
    public private(set) var ghosts = 0
    public private(set) var attributable = 0
    public private(set) var attributedRight = 0
    public private(set) var closes = 0
    public private(set) var closesRight = 0

    init() {}

    init(_ score: Score) {
        crossings = score.crossings
        found = score.found
        readable = score.readable
        readableFound = score.readableFound
        wrongDirection = score.wrongDirection
        undecided = score.undecided
        ghosts = score.ghostTotal
        attributable = score.attributable
        attributedRight = score.attributedRight
        closes = score.closes
        closesRight = score.closesRight
    }

    mutating func add(_ other: BootstrapCounts) {
        crossings += other.crossings
        found += other.found
        readable += other.readable
        readableFound += other.readableFound
        wrongDirection += other.wrongDirection
        undecided += other.undecided
        ghosts += other.ghosts
        attributable += other.attributable
        attributedRight += other.attributedRight
        closes += other.closes
        closesRight += other.closesRight
    }

    public var precision: Double { Score.ratio(found, found + wrongDirection + ghosts) }
    public var recall: Double { Score.ratio(found, crossings) }
    public var f1: Double { Score.ratio(2 * found, found + wrongDirection + ghosts + crossings) }
    public var readableRecall: Double { Score.ratio(readableFound, readable) }
    public var wrongDirectionRate: Double { Score.ratio(wrongDirection, crossings) }
    public var undecidedRate: Double { Score.ratio(undecided, crossings) }
    public var attribution: Double { Score.ratio(attributedRight, attributable) }
    public var closesRightRate: Double { Score.ratio(closesRight, closes) }
}
