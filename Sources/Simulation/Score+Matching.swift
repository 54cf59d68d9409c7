import Identifiers
import Readings

extension Score {
    /// Scores one run.
    /// - Parameters:
    ///   - decisions: the method's last word about each visit, in any order; those about tags that are no tools are passed over.
    ///   - named: in which directions the method can name who carried a tool.
    public init(truth: Truth, decisions: [ScoredDecision], named: Set<Direction> = [.out, .in]) {
        self.init()
        runs = 1
        let tools = Set(truth.tools.map(\.epc))
        var open: [EPC: [ScoredDecision]] = [:]
        for decision in decisions.sorted(by: { ($0.time, $0.epc) < ($1.time, $1.epc) }) where tools.contains(decision.epc) {
            if decision.verdict == .retracted { retractions += 1 } else { open[decision.epc, default: []].append(decision) }
        }
        events = open.values.reduce(0) { $0 + $1.count { $0.verdict != .undecided } }
        scoreCloses(of: truth, &open)
        scoreCrossings(of: truth, &open, named: named)
        scoreVisits(of: truth, &open)
        // What is left belongs to nothing that happened, for example a second event about one crossing.
        for rest in open.values {
            for decision in rest { countGhost(decision, as: truth.scenario) }
        }
        for visit in truth.visits where visit.what == .stray { strayTagSeconds += Double((visit.end - visit.start).milliseconds) / 1_000 }
    }

    private mutating func countGhost(_ decision: ScoredDecision, as what: String) {
        if decision.verdict == .undecided { undecidedGhosts += 1 } else { ghosts[what, default: 0] += 1 }
    }

    private mutating func scoreCrossings(of truth: Truth, _ open: inout [EPC: [ScoredDecision]], named: Set<Direction>) {
        let badges = Dictionary(truth.people.map { ($0.id, $0.badge) }, uniquingKeysWith: { first, _ in first })
        var whereabouts = Dictionary(
            truth.tools.map { ($0.epc, $0.recorded) }, uniquingKeysWith: { first, _ in first })
        var taken = Array(repeating: false, count: truth.crossings.count)
        func take(_ crossing: Truth.Crossing, where fits: (ScoredDecision) -> Bool) -> ScoredDecision? {
            let near = open[crossing.epc]?.firstIndex {
                fits($0) && Self.tolerance.contains(($0.time - crossing.time).milliseconds)
            }
            return near.flatMap { open[crossing.epc]?.remove(at: $0) }
        }
        // Right answers first: a wrong event must not use up what another crossing of the same tag needs.
        for (index, crossing) in truth.crossings.enumerated() {
            crossings += 1
            if crossing.isReadable { readable += 1 }
            let recorded = whereabouts[crossing.epc] ?? nil
            whereabouts[crossing.epc] = crossing.direction.side
            let contradicts = recorded == crossing.direction.side
            if contradicts, crossing.isReadable { contradictions += 1 }
            guard let decision = take(crossing, where: { $0.verdict == .passed(crossing.direction) }) else { continue }
            taken[index] = true
            found += 1
            if crossing.isReadable { readableFound += 1 }
            if contradicts, crossing.isReadable, decision.isAgainstRecord { contradictionsFound += 1 }
            let row = crossing.direction == .out ? 0 : 1
            confusion[row, row] += 1
            count(latencyOf: decision, crossing)
            if named.contains(crossing.direction), let badge = badges[crossing.person] {
                attributable += 1
                if decision.badge == badge { attributedRight += 1 } else if decision.badge != nil { attributedWrong += 1 }
            }
        }
        for (index, crossing) in truth.crossings.enumerated() where !taken[index] {
            let row = crossing.direction == .out ? 0 : 1
            let opposite: Direction = crossing.direction == .out ? .in : .out
            if take(crossing, where: { $0.verdict == .passed(opposite) }) != nil {
                wrongDirection += 1
                confusion[row, 1 - row] += 1
            } else if take(crossing, where: { $0.verdict == .undecided }) != nil {
                undecided += 1
                confusion[row, 2] += 1
            } else {
                confusion[row, 3] += 1
            }
        }
    }

    private mutating func count(latencyOf decision: ScoredDecision, _ crossing: Truth.Crossing) {
        func add(_ end: Instant?, _ start: Instant?, to list: WritableKeyPath<Latencies, [Int32]>) {
            if let end, let start { latency[keyPath: list].append(Int32(clamping: (end - start).milliseconds)) }
        }
        add(decision.provisional, decision.lastReadThen, to: \.readToProvisional)
        add(decision.final, decision.lastRead, to: \.readToFinal)
        add(decision.provisional, crossing.time, to: \.crossingToProvisional)
        add(decision.final, crossing.time, to: \.crossingToFinal)
    }

    private mutating func scoreVisits(of truth: Truth, _ open: inout [EPC: [ScoredDecision]]) {
        let margin = (before: Instant.Span(nanoseconds: -3_000_000_000), after: Instant.Span.seconds(15))
        for visit in truth.visits {
            var verdict = 3
            open[visit.epc]?.removeAll { decision in
                guard decision.time >= visit.start + margin.before, decision.time <= visit.end + margin.after else { return false }
                switch decision.verdict {
                case .passed(let direction): verdict = direction == .out ? 0 : 1
                case .undecided where verdict == 3: verdict = 2
                case .undecided, .retracted: break
                }
                countGhost(decision, as: visit.what.rawValue)
                return true
            }
            confusion[2, verdict] += 1
        }
    }

    /// Everything said between one closing and the next belongs to the first.
    private mutating func scoreCloses(of truth: Truth, _ open: inout [EPC: [ScoredDecision]]) {
        for (index, close) in truth.closes.enumerated() {
            let next = index + 1 < truth.closes.count ? truth.closes[index + 1].time : Instant(nanoseconds: .max)
            var taken: [EPC] = []
            var returned: [EPC] = []
            for epc in open.keys.sorted() {
                open[epc]?.removeAll { decision in
                    // A second for clocks that round.
                    guard decision.time + .seconds(1) >= close.time, decision.time + .seconds(1) < next else { return false }
                    switch decision.verdict {
                    case .passed(.out): taken.append(epc)
                    case .passed(.in): returned.append(epc)
                    case .undecided, .retracted: return false
                    }
                    return true
                }
            }
            closes += 1
            let (real, said) = (Moves(close.taken, close.returned), Moves(taken, returned))
            if real == said { closesRight += 1 }
            falseMoves += said.count(notIn: real)
            missedMoves += real.count(notIn: said)
        }
    }

    private struct Moves: Hashable {
        var taken: Set<EPC>
        var returned: Set<EPC>

        init(_ taken: [EPC], _ returned: [EPC]) {
            (self.taken, self.returned) = (Set(taken), Set(returned))
        }

        func count(notIn other: Moves) -> Int { taken.subtracting(other.taken).count + returned.subtracting(other.returned).count }
    }
}
