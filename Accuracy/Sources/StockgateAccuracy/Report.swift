import Glibc
import Simulation

/// What is going on, for the one who waits.
func progress(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}

/// The report in Markdown with its plots.
struct Report {
    let study: Study
    let gates: [Study.GateResult]
    let dwells: [Study.DwellResult]
    let cabinets: [CabinetStudy.Result]
    let fields: [FieldStudy.Result]

    private static let bootstrapSeed: UInt64 = 20_260_105

    var files: [(name: String, content: String)] {
        [
            ("accuracy.md", text), ("accuracy-dwell.svg", dwellChart.svg), ("accuracy-latency.svg", latencyChart.svg),
            ("accuracy-scenarios.svg", scenarioChart.svg),
        ]
    }

    var text: String {
        var lines = [
            "# Accuracy",
            "",
            "Written by `make accuracy`; do not edit. Everything here is simulated: the world of [simulation.md](simulation.md) at two gates, a good",
            "one (`angled`) and a difficult one (`pedestal`). Every method gets the same reads and the same check against the records; seeds begin at",
            "\(study.firstSeed), intervals are 95 % by bootstrap over runs (seed \(Self.bootstrapSeed)). A row of a baseline is our own implementation of it with",
            "the settings its authors or makers give. *Readable* is the recall of crossings that were read at least three times and on both sides.",
            "The product's gate is its station: reads and badges in, proposals out.",
        ]
        if study.share < 100 { lines.append("**A small run: \(study.share) % of the scenes.**") }
        lines.append("")
        for gate in gates { lines += section(gate) }
        lines += dwellSection
        lines += cabinetSection
        lines += Self.fieldSection(fields, runs: study.part(FieldStudy.runs))
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(_ gate: Study.GateResult) -> [String] {
        let ours = gate.methods[0]
        let total = ours.total
        var lines = [
            "## Gate `\(gate.layout.name)`", "", "\(total.runs) runs, \(total.crossings) crossings, \(total.readable) of them readable.",
            "",
        ]
        lines += table(gate.methods)
        lines += ["", "The product's gate, by what the records know:", ""]
        lines += table([ours, gate.wrongRecords, gate.noRecords])
        let wrong = gate.wrongRecords.total
        lines += [
            "",
            "With 2 % wrong records, \(wrong.contradictions) readable crossings went against the record; found were "
                + "\(wrong.contradictionsFound) (\(percent(wrong.contradictionRecall))): what the ledger makes an exception of.",
            "", "### By scenario", "",
        ]
        lines += scenarios(ours)
        lines += ["", "### Confusion, by scenario", ""] + confusion(ours)
        lines += ["", "### Latency, ms", ""] + latency(ours)
        lines += ["", "### People", ""] + people(gate)
        lines += ["", "### Other scenarios", ""] + scenarios(gate.further)
        lines += ["", "### Readers that tell less", ""] + table([ours] + gate.limited)
        lines += [
            "", "### A world that is not as the gate expects", "",
            "The gate's model of radio is that of the simulated world. Here the world differs from it, and nobody tells the gate.", "",
        ]
        lines += table([ours] + gate.otherwise)
        lines += ["", "### Tags that lie near the gate", ""] + ghosts(gate)
        lines.append("")
        return lines
    }

    private func people(_ gate: Study.GateResult) -> [String] {
        var lines = [
            "| badges | tools | right person (95 %) | wrong person | nobody, or two who may have it |", "|---|---|---|---|---|",
        ]
        for (name, method) in [("tags", gate.methods[0]), ("held before a reader", gate.heldBadges)] {
            let total = method.total
            let right = Score.bootstrap(method.runs.map(\.score), draws: 400, seed: Self.bootstrapSeed, \.attribution)
            lines.append(
                "| \(name) | \(total.attributable) | \(percent(right.value)) (\(percent(right.lower))–\(percent(right.upper))) | "
                    + "\(total.attributedWrong) | \(total.attributable - total.attributedRight - total.attributedWrong) |")
        }
        let total = gate.methods[0].total
        lines += [
            "",
            "With held badges, people who go through within about a second of one another are both named and somebody must say who has what. "
                + "Taken back: \(total.retractions) of \(total.events) events.",
        ]
        return lines
    }

    private func ghosts(_ gate: Study.GateResult) -> [String] {
        let stray = gate.methods[0].total(of: .stray)
        var lines = [
            "`stray`: \(stray.runs) runs of two minutes with 12 tags, \(stray.ghostTotal) ghosts: "
                + "\(fixed(stray.ghostsPerDayPer100 ?? 0, 0)) a day for 100 tags; \(stray.undecidedGhosts) times undecided about nothing."
        ]
        if let day = gate.day {
            lines += [
                "",
                "`day`: 24 hours with 100 tags, \(day.crossings) crossings, \(day.found) found, \(day.wrongDirection) in the wrong direction, "
                    + "\(day.ghostTotal) ghosts, \(day.undecidedGhosts) times undecided about nothing, "
                    + "right person \(percent(day.attribution)).",
            ]
        }
        return lines
    }

    private func table(_ methods: [Study.MethodResult]) -> [String] {
        var lines = [
            "| method | precision | recall | F1 (95 %) | readable (95 %) | wrong direction | undecided | ghosts |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for method in methods {
            let (total, runs) = (method.total, method.runs.map(\.score))
            let f1 = Score.bootstrap(runs, draws: 400, seed: Self.bootstrapSeed, \.f1)
            let readable = Score.bootstrap(runs, draws: 400, seed: Self.bootstrapSeed, \.readableRecall)
            lines.append(
                "| \(method.name) | \(three(total.precision)) | \(three(total.recall)) | \(three(f1.value)) (\(three(f1.lower))–\(three(f1.upper))) | "
                    + "\(percent(readable.value)) (\(percent(readable.lower))–\(percent(readable.upper))) | "
                    + "\(total.wrongDirection) (\(percent(total.wrongDirectionRate))) | \(percent(total.undecidedRate)) | \(total.ghostTotal) |"
            )
        }
        return lines
    }

    private func scenarios(_ method: Study.MethodResult) -> [String] {
        var lines = [
            "| scenario | runs | crossings | found | readable found | wrong direction | undecided | ghosts | undecided about nothing | right person | wrong person | nobody |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for scenario in GateScenario.allCases {
            let total = method.total(of: scenario)
            guard total.runs > 0 else { continue }
            lines.append(
                "| `\(scenario.rawValue)` | \(total.runs) | \(total.crossings) | \(total.found) | \(total.readableFound) of \(total.readable) | "
                    + "\(total.wrongDirection) | \(total.undecided) | \(total.ghostTotal) | \(total.undecidedGhosts) | \(total.attributedRight) | \(total.attributedWrong) | "
                    + "\(total.attributable - total.attributedRight - total.attributedWrong) |")
        }
        return lines
    }

    private func confusion(_ method: Study.MethodResult) -> [String] {
        var lines = ["| scenario | what happened | said out | said in | undecided | said nothing |", "|---|---|---|---|---|---|"]
        for (scenario, _) in GateScenario.standardMix {
            let confusion = method.total(of: scenario).confusion
            for (row, name) in Score.Confusion.truths.enumerated() where (0..<4).contains(where: { confusion[row, $0] > 0 }) {
                let cells = (0..<4).map { String(confusion[row, $0]) }.joined(separator: " | ")
                lines.append("| `\(scenario.rawValue)` | \(name) | \(cells) |")
            }
        }
        return lines
    }

    private func latency(_ method: Study.MethodResult) -> [String] {
        let latency = method.total.latency
        var lines = ["| from | to | p50 | p95 | p99 |", "|---|---|---|---|---|"]
        for (from, to, values) in [
            ("last read", "provisional", latency.readToProvisional), ("last read", "final", latency.readToFinal),
            ("crossing", "provisional", latency.crossingToProvisional), ("crossing", "final", latency.crossingToFinal),
        ] {
            let cells = [0.5, 0.95, 0.99].map { Score.percentile($0, of: values).map(String.init) ?? "–" }.joined(separator: " | ")
            lines.append("| \(from) | \(to) | \(cells) |")
        }
        return lines
    }

    private var dwellSection: [String] {
        var lines = [
            "## How long the reader stays on an antenna", "",
            "F1 of the product's gate and of the best of the others, \(dwells.first?.ours.runs ?? 0) runs each.", "",
            "![F1 by dwell](accuracy-dwell.svg)", "", "| gate | dwell, ms | Stockgate | best of the others | which |",
            "|---|---|---|---|---|",
        ]
        for dwell in dwells {
            lines.append(
                "| \(dwell.layout.name) | \(dwell.dwell) | \(three(dwell.ours.f1)) | \(three(dwell.best.f1)) | \(dwell.bestName) |")
        }
        lines += ["", "![Found crossings by scenario](accuracy-scenarios.svg)", "", "![Latency](accuracy-latency.svg)"]
        return lines
    }

    private var cabinetSection: [String] {
        var lines = [
            "", "## Cabinet", "",
            "120 tools, 4 antennas, \(Study.openings) openings of each cabinet. The final word comes after the confirming scan; a provisional answer counts",
            "as right when it says all changes and no other, what it leaves open counts as not said. Set difference scans as long as it says.",
            "",
            "| cabinet | method | closes | entirely right (95 %) | false moves | missed moves | answer p50, p95, longest, s | left open, per close |",
            "|---|---|---|---|---|---|---|---|",
        ]
        func row(_ result: CabinetStudy.Result, _ name: String, _ scores: [Score], answer: String = "", open: String = "") {
            let total = result.total(scores)
            let right = Score.bootstrap(scores, draws: 400, seed: Self.bootstrapSeed, \.closesRightRate)
            lines.append(
                "| \(result.name) | \(name) | \(total.closes) | \(percent(right.value)) (\(percent(right.lower))–\(percent(right.upper))) | "
                    + "\(total.falseMoves) | \(total.missedMoves) | \(answer) | \(open) |")
        }
        for result in cabinets {
            let closes = max(result.total(result.final).closes, 1)
            let answers = [0.5, 0.95, 1].map { Score.percentile($0, of: result.answers).map { fixed(Double($0) / 1_000, 1) } ?? "–" }
            row(result, "Stockgate, final", result.final)
            row(
                result, "Stockgate, provisional", result.provisional, answer: answers.joined(separator: ", "),
                open: fixed(Double(result.undecided) / Double(closes), 2))
            for difference in result.differences { row(result, "set difference, \(difference.seconds) s", difference.scores) }
        }
        return lines
    }

    private var dwellChart: Chart {
        Chart(
            title: "F1 by antenna dwell", labels: Study.dwells.map { "\($0) ms" },
            series: Study.gates.flatMap { gate in
                let results = dwells.filter { $0.layout.name == gate.name }
                return [
                    Chart.Series(name: "Stockgate, \(gate.name)", values: results.map(\.ours.f1)),
                    Chart.Series(name: "best other, \(gate.name)", values: results.map(\.best.f1)),
                ]
            }, range: 0.6...1)
    }

    private var scenarioChart: Chart {
        let scenarios = GateScenario.standardMix.map(\.scenario).filter { gates[0].methods[0].total(of: $0).crossings > 0 }
        return Chart(
            title: "Crossings found, by scenario", labels: scenarios.map(\.rawValue),
            series: gates.map { gate in
                Chart.Series(name: gate.layout.name, values: scenarios.map { gate.methods[0].total(of: $0).recall })
            }, range: 0.8...1, isBars: true)
    }

    private var latencyChart: Chart {
        let shares = [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
        return Chart(
            title: "Seconds from the crossing to the word, by percentile", labels: shares.map { "p\(fixed($0 * 100, 0))" },
            series: gates.flatMap { gate in
                let latency = gate.methods[0].total.latency
                func curve(_ name: String, _ values: [Int32]) -> Chart.Series {
                    Chart.Series(
                        name: "\(name), \(gate.layout.name)",
                        values: shares.map { share in Score.percentile(share, of: values).map { Double($0) / 1_000 } })
                }
                return [curve("provisional", latency.crossingToProvisional), curve("final", latency.crossingToFinal)]
            }, range: 0...15, unit: " s")
    }
}

func three(_ value: Double) -> String { fixed(value, 3) }

func percent(_ share: Double) -> String { fixed(share * 100, 2) + " %" }

/// A number with so many decimals, rounded half away from zero.
func fixed(_ value: Double, _ decimals: Int) -> String {
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let units = Int((value.magnitude * Double(scale)).rounded())
    let fraction = String(units % scale)
    let sign = value < 0 && units > 0 ? "-" : ""
    guard decimals > 0 else { return sign + String(units) }
    return sign + "\(units / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
}
