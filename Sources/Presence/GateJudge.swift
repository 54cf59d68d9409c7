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
    private let sideOfBits: (inside: Bool, outside: Bool)

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
        sideOfBits = (antennas.contains { $0.side == .inside }, antennas.contains { $0.side == .outside })
    }

    /// Antennas on one side only cannot tell a direction.
    var hasDirection: Bool { sideOfBits.inside && sideOfBits.outside }

    mutating func learn(bias: [Float]) { filter.bias = bias }

    mutating func judge(_ log: VisitLog, service: ServiceLog, outages: Outages, until now: Instant) -> Judgement {
        let passage = Passage(in: log.entries[...], antennas: antennas)
        guard let last = log.entries.last?.step, let oldest = log.entries.first?.step else { return Judgement() }
        let newest = passage?.range.upperBound ?? last
        let first = max(passage?.range.lowerBound ?? oldest, newest - Self.longest)
        let entries = log.entries[(log.entries.firstIndex { $0.step >= first } ?? 0)...].prefix { $0.step <= newest }
        let start = first > oldest ? first : outages.start(before: first) ?? first - Self.lead
        // What came after the passage is known: there is no silence to wait for.
        let end = newest < last ? newest : max(newest, GateStep.of(now))
        var judgement = Judgement()
        var still = StillModel(antennas: antennas.count)
        var position = entries.startIndex
        var silence = 0
        filter.start()
        var unheard = 0
        var before = 0.0
        for step in start...end {
            let begin = position
            while position < entries.endIndex, entries[position].step == step { position += 1 }
            let hits = entries[begin..<position]
            let heard = hits.reduce(UInt64(0)) { $0 | 1 << UInt64($1.antenna) }
            let served = service.antennas(at: step) | heard
            silence = served == 0 ? silence + 1 : 0
            let isBelieved = step > newest || silence <= Self.silenceBelieved
            let isOut = outages.contains(GateStep.start(of: step))
            let isReading = isBelieved && !isOut
            if step == first {
                // Coming is no evidence against lying still: both are compared from the first read on.
                still = StillModel(antennas: antennas.count)
                before = filter.logLikelihood
            }
            take(hits, heard: heard, served: served, known: service.known, isReading: isReading, still: &still)
            filter.advance()
            if step == newest { judgement.stillAdvantage = still.logLikelihood - (filter.logLikelihood - before) }
            if step > newest, !isOut { unheard += 1 }
            if unheard == Self.tail { break }
        }
        judgement.ends = filter.ends
        judgement.summarise(entries, antennas: antennas)
        judgement.seconds = Double(last - oldest) * Double(GateStep.length.nanoseconds) / 1e9
        return judgement
    }

    /// Takes what one step told. Antennas that a reader was shown to serve shared the step; where none was shown, all shared it.
    private mutating func take(
        _ hits: ArraySlice<VisitLog.Entry>, heard: UInt64, served: UInt64, known: UInt64, isReading: Bool, still: inout StillModel
    ) {
        filter.clearEvidence()
        for reader in readers {
            let shown = served & reader
            guard shown != 0 || isReading else { continue }
            let sharing = shown != 0 ? shown | known & reader : reader
            // In units of one antenna's turn of 65 ms, of which a step has two.
            let weight = 2 / Double(sharing.nonzeroBitCount)
            for hit in hits where reader & (1 << UInt64(hit.antenna)) != 0 {
                filter.addHit(antenna: Int(hit.antenna), rssi: hit.rssi, weight: weight)
                still.hit(antenna: Int(hit.antenna), rssi: hit.rssi, weight: weight * Double(filter.belief.hit))
            }
            var missed = sharing & ~heard
            while missed != 0 {
                let antenna = missed.trailingZeroBitCount
                missed &= missed - 1
                filter.addMiss(antenna: antenna, weight: weight)
                still.miss(antenna: antenna, weight: weight * Double(filter.belief.miss))
            }
        }
    }
}
