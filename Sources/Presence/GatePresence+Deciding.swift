import Identifiers
import Readings

/// What is remembered of a visit that is over.
struct EndedVisit: Sendable {
    let judgement: Judgement
    let last: Instant
    let group: UInt64?
}

extension GatePresence {
    /// Decides the visits that are due, and with them their companions that are nearly so: who walked together is told together.
    mutating func decideDue(at now: Instant, recorded: (EPC) -> RecordedSide) -> [Sighting] {
        let quiet = visits.entries.map { now - $0.value.quietFrom }
        let dueFinally = quiet.map { $0 >= settings.final }
        setAsideLingering(quiet: quiet, at: now)
        let due = visits.entries.indices.filter {
            dueFinally[$0] || quiet[$0] >= settings.quiet && visits.entries[$0].value.decided != visits.entries[$0].value.revision
        }
        guard !due.isEmpty else { return [] }
        judgeNeighbours(of: due, quiet: quiet, at: now)
        let open = Neighbours(visits.entries.indices.filter { quiet[$0] >= settled }.map { ($0, visits.entries[$0].value.judgement) })
        let over = Neighbours(ended.indices.map { ($0, ended[$0].judgement) })
        var stages: [Int: Certainty] = [:]
        for index in due {
            let isFinal = dueFinally[index]
            stages[index] = isFinal ? .final : stages[index] ?? .provisional
            let enough = isFinal ? settings.final : settings.quiet
            for companion in open.companions(of: visits.entries[index].value.judgement, except: index)
            where quiet[companion].plus(Self.along) >= enough {
                if isFinal || stages[companion] == nil { stages[companion] = isFinal ? .final : .provisional }
            }
        }
        var said: [Sighting] = []
        for index in stages.keys.sorted() {
            guard let stage = stages[index] else { continue }
            let judgement = visits.entries[index].value.judgement
            let companions = (open: open.companions(of: judgement, except: index), over: over.companions(of: judgement))
            if let sighting = decide(index, certainty: stage, companions, at: now, recorded: recorded) { said.append(sighting) }
        }
        remove(stages.filter { $0.value == .final }.keys.sorted())
        return said
    }

    /// A tag that lies at the edge of what is heard falls silent every few seconds, for hours. It is looked at every 20 s, which is half of
    /// what is judged, when it is gone, and at once when the louder side changed.
    private mutating func setAsideLingering(quiet: [Instant.Span], at now: Instant) {
        for index in visits.entries.indices where quiet[index] >= settled && quiet[index] < settings.final {
            let visit = visits.entries[index].value
            guard visit.decided != visit.revision, visit.last - visit.first >= Self.lingering, visit.word == nil,
                let judgedAt = visit.judgedAt, now - judgedAt < Self.lookedAtEvery,
                Passage(in: visit.log.entries[...], antennas: judge.antennas)?.range.lowerBound == visit.judgedPassage
            else { continue }
            visits.updateValue(at: index) { $0.setAside() }
        }
    }

    /// Judges what is due and whatever may have moved with it.
    private mutating func judgeNeighbours(of due: [Int], quiet: [Instant.Span], at now: Instant) {
        let spans = due.map { (visits.entries[$0].value.first, visits.entries[$0].value.last) }
        for index in visits.entries.indices where quiet[index] >= settled {
            let (first, last) = (visits.entries[index].value.first, visits.entries[index].value.last)
            guard spans.contains(where: { $0.0 <= last && first <= $0.1 }) else { continue }
            let visit = visits.entries[index].value
            // A companion's last word is not worth a judgement at every step of its silence.
            let isDue = quiet[index] >= (visit.isSetAside ? settings.final : settings.quiet)
            guard isDue ? !visit.isJudged(at: now) : !visit.isJudged else { continue }
            let judgement = judge.judge(visit.log, service: service, outages: outages, until: now)
            visits.updateValue(at: index) { $0.take(judgement, at: now) }
        }
    }

    private mutating func decide(
        _ index: Int, certainty: Certainty, _ companions: (open: [Int], over: [Int]), at now: Instant, recorded: (EPC) -> RecordedSide
    ) -> Sighting? {
        let epc = visits.entries[index].epc
        var visit = visits.entries[index].value
        let resident = residents.penalty(of: epc, at: now)
        let rules = settings.rules
        let together = companions.open
        let before = companions.over.map { ended[$0] }
        let side = visit.recorded ?? recorded(epc)
        visit.recorded = side
        visit.decided = visit.revision
        var verdict = rules.decide(
            visit.judgement,
            companions: (together.map { visits.entries[$0].value.judgement } + before.map(\.judgement)).map(rules.companion),
            recorded: side, resident: resident, separation: judge.separation)
        if let standing = visit.standing { verdict.follow(standing) }
        if visit.group == nil, verdict.kind != .stayed {
            // A group has the number of the visit that was decided first.
            let known = together.compactMap { visits.entries[$0].value.group }.min() ?? before.compactMap(\.group).min()
            visit.group = known ?? visit.number
        }
        let told = visit.word?.kind
        let isNews = certainty == .final || (verdict.kind != told && (told != nil || verdict.kind.isPassage))
        var sighting = visit.sighting(of: epc, kind: verdict.kind, certainty: certainty)
        sighting.crossed = verdict.kind.isPassage ? visit.standing?.crossed ?? visit.crossed : nil
        sighting.odds = GateRules.thousandths(verdict.odds)
        sighting.threshold = GateRules.thousandths(verdict.threshold)
        sighting.grounds = verdict.grounds
        if isNews { visit.word = sighting }
        visits.updateValue(at: index) { $0 = visit }
        if certainty == .final {
            learn(from: visit, verdict: verdict, epc: epc)
            checks.take(visit.log, antennas: judge.antennas, isNew: resident == 0, isDegraded: visit.isDegraded)
        }
        return isNews ? sighting : nil
    }

    private mutating func learn(from visit: GateVisit, verdict: GateVerdict, epc: EPC) {
        switch verdict.kind {
        case .passed:
            residents.crossed(epc)
            if verdict.odds > verdict.threshold + 3, bias.learn(from: visit.log, geometry: judge.filter.geometry) {
                judge.learn(bias: bias.corrections)
            }
        case .stayed: residents.stayed(epc, from: visit.first, to: visit.last)
        default: break
        }
    }

    private mutating func remove(_ indices: [Int]) {
        guard !indices.isEmpty else { return }
        for index in indices {
            let visit = visits.entries[index].value
            ended.append(EndedVisit(judgement: visit.judgement, last: visit.last, group: visit.group))
        }
        visits.remove(at: indices)
    }
}

extension Instant.Span {
    fileprivate func plus(_ other: Instant.Span) -> Instant.Span { Instant.Span(nanoseconds: nanoseconds &+ other.nanoseconds) }
}

extension GateVerdict {
    /// The tag went through before what this is of: that stands, unless it came back.
    fileprivate mutating func follow(_ word: Sighting) {
        guard !kind.isPassage || kind == word.kind else {
            kind = .stayed
            return
        }
        self = GateVerdict(
            kind: word.kind, odds: Double(word.odds ?? 0) / 1_000, threshold: Double(word.threshold ?? 0) / 1_000, grounds: word.grounds)
    }
}

extension Sighting.Kind {
    var isPassage: Bool { if case .passed = self { true } else { false } }
}

extension GateVisit {
    /// Between the times at which the two sides heard it best, in whole hundredths of a second: more nobody knows.
    var crossed: Instant {
        let middle = (judgement.centroidInside + judgement.centroidOutside) / 2
        let since = (middle + 0.5) * Double(GateStep.length.nanoseconds) / 1e7
        let time = GateStep.start(of: judgement.firstStep) + .milliseconds(Int64(since) * 10)
        return min(max(time, first), last)
    }
}
