import Readings

/// The figures of several scored scenes, for people and for programs.
public struct ScoreReport: Sendable {
    public struct Figure: Sendable {
        /// A stable word.
        public var name: String
        public var value: Double
        public var interval: Estimate?
        /// A share of one, shown in percent.
        public var isShare: Bool

        /// For people: `99.21 %`, or a number with up to three decimals.
        public func text(_ value: Double) -> String {
            let thousandths = ScoreReport.rounded(isShare ? value * 100_000 : value * 1_000)
            let whole = thousandths / 1_000
            let fraction = String(thousandths % 1_000 + 1_000).dropFirst()
            return "\(whole)" + (thousandths % 1_000 == 0 ? "" : ".\(fraction)") + (isShare ? " %" : "")
        }
    }

    public let total: Score
    public let seed: UInt64
    public let figures: [Figure]

    /// - Parameters:
    ///   - scores: one for each scene
    ///   - seed: of the intervals
    public init(scores: [Score], seed: UInt64) {
        let total = scores.reduce(into: Score()) { $0.add($1) }
        self.total = total
        self.seed = seed
        var figures: [Figure] = []
        func share(_ name: String, _ figure: @escaping (BootstrapCounts) -> Double) {
            let estimate = Score.bootstrap(scores, seed: seed, figure)
            figures.append(Figure(name: name, value: estimate.value, interval: scores.count > 1 ? estimate : nil, isShare: true))
        }
        func number(_ name: String, _ value: Double?, isShare: Bool = false) {
            if let value { figures.append(Figure(name: name, value: value, interval: nil, isShare: isShare)) }
        }
        if total.crossings > 0 || total.events > 0 || total.closes == 0 {
            share("precision", \.precision)
            share("recall", \.recall)
            share("f1", \.f1)
            share("readable_recall", \.readableRecall)
            share("wrong_direction", \.wrongDirectionRate)
            share("undecided", \.undecidedRate)
            if total.attributable > 0 { share("attribution", \.attribution) }
        }
        number("ghosts", Double(total.ghostTotal))
        number("undecided_about_nothing", Double(total.undecidedGhosts))
        number("ghosts_per_day_per_100_strays", total.ghostsPerDayPer100)
        number("retractions", Double(total.retractions))
        if total.contradictions > 0 { number("contradictions_found", total.contradictionRecall, isShare: true) }
        if total.closes > 0 {
            share("closes_right", \.closesRightRate)
            number("false_moves_per_1000_closes", Double(total.falseMoves) * 1_000 / Double(total.closes))
            number("missed_moves_per_1000_closes", Double(total.missedMoves) * 1_000 / Double(total.closes))
        }
        for (name, values) in [
            ("read_to_provisional", total.latency.readToProvisional), ("read_to_final", total.latency.readToFinal),
            ("crossing_to_provisional", total.latency.crossingToProvisional), ("crossing_to_final", total.latency.crossingToFinal),
        ] {
            for part in [50, 95, 99] {
                number("\(name)_p\(part)_s", Score.percentile(Double(part) / 100, of: values).map { Double($0) / 1_000 })
            }
        }
        self.figures = figures
    }

    /// Numbers rounded to six decimals.
    public var json: JSON {
        func number(_ value: Double) -> JSON { .decimal(Self.rounded(value * 1e6), scale: 1_000_000) }
        var members: [String: JSON] = [
            "scenes": .integer(Int64(total.runs)), "crossings": .integer(Int64(total.crossings)), "found": .integer(Int64(total.found)),
            "readable": .integer(Int64(total.readable)), "readable_found": .integer(Int64(total.readableFound)),
            "wrong_directions": .integer(Int64(total.wrongDirection)), "undecided_crossings": .integer(Int64(total.undecided)),
            "events": .integer(Int64(total.events)), "closes": .integer(Int64(total.closes)), "seed": .string(String(seed)),
            "ghosts_by_kind": .object(total.ghosts.mapValues { .integer(Int64($0)) }),
            "confusion": .object(
                Dictionary(
                    uniqueKeysWithValues: Score.Confusion.truths.enumerated().map { row, truth in
                        (
                            truth,
                            JSON.object(
                                Dictionary(
                                    uniqueKeysWithValues: Score.Confusion.verdicts.enumerated().map { column, verdict in
                                        (verdict, JSON.integer(Int64(total.confusion[row, column])))
                                    }))
                        )
                    })),
        ]
        for figure in figures {
            members[figure.name] =
                figure.interval.map { ["value": number(figure.value), "interval": [number($0.lower), number($0.upper)]] }
                ?? number(figure.value)
        }
        return .object(members)
    }

    private static func rounded(_ value: Double) -> Int64 { Int64(max(min(value, 9e15), -9e15) + (value < 0 ? -0.5 : 0.5)) }
}
