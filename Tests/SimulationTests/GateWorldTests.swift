import Identifiers
import Presence
import Readings
import Testing

@testable import Simulation

@Suite("The simulated world: physics and determinism")
struct GateWorldTests {
    @Test("The same seed is the same scene to the byte, another one is not", arguments: [GateScenario.pass, .opposite, .restart, .loiter])
    func deterministic(scenario: GateScenario) {
        func bytes(_ seed: UInt64) -> [UInt8] {
            let run = GateRun(scenario, layout: .pedestal, seed: seed)
            let lines = run.reads.map { $0.captureLine(reader: "reader").json } + run.truth.lines
            return lines.flatMap(\.canonicalBytes)
        }
        #expect(bytes(5) == bytes(5))
        #expect(bytes(5) != bytes(6))
    }

    @Test("Free-space loss at one metre is that of Friis at 866 MHz; twice the distance costs 6 dB")
    func freeSpace() {
        let antenna = RadioAntenna(.init(port: 1, placement: AntennaPlacement(x: 0, y: 0, z: 100, facing: 0)))
        let one = antenna.link(to: Point(x: 1, y: 0, z: 1)).gain
        let two = antenna.link(to: Point(x: 2, y: 0, z: 1)).gain
        // 20 log10(4π · 1 m / 0.34618 m) = 31.20 dB.
        #expect(abs(one - (Radio.antennaGain - 31.2)) < 0.01)
        #expect(abs(one - two - 6.0206) < 0.001)
    }

    @Test("The beam is 12 dB down at its half width and never more than 20 dB")
    func pattern() {
        let antenna = RadioAntenna(.init(port: 1, placement: AntennaPlacement(x: 0, y: 0, z: 100, facing: 90)))
        func gain(_ degrees: Double) -> Double {
            let wave = Elementary.sinCos(degrees * Elementary.pi / 180)
            return antenna.link(to: Point(x: wave.cos, y: wave.sin, z: 1)).gain
        }
        #expect(abs(gain(90) - gain(25) - 12) < 0.01)
        #expect(abs(gain(90) - gain(-90) - 20) < 0.01)
    }

    @Test("The fast waves agree with the exact functions")
    func waves() {
        for step in 0..<2_000 {
            let turns = Double(step) * 0.731 - 700
            let fast = Radio.wave(turns: turns)
            let exact = Elementary.sinCos(2 * Elementary.pi * turns)
            #expect(abs(fast.sin - exact.sin) < 1e-6 && abs(fast.cos - exact.cos) < 1e-6)
        }
    }

    @Test("Fading has the mean power of its paths and changes over a fraction of a wavelength")
    func fading() {
        var random = SplitMix64(state: 11)
        var power = 0.0
        var changes = 0
        let count = 4_000
        for _ in 0..<count {
            let scatter = Scatter(flicker: 0, &random)
            let here = scatter.fading(at: Point(x: 1, y: 1, z: 1), distance: 1.5, seconds: 0)
            let there = scatter.fading(at: Point(x: 1.17, y: 1, z: 1), distance: 1.4, seconds: 0)
            power += Elementary.power(decibels: here)
            if abs(here - there) > 1 { changes += 1 }
        }
        // Direct wave 1, scattered 0.5: K = 3 dB.
        #expect(abs(power / Double(count) - 1.5) < 0.05)
        #expect(changes > count / 2)
    }

    @Test("A body takes most on its axis, little beside it, and turns with the one who carries")
    func body() {
        var walker = Walker(
            path: [.init(seconds: 0, x: -2, y: 1, heading: 0), .init(seconds: 4, x: 2, y: 1, heading: 0)], bodyLoss: 14, sway: 0)
        walker.move(to: 2)
        let antenna = RadioAntenna(.init(port: 1, placement: AntennaPlacement(x: -60, y: 100, facing: 0)))
        let behind = walker.loss(from: antenna, to: Point(x: walker.x + 1, y: walker.y, z: 1.2))
        let beside = walker.loss(from: antenna, to: Point(x: walker.x + 1, y: walker.y + 1.5, z: 1.2))
        #expect(behind > 13 && behind <= 14)
        #expect(beside < 1)
        let front = walker.point(of: .front)
        let back = walker.point(of: .backpack)
        #expect(front.x > walker.x && back.x < walker.x)
    }

    @Test("People walk at the speeds of pedestrians and cross where truth says")
    func crossing() {
        for seed in 1...40 as ClosedRange<UInt64> {
            let truth = GateRun(.pass, layout: .angled, seed: seed).truth
            for crossing in truth.crossings {
                let seconds = Double(crossing.time.nanoseconds) / 1e9 - 0.5
                #expect((GateSceneBuilder.farAway / 2.2...GateSceneBuilder.farAway / 0.6).contains(seconds))
            }
        }
    }

    @Test("A tag's side reads follow its walk; nothing is read while the reader is silent")
    func silence() throws {
        var seen = 0
        for seed in 1...30 as ClosedRange<UInt64> {
            let run = GateRun(.restart, layout: .angled, seed: seed)
            try #require(run.changes.map(\.isReading) == [false, true])
            let gap = run.changes[0].time...run.changes[1].time
            let (gapStart, gapEnd) = (gap.lowerBound + .milliseconds(1), gap.upperBound)
            #expect(!run.reads.contains { $0.time > gapStart && $0.time < gapEnd })
            #expect((490...1_600).contains((gap.upperBound - gap.lowerBound).milliseconds))
            seen += run.reads.count
            #expect(zip(run.reads, run.reads.dropFirst()).allSatisfy { $0.time <= $1.time })
        }
        #expect(seen > 1_000)
    }

    @Test("A good geometry reads first on the side one comes from, and nearly every walk on both sides")
    func geometry() {
        var (crossings, readable, ordered) = (0, 0, 0)
        for seed in 1...60 as ClosedRange<UInt64> {
            let run = GateRun(.pass, layout: .angled, seed: seed)
            let sides = Dictionary(uniqueKeysWithValues: run.layout.antennas.map { ($0.port, $0.side) })
            for crossing in run.truth.crossings {
                crossings += 1
                guard crossing.isReadable else { continue }
                readable += 1
                let first = run.reads.first { $0.read.epc == crossing.epc }.flatMap { sides[$0.read.antenna] }
                if first == crossing.direction.side.opposite { ordered += 1 }
            }
        }
        #expect(Double(readable) / Double(crossings) > 0.95)
        #expect(Double(ordered) / Double(readable) > 0.97)
    }

    @Test("Wrong and unknown records are as frequent as asked for")
    func records() {
        func share(_ options: GateSceneOptions, where isCounted: (Truth.Tool) -> Bool) -> Double {
            let tools = (1...400).flatMap { GateRunTruth.tools(seed: $0, options) }
            return Double(tools.count(where: isCounted)) / Double(tools.count)
        }
        #expect(share(GateSceneOptions()) { $0.recorded != $0.side } == 0)
        let wrong = share(GateSceneOptions(wrongRecords: 0.1)) { $0.recorded == $0.side.opposite }
        #expect(abs(wrong - 0.1) < 0.03)
        #expect(share(GateSceneOptions(unknownRecords: 1)) { $0.recorded == nil } == 1)
    }

    private enum GateRunTruth {
        static func tools(seed: UInt64, _ options: GateSceneOptions) -> [Truth.Tool] {
            GateSimulation(.uturn, layout: .pedestal, seed: seed, options: options).truth.tools
        }
    }

    @Test("No event is right in the scenes where nobody goes through", arguments: [GateScenario.uturn, .loiter, .near, .stray])
    func nobody(scenario: GateScenario) {
        let truth = GateRun(scenario, layout: .angled, seed: 3).truth
        #expect(truth.crossings.isEmpty)
        #expect(Set(truth.visits.map(\.epc)) == Set(truth.tools.map(\.epc)))
        #expect(truth.visits.allSatisfy { $0.what.rawValue == scenario.rawValue })
    }

    @Test("Truth survives its file")
    func truthFile() throws {
        for scenario in [GateScenario.opposite, .stray, .restart] {
            let truth = GateRun(scenario, layout: .angled, seed: 9, options: GateSceneOptions(wrongRecords: 0.3, unknownRecords: 0.2)).truth
            #expect(try Truth(lines: truth.lines.map(\.canonicalBytes)) == truth)
        }
        #expect(throws: TruthError.self) { try Truth(lines: [Array("{}".utf8)]) }
        #expect(throws: TruthError.self) { try Truth(lines: [[UInt8]]()) }
    }
}

@Suite("The report layer")
struct ReportLayerTests {
    private let run = GateRun(.pass, layout: .angled, seed: 4)

    @Test("Without anything between, reads arrive when they happen")
    func none() { #expect(run.arrivals == run.reads) }

    @Test("A network delays, a clock is off, and nothing is lost")
    func network() throws {
        let arrivals = ReportLayer.network.arrivals(of: run.reads, seed: 1)
        #expect(arrivals.count == run.reads.count)
        #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(arrivals == ReportLayer.network.arrivals(of: run.reads, seed: 1))
        let first = try #require(run.reads.first)
        let arrived = try #require(arrivals.first { $0.read.epc == first.read.epc })
        #expect(arrived.time > first.time)
        #expect(
            arrived.read.readerTime.map { Int64($0) }
                == first.read.readerTime.map { Int64($0) + 300_000 + first.time.nanoseconds / 1_000 * 50 / 1_000_000 }
                || abs(Int64(arrived.read.readerTime ?? 0) - Int64(first.read.readerTime ?? 0) - 300_000) < 1_000)
    }

    @Test("A step moves the reader's time, a restart begins it anew")
    func steps() throws {
        let middle = try #require(run.reads.dropFirst(run.reads.count / 2).first).time
        let forward = ReportLayer(steps: [.init(time: middle, by: .seconds(3_600))]).arrivals(of: run.reads, seed: 1)
        let last = try #require(forward.last?.read.readerTime)
        #expect(last == (try #require(run.reads.last?.read.readerTime)) + 3_600_000_000)
        let anew = ReportLayer(steps: [.init(time: middle, by: nil)]).arrivals(of: run.reads, seed: 1)
        #expect(try #require(anew.last?.read.readerTime) < 60_000_000)
    }

    @Test("Late and repeated reports: everything arrives, some of it twice")
    func late() {
        let run = GateRun(.late, layout: .angled, seed: 2)
        let arrivals = run.arrivals
        #expect(arrivals.count >= run.reads.count)
        #expect(Set(arrivals.map(\.read)) == Set(GateRun(.late, layout: .angled, seed: 2).arrivals.map(\.read)))
        #expect(arrivals.map { $0.read.readerTime ?? 0 } != arrivals.map { $0.read.readerTime ?? 0 }.sorted())
    }
}

@Suite("The simulated cabinet")
struct CabinetRunTests {
    @Test("Closes add up: what is taken was inside, what is returned was outside")
    func consistent() {
        var settings = CabinetRun.Settings()
        settings.openings = 12
        let run = CabinetRun(settings: settings, seed: 3)
        var inside = Set(run.truth.tools.map(\.epc))
        for close in run.truth.closes {
            #expect((1...3).contains(close.taken.count) && close.returned.count <= 3)
            #expect(inside.isSuperset(of: close.taken) && inside.isDisjoint(with: close.returned))
            inside.formUnion(close.returned)
            inside.subtract(close.taken)
        }
        #expect(run.truth.closes.count == 12)
        #expect(zip(run.reads, run.reads.dropFirst()).allSatisfy { $0.time <= $1.time })
        let again = CabinetRun(settings: settings, seed: 3)
        #expect(run.reads == again.reads && run.truth == again.truth && run.words == again.words && run.door == again.door)
    }

    @Test("The reader reads while it is asked to: until the answer, and when the person has left")
    func driven() throws {
        var settings = CabinetRun.Settings()
        settings.openings = 4
        let run = CabinetRun(settings: settings, seed: 4)
        for close in run.truth.closes {
            let words = run.words.filter { $0.report.closed == close.time }
            try #require(words.map(\.report.certainty) == [.provisional, .final])
            #expect(words[0].time - close.time <= .seconds(6))
            let silent = (words[0].time + .milliseconds(1))...(close.time + .seconds(45))
            #expect(!run.reads.contains { silent.contains($0.time) })
            #expect(run.reads.contains { $0.time > close.time + .seconds(45) && $0.time < words[1].time })
        }
    }

    @Test("What happens does not depend on how the reader reads; nearly all closes are right, and more than by comparing sets")
    func decided() {
        var settings = CabinetRun.Settings()
        settings.openings = 12
        let run = CabinetRun(settings: settings, seed: 5)
        settings.fixedScan = .seconds(10)
        let fixed = CabinetRun(settings: settings, seed: 5)
        #expect(fixed.truth == run.truth && fixed.words.isEmpty)
        let ours = Score(truth: run.truth, decisions: run.decisions(.final))
        let sets = Score(truth: run.truth, decisions: fixed.setDifference(within: .seconds(3)))
        #expect(ours.closes == 12 && ours.closesRight >= 10)
        #expect(sets.closesRight < ours.closesRight)
    }
}
