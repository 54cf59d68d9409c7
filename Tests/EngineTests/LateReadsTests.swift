import Decoding
import Identifiers
import Ledger
import Readings
import SiteConfiguration
import Stations
import Testing

@testable import Engine

private let tool = EPC(hex: "3476451FD400000000000001")!
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// A tag by its number: 1 and 2 are tools, the others belong to nobody.
private func tag(_ number: Int) -> EPC {
    let digits = String(number, radix: 16, uppercase: true)
    return EPC(hex: "3476451FD4" + String(repeating: "0", count: 14 - digits.count) + digits)!
}

extension Event {
    fileprivate var late: ObservedLate? { if case .observedLate(let observed) = body { observed } else { nil } }
}

@Suite("Engine: what readers had kept")
struct LateReadsTests {
    /// 2026-11-21T00:00:00Z by the reader's clock, in microseconds.
    private static let night: UInt64 = 1_795_219_200_000_000

    private static func read(_ bench: inout Bench, _ number: Int, _ count: Int, at milliseconds: Int64, antenna: UInt8 = 1) {
        let read = TagRead(epc: tag(number), antenna: antenna, readerTime: night + UInt64(count) * 1_000)
        bench.engine.read(.late(read), from: Bench.reader, at: at(milliseconds), into: &bench.output)
    }

    /// 66,000 reads of 200 tags in 6.6 s, as a reader sends its full queue.
    private static func backlog(_ bench: inout Bench, from start: Int64 = 1_000, visit: (inout Bench, Int64) -> Void = { _, _ in }) {
        for count in 0..<66_000 {
            let time = start + Int64(count / 10)
            read(&bench, 1 + count % 200, count, at: time, antenna: count % 400 < 200 ? 1 : 2)
            if count % 1_000 == 999 { visit(&bench, time) }
        }
    }

    @Test("66,000 late reads of 200 tags are 200 facts: no loan, no signal, no exception")
    func backlog() throws {
        var bench = Bench()
        bench.walk(tool, at: 1_000, badge: "77")
        bench.run(to: 10_000)
        #expect(bench.events.map(\.body.type) == ["loan.checked_out", "loan.checked_out"])
        bench.events = []
        bench.feedback = []
        let loans = bench.engine.ledger.state.loans
        Self.backlog(&bench, from: 20_000)
        bench.settle()
        // The last came at 26,599 ms.
        bench.run(to: 28_598)
        #expect(bench.events.isEmpty)
        bench.engine.advance(to: at(28_599), into: &bench.output)
        #expect(bench.output.transmissions.isEmpty)
        bench.settle()
        bench.run(to: 120_000)
        #expect(bench.events.count == 200)
        #expect(bench.events.allSatisfy { $0.body.type == "tag.observed_late" && $0.station == "gate" })
        let facts = bench.events.compactMap(\.late)
        #expect(facts.map(\.epc) == (1...200).map(tag))
        #expect(facts.allSatisfy { $0.device == "uhf" && $0.reads == 330 && $0.antennas.ports == [1, 2] })
        #expect(facts.first?.bearer == ItemKey("DRILL").map(Bearer.item))
        #expect(facts.last?.bearer == nil)
        #expect(facts.first?.first == ReaderTime(microseconds: Self.night))
        #expect(facts.first?.last == ReaderTime(microseconds: Self.night + 65_800_000))
        #expect(bench.feedback.isEmpty)
        #expect(bench.output.transmissions.isEmpty)
        #expect(bench.engine.ledger.state.loans == loans)
        #expect(bench.engine.ledger.state.exceptions.isEmpty)
        #expect(bench.engine.devices[0].lateReads == 66_000)
        #expect(bench.engine.lostLateReads == 0)
    }

    @Test("The same inputs give the same facts, however often time is let come between them")
    func replay() {
        var live = Bench()
        Self.backlog(&live) { bench, time in
            bench.engine.advance(to: at(time), into: &bench.output)
            bench.settle()
        }
        live.run(to: 30_000)
        var replayed = Bench()
        Self.backlog(&replayed)
        replayed.run(to: 30_000)
        #expect(live.events.count == 200)
        #expect(live.events == replayed.events)
    }

    @Test("Reads of now go on beside those of then: a walk is decided as if there were none")
    func walkBeside() {
        var bench = Bench()
        bench.engine.read(.badge(.init(credential: "77")), from: Bench.badges, at: at(1_000), into: &bench.output)
        for read in 0..<12 {
            let time = 1_000 + Int64(read) * 50
            bench.engine.read(.tag(TagRead(epc: tool, antenna: read < 6 ? 1 : 2)), from: Bench.reader, at: at(time), into: &bench.output)
            Self.read(&bench, 1, read, at: time, antenna: read < 6 ? 2 : 1)
        }
        bench.settle()
        bench.run(to: 10_000)
        #expect(bench.events.map(\.body.type) == ["loan.checked_out", "tag.observed_late", "loan.checked_out"])
        #expect(bench.feedback == [.next, .accepted])
    }

    @Test("A queue that is sent again after the connection broke is told once; what is new in it is told")
    func repeated() {
        var bench = Bench()
        for count in 0..<300 { Self.read(&bench, 1 + count % 3, count, at: 1_000) }
        bench.run(to: 10_000)
        bench.settle()
        #expect(bench.events.map { $0.late?.reads } == [100, 100, 100])
        bench.events = []
        for round in Int64(1)...5 {
            for count in 0..<300 { Self.read(&bench, 1 + count % 3, count, at: round * 20_000) }
            bench.run(to: round * 20_000 + 10_000)
            bench.settle()
        }
        #expect(bench.events.isEmpty)
        #expect(bench.engine.gates[0].repeatedLateReads == 1_500)
        // The first three again, one of them later; another tag; and the reader's clock has begun anew.
        for count in 0..<3 { Self.read(&bench, 1 + count, count, at: 200_000) }
        Self.read(&bench, 2, 400, at: 200_000)
        Self.read(&bench, 9, 0, at: 200_000)
        bench.engine.read(
            .late(TagRead(epc: tag(3), antenna: 1, readerTime: 5_000_000)), from: Bench.reader, at: at(200_000), into: &bench.output)
        bench.run(to: 210_000)
        bench.settle()
        #expect(bench.events.compactMap { $0.late?.epc } == [tag(2), tag(9), tag(3)])
    }

    @Test("While the store fails, late reads do not take the places of crossings")
    func places() throws {
        var bench = Bench()
        bench.commits = false
        Self.read(&bench, 1, 0, at: 1_000)
        bench.engine.advance(to: at(10_000), into: &bench.output)
        let commit = try #require(bench.output.commits.first)
        bench.output.removeAll()
        bench.engine.commitFailed(ticket: commit.ticket, at: at(10_100), into: &bench.output)
        for round in Int64(0)..<1_100 {
            Self.read(&bench, 1_000 + Int(round), 0, at: 20_000 + round * 3_000)
            bench.engine.advance(to: at(20_000 + round * 3_000 + 2_500), into: &bench.output)
        }
        #expect(bench.engine.unrecorded.count == 40)
        #expect(bench.engine.lostCrossings == 0)
        #expect(bench.engine.lostLateReads == 1_061)
    }

    @Test("At the end of the gateway, what was gathered is told")
    func finish() {
        var bench = Bench()
        Self.read(&bench, 1, 0, at: 1_000)
        bench.engine.finish(at: at(1_500), into: &bench.output)
        bench.settle()
        #expect(bench.events.map(\.body.type) == ["tag.observed_late"])
        #expect(bench.feedback.isEmpty)
    }

    @Test("Of more tags than are gathered, the reads are counted")
    func bounded() {
        var bench = Bench()
        for number in 1...10_003 { Self.read(&bench, number, number, at: 1_000) }
        Self.read(&bench, 10_003, 0, at: 1_001)
        Self.read(&bench, 1, 0, at: 1_001)
        bench.settle()
        bench.run(to: 10_000)
        #expect(bench.events.count == 10_000)
        #expect(bench.events.first?.late?.reads == 2)
        #expect(bench.engine.lostLateReads == 4)
    }

    @Test("A reader of no station, an antenna of none and a paused station record nothing; the reads are counted")
    func unused() throws {
        var bench = Bench()
        Self.read(&bench, 1, 0, at: 1_000, antenna: 7)
        bench.engine.read(.late(TagRead(epc: tool, antenna: 1)), from: Bench.scanner, at: at(1_000), into: &bench.output)
        _ = try bench.engine.perform(.setStationMode(station: "gate", mode: .paused), by: "uid:0", at: at(1_100), into: &bench.output)
        Self.read(&bench, 1, 0, at: 1_200)
        bench.settle()
        bench.run(to: 60_000)
        #expect(bench.events.map(\.body.type) == ["station.mode_changed"])
        #expect(bench.engine.devices.map(\.lateReads) == [2, 0, 1])
        #expect(bench.engine.gates[0].readsWithoutSide == 1)
        #expect(bench.engine.devices[0].lastReading == nil)
    }

    @Test("What was gathered before a pause is told all the same")
    func pausedAfter() throws {
        var bench = Bench()
        Self.read(&bench, 1, 0, at: 1_000)
        _ = try bench.engine.perform(.setStationMode(station: "gate", mode: .paused), by: "uid:0", at: at(1_100), into: &bench.output)
        bench.settle()
        bench.run(to: 10_000)
        #expect(bench.events.map(\.body.type) == ["station.mode_changed", "tag.observed_late"])
    }

    @Test("So it is when the gateway ends during the pause")
    func endedPaused() throws {
        var bench = Bench()
        Self.read(&bench, 1, 0, at: 1_000)
        _ = try bench.engine.perform(.setStationMode(station: "gate", mode: .paused), by: "uid:0", at: at(1_100), into: &bench.output)
        bench.engine.finish(at: at(1_200), into: &bench.output)
        bench.settle()
        #expect(bench.events.map(\.body.type) == ["station.mode_changed", "tag.observed_late"])
    }

    @Test("A reader that tells no time, or an impossible one, is recorded without")
    func untimed() {
        var bench = Bench()
        bench.engine.read(.late(TagRead(epc: tool, antenna: 1)), from: Bench.reader, at: at(1_000), into: &bench.output)
        bench.engine.read(.late(TagRead(epc: tool, antenna: 1, readerTime: .max)), from: Bench.reader, at: at(1_001), into: &bench.output)
        bench.settle()
        bench.run(to: 10_000)
        #expect(bench.events.first?.late?.reads == 2)
        #expect(bench.events.first?.late?.first == nil)
    }

    @Test("A commit that failed is made again when the store can; nobody hears of it")
    func failedCommit() throws {
        var bench = Bench()
        bench.commits = false
        Self.read(&bench, 1, 0, at: 1_000)
        bench.engine.advance(to: at(3_000), into: &bench.output)
        let commit = try #require(bench.output.commits.first)
        bench.output.removeAll()
        bench.engine.commitFailed(ticket: commit.ticket, at: at(3_100), into: &bench.output)
        Self.read(&bench, 2, 0, at: 4_000)
        bench.engine.advance(to: at(9_000), into: &bench.output)
        #expect(bench.output.commits.isEmpty)
        bench.commits = true
        bench.engine.reloaded(LedgerState(), at: at(10_000), into: &bench.output)
        #expect(bench.output.transmissions.isEmpty)
        bench.settle()
        #expect(bench.events.compactMap(\.late).map(\.epc) == [tag(1), tag(2)])
        #expect(bench.events.map { $0.time.milliseconds - 1_763_690_400_000 } == [3_000, 6_000])
        #expect(bench.feedback.isEmpty)
    }

    @Test("Two gates of one reader each get what their antennas saw; a reader that never ends is told every 300 s")
    func stations() throws {
        let site = Site(
            gateway: .init(code: "CRIB1", site: "Works"), devices: [.init(name: "uhf", port: "/dev/x")],
            stations: [("east", 1), ("west", 3)].map { name, port in
                .init(
                    name: name,
                    kind: .gate(
                        .init(antennas: [
                            .init(device: "uhf", port: port, side: .inside), .init(device: "uhf", port: port + 1, side: .outside),
                        ])))
            })
        var engine = Engine(site: site, epoch: 1, startingAt: .zero)
        var output = EngineOutput()
        for second in Int64(0)...302 {
            engine.read(
                .late(TagRead(epc: tool, antenna: second == 302 ? 4 : 1)), from: DeviceIndex(0), at: at(second * 1_000), into: &output)
        }
        #expect(output.commits.flatMap(\.decision.events).compactMap(\.late).map(\.reads) == [300])
        engine.finish(at: at(302_500), into: &output)
        let events = output.commits.flatMap(\.decision.events)
        #expect(events.map(\.station) == ["east", "east", "west"])
        #expect(events.compactMap(\.late?.reads) == [300, 2, 1])
        #expect(events.compactMap(\.late?.antennas.ports) == [[1], [1], [4]])
    }
}
