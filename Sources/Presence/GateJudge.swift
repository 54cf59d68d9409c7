import Readings

/// An antenna of a gate.
public struct GateAntenna: Hashable, Sendable {
    public var side: GateSide
    public var placement: AntennaPlacement
    /// Which of the gate's readers serves it, counted from 0.
    public var reader: Int
    /// How much stronger it reads than its place would have it, dB, as a walk test found it; nil: it was not tested.
    public var bias: Double?

    public init(side: GateSide, placement: AntennaPlacement, reader: Int = 0, bias: Double? = nil) {
        self.side = side
        self.placement = placement
        self.reader = reader
        self.bias = bias
    }
}

/// Judges visits: what a log of reads says about where the tag was and went. The same log gives the same judgement.
struct GateJudge: Sendable {
    let antennas: [GateAntenna]
    private(set) var filter: PositionFilter
    /// By reader, its antennas as bits.
    private let readers: [UInt64]
    /// How much louder one side hears a tag than the other, dB; nil: antennas on one side only cannot tell a direction.
    let separation: Double?

    /// The filter begins so many steps before the first read (0.5 s): that nothing was heard there tells how far away the tag was.
    static let lead = 4
    /// After the last read the filter sees this many steps of nothing (1.9 s).
    static let tail = 14
    /// Silence of all antennas in the middle of a visit says something for so long only (1 s): perhaps nobody was reading.
    static let silenceBelieved = 8
    /// What is judged of a visit at most: its last 40 s.
    static let longest = 300

    /// - Parameter antennas: at most 64.
    init(antennas: [GateAntenna], belief: PositionFilter.Belief = .init()) {
        self.antennas = antennas
        filter = PositionFilter(geometry: GateGeometry(antennas: antennas.map(\.placement)), belief: belief)
        var readers = Array(repeating: UInt64(0), count: (antennas.map(\.reader).max() ?? 0) + 1)
        for (index, antenna) in antennas.enumerated() { readers[antenna.reader] |= 1 << UInt64(index) }
        self.readers = readers
        let sides = antennas.map(\.side)
        separation = sides.contains(.inside) && sides.contains(.outside) ? filter.geometry.separation(sides: sides) : nil
    }

    mutating func learn(bias: [Float]) { filter.bias = bias }

    mutating func judge(_ log: VisitLog, service: ServiceLog, outages: Outages, until now: Instant) -> Judgement {
        guard let last = log.entries.last?.step, let oldest = log.entries.first?.step else { return Judgement() }
        let found = Passage(in: log.entries[...], antennas: antennas)?.range
        let first = max(oldest, (found?.upperBound ?? last) - Self.longest)
        let entries = log.entries[(log.entries.firstIndex { $0.step >= first } ?? 0)...]
        let passage = found ?? first...last
        // A visit is followed from before its first read until after its last one, in which nothing was heard.
        let start = passage.lowerBound > first ? first : outages.start(before: first) ?? first - Self.lead
        let followed = (passage.lowerBound > first ? passage.lowerBound : start)...(passage.upperBound < last ? passage.upperBound : .max)
        var models = Models(antennas: antennas.count)
        var position = entries.startIndex
        var silence = 0
        var unheard = 0
        filter.start()
        for step in start...max(last, GateStep.of(now)) {
            let begin = position
            while position < entries.endIndex, entries[position].step == step { position += 1 }
            let hits = entries[begin..<position]
            let heard = hits.reduce(UInt64(0)) { $0 | 1 << UInt64($1.antenna) }
            let served = service.antennas(at: step) | heard
            silence = served == 0 ? silence + 1 : 0
            let isBelieved = step > last || silence <= Self.silenceBelieved
            let isOut = outages.contains(GateStep.start(of: step))
            let isFollowed = followed.contains(step)
            // Coming is no evidence against lying still: both are compared from the first read on.
            if step == first { models = Models(antennas: antennas.count) }
            if step == passage.lowerBound { models.passageBegins(filter: filter.logLikelihood) }
            take(
                hits, heard: heard, served: served, known: service.known, isReading: isBelieved && !isOut, isFollowed: isFollowed,
                models: &models)
            if isFollowed { filter.advance() }
            if step == passage.upperBound { models.passageEnds(filter: filter.logLikelihood) }
            if step == last { models.visitEnds() }
            if step >= last, followed.upperBound < .max { break }
            if step > last, !isOut { unheard += 1 }
            if unheard == Self.tail { break }
        }
        var judgement = Judgement()
        judgement.stillAdvantage = models.stillAdvantage
        judgement.ends = filter.ends
        judgement.summarise(entries.drop { $0.step < passage.lowerBound }.prefix { $0.step <= passage.upperBound }, antennas: antennas)
        judgement.passage = found?.lowerBound
        judgement.secondsBefore = Double(judgement.firstStep - oldest) * Double(GateStep.length.nanoseconds) / 1e9
        return judgement
    }

    /// What lying still is compared with: coming through, and standing at another place afterwards.
    private struct Models {
        var still: StillModel
        /// Of what came after the passage alone.
        var afterwards: StillModel
        private var isAfterwards = false
        private var (stillBefore, followedBefore, followed) = (0.0, 0.0, 0.0)
        private(set) var stillAdvantage = 0.0

        init(antennas: Int) { (still, afterwards) = (StillModel(antennas: antennas), StillModel(antennas: antennas)) }

        mutating func passageBegins(filter: Double) { (stillBefore, followedBefore) = (still.logLikelihood, filter) }

        mutating func passageEnds(filter: Double) {
            followed = filter - followedBefore
            isAfterwards = true
        }

        mutating func visitEnds() {
            stillAdvantage = still.logLikelihood - stillBefore - followed - afterwards.logLikelihood
        }

        mutating func hit(antenna: Int, rssi: Double?, weight: Double) {
            still.hit(antenna: antenna, rssi: rssi, weight: weight)
            if isAfterwards { afterwards.hit(antenna: antenna, rssi: rssi, weight: weight) }
        }

        mutating func miss(antenna: Int, weight: Double) {
            still.miss(antenna: antenna, weight: weight)
            if isAfterwards { afterwards.miss(antenna: antenna, weight: weight) }
        }
    }

    /// Takes what one step told. Antennas that a reader was shown to serve shared the step; where none was shown, all shared it.
    private mutating func take(
        _ hits: ArraySlice<VisitLog.Entry>, heard: UInt64, served: UInt64, known: UInt64, isReading: Bool, isFollowed: Bool,
        models: inout Models
    ) {
        if isFollowed { filter.clearEvidence() }
        for reader in readers {
            let shown = served & reader
            guard shown != 0 || isReading else { continue }
            let sharing = shown != 0 ? shown | known & reader : reader
            // In units of one antenna's turn of 65 ms, of which a step has two.
            let weight = 2 / Double(sharing.nonzeroBitCount)
            for hit in hits where reader & (1 << UInt64(hit.antenna)) != 0 {
                if isFollowed { filter.addHit(antenna: Int(hit.antenna), rssi: hit.rssi, weight: weight) }
                models.hit(antenna: Int(hit.antenna), rssi: hit.rssi, weight: weight * Double(filter.belief.hit))
            }
            var missed = sharing & ~heard
            while missed != 0 {
                let antenna = missed.trailingZeroBitCount
                missed &= missed - 1
                if isFollowed { filter.addMiss(antenna: antenna, weight: weight) }
                models.miss(antenna: antenna, weight: weight * Double(filter.belief.miss))
            }
        }
    }
}
