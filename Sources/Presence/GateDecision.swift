import Readings

/// How a gate decides. Constants were fitted on simulated walks through a pedestal gate and an angled one together; other seeds are
/// used to judge them.
public struct GateRules: Hashable, Sendable {
    /// The recorded side is right with this probability.
    public var recordIsRight = 0.97
    /// What a hypothesis keeps however little speaks for it: one strange visit must not decide for its group.
    public var doubt = 1e-3
    /// The most that one companion speaks against a hypothesis, ln.
    public var companionLimit = 3.0
    /// Log-odds above which a visit was a crossing.
    public var threshold = 1.9
    /// How much more is asked where the sides hear alike, of a tag that walks alone or was read less often than `readsAgainstRecord`:
    /// all of it below `alike` dB of separation, nothing from `apart` dB on.
    public var likeness = 1.5
    public var alike = 12.0
    public var apart = 30.0
    /// Below `threshold` by less than this, it is uncertain.
    public var margin = 1.0
    /// How much more likely its direction must be than the other, ln: where the record says the other, where it agrees, and where
    /// nothing is recorded.
    public var clearAgainstRecord = 2.0
    public var clearWithRecord = -0.5
    public var clearWithoutRecord = 1.5
    /// So many reads of its own a tag needs against its record: companions alone must not turn it round.
    public var readsAgainstRecord = 8
    /// What each second of a visit, or of its passage, speaks against a crossing: walks are short.
    public var perSecond = 0.15
    public var longestCounted = 20.0
    /// A tag that walks alone and is read less often than this in a second is hardly in the gate, ln at most.
    public var sparseReads = 6.0
    public var sparseLimit = 2.5
    /// One that walks alone and that one side heard for less than this share of its reads may lie on the other, ln.
    public var oneSidedShare = 0.12
    public var oneSided = 1.5
    /// The most that what a visit lasted before speaks against the passage that was found in it.
    public var chosenLimit = 2.5
    /// What each unit of likelihood of lying still counts beyond the freedom of a slow walk.
    public var still = 0.75
    public var stillFreedom = 6.0
    public var stillLimit = 16.0

    /// Log-odds of a passage that later reads do not take back.
    static let clearPassage = 5.5

    public init() {}
}

/// What a visit may have been, each with the natural logarithm of how likely its reads are then, up to a common term.
struct Hypotheses: Hashable, Sendable {
    var out = 0.0
    var `in` = 0.0
    var stayedInside = 0.0
    var stayedOutside = 0.0

    var best: Double { max(max(out, `in`), max(stayedInside, stayedOutside)) }
}

/// Something that moved with the tag.
struct Companion: Sendable {
    let hypotheses: Hypotheses
    let order: Order
    /// 0…1: how far it is something that moves.
    let share: Double

    /// With less of all together, the tag is alone.
    static let leastShare = 0.5
}

/// In which order the sides heard the tag; above 0: the inside first.
struct Order: Hashable, Sendable {
    var centroid = 0.0
    var sides = 0.0
}

/// What is decided of a visit, and why.
struct GateVerdict: Sendable {
    var kind = Sighting.Kind.stayed
    var odds = 0.0
    var threshold = 0.0
    var grounds: [Sighting.Ground] = []
}

extension GateRules {
    /// - Parameters:
    ///   - judgement: what its own reads say
    ///   - resident: what its earlier visits without a crossing speak against one now
    ///   - separation: of the gate's sides, dB; nil: it has antennas on one side only, and cannot tell a direction
    func decide(_ judgement: Judgement, companions: [Companion], recorded: RecordedSide, resident: Double, separation: Double?)
        -> GateVerdict
    {
        let hasDirection = separation != nil
        let own = hypotheses(of: judgement)
        let joint = join(own, companions)
        let out = odds(joint, recorded: recorded, direction: .out)
        let `in` = odds(joint, recorded: recorded, direction: .in)
        let direction: Direction = out >= `in` ? .out : .in
        let position = odds(own, recorded: .unknown, direction: direction)
        let recordedPart = odds(own, recorded: recorded, direction: direction) - position
        let groupPart = max(out, `in`) - position - recordedPart
        let sign: Double = direction == .out ? 1 : -1
        let order = orderPart(judgement, companions: companions, sign: sign)
        let isAlone = companions.reduce(0) { $0 + $1.share } < Companion.leastShare
        let excess = min(max(0, judgement.stillAdvantage - stillFreedom), stillLimit)
        let still = -self.still * excess - (isAlone ? strayness(judgement, hasDirection: hasDirection) : 0)
        // The passage of a tag that was there for long is the best of many that it might have had.
        let chosen = min(Elementary.log(1 + judgement.secondsBefore / max(judgement.judgedSeconds, 1)), chosenLimit)
        let staying = resident + perSecond * min(judgement.judgedSeconds, longestCounted) + chosen
        var verdict = GateVerdict()
        verdict.odds = max(out, `in`) + order + still - staying
        verdict.threshold = threshold
        // The record speaks for it, and may alone have decided. Without levels it is not the levels that mislead.
        if let separation, judgement.hasLevels, recorded != .unknown, !recorded.contradicts(direction),
            isAlone || judgement.reads < readsAgainstRecord
        {
            verdict.threshold += likeness * min(max((apart - separation) / (apart - alike), 0), 1)
        }
        verdict.grounds = [
            (.position, position), (.recorded, recordedPart), (.group, groupPart), (.order, order), (.still, still), (.resident, -staying),
        ].map { Sighting.Ground($0, Self.thousandths($1)) }.filter { $0.amount != 0 }.sorted {
            ($1.amount.magnitude, $0.name.rawValue) < ($0.amount.magnitude, $1.name.rawValue)
        }
        let over = Self.thousandths(verdict.odds - verdict.threshold)
        if !hasDirection {
            verdict.kind = still == 0 && resident == 0 && judgement.steps >= 4 ? .uncertain : .stayed
        } else if over > 0 {
            let lead = (joint.out - joint.in) * sign + order
            let gap = (out - `in`) * sign + order
            verdict.kind = isClear(direction, lead: lead, gap: gap, recorded: recorded, judgement) ? .passed(direction) : .uncertain
        } else if Self.thousandths(verdict.odds - threshold + margin) > 0, judgement.isReadable {
            verdict.kind = .uncertain
        }
        return verdict
    }

    /// Whether the direction is as sure as the crossing.
    /// - Parameters:
    ///   - lead: how much more likely it is than the other by what was read
    ///   - gap: the same with what the record says
    private func isClear(_ direction: Direction, lead: Double, gap: Double, recorded: RecordedSide, _ judgement: Judgement) -> Bool {
        if recorded.contradicts(direction) {
            return gap >= clearAgainstRecord && judgement.isReadable && judgement.reads >= readsAgainstRecord
        }
        return lead >= (recorded == .unknown ? clearWithoutRecord : clearWithRecord)
    }

    /// How much like a tag that lies near the gate one looks that has no companions.
    private func strayness(_ judgement: Judgement, hasDirection: Bool) -> Double {
        let perSecond = Double(judgement.reads) / max(judgement.judgedSeconds, 1)
        let fewer = min(judgement.readsInside, judgement.reads - judgement.readsInside)
        let isOneSided = hasDirection && Double(fewer) < oneSidedShare * Double(judgement.reads)
        return sparseLimit * min(max((sparseReads - perSecond) / sparseReads * 2, 0), 1) + (isOneSided ? oneSided : 0)
    }

    func hypotheses(of judgement: Judgement) -> Hypotheses {
        let ends = judgement.ends
        let sum = ends.fromInside.sum() + ends.fromOutside.sum()
        func part(_ share: Double) -> Double { Elementary.log((sum > 0 ? share / sum : 0) + doubt) }
        return Hypotheses(
            out: part(ends.fromInside[2]), in: part(ends.fromOutside[0]), stayedInside: part(ends.fromInside[0] + 0.5 * ends.fromInside[1]),
            stayedOutside: part(ends.fromOutside[2] + 0.5 * ends.fromOutside[1]))
    }

    func companion(_ judgement: Judgement) -> Companion {
        let hypotheses = hypotheses(of: judgement)
        return Companion(hypotheses: hypotheses, order: judgement.order, share: Elementary.logistic(8 - judgement.stillAdvantage))
    }

    private func join(_ own: Hypotheses, _ companions: [Companion]) -> Hypotheses {
        guard !companions.isEmpty else { return own }
        var joint = own
        let weight = 1 / Double(companions.count).squareRoot()
        for companion in companions {
            let theirs = companion.hypotheses
            let best = theirs.best
            func vote(_ value: Double) -> Double { companion.share * weight * max(value - best, -companionLimit) }
            joint.out += vote(theirs.out)
            joint.in += vote(theirs.in)
            joint.stayedInside += vote(theirs.stayedInside)
            joint.stayedOutside += vote(theirs.stayedOutside)
        }
        return joint
    }

    /// ln of the odds of a crossing in this direction to no crossing.
    private func odds(_ hypotheses: Hypotheses, recorded: RecordedSide, direction: Direction) -> Double {
        let inside =
            switch recorded {
            case .inside: recordIsRight
            case .outside: 1 - recordIsRight
            case .unknown: 0.5
            }
        let crossed = direction == .out ? inside * Elementary.exp(hypotheses.out) : (1 - inside) * Elementary.exp(hypotheses.in)
        let stayed = inside * Elementary.exp(hypotheses.stayedInside) + (1 - inside) * Elementary.exp(hypotheses.stayedOutside)
        return min(max(Elementary.log((crossed + 1e-9) / (stayed + 1e-9)), -12), 12)
    }

    private func orderPart(_ judgement: Judgement, companions: [Companion], sign: Double) -> Double {
        let own = judgement.order
        var part = 0.3 * own.centroid + 0.1 * own.sides
        // What lies still says nothing of the order.
        let shares = companions.reduce(0) { $0 + $1.share }
        if shares >= Companion.leastShare {
            part += companions.reduce(0) { $0 + $1.share * (0.8 * $1.order.centroid + 0.4 * $1.order.sides) } / shares
        }
        return part * sign
    }

    static func thousandths(_ value: Double) -> Int32 {
        guard value.magnitude < 1e6 else { return value < 0 ? -1_000_000_000 : 1_000_000_000 }
        return Int32((value * 1_000 + 0x1.8p52) - 0x1.8p52)
    }
}

extension RecordedSide {
    /// Whether a tag recorded here cannot go this way.
    fileprivate func contradicts(_ direction: Direction) -> Bool {
        self == .inside && direction == .in || self == .outside && direction == .out
    }
}
