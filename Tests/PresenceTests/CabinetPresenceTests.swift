import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private func epc(_ number: Int) -> EPC { EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255)])! }

/// A cabinet whose tags are seen by given antennas in every look, driven by hand.
private struct Bench {
    var presence: CabinetPresence
    var now = Instant.zero
    var inside: Set<Int> = []
    /// Antennas by tag; all tags by antenna 1 if not given.
    var antennas: [Int: [UInt8]] = [:]
    /// Tags that are seen in one look of so many.
    var seldom: [Int: Int] = [:]
    var looks = 0
    var outputs: [CabinetOutput] = []

    init(_ tags: Range<Int>, settings: CabinetPresence.Settings = .init()) {
        presence = CabinetPresence(settings: settings, isReading: true)
        inside = Set(tags)
        _ = presence.check(at: now)
        run(seconds: 120)
        outputs = []
    }

    mutating func run(seconds: Int, reading: Bool = true) {
        for _ in 0..<seconds * 1_000 / 300 {
            looks += 1
            if reading {
                for tag in inside.sorted() where looks % (seldom[tag] ?? 1) == 0 {
                    for antenna in antennas[tag] ?? [1] { presence.observe(TagRead(epc: epc(tag), antenna: antenna), at: now) }
                }
            }
            now = now + .milliseconds(300)
            outputs += presence.advance(to: now)
        }
    }

    mutating func open(by credential: String? = "A") {
        outputs += presence.door(isOpen: true, by: credential, at: now)
        now = now + .seconds(10)
    }

    mutating func close() { outputs += presence.door(isOpen: false, at: now) }

    var reports: [CabinetReport] {
        outputs.compactMap { if case .report(let report) = $0 { report } else { nil } }
    }
}

@Suite("Cabinet presence")
struct CabinetPresenceTests {
    @Test("A taken and a returned tool are told within 6 s of the closing, and confirmed when the person has left")
    func takenAndReturned() {
        var bench = Bench(0..<20)
        bench.open()
        bench.inside.remove(3)
        bench.inside.insert(40)
        bench.close()
        let closed = bench.now
        bench.run(seconds: 6)
        #expect(bench.outputs.first == .scan(episode: 2, certainty: .provisional))
        #expect(bench.reports.map(\.certainty) == [.provisional])
        #expect(bench.reports[0].taken.map(\.epc) == [epc(3)])
        #expect(bench.reports[0].returned.map(\.epc) == [epc(40)])
        #expect(bench.reports[0].undecided.isEmpty)
        #expect(bench.reports[0].actor == .one("A"))
        #expect(bench.reports[0].closed == closed)
        bench.run(seconds: 80)
        #expect(bench.reports.map(\.certainty) == [.provisional, .final])
        #expect(bench.reports[1].taken.map(\.epc) == [epc(3)])
        #expect(bench.reports[1].returned.map(\.epc) == [epc(40)])
        #expect(bench.reports[1].episode == 2)
        #expect(bench.presence.isInside(epc(3)) == false)
        #expect(bench.presence.isInside(epc(40)) == true)
        #expect(bench.presence.nextDeadline == nil)
    }

    @Test("The first check finds what is inside, as nobody's")
    func census() {
        var presence = CabinetPresence(isReading: true)
        var (now, reports) = (Instant.zero, [CabinetReport]())
        _ = presence.check(at: now)
        while reports.last?.certainty != .final {
            for tag in 0..<5 { presence.observe(TagRead(epc: epc(tag), antenna: 1), at: now) }
            now = presence.nextDeadline ?? now
            for case .report(let report) in presence.advance(to: now) { reports.append(report) }
        }
        #expect(reports.last?.returned.map(\.epc) == (0..<5).map { epc($0) })
        #expect(reports.last?.actor == .unknown)
    }

    @Test("A tool that is seen in one look of ten where it lies is not gone when a short scan misses it")
    func weakPlace() {
        var bench = Bench(0..<20)
        bench.inside.insert(30)
        bench.seldom[30] = 10
        bench.open()
        bench.close()
        bench.run(seconds: 130)
        #expect(bench.presence.isInside(epc(30)) == true)
        for _ in 0..<5 {
            bench.outputs = []
            bench.open()
            bench.close()
            bench.run(seconds: 130)
            #expect(bench.reports.allSatisfy { $0.taken.isEmpty && $0.returned.isEmpty })
        }
    }

    @Test("A tool in the hand before the closed door is not inside: the confirming scan says so when the first did not")
    func leak() {
        var bench = Bench(0..<20)
        bench.open()
        bench.inside.remove(7)
        bench.close()
        // Two leaks in the first looks.
        for _ in 0..<2 {
            bench.presence.observe(TagRead(epc: epc(7), antenna: 1), at: bench.now)
            bench.run(seconds: 1)
        }
        bench.run(seconds: 80)
        #expect(bench.reports.last?.certainty == .final)
        #expect(bench.reports.last?.taken.map(\.epc) == [epc(7)])
    }

    @Test("While the reader does not read nothing is gone; when it reads again the answer follows")
    func outage() {
        var bench = Bench(0..<20)
        bench.presence.readerChanged(isReading: false, at: bench.now)
        bench.open()
        bench.inside.remove(3)
        bench.close()
        bench.run(seconds: 3_600, reading: false)
        #expect(bench.reports.map(\.certainty) == [.provisional])
        #expect(bench.reports[0].isBlind)
        #expect(bench.reports[0].taken.isEmpty)
        bench.presence.readerChanged(isReading: true, at: bench.now)
        bench.run(seconds: 70)
        #expect(bench.reports.last?.certainty == .final)
        #expect(bench.reports.last?.taken.map(\.epc) == [epc(3)])
    }

    @Test("A reader that says it reads but sees nothing of many tags is not believed")
    func silentReader() {
        var bench = Bench(0..<20)
        bench.open()
        bench.close()
        bench.run(seconds: 200, reading: false)
        #expect(bench.reports.allSatisfy { $0.taken.isEmpty && $0.isBlind })
    }

    @Test("An antenna that falls silent makes its tags unknown, not gone")
    func silentAntenna() {
        var bench = Bench(0..<20)
        for tag in 0..<20 { bench.antennas[tag] = tag < 10 ? [1] : [2] }
        for _ in 0..<3 {
            bench.open()
            bench.close()
            bench.run(seconds: 130)
        }
        bench.outputs = []
        for tag in 10..<20 { bench.antennas[tag] = [] }
        bench.open()
        bench.inside.remove(1)
        bench.close()
        bench.run(seconds: 130)
        #expect(bench.reports.last?.certainty == .final)
        #expect(bench.reports.last?.silentAntennas == [2])
        #expect(bench.reports.last?.taken.map(\.epc) == [epc(1)])
        let undecided = Set(bench.reports.last.map { $0.undecided.map(\.epc) } ?? [])
        #expect(undecided.isSuperset(of: (10..<20).map { epc($0) }))
        #expect(bench.presence.isInside(epc(15)) == true)
    }

    @Test("A cabinet of two tools can be emptied; one with a fixed tag shows by it that the reader works")
    func emptied() {
        var few = Bench(0..<2)
        few.open()
        few.inside = []
        few.close()
        few.run(seconds: 130)
        #expect(few.reports.last?.taken.map(\.epc) == [epc(0), epc(1)])

        var settings = CabinetPresence.Settings()
        settings.referenceTags = [epc(99)]
        var fixed = Bench(0..<10, settings: settings)
        fixed.inside.insert(99)
        fixed.open()
        fixed.close()
        fixed.run(seconds: 130)
        fixed.outputs = []
        fixed.open()
        fixed.inside = [99]
        fixed.close()
        fixed.run(seconds: 130)
        #expect(fixed.reports.last?.taken.map(\.epc) == (0..<10).map { epc($0) })
    }

    @Test("Opened again before the confirming scan: the first episode is final with what is known, the second has its own number")
    func reopened() {
        var bench = Bench(0..<20)
        bench.open(by: "A")
        bench.inside.remove(3)
        bench.close()
        bench.run(seconds: 10)
        bench.open(by: "B")
        bench.inside.remove(4)
        bench.close()
        bench.run(seconds: 130)
        let finals = bench.reports.filter { $0.certainty == .final }
        #expect(finals.map(\.actor) == [.one("A"), .one("B")])
        #expect(finals.map(\.episode) == [2, 3])
        #expect(finals.map { $0.taken.map(\.epc) } == [[epc(3)], [epc(4)]])
    }

    @Test("Opened twice in one episode by two people, or by nobody known: it is not guessed who")
    func actors() {
        for (first, second, actor) in [
            ("A", "B", CabinetReport.Actor.several(["A", "B"])), ("A", "A", .one("A")), ("A", nil, .unknown), (nil, "B", .unknown),
        ] as [(String?, String?, CabinetReport.Actor)] {
            var bench = Bench(0..<5)
            bench.open(by: first)
            bench.close()
            bench.run(seconds: 1)
            bench.open(by: second)
            bench.close()
            bench.run(seconds: 130)
            #expect(bench.reports.map(\.certainty) == [.provisional, .final])
            #expect(bench.reports.last?.actor == actor)
        }
    }

    @Test("Power lost in an episode: the restored cabinet closes the same episode as nobody's, and knows what was inside")
    func powerLoss() throws {
        var bench = Bench(0..<20)
        bench.open()
        bench.close()
        bench.run(seconds: 130)
        var rows: [String: JSON] = [:]
        func save(_ changes: [LearnedState]) { for change in changes { rows[change.name] = change.value } }
        save(bench.presence.takeChanges())
        #expect(rows.count == 21)
        bench.open()
        bench.inside.remove(3)
        save(bench.presence.takeChanges())
        // As the store gives them back: through text.
        let restored = try rows.map { LearnedState(name: $0, value: try JSON(parsing: $1.canonicalText)) }
        var again = bench
        again.presence = CabinetPresence(isReading: true, restoring: restored)
        again.outputs = []
        again.close()
        again.run(seconds: 130)
        #expect(again.reports.map(\.episode) == [3, 3])
        #expect(again.reports.last?.actor == .unknown)
        #expect(again.reports.last?.taken.map(\.epc) == [epc(3)])
        #expect(again.presence.takeChanges().contains { $0.name == "cabinet" })
    }

    @Test("A restored cabinet decides as the one that was never stopped")
    func restoredIsSame() throws {
        var bench = Bench(0..<20)
        bench.seldom = [4: 3, 5: 7]
        for _ in 0..<4 {
            bench.open()
            bench.close()
            bench.run(seconds: 130)
        }
        var saved = bench
        let rows = saved.presence.takeChanges()
        var again = bench
        again.presence = CabinetPresence(isReading: true, restoring: rows)
        for inside in [Set(0..<20), Set(0..<15), Set(2..<18)] {
            for _ in 0..<1 {
                bench.open()
                again.open()
                bench.inside = inside
                again.inside = inside
                bench.close()
                again.close()
                bench.run(seconds: 130)
                again.run(seconds: 130)
            }
        }
        #expect(Array(bench.reports.suffix(6)) == Array(again.reports.suffix(6)))
    }

    @Test("Made-up tags do not fill the memory: what never was inside is forgotten with its episode")
    func bounded() {
        var settings = CabinetPresence.Settings()
        settings.capacity = 100
        var bench = Bench(0..<20, settings: settings)
        var random = SeededGenerator(seed: 3)
        for _ in 0..<6 {
            bench.open()
            bench.close()
            for _ in 0..<50 { bench.presence.observe(TagRead(epc: epc(Int.random(in: 1_000..<60_000, using: &random))), at: bench.now) }
            bench.run(seconds: 130)
        }
        #expect(bench.presence.tags.count <= 70)
        bench.inside.insert(50)
        bench.open()
        bench.close()
        bench.run(seconds: 130)
        #expect(bench.presence.isInside(epc(50)) == true)
    }
}
