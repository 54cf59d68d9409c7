import Readings

/// An antenna of a gate as the judgement needs it.
public struct GateAntenna: Hashable, Sendable {
    public var side: GateSide
    public var placement: AntennaPlacement
    /// Which of the gate's readers serves it, counted from 0.
    public var reader: Int

    public init(side: GateSide, placement: AntennaPlacement, reader: Int = 0) {
        self.side = side
        self.placement = placement
        self.reader = reader
    }
}

/// Judges visits: what a log of reads says about where the tag was and went. The same log gives the same judgement.
struct GateJudge: Sendable {
    let antennas: [GateAntenna]
    var filter: PositionFilter
    /// By reader, its antennas as bits.
    private let readers: [UInt64]

    /// After the last read the filter sees this many steps of nothing (2 s).
    static let tail = 15
    /// Silence of all antennas in the middle of a visit says something for so long only (1 s): perhaps nobody was reading.
    static let silenceBelieved = 8
    /// What is judged of a visit at most: its last 40 s.
    static let longest = 300

    init(antennas: [GateAntenna]) {
        self.antennas = antennas
        filter = PositionFilter(geometry: GateGeometry(antennas: antennas.map(\.placement)))
        var readers = Array(repeating: UInt64(0), count: (antennas.map(\.reader).max() ?? 0) + 1)
        for (index, antenna) in antennas.enumerated() { readers[antenna.reader] |= 1 << UInt64(index) }
        self.readers = readers
    }

    /// - Parameter last: the step up to which time has come.
    mutating func judge(_ log: VisitLog, service: ServiceLog, outages: Outages, until now: Instant) -> Judgement {
        let entries = log.entries
        guard let newest = entries.last?.step, let oldest = entries.first?.step else { return Judgement() }
        let first = max(oldest, newest - Self.longest)
        let end = min(GateStep.of(now), newest + Self.tail)
        var judgement = Judgement()
        filter.start()
        var still = StillModel(antennas: antennas.count)
        var position = entries.firstIndex { $0.step >= first } ?? entries.count
        var silence = 0
        var step = first
        while step < max(end, newest + 1) {
            filter.clearEvidence()
            var hits: UInt64 = 0
            let begin = position
            while position < entries.count, entries[position].step == step {
                hits |= 1 << UInt64(entries[position].antenna)
                position += 1
            }
            let served = service.antennas(at: step) | hits
            let isOut = outages.contains(GateStep.start(of: step))
            silence = served == 0 ? silence + 1 : 0
            for reader in readers {
                let shown = served & reader
                if shown != 0 {
                    let weight = 2 / Float(shown.nonzeroBitCount)
                    for index in begin..<position where reader & (1 << UInt64(entries[index].antenna)) != 0 {
                        filter.addHit(antenna: Int(entries[index].antenna), rssi: entries[index].rssi, weight: weight)
                        still.hit(antenna: Int(entries[index].antenna), rssi: entries[index].rssi, weight: Double(weight) * 0.55)
                    }
                    for antenna in antennas.indices where shown & ~hits & (1 << UInt64(antenna)) != 0 {
                        filter.addMiss(antenna: antenna, weight: weight)
                        if step <= newest { still.miss(antenna: antenna, weight: Double(weight) * 0.3) }
                    }
                } else if !isOut, silence <= Self.silenceBelieved || step > newest {
                    let weight = 2 / Float(max(reader.nonzeroBitCount, 1))
                    for antenna in antennas.indices where reader & (1 << UInt64(antenna)) != 0 {
                        filter.addMiss(antenna: antenna, weight: weight)
                        if step <= newest { still.miss(antenna: antenna, weight: Double(weight) * 0.3) }
                    }
                }
            }
            filter.advance()
            if step == newest { judgement.stillAdvantage = still.logLikelihood - filter.logLikelihood }
            step += 1
        }
        judgement.ends = filter.ends
        judgement.summarise(entries[(entries.firstIndex { $0.step >= first } ?? 0)...], antennas: antennas)
        return judgement
    }
}

/// What the reads of one visit say.
struct Judgement: Sendable {
    var ends = PositionFilter.Ends()
    /// ln of how much more likely the reads are of a tag that lies still.
    var stillAdvantage = 0.0
    var readsInside = 0
    var readsOutside = 0
    var stepsInside = 0
    var stepsOutside = 0
    var firstSide = GateSide.inside
    var lastSide = GateSide.inside
    /// Power-weighted mean times, in steps from the first.
    var centroid = 0.0
    var centroidInside = 0.0
    var centroidOutside = 0.0
    var firstStep = 0
    var lastStep = 0
    /// Significance of RSSI falling on the inner and rising on the outer antennas.
    var slope = 0.0
    var strongestInside = -200.0
    var strongestOutside = -200.0
}

extension Judgement {
    mutating func summarise(_ entries: ArraySlice<VisitLog.Entry>, antennas: [GateAntenna]) {
        guard let first = entries.first, let last = entries.last else { return }
        (firstStep, lastStep) = (first.step, last.step)
        firstSide = antennas[Int(first.antenna)].side
        lastSide = antennas[Int(last.antenna)].side
        var weights = (inside: 0.0, outside: 0.0)
        var sums = (inside: 0.0, outside: 0.0)
        for entry in entries {
            let time = Double(entry.step - first.step)
            let weight = entry.rssi.map { Elementary.power(decibels: ($0 + 60) / 2) } ?? 1
            if antennas[Int(entry.antenna)].side == .inside {
                readsInside += Int(entry.reads)
                stepsInside += 1
                weights.inside += weight
                sums.inside += weight * time
                strongestInside = max(strongestInside, entry.rssi ?? -200)
            } else {
                readsOutside += Int(entry.reads)
                stepsOutside += 1
                weights.outside += weight
                sums.outside += weight * time
                strongestOutside = max(strongestOutside, entry.rssi ?? -200)
            }
        }
        centroid = (sums.inside + sums.outside) / (weights.inside + weights.outside)
        centroidInside = weights.inside > 0 ? sums.inside / weights.inside : centroid
        centroidOutside = weights.outside > 0 ? sums.outside / weights.outside : centroid
        slope = slope(of: entries, antennas: antennas, middle: Double(last.step - first.step) / 2)
    }

    /// RSSI of each antenna about its own mean, against time, inner antennas reversed: how many deviations its slope is above zero.
    /// Unequal antennas do not matter to it.
    private func slope(of entries: ArraySlice<VisitLog.Entry>, antennas: [GateAntenna], middle: Double) -> Double {
        var means = Array(repeating: (count: 0.0, rssi: 0.0, time: 0.0), count: antennas.count)
        for entry in entries {
            guard let rssi = entry.rssi else { continue }
            let antenna = Int(entry.antenna)
            means[antenna].count += 1
            means[antenna].rssi += rssi
            means[antenna].time += Double(entry.step - firstStep)
        }
        var (xx, xy, yy, count) = (0.0, 0.0, 0.0, 0.0)
        for entry in entries {
            guard let rssi = entry.rssi else { continue }
            let mean = means[Int(entry.antenna)]
            guard mean.count > 1 else { continue }
            let sign: Double = antennas[Int(entry.antenna)].side == .outside ? 1 : -1
            let x = sign * (Double(entry.step - firstStep) - mean.time / mean.count)
            let y = rssi - mean.rssi / mean.count
            xx += x * x
            xy += x * y
            yy += y * y
            count += 1
        }
        guard count > 3, xx > 0 else { return 0 }
        let slope = xy / xx
        let rest = max(yy - slope * xy, 1) / (count - 2)
        return slope / (rest / xx).squareRoot()
    }
}
