import Identifiers
import Readings

/// One tag near the gate, from its first read until it was unread for long enough.
struct GateVisit: Sendable {
    let number: UInt64
    private(set) var log = VisitLog()
    private(set) var first: Instant
    private(set) var last: Instant
    private(set) var inside = Sighting.SideEvidence()
    private(set) var outside = Sighting.SideEvidence()
    private(set) var firstSide: GateSide
    private(set) var lastSide: GateSide
    /// Counts reads, so that what was judged of fewer can be told.
    private(set) var revision: UInt32 = 0
    /// From when silence counts: the last read, or the end of an outage after it.
    var quietFrom: Instant
    /// A reader stopped reading in its course.
    var isDegraded = false
    /// What the record said when the visit was first decided: the decision itself changes the record.
    var recorded: RecordedSide?
    /// What was said of it last.
    var word: Sighting?
    /// The revision of which something was said, or found not worth saying.
    var decided: UInt32 = 0
    var group: UInt64?
    private(set) var judgement = Judgement()
    private var judged: (revision: UInt32, until: Int) = (0, 0)
    private(set) var judgedAt: Instant?
    /// The passage that was found then.
    private(set) var judgedPassage: Int?

    init(number: UInt64, at time: Instant, side: GateSide) {
        self.number = number
        (first, last, quietFrom) = (time, time, time)
        (firstSide, lastSide) = (side, side)
    }

    /// Takes a read, unless it is a repetition.
    @inline(__always)
    mutating func take(rssi: Int16, antenna: Int, side: GateSide, at time: Instant, isRepeatable: Bool) {
        guard log.insert(antenna: UInt8(truncatingIfNeeded: antenna), rssi: rssi, at: time, isRepeatable: isRepeatable) else { return }
        revision &+= 1
        if time >= last {
            (last, lastSide) = (time, side)
            quietFrom = max(quietFrom, time)
        } else if time < first {
            (first, firstSide) = (time, side)
        }
        switch side {
        case .inside: inside.count(rssi)
        case .outside: outside.count(rssi)
        }
    }

    /// When something is to be said of it, or it is interrupted for too long.
    func due(_ settings: GatePresence.Settings, silentSince: Instant?) -> Instant {
        if let silentSince { return max(silentSince, quietFrom) + settings.bridge }
        return quietFrom + (decided == revision ? settings.final : settings.quiet)
    }

    /// Whether all its reads were judged.
    var isJudged: Bool { judged.revision == revision }

    /// Whether everything known of the visit at this time was judged.
    func isJudged(at now: Instant) -> Bool { judged == (revision, judgeable(at: now)) }

    mutating func take(_ judgement: Judgement, at now: Instant) {
        self.judgement = judgement
        judged = (revision, judgeable(at: now))
        (judgedAt, judgedPassage) = (now, judgement.passage)
    }

    /// Nothing is to be decided of these reads before it is over.
    mutating func setAside() {
        decided = revision
        judgement = Judgement()
        judged = (revision, .min)
    }

    var isSetAside: Bool { judged == (revision, .min) }

    /// The clear word that it went through, where that was before all that is judged now: nothing of that can take it back. What was less
    /// clear may have been one of the many movements of a tag that lies there.
    var standing: Sighting? {
        guard let word, word.kind.isPassage, word.odds ?? 0 >= GateRules.thousandths(GateRules.clearPassage), let crossed = word.crossed,
            GateStep.of(crossed) < judgement.firstStep
        else { return nil }
        return word
    }

    private func judgeable(at now: Instant) -> Int { min(GateStep.of(now), GateStep.of(quietFrom) + GateJudge.tail) }

    func sighting(of epc: EPC, kind: Sighting.Kind, certainty: Certainty) -> Sighting {
        Sighting(
            epc: epc, visit: number, certainty: certainty, kind: kind, group: group, first: first, last: last, inside: inside,
            outside: outside, firstSide: firstSide, lastSide: lastSide, isDegraded: isDegraded)
    }
}

extension Sighting.SideEvidence {
    @inline(__always)
    fileprivate mutating func count(_ rssi: Int16) {
        reads &+= 1
        strongest = max(strongest, rssi)
    }
}
