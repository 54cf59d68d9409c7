import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private func epc(_ number: UInt8) -> EPC { EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number])! }
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

private typealias Timed = (read: TagRead, antenna: Int, at: Instant)

/// Two posts 1.2 m apart along the way with two antennas each, turned away from the gate.
private let antennas = [
    GateAntenna(side: .inside, placement: AntennaPlacement(x: -60, y: 200, facing: -120)),
    GateAntenna(side: .outside, placement: AntennaPlacement(x: 60, y: 200, facing: -60)),
    GateAntenna(side: .inside, placement: AntennaPlacement(x: -60, y: 0, facing: 120)),
    GateAntenna(side: .outside, placement: AntennaPlacement(x: 60, y: 0, facing: 60)),
]

private func carried(_ tag: EPC, _ path: [(Int64, Double)], hasRSSI: Bool = true, hasClock: Bool = true) -> [Timed] {
    WalkedReads.along(path.map { (milliseconds: $0.0, x: $0.1) }, antennas: [-0.6, 0.6, -0.6, 0.6]).map { read in
        let clock = hasClock ? UInt64(read.milliseconds) * 1_000 : nil
        return (
            TagRead(epc: tag, antenna: 1, rssi: hasRSSI ? read.rssi : TagRead.noRSSI, readerTime: clock), read.antenna,
            at(read.milliseconds)
        )
    }
}

private let out: [(Int64, Double)] = [(1_000, -3), (5_500, 3)]
private let back: [(Int64, Double)] = [(1_000, 3), (5_500, -3)]
private let uturn: [(Int64, Double)] = [(1_000, -3), (3_400, 0.2), (3_900, 0.2), (6_300, -3)]

@Suite("Gate presence: what visits were")
struct GatePresenceTests {
    private func presence(_ antennas: [GateAntenna] = antennas, capacity: Int = 65_536) -> GatePresence {
        GatePresence(antennas: antennas, settings: .init(capacity: capacity), isReading: true)
    }

    /// Gives reads in their order and lets time go by until nothing is left to say.
    private func sightings(_ presence: inout GatePresence, _ reads: [Timed], recorded: RecordedSide = .inside) -> [Sighting] {
        for read in reads { presence.observe(read.read, antenna: read.antenna, at: read.at) }
        return rest(&presence, recorded: recorded)
    }

    private func rest(_ presence: inout GatePresence, recorded: RecordedSide = .inside) -> [Sighting] {
        var found: [Sighting] = []
        while let deadline = presence.nextDeadline { found += presence.advance(to: deadline) { _ in recorded } }
        return found
    }

    @Test("Who walks through has passed: provisionally 2 s after the last read, finally after 5 s")
    func directions() {
        for (path, direction, recorded) in [(out, Direction.out, RecordedSide.inside), (back, .in, .outside)] {
            var presence = presence()
            let reads = carried(epc(1), path)
            for read in reads { presence.observe(read.read, antenna: read.antenna, at: read.at) }
            let last = reads.last!.at
            #expect(presence.advance(to: last + .milliseconds(1_999)) { _ in recorded }.isEmpty)
            let first = presence.advance(to: last + .seconds(2)) { _ in recorded }
            #expect(first.map(\.kind) == [.passed(direction)])
            #expect(first.map(\.certainty) == [.provisional])
            #expect(presence.advance(to: last + .milliseconds(4_999)) { _ in recorded }.isEmpty)
            let final = presence.advance(to: last + .seconds(5)) { _ in recorded }
            #expect(final.map(\.kind) == [.passed(direction)])
            #expect(final.map(\.certainty) == [.final])
            #expect(final.map(\.visit) == first.map(\.visit))
            #expect(presence.openVisits == 0)
            #expect(presence.nextDeadline == nil)
            let crossed = (final.first?.crossed ?? .zero) - at(3_250)
            #expect(crossed.milliseconds.magnitude < 300)
        }
    }

    @Test("Who turns round in the gate has stayed")
    func turnsRound() {
        var presence = presence()
        #expect(sightings(&presence, carried(epc(1), uturn)).map(\.kind) == [.stayed])
    }

    @Test("Who comes back within 5 s has not passed: what was said is taken back in the same visit")
    func takenBack() {
        var presence = presence()
        let walk = carried(epc(1), out)
        for read in walk { presence.observe(read.read, antenna: read.antenna, at: read.at) }
        let first = presence.advance(to: walk.last!.at + .seconds(2)) { _ in .inside }
        #expect(first.map(\.kind) == [.passed(.out)])
        // The record says outside by now; the visit remembers what it said before.
        let last = sightings(&presence, carried(epc(1), [(7_500, 3), (12_000, -3)]), recorded: .outside)
        #expect(last.last?.kind == .stayed)
        #expect(last.last?.certainty == .final)
        #expect(last.last?.visit == first.first?.visit)
    }

    @Test("The same reads in any order, some of them twice, give the same sightings", arguments: [1, 2, 3, 4] as [UInt64])
    func order(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let reads = carried(epc(1), out) + carried(epc(2), [(1_200, -3), (5_700, 3)]) + carried(epc(3), uturn)
        var (straight, mixed) = (presence(), presence())
        let expected = sightings(&straight, reads.sorted { $0.at < $1.at })
        let doubled = reads + reads.filter { _ in random.next() % 5 == 0 }
        let shuffled = doubled.map { ($0, $0.at + .milliseconds(Int64(random.next() % 500))) }.sorted { $0.1 < $1.1 }.map(\.0)
        let found = sightings(&mixed, shuffled)
        func facts(_ sightings: [Sighting]) -> [String] {
            sightings.map { "\($0.epc) \($0.kind) \($0.certainty) \($0.crossed as Any) \($0.odds as Any) \($0.evidence.canonicalText)" }
        }
        #expect(facts(found) == facts(expected), "seed \(seed)")
        #expect(expected.filter { $0.certainty == .final }.map(\.kind) == [.passed(.out), .passed(.out), .stayed])
    }

    @Test("What moves together has one group; what goes the other way has another")
    func groups() {
        var presence = presence()
        let reads = carried(epc(1), out) + carried(epc(2), [(1_050, -3), (5_550, 3)]) + carried(epc(3), back)
        let final = sightings(&presence, reads, recorded: .unknown).filter { $0.certainty == .final }
        let groups = Dictionary(uniqueKeysWithValues: final.map { ($0.epc, $0.group) })
        #expect(final.count == 3)
        #expect(groups[epc(1)] == groups[epc(2)])
        #expect(groups[epc(1)] != groups[epc(3)])
    }

    @Test("A crossing against the record is said when both sides heard it well, and is uncertain otherwise")
    func againstRecord() {
        var clear = presence()
        #expect(sightings(&clear, carried(epc(1), out), recorded: .outside).last?.kind == .passed(.out))
        var faint = presence()
        let few = carried(epc(1), out).filter { $0.antenna == 3 || ($0.antenna == 0 && $0.at < at(2_400)) }
        let kind = sightings(&faint, few, recorded: .outside).last?.kind
        #expect(kind != .passed(.in))
    }

    @Test("Without RSSI the antennas alone tell; without a reader's clock repetitions count")
    func poorReaders() {
        var presence = presence()
        #expect(sightings(&presence, carried(epc(1), out, hasRSSI: false, hasClock: false)).last?.kind == .passed(.out))
    }

    @Test("Antennas on one side only tell no direction: what was near is uncertain")
    func oneSide() {
        var presence = presence([antennas[0]])
        #expect(!presence.hasDirection)
        let reads = carried(epc(1), out).filter { $0.antenna == 0 }
        #expect(sightings(&presence, reads).map(\.kind) == [.uncertain])
    }

    @Test("What lies between the antennas and flickers stays, however long")
    func still() {
        var presence = presence()
        var random = SeededGenerator(seed: 7)
        var found: [Sighting] = []
        for step in 0..<2_000 {
            let time = at(Int64(step) * 65)
            while let deadline = presence.nextDeadline, deadline <= time { found += presence.advance(to: deadline) { _ in .inside } }
            // Now and then somebody hides it for 3 s or 7 s.
            let hidden = step % 400 > 350 && step % 800 < 400 || step % 800 > 690
            guard !hidden, random.next() % 3 == 0 else { continue }
            let rssi = Int16(-6_000 - Int64(random.next() % 800))
            presence.observe(TagRead(epc: epc(1), antenna: 1, rssi: rssi), antenna: step % 4, at: time)
        }
        found += rest(&presence)
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.kind == .stayed })
    }

    @Test("The evidence counts reads and names what pushed the decision")
    func evidence() {
        var presence = presence()
        let sighting = sightings(&presence, carried(epc(1), out)).last
        let evidence = sighting?.evidence.canonicalText ?? ""
        #expect(evidence.contains(#""position":"#))
        #expect(evidence.utf8.count <= 512)
        #expect(sighting.map { $0.odds! > $0.threshold! } == true)
        #expect(sighting?.firstSide == .inside)
        #expect(sighting?.lastSide == .outside)
    }

    @Test("A visit ends only by silence of the tag while the reader was reading")
    func outage() {
        var presence = presence()
        let walk = carried(epc(1), out)
        for read in walk where read.at < at(3_000) { presence.observe(read.read, antenna: read.antenna, at: read.at) }
        presence.readerChanged(isReading: false, at: at(3_000))
        #expect(presence.advance(to: at(3_500)) { _ in .inside }.isEmpty)
        presence.readerChanged(isReading: true, at: at(3_500))
        let found = sightings(&presence, walk.filter { $0.at >= at(3_500) })
        #expect(found.map(\.kind) == [.passed(.out), .passed(.out)])
        #expect(found.allSatisfy { $0.isDegraded })
    }

    @Test("A reader that is silent for long makes its tags unknown, never gone")
    func unknown() {
        var presence = presence()
        presence.observe(TagRead(epc: epc(2), antenna: 1), antenna: 0, at: at(0))
        presence.observe(TagRead(epc: epc(1), antenna: 2), antenna: 1, at: at(10))
        presence.readerChanged(isReading: false, at: at(100))
        #expect(presence.nextDeadline == at(3_100))
        let sightings = presence.advance(to: at(3_100)) { _ in .inside }
        #expect(sightings.map(\.kind) == [.unknown, .unknown])
        #expect(sightings.map(\.epc) == [epc(2), epc(1)])
        #expect(presence.advance(to: at(100_000)) { _ in .inside }.isEmpty)
    }

    @Test("Reads are bounded: more tags than there is room for are counted, not kept")
    func capacity() {
        var presence = presence(capacity: 100)
        for number in 0..<200 { presence.observe(TagRead(epc: EPC([UInt8(number), 7])!, antenna: 1), antenna: 0, at: at(0)) }
        #expect(presence.openVisits == 100)
        #expect(presence.overflow == 100)
        for step in 0..<100_000 {
            presence.observe(TagRead(epc: EPC([1, 7])!, antenna: 1), antenna: step % 4, at: at(Int64(step) * 40))
        }
        #expect(presence.visits.value(of: EPC([1, 7])!)!.log.entries.count < 2 * VisitLog.capacity)
    }

    @Test("Who walks out and stands there is out, and who stood there before he walked out too", arguments: [5, 20, 45] as [Int64])
    func standing(seconds: Int64) {
        for path in [
            [(1_000, -3.0), (4_000, 1.5), (4_000 + seconds * 1_000, 1.5), (5_000 + seconds * 1_000, 3)],
            [(1_000, -1.5), (1_000 + seconds * 1_000, -1.5), (4_000 + seconds * 1_000, 3)],
        ] as [[(Int64, Double)]] {
            var presence = presence()
            for read in carried(epc(1), path) { presence.observe(read.read, antenna: read.antenna, at: read.at) }
            var said: [Sighting] = []
            while let deadline = presence.nextDeadline { said += presence.advance(to: deadline) { _ in .inside } }
            #expect(said.last?.kind == .passed(.out), "\(path): \(said.map(\.kind.word)), \(said.last?.odds ?? 0)")
        }
    }

    @Test("Who was said to have gone out, and stands there for long after a pause, is out", arguments: [15, 45, 90] as [Int64])
    func standingAfterAWord(seconds: Int64) {
        var presence = presence()
        var reads = carried(epc(1), [(1_000, -3), (4_500, 1.6)])
        reads += carried(epc(1), [(7_000, 1.6), (7_000 + seconds * 1_000, 1.6)])
        var said: [Sighting] = []
        for read in reads {
            while let deadline = presence.nextDeadline, deadline <= read.at { said += presence.advance(to: deadline) { _ in .inside } }
            presence.observe(read.read, antenna: read.antenna, at: read.at)
        }
        said += rest(&presence)
        #expect(!said.isEmpty && said.allSatisfy { $0.kind == .passed(.out) }, "\(said.map(\.kind.word))")
        #expect(Set(said.map(\.crossed)).count <= 2)
    }

    @Test("A tag that was heard now and then for ten minutes, and is carried out, is told within seconds and not forgotten")
    func lingering() {
        var presence = presence()
        func flickering(from start: Int64, count: Int64, at x: Double) -> [Timed] {
            (0..<count).flatMap { number -> [Timed] in
                let begin: Int64 = start + number * 3_000
                return carried(epc(1), [(begin, x), (begin + 300, x)])
            }
        }
        var reads = flickering(from: 0, count: 200, at: -1.6)
        reads += carried(epc(1), [(601_000, -1.6), (603_500, 1.6)])
        reads += flickering(from: 606_000, count: 30, at: 1.6)
        var said: [(at: Instant, sighting: Sighting)] = []
        for read in reads {
            while let deadline = presence.nextDeadline, deadline <= read.at {
                said += presence.advance(to: deadline) { _ in .inside }.map { (deadline, $0) }
            }
            presence.observe(read.read, antenna: read.antenna, at: read.at)
        }
        said += rest(&presence).map { (at(900_000), $0) }
        #expect(said.first.map { $0.at <= at(606_000) && $0.sighting.kind == .passed(.out) } ?? false)
        // Ten minutes of it speak for a tag that lies there: in the end somebody must look.
        #expect(said.last.map { $0.sighting.kind == .passed(.out) || $0.sighting.kind == .uncertain } ?? false)
    }

    @Test("What was near the gate long ago is forgotten, also by a gate that is started anew")
    func forgotten() {
        var presence = presence()
        _ = sightings(&presence, carried(epc(1), uturn))
        let rows = presence.takeLearned(at: at(20_000))
        #expect(rows.contains { $0.name == "resident/\(epc(1).hex)" && $0.value != nil })
        #expect(presence.takeLearned(at: at(660_000)).contains { $0.name == "resident/\(epc(1).hex)" && $0.value == nil })
    }

    @Test("Who stands near all the time, on either side, has not passed", arguments: [-1.5, 1.5])
    func standingStill(at x: Double) {
        var presence = presence()
        for read in carried(epc(1), [(1_000, x), (40_000, x)]) { presence.observe(read.read, antenna: read.antenna, at: read.at) }
        var said: [Sighting] = []
        while let deadline = presence.nextDeadline { said += presence.advance(to: deadline) { _ in x < 0 ? .inside : .outside } }
        #expect(said.map(\.kind) == [.stayed])
    }

    @Test("What was said stands when the reader falls silent before the last word: with its time and its grounds")
    func interruptedWord() throws {
        var presence = presence()
        for read in carried(epc(1), out) { presence.observe(read.read, antenna: read.antenna, at: read.at) }
        var said: [Sighting] = []
        while let deadline = presence.nextDeadline, said.isEmpty { said += presence.advance(to: deadline) { _ in .inside } }
        let word = try #require(said.first)
        #expect(word.kind == .passed(.out) && word.certainty == .provisional)
        presence.readerChanged(isReading: false, at: word.last + .milliseconds(2_600))
        while let deadline = presence.nextDeadline { said += presence.advance(to: deadline) { _ in .inside } }
        let last = try #require(said.last)
        #expect(said.count == 2)
        #expect(last.certainty == .final && last.isDegraded)
        #expect(last.kind == word.kind && last.crossed == word.crossed && last.odds == word.odds && last.grounds == word.grounds)
    }

    @Test("What was learned is handed over once and known again after a restart")
    func learned() {
        var presence = presence()
        _ = sightings(&presence, carried(epc(1), uturn))
        _ = sightings(&presence, carried(epc(2), [(20_000, -3), (24_500, 3)]))
        let rows = presence.takeLearned(at: at(31_000))
        #expect(rows.map(\.name) == ["bias", "resident/\(epc(1).hex)"])
        #expect(presence.takeLearned(at: at(31_000)).isEmpty)
        var again = self.presence()
        again.restore(rows, at: .zero)
        #expect(again.residents.penalty(of: epc(1), at: at(1_000)) == presence.residents.penalty(of: epc(1), at: at(30_000)))
        #expect(again.bias == presence.bias)
        #expect(again.takeLearned(at: at(1_000)).isEmpty)
        var other = self.presence([antennas[0]])
        other.restore(rows, at: .zero)
        #expect(other.bias.crossings == 0)
    }
}
