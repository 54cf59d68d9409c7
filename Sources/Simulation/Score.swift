import Identifiers
import Readings

/// Compares decisions with truth: counts that can be added up over runs.
///
/// A decision matches a crossing of the same tag in the same direction whose time differs by −3…+15 s; each crossing and each
/// decision counts once.
public struct Score: Hashable, Sendable {
    /// How far the time of an event may lie before and after the crossing.
    public static let tolerance: ClosedRange<Int64> = -3_000...15_000

    public var runs = 0
    public var crossings = 0
    /// Crossings with the right event.
    public var found = 0
    public var readable = 0
    public var readableFound = 0
    /// Crossings without the right event but with one in the other direction.
    public var wrongDirection = 0
    /// Crossings without the right event about which the method said that it does not know.
    public var undecided = 0
    /// Events that belong to no crossing, by what was really going on; wrong directions are not among them.
    public var ghosts: [String: Int] = [:]
    /// Times the method said that it does not know when nothing had passed.
    public var undecidedGhosts = 0
    /// Events that were said and taken back.
    public var retractions = 0
    /// Events after corrections.
    public var events = 0
    /// Found crossings of a person with a badge: to the right person, to a wrong one; the rest to nobody.
    public var attributable = 0
    public var attributedRight = 0
    public var attributedWrong = 0
    /// Readable crossings from the side where the records did not have the tool, and those of them that were called a contradiction.
    public var contradictions = 0
    public var contradictionsFound = 0
    /// Milliseconds.
    public var latency = Latencies()
    /// What was decided about each crossing and each visit.
    public var confusion = Confusion()
    /// Tags that lay near the gate, times the time they lay there.
    public var strayTagSeconds = 0.0
    /// Closes of a cabinet, those of which everything said was right and nothing missing, and what was wrong in the others.
    public var closes = 0
    public var closesRight = 0
    public var falseMoves = 0
    public var missedMoves = 0

    public struct Latencies: Hashable, Sendable {
        public var readToProvisional: [Int32] = []
        public var readToFinal: [Int32] = []
        public var crossingToProvisional: [Int32] = []
        public var crossingToFinal: [Int32] = []

        mutating func add(_ other: Latencies) {
            readToProvisional += other.readToProvisional
            readToFinal += other.readToFinal
            crossingToProvisional += other.crossingToProvisional
            crossingToFinal += other.crossingToFinal
        }
    }

    /// Rows: what happened; columns: what was said.
    public struct Confusion: Hashable, Sendable {
        public static let truths = ["out", "in", "nothing"]
        public static let verdicts = ["out", "in", "undecided", "nothing"]
        public var counts = Array(repeating: 0, count: 12)

        public subscript(truth: Int, verdict: Int) -> Int {
            get { counts[truth * 4 + verdict] }
            set { counts[truth * 4 + verdict] = newValue }
        }
    }

    public init() {}

    public var ghostTotal: Int { ghosts.values.reduce(0, +) }
    public var precision: Double { Self.ratio(found, found + wrongDirection + ghostTotal) }
    public var recall: Double { Self.ratio(found, crossings) }
    /// 2 · precision · recall / (precision + recall), from the counts.
    public var f1: Double { Self.ratio(2 * found, found + wrongDirection + ghostTotal + crossings) }
    public var readableRecall: Double { Self.ratio(readableFound, readable) }
    public var wrongDirectionRate: Double { Self.ratio(wrongDirection, crossings) }
    public var undecidedRate: Double { Self.ratio(undecided, crossings) }
    /// Of the crossings about which it decided, those decided rightly.
    public var decidedRight: Double { Self.ratio(found, found + wrongDirection) }
    /// Of found crossings whose carrier had a badge.
    public var attribution: Double { Self.ratio(attributedRight, attributable) }
    public var closesRightRate: Double { Self.ratio(closesRight, closes) }
    public var contradictionRecall: Double { Self.ratio(contradictionsFound, contradictions) }

    /// Events per day about tags that lie near the gate, per hundred of them; nil where none lay there.
    public var ghostsPerDayPer100: Double? {
        strayTagSeconds > 0 ? Double(ghosts["stray"] ?? 0) / (strayTagSeconds / 86_400 / 100) : nil
    }

    static func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 1 : Double(part) / Double(whole) }

    public static func + (left: Score, right: Score) -> Score {
        var sum = left
        sum.add(right)
        return sum
    }

    public mutating func add(_ other: Score) {
        runs += other.runs
        crossings += other.crossings
        found += other.found
        readable += other.readable
        readableFound += other.readableFound
        wrongDirection += other.wrongDirection
        undecided += other.undecided
        ghosts.merge(other.ghosts, uniquingKeysWith: +)
        undecidedGhosts += other.undecidedGhosts
        retractions += other.retractions
        events += other.events
        attributable += other.attributable
        attributedRight += other.attributedRight
        attributedWrong += other.attributedWrong
        contradictions += other.contradictions
        contradictionsFound += other.contradictionsFound
        latency.add(other.latency)
        for index in confusion.counts.indices { confusion.counts[index] += other.confusion.counts[index] }
        strayTagSeconds += other.strayTagSeconds
        closes += other.closes
        closesRight += other.closesRight
        falseMoves += other.falseMoves
        missedMoves += other.missedMoves
    }

    /// The value below which the share `part` of the values lies; nil for none.
    public static func percentile(_ part: Double, of values: [Int32]) -> Int32? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }
}
