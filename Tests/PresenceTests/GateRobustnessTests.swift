import Identifiers
import Readings
import Simulation
import TestSupport
import Testing

@testable import Presence

/// A simulated scene as a gate gets it, and what the gate says of it.
private struct GateTrial {
    /// A read, when it was read and when it arrives.
    typealias Arrival = (read: TagRead, antenna: Int, time: Instant, arrival: Instant)

    let run: GateRun
    let antennas: [GateAntenna]
    var arrivals: [Arrival]

    init(_ scenario: GateScenario, layout: Simulation.GateLayout, seed: UInt64) {
        let run = GateRun(scenario, layout: layout, seed: seed, options: .init(wrongRecords: 0.02))
        self.run = run
        antennas = Self.antennas(of: layout)
        arrivals = run.reads.compactMap { read in
            layout.antennas.firstIndex { $0.port == read.read.antenna }.map { (read.read, $0, read.time, read.time) }
        }
    }

    static func antennas(of layout: Simulation.GateLayout) -> [GateAntenna] {
        layout.antennas.map { GateAntenna(side: $0.side, placement: $0.placement) }
    }

    func recorded(_ epc: EPC) -> RecordedSide {
        run.truth.recorded[epc].map { $0 == .inside ? .inside : .outside } ?? .unknown
    }

    /// - Parameter without: an antenna that is dead
    func sightings(without dead: Int? = nil) -> [Sighting] {
        var presence = GatePresence(antennas: antennas, isReading: true)
        var said: [Sighting] = []
        func advance(to now: Instant) {
            while let deadline = presence.nextDeadline, deadline <= now {
                said += presence.advance(to: deadline, recorded: recorded)
            }
        }
        var changes = run.changes[...]
        func change(before now: Instant) {
            while let change = changes.first, change.time <= now {
                changes.removeFirst()
                advance(to: change.time)
                presence.readerChanged(isReading: change.isReading, at: change.time)
            }
        }
        for read in arrivals where read.antenna != dead {
            change(before: read.arrival)
            advance(to: read.arrival)
            presence.observe(read.read, antenna: read.antenna, at: read.time)
        }
        change(before: Instant(nanoseconds: .max / 2))
        advance(to: Instant(nanoseconds: .max / 2))
        return said
    }
}

extension [Sighting] {
    /// What remains of it after all corrections: subject, what it did, when.
    fileprivate var facts: [String] {
        filter { $0.certainty == .final && $0.kind != .stayed }.map { "\($0.epc.hex) \($0.kind) \($0.crossed?.nanoseconds ?? 0)" }.sorted()
    }
}

@Suite("Gate: the same business facts, whatever happens on the way")
struct GateRobustnessTests {
    private static let scenes: [(GateScenario, UInt64)] = [(.pass, 1), (.opposite, 2), (.restart, 3), (.uturn, 4)]

    @Test("Reads delivered up to 500 ms late and in another order, some of them twice, change no fact", arguments: scenes)
    func order(scenario: GateScenario, seed: UInt64) {
        // One seed is one scene at either gate.
        for layout in [Simulation.GateLayout.angled, .pedestal] {
            var trial = GateTrial(scenario, layout: layout, seed: seed)
            let straight = trial.sightings()
            var random = SeededGenerator(seed: seed)
            trial.arrivals += trial.arrivals.filter { _ in random.next() % 7 == 0 }
            for index in trial.arrivals.indices {
                trial.arrivals[index].arrival = trial.arrivals[index].time + .milliseconds(Int64(random.next() % 500))
            }
            trial.arrivals.sort { $0.arrival < $1.arrival }
            #expect(trial.sightings().facts == straight.facts, "\(scenario) seed \(seed), \(layout.name)")
            #expect(scenario == .uturn || !straight.facts.isEmpty)
        }
    }

    @Test("The same reads again say the same, evidence and all")
    func replay() {
        let trial = GateTrial(.crowd, layout: .pedestal, seed: 5)
        func words(_ sightings: [Sighting]) -> [String] { sightings.map { "\($0.epc.hex) \($0.kind) \($0.evidence.canonicalText)" } }
        let first = words(trial.sightings())
        #expect(words(trial.sightings()) == first)
        #expect(!first.isEmpty)
    }

    @Test("One dead antenna may make a crossing unclear, never a confident one in the wrong direction", arguments: 0..<4)
    func deadAntenna(antenna: Int) {
        for (scenario, seed) in [(GateScenario.pass, 11), (.blocked, 12)] as [(GateScenario, UInt64)] {
            let trial = GateTrial(scenario, layout: .angled, seed: seed)
            var directions: [EPC: Direction] = [:]
            for crossing in trial.run.truth.crossings { directions[crossing.epc] = crossing.direction }
            for sighting in trial.sightings(without: antenna) where sighting.certainty == .final {
                guard case .passed(let direction) = sighting.kind, let truth = directions[sighting.epc] else { continue }
                #expect(direction == truth, "\(scenario) seed \(seed), antenna \(antenna), \(sighting.epc.hex)")
            }
        }
    }

    @Test("A reader that is dead for an hour moves nothing: what was near is unknown, then there again")
    func deadForAnHour() {
        var presence = GatePresence(
            antennas: GateTrial.antennas(of: .pedestal), isReading: true)
        var random = SeededGenerator(seed: 21)
        var said: [Sighting] = []
        let hour: Int64 = 3_600_000
        var milliseconds: Int64 = 0
        while milliseconds < hour + 120_000 {
            let now = Instant(nanoseconds: milliseconds * 1_000_000)
            while let deadline = presence.nextDeadline, deadline <= now {
                said += presence.advance(to: deadline) { _ in .inside }
            }
            if milliseconds == 60_000 {
                presence.readerChanged(isReading: false, at: now)
                milliseconds += hour
                continue
            }
            if milliseconds == 60_000 + hour { presence.readerChanged(isReading: true, at: now) }
            for number in 0..<5 where random.next() % 2 == 0 {
                let tag = EPC([7, UInt8(number)])!
                let antenna = Int(random.next() % 2) * 2
                presence.observe(
                    TagRead(epc: tag, antenna: 1, rssi: Int16(-6_300 - Int64(random.next() % 300))), antenna: antenna, at: now)
            }
            milliseconds += 250
        }
        let kinds = Set(said.map(\.kind))
        #expect(kinds.contains(.unknown))
        #expect(said.allSatisfy { $0.kind == .unknown || $0.kind == .stayed }, "\(kinds)")
        #expect(presence.openVisits == 5)
    }

    @Test("Ten thousand tags an hour that nobody knows leave nothing behind")
    func bounded() {
        let hours = LongRuns.areAsked ? 6 : 0.03
        var presence = GatePresence(
            antennas: GateTrial.antennas(of: .pedestal), isReading: true)
        var random = SeededGenerator(seed: 31)
        var (mostVisits, mostEnded, mostEntries, learned) = (0, 0, 0, 0)
        let spacing: Int64 = 360
        for number in 0..<Int64(hours * 10_000) {
            let now = Instant(nanoseconds: number * spacing * 1_000_000)
            while let deadline = presence.nextDeadline, deadline <= now {
                _ = presence.advance(to: deadline) { _ in .unknown }
                learned += presence.takeLearned(at: deadline).count
            }
            let strange = EPC((0..<12).map { _ in UInt8(truncatingIfNeeded: random.next()) })!
            for (tag, offset) in [(strange, 0), (EPC([7, UInt8(number % 3)])!, 40), (strange, 80)] as [(EPC, Int64)] {
                let time = now + .milliseconds(offset)
                presence.observe(
                    TagRead(epc: tag, antenna: 1, rssi: -6_500), antenna: Int(random.next() % 4), at: time)
            }
            mostVisits = max(mostVisits, presence.openVisits)
            mostEnded = max(mostEnded, presence.ended.count)
            mostEntries = max(mostEntries, presence.visits.entries.map { $0.value.log.entries.count }.max() ?? 0)
        }
        print("seed 31: at most \(mostVisits) visits, \(mostEnded) ended, \(mostEntries) steps, \(learned) states saved")
        // 5.1 s of tags in a visit, 8 s of ended ones, and the three that lie there.
        #expect(mostVisits <= 3 + 5_080 / Int(spacing) + 2)
        #expect(mostEnded <= 8_000 / Int(spacing) + 2)
        #expect(mostEntries < 2 * VisitLog.capacity)
        #expect(presence.residents.entries.count <= 1_700)
        #expect(presence.overflow == 0)
    }
}
