import Readings
import Simulation

/// All runs of all methods.
struct Study {
    /// How many scenes are played at each gate, about.
    var size: Int
    var firstSeed: UInt64

    static let gates: [GateLayout] = [.angled, .pedestal]
    static let dwells: [Int64] = [30, 60, 120, 250, 500]
    /// Runs of the scenario with stored tags: enough for a rate of a few a day.
    static let strayRuns = 180
    static let wrongRecords = 0.02

    /// The scores of one method at one gate.
    struct MethodResult {
        var name: String
        /// One for each run.
        var runs: [(scenario: GateScenario, score: Score)] = []

        var total: Score { runs.reduce(into: Score()) { $0.add($1.score) } }
        func total(of scenario: GateScenario) -> Score { runs.reduce(into: Score()) { if $1.scenario == scenario { $0.add($1.score) } } }
    }

    struct GateResult {
        var layout: GateLayout
        var methods: [MethodResult]
        /// Our method with 2 % wrong records, without records.
        var wrongRecords: MethodResult
        var noRecords: MethodResult
        /// A whole day; nil where it was left out.
        var day: Score?
    }

    struct DwellResult {
        var layout: GateLayout
        var dwell: Int64
        var ours: Score
        var best: Score
        var bestName: String
    }

    func methods() -> [any GateMethod] {
        let first = VisitBaseline.firstAndLast
        return [
            OurMethod(),
            VisitBaseline.method("first and last side, 1 s quiet", quiet: .seconds(1), first),
            VisitBaseline.method("first and last side, 2 s quiet", quiet: .seconds(2), first),
            VisitBaseline.method("the same without records", quiet: .seconds(2), checked: false, first),
            VisitBaseline.method("first and last side, 5 s quiet", quiet: .seconds(5), first),
            VisitBaseline.method("ALE smoothing, 3 reads, 1 s, 2 s", quiet: .seconds(2), VisitBaseline.smoothed),
            VisitBaseline.method("strongest read of each side", quiet: .seconds(2), VisitBaseline.peakOrder),
            VisitBaseline.method("centre of power of each side", quiet: .seconds(2), VisitBaseline.centroidOrder),
            MobilityProfile.edgeX.method, MobilityProfile.intel.method, SmurfBaseline().method,
        ]
    }

    /// The standard mix, of about so many runs.
    private func mix(_ runs: Int) -> [(scenario: GateScenario, runs: Int)] {
        let whole = GateScenario.standardMix.reduce(0) { $0 + $1.runs }
        return GateScenario.standardMix.map { ($0.scenario, max($0.runs * runs / whole, 1)) }
    }

    /// Plays a mix once for all methods.
    func play(
        _ layout: GateLayout, _ mix: [(scenario: GateScenario, runs: Int)], _ methods: [any GateMethod],
        options: GateSceneOptions = GateSceneOptions(), note: String
    ) -> [MethodResult] {
        var results = methods.map { MethodResult(name: $0.name) }
        var methods = methods
        for (scenario, runs) in mix {
            progress("\(note), \(scenario.rawValue): \(runs) runs")
            for number in 0..<UInt64(runs) {
                let run = GateRun(scenario, layout: layout, seed: firstSeed &+ number, options: options)
                for index in methods.indices {
                    let decisions = methods[index].decide(run)
                    results[index].runs.append((scenario, Score(truth: run.truth, decisions: decisions)))
                }
            }
        }
        return results
    }

    /// A day is too long to be held in memory: the gate takes it as it comes.
    private func day(_ layout: GateLayout) -> Score {
        progress("\(layout.name), a day")
        var simulation = GateSimulation(.day, layout: layout, seed: firstSeed)
        var driver = GateDriver(layout: layout, truth: simulation.truth)
        var reads: [TimedRead] = []
        var changes: [ReaderChange] = []
        while simulation.next(into: &reads, changes: &changes) {
            for read in reads { driver.take(read) }
            reads.removeAll(keepingCapacity: true)
        }
        let decisions = driver.finished()
        return Score(truth: simulation.truth, decisions: decisions)
    }

    func run() -> Report {
        var gates: [GateResult] = []
        for layout in Self.gates {
            var mix = mix(size)
            if size >= 1_000, let stray = mix.firstIndex(where: { $0.scenario == .stray }) {
                mix[stray].runs = max(mix[stray].runs, Self.strayRuns)
            }
            let name = layout.name
            let methods = play(layout, mix, methods(), note: name)
            let wrong = play(
                layout, mix, [OurMethod("with 2 % wrong records")], options: GateSceneOptions(wrongRecords: Self.wrongRecords),
                note: "\(name), 2 % wrong records")
            let none = play(
                layout, mix, [OurMethod("without records")], options: GateSceneOptions(unknownRecords: 1), note: "\(name), no records")
            gates.append(
                GateResult(
                    layout: layout, methods: methods, wrongRecords: wrong[0], noRecords: none[0],
                    day: size >= 5_000 ? day(layout) : nil))
        }
        var dwells: [DwellResult] = []
        // A sixth of what the gates get: ten settings are compared.
        let dwellMix = mix(size / 6)
        for layout in Self.gates {
            for dwell in Self.dwells {
                let results = play(
                    layout.dwelling(.milliseconds(dwell)), dwellMix, methods().filter { $0.name != "the same without records" },
                    note: "\(layout.name), dwell \(dwell) ms")
                let best = results.dropFirst().max { $0.total.f1 < $1.total.f1 } ?? results[0]
                dwells.append(
                    DwellResult(layout: layout, dwell: dwell, ours: results[0].total, best: best.total, bestName: best.name))
            }
        }
        return Report(study: self, gates: gates, dwells: dwells)
    }
}
