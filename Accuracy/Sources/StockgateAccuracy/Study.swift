import Readings
import Simulation

/// All runs of all methods.
struct Study {
    /// Percent of the full number of runs.
    var share: Int
    var firstSeed: UInt64

    /// Scenes of the mix that are played at each gate; 850 have about 2,650 crossings.
    static let mixRuns = 5_100
    var size: Int { max(Self.mixRuns * share / 100, 1) }
    func part(_ runs: Int) -> Int { max(runs * share / 100, 1) }

    static let gates: [GateLayout] = [.angled, .pedestal]
    static let dwells: [Int64] = [30, 60, 120, 250, 500]
    /// Runs of the scenario with stored tags: enough for a rate of a few a day.
    static let strayRuns = 180
    static let wrongRecords = 0.02
    /// Scenes that are no part of the mix.
    static let furtherRuns: [(scenario: GateScenario, runs: Int)] = [(.cart, 60), (.clock, 60), (.late, 60)]
    static let cabinets = 60
    static let openings = 50

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
        /// Badges held before a badge reader in place of badge tags.
        var heldBadges: MethodResult
        /// Scenarios outside the mix.
        var further: MethodResult
        /// Readers that tell less: without signal strength, with fewer antennas, slow.
        var limited: [MethodResult]
        /// Worlds that are not as the gate expects.
        var otherwise: [MethodResult]
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
        for (scenario, runs) in mix {
            progress("\(note), \(scenario.rawValue): \(runs) runs")
            let scores = concurrently(runs) { number in
                let run = GateRun(scenario, layout: layout, seed: firstSeed &+ UInt64(number), options: options)
                return methods.map { Score(truth: run.truth, decisions: $0.decide(run)) }
            }
            for run in scores {
                for index in results.indices { results[index].runs.append((scenario, run[index])) }
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
        let score = Score(truth: simulation.truth, decisions: decisions)
        progress("\(layout.name), the day is over: \(score.found) of \(score.crossings) found, \(score.ghostTotal) ghosts")
        return score
    }

    func run() -> Report {
        // Days first, side by side: each is one scene that takes minutes.
        let days = share >= 50 ? concurrently(Self.gates.count) { day(Self.gates[$0]) } : []
        let gates = Self.gates.enumerated().map { gate($1, day: days.isEmpty ? nil : days[$0]) }
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
        return Report(
            study: self, gates: gates, dwells: dwells, cabinets: CabinetStudy(study: self).run(), fields: FieldStudy(study: self).run())
    }

    private func gate(_ layout: GateLayout, day: Score?) -> GateResult {
        var mix = mix(size)
        if let stray = mix.firstIndex(where: { $0.scenario == .stray }) { mix[stray].runs = part(Self.strayRuns) }
        let name = layout.name
        let methods = play(layout, mix, methods(), note: name)
        let wrong = play(
            layout, mix, [OurMethod("with 2 % wrong records")], options: GateSceneOptions(wrongRecords: Self.wrongRecords),
            note: "\(name), 2 % wrong records")
        let none = play(
            layout, mix, [OurMethod("without records")], options: GateSceneOptions(unknownRecords: 1), note: "\(name), no records")
        let sixth = self.mix(size / 6).filter { $0.scenario != .stray }
        let held = play(
            layout, sixth, [OurMethod("badges held before a reader")], options: GateSceneOptions(badges: .held),
            note: "\(name), held badges")
        let further = play(layout, Self.furtherRuns.map { ($0.scenario, part($0.runs)) }, [OurMethod()], note: name)
        let limited = Self.limits(of: layout).map { limit in
            play(limit.layout, sixth, [OurMethod(limit.name)], note: "\(name), \(limit.name)")[0]
        }
        let otherwise = Self.otherWorlds(of: layout).map { world in
            play(world.layout, sixth, [world.method], options: world.options, note: "\(name), \(world.method.name)")[0]
        }
        return GateResult(
            layout: layout, methods: methods, wrongRecords: wrong[0], noRecords: none[0], heldBadges: held[0], further: further[0],
            limited: limited, otherwise: otherwise, day: day)
    }

    private static func changed(_ layout: GateLayout, _ change: (inout GateLayout) -> Void) -> GateLayout {
        var changed = layout
        change(&changed)
        return changed
    }

    /// The gate expects 27 dBm, bodies of 14 dB, equal antennas where the site file says, and to be told when the reader is silent.
    private static func otherWorlds(
        of layout: GateLayout
    ) -> [(method: OurMethod, layout: GateLayout, options: GateSceneOptions)] {
        let usual = GateSceneOptions()
        // Each antenna stands 10 to 20 cm from its place and looks 10° past it, no two the same way.
        let moved = changed(layout) { layout in
            for (index, by) in [(10, -20, 10), (-15, 10, -10), (15, 20, 10), (-10, -10, -10)].enumerated() {
                guard layout.antennas.indices.contains(index) else { break }
                layout.antennas[index].placement.x += Int16(by.0)
                layout.antennas[index].placement.y += Int16(by.1)
                layout.antennas[index].placement.facing += Int16(by.2)
            }
        }
        return [
            (OurMethod("3 dB less power"), changed(layout) { $0.power -= 3 }, usual),
            (OurMethod("3 dB more power"), changed(layout) { $0.power += 3 }, usual),
            (OurMethod("one antenna 4 dB weaker"), changed(layout) { $0.antennas[0].gain = -4 }, usual),
            (OurMethod("both inner antennas 4 dB stronger"), changed(layout) { for i in [0, 2] { $0.antennas[i].gain = 4 } }, usual),
            (OurMethod("bodies of 8 dB"), layout, GateSceneOptions(bodyLoss: 8)),
            (OurMethod("bodies of 20 dB"), layout, GateSceneOptions(bodyLoss: 20)),
            (OurMethod("antennas 10 to 20 cm and 10° elsewhere", believing: layout), moved, usual),
            (OurMethod("not told when the reader is silent", isToldOutages: false), layout, usual),
        ]
    }

    /// The same gate with readers that tell less.
    private static func limits(of layout: GateLayout) -> [(name: String, layout: GateLayout)] {
        [
            ("no signal strength", changed(layout) { $0.tellsStrength = false }),
            ("250 ms on each antenna", layout.dwelling(.milliseconds(250))),
            ("one antenna on each side", changed(layout) { $0.antennas = Array($0.antennas.prefix(2)) }),
            ("one antenna only", changed(layout) { $0.antennas = Array($0.antennas.prefix(1)) }),
        ]
    }
}
