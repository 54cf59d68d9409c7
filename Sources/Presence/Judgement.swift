import Readings

/// What the reads of one visit say, before anything else is asked.
struct Judgement: Sendable {
    /// Times are steps of the gate's time.
    var firstStep = 0
    var lastStep = 0
    /// Where the filter puts the tag at the end, by where it began.
    var ends = PositionFilter.Ends()
    /// ln of how much more likely the reads are of a tag that lies still.
    var stillAdvantage = 0.0
    var reads = 0
    var readsInside = 0
    /// Whether the reader told how loud it was heard.
    var hasLevels = false
    /// Steps in which each side heard it.
    var stepsInside = 0
    var stepsOutside = 0
    /// Power-weighted mean times, of all reads, and of each side's, in steps since the first: sums of small numbers are the same in a replay.
    var centroid = 0.0
    var centroidInside = 0.0
    var centroidOutside = 0.0
    var order = Order()

    var steps: Int { stepsInside + stepsOutside }

    /// The step at which the passage begins that was found in a long visit.
    var passage: Int?
    /// How long the tag was there before that of which all else speaks.
    var secondsBefore = 0.0
    /// How long that lasted: the passage where one was found.
    var judgedSeconds: Double { Double(lastStep - firstStep) * Double(GateStep.length.nanoseconds) / 1e9 }

    /// When it was heard best, in steps.
    var centre: Double { Double(firstStep) + centroid }

    /// Heard on both sides, and more than by chance.
    var isReadable: Bool { stepsInside > 0 && stepsOutside > 0 && reads >= 3 }
}

extension Judgement {
    /// Companions' signals are strongest at the same time, within this many steps (0.35 s), and within 0.52 s on each side.
    static let sameTime = 2.6
    private static let sameTimeBySide = 3.9
    /// Neither of two companions was seen for longer than 12 s.
    private static let longestWalk = 90

    /// Whether the two moved through the gate together.
    func isTogether(with other: Judgement) -> Bool {
        let later = Double(firstStep - other.firstStep)
        guard (later + centroid - other.centroid).magnitude <= Self.sameTime, lastStep - firstStep <= Self.longestWalk,
            other.lastStep - other.firstStep <= Self.longestWalk
        else { return false }
        let overlap = min(lastStep, other.lastStep) - max(firstStep, other.firstStep) + 1
        let shorter = min(lastStep - firstStep, other.lastStep - other.firstStep) + 1
        guard overlap * 100 >= shorter * 55 else { return false }
        if stepsInside > 0, other.stepsInside > 0, (later + centroidInside - other.centroidInside).magnitude > Self.sameTimeBySide {
            return false
        }
        if stepsOutside > 0, other.stepsOutside > 0, (later + centroidOutside - other.centroidOutside).magnitude > Self.sameTimeBySide {
            return false
        }
        return true
    }

    /// - Parameter entries: not empty.
    mutating func summarise(_ entries: ArraySlice<VisitLog.Entry>, antennas: [GateAntenna]) {
        guard let first = entries.first, let last = entries.last else { return }
        (firstStep, lastStep) = (first.step, last.step)
        var (inside, outside) = (WeightedMean(), WeightedMean())
        for entry in entries {
            reads += Int(entry.reads)
            let step = Double(entry.step - first.step)
            hasLevels = hasLevels || entry.rssi != nil
            let weight = entry.rssi.map { Elementary.power(decibels: ($0 + 60) / 2) } ?? 1
            if antennas[Int(entry.antenna)].side == .inside {
                stepsInside += 1
                readsInside += Int(entry.reads)
                inside.add(step, weight: weight)
            } else {
                stepsOutside += 1
                outside.add(step, weight: weight)
            }
        }
        centroid = (inside.sum + outside.sum) / (inside.weight + outside.weight)
        centroidInside = inside.mean ?? centroid
        centroidOutside = outside.mean ?? centroid
        let firstOutside = antennas[Int(first.antenna)].side == .outside
        let lastOutside = antennas[Int(last.antenna)].side == .outside
        order.sides = firstOutside == lastOutside ? 0 : (lastOutside ? 1 : -1)
        if inside.mean != nil, outside.mean != nil { order.centroid = min(max((centroidOutside - centroidInside) / 3, -3), 3) }
    }
}

private struct WeightedMean {
    var sum = 0.0
    var weight = 0.0

    mutating func add(_ value: Double, weight: Double) {
        sum += value * weight
        self.weight += weight
    }

    var mean: Double? { weight > 0 ? sum / weight : nil }
}
