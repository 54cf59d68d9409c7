import Identifiers
import Ledger
import Readings
import Stations
import Testing

@testable import Engine

private let tool = EPC(hex: "3476451FD400000000000001")!
private let start: Int64 = 1_763_690_400_000
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// What a gate says of one crossing, as its station would hand it over.
private func crossing(
    _ certainty: Certainty, _ direction: Direction = .out, decision: UInt64? = 1, badge: String? = "77", happened: Int64? = nil
) -> Proposal {
    let sighting = Sighting(
        epc: tool, visit: 1, certainty: certainty, kind: .passed(direction), first: at(1_000), last: at(2_000), inside: .init(reads: 5),
        outside: .init(reads: 5), firstSide: direction.origin, lastSide: direction == .out ? .outside : .inside)
    return Proposal(
        station: "gate",
        content: .crossing(
            .init(
                direction: direction, certainty: certainty, decision: decision, tags: [sighting],
                credentials: badge.map { [$0] } ?? [])), at: happened.map(at))
}

private func withdrawal() -> Proposal { Proposal(station: "gate", content: .retraction(.init(decision: 1))) }

extension Bench {
    fileprivate mutating func say(_ proposals: Proposal..., at milliseconds: Int64, learned: [LearnedState] = []) {
        engine.advance(to: Instant(nanoseconds: milliseconds * 1_000_000), into: &output)
        var said = StationOutput()
        said.proposals = proposals
        said.learned = learned
        engine.take(said, station: "gate", into: &output)
        settle()
    }

    fileprivate var words: [String] { events.map { "\($0.certainty.rawValue) \($0.body.type)\($0.corrects.map { " <\($0)" } ?? "")" } }
}

@Suite("Engine: provisional and final decisions")
struct DecisionTests {
    @Test("A person is answered once, when it is provisional")
    func answeredOnce() {
        var bench = Bench()
        bench.say(crossing(.provisional, happened: 1_600), at: 4_000)
        bench.say(crossing(.final, happened: 1_600), at: 7_000)
        bench.run(to: 20_000)
        #expect(bench.words == ["provisional loan.checked_out", "final loan.checked_out <1"])
        #expect(bench.feedback == [.accepted])
        #expect(bench.events.map { $0.time.milliseconds - start } == [1_600, 1_600])
        #expect(bench.events.map { ($0.recorded?.milliseconds ?? 0) - start } == [4_000, 7_000])
    }

    @Test("A withdrawal is told to who was told that it was recorded")
    func withdrawn() {
        var bench = Bench()
        bench.say(crossing(.provisional), at: 4_000)
        bench.say(withdrawal(), at: 6_000)
        #expect(bench.words == ["provisional loan.checked_out", "provisional crossing.retracted <1"])
        #expect(bench.feedback == [.accepted, .refused])
        #expect(bench.engine.ledger.state.loans.isEmpty)
    }

    @Test(
        "A step of the wall clock between the walk and its decision does not move the walk", arguments: [-3_600_000, 3_600_000] as [Int64])
    func stepped(step: Int64) {
        var bench = Bench()
        bench.engine.wallChanged(
            WallAnchor(instant: at(2_000), milliseconds: start + 2_000 + step, offsetMinutes: 480, quality: .synchronised),
            into: &bench.output)
        bench.say(crossing(.provisional, happened: 1_600), at: 4_000)
        bench.engine.wallChanged(
            WallAnchor(instant: at(5_000), milliseconds: start + 5_000, offsetMinutes: 480, quality: .synchronised), into: &bench.output)
        bench.say(crossing(.final, happened: 1_600), at: 7_000)
        #expect(bench.events.map { $0.time.milliseconds - start } == [1_600, 1_600])
        #expect(bench.events.map { ($0.recorded?.milliseconds ?? 0) - start } == [4_000 + step, 7_000])
    }

    @Test("A clock that was not known then is no better than the one that is known now")
    func unknownClock() {
        var bench = Bench()
        bench.engine.earlierWalls = []
        bench.engine.wall = WallAnchor(instant: .zero, milliseconds: 5, offsetMinutes: 0, quality: .unknown)
        bench.engine.wallChanged(
            WallAnchor(instant: at(2_000), milliseconds: start + 2_000, offsetMinutes: 480, quality: .synchronised), into: &bench.output)
        bench.say(crossing(.provisional, happened: 1_600), at: 4_000)
        #expect(bench.events.map { $0.time.milliseconds - start } == [1_600])
    }

    @Test("A kill between provisional and final: what was said stands, once, and 5 s later")
    func killed() throws {
        var before = Bench()
        before.say(crossing(.provisional), at: 4_000)
        let rows = before.engine.ledger.state.rows
        var bench = Bench(state: try LedgerState(nextSequence: 2, rows: rows))
        bench.run(to: 4_999)
        #expect(bench.events.isEmpty)
        bench.run(to: 60_000)
        #expect(bench.words == ["final loan.checked_out <1"])
        #expect(bench.feedback.isEmpty)
        #expect(bench.engine.ledger.state.provisional.isEmpty)
        // A second start finds nothing more to say.
        var again = Bench(state: try LedgerState(nextSequence: 3, rows: bench.engine.ledger.state.rows))
        again.run(to: 60_000)
        #expect(again.events.isEmpty)
        #expect(bench.engine.ledger.state.loans.values.map(\.number) == before.engine.ledger.state.loans.values.map(\.number))
    }

    @Test("A tool that comes back right after a kill settles what was said before")
    func backAfterKill() throws {
        var before = Bench()
        before.say(crossing(.provisional), at: 4_000)
        var bench = Bench(state: try LedgerState(nextSequence: 2, rows: before.engine.ledger.state.rows))
        bench.say(crossing(.provisional, .in), at: 3_000)
        #expect(bench.words == ["final loan.checked_out <1", "provisional loan.returned"])
        bench.run(to: 60_000)
        #expect(bench.words.count == 2)
        bench.say(crossing(.final, .in), at: 60_000)
        #expect(bench.words.last == "final loan.returned <3")
    }

    @Test("A commit that fails takes its final word with it: both are recorded when the store can", arguments: [false, true])
    func failed(isWithdrawn: Bool) throws {
        var bench = Bench()
        bench.commits = false
        bench.engine.advance(to: at(4_000), into: &bench.output)
        var said = StationOutput()
        said.proposals = [crossing(.provisional)]
        bench.engine.take(said, station: "gate", into: &bench.output)
        let commit = try #require(bench.output.commits.first)
        bench.output.removeAll()
        bench.engine.commitFailed(ticket: commit.ticket, at: at(4_100), into: &bench.output)
        #expect(bench.output.transmissions.map(\.bytes) == [Array("not_recorded".utf8)])
        bench.output.removeAll()
        said.proposals = [isWithdrawn ? withdrawal() : crossing(.final)]
        bench.engine.advance(to: at(7_000), into: &bench.output)
        bench.engine.take(said, station: "gate", into: &bench.output)
        // Nobody is told a second time that nothing is recorded.
        #expect(bench.output.transmissions.isEmpty && bench.output.commits.isEmpty)
        bench.commits = true
        bench.engine.reloaded(LedgerState(), at: at(8_000), into: &bench.output)
        bench.settle()
        bench.run(to: 60_000)
        #expect(
            bench.words == [
                "provisional loan.checked_out", isWithdrawn ? "provisional crossing.retracted <1" : "final loan.checked_out <1",
            ])
        #expect(bench.feedback.isEmpty)
    }

    @Test("A commit of unknown outcome that stands after all is confirmed, not made again")
    func unknownOutcome() throws {
        var bench = Bench()
        bench.commits = false
        bench.engine.advance(to: at(4_000), into: &bench.output)
        var said = StationOutput()
        said.proposals = [crossing(.provisional)]
        bench.engine.take(said, station: "gate", into: &bench.output)
        let commit = try #require(bench.output.commits.first)
        bench.output.removeAll()
        bench.engine.commitFailed(ticket: commit.ticket, at: at(4_100), into: &bench.output)
        var stored = LedgerState()
        for event in commit.decision.events { _ = stored.apply(event) }
        bench.output.removeAll()
        bench.commits = true
        bench.engine.reloaded(stored, at: at(5_000), into: &bench.output)
        bench.settle()
        bench.say(crossing(.final), at: 7_000)
        #expect(bench.words == ["final loan.checked_out <1"])
    }

    @Test("A station that is paused leaves nothing provisional")
    func paused() throws {
        var bench = Bench()
        bench.say(crossing(.provisional), at: 4_000)
        _ = try bench.engine.perform(.setStationMode(station: "gate", mode: .paused), by: "uid:0", at: at(5_000), into: &bench.output)
        bench.settle()
        #expect(bench.words == ["provisional loan.checked_out", "final station.mode_changed", "final loan.checked_out <1"])
    }

    @Test("The gateway ends: nothing stays provisional")
    func finished() {
        var bench = Bench()
        bench.say(crossing(.provisional), at: 4_000)
        bench.engine.finish(at: at(5_000), into: &bench.output)
        bench.settle()
        #expect(bench.words == ["provisional loan.checked_out", "final loan.checked_out <1"])
        #expect(bench.feedback == [.accepted])
    }

    @Test("In maintenance a decision is shown once")
    func tested() throws {
        var bench = Bench()
        _ = try bench.engine.perform(.setStationMode(station: "gate", mode: .testing), by: "uid:0", at: at(500), into: &bench.output)
        bench.settle()
        bench.say(crossing(.provisional), at: 4_000)
        bench.say(crossing(.final), at: 7_000)
        #expect(bench.feedback == [.accepted])
        #expect(bench.words == ["final station.mode_changed"])
    }
}

@Suite("Engine: what stations learn")
struct LearningTests {
    private let bias = LearnedState(name: "bias", value: ["1": 2])

    private func learned(_ rows: [StateRow]) -> [StateRow] { rows.filter(\.isLearned) }

    @Test("It is saved with the next decision, in the same transaction")
    func withDecision() throws {
        var bench = Bench()
        bench.commits = false
        bench.say(at: 1_000, learned: [bias, LearnedState(name: "resident/1", value: 1)])
        #expect(bench.output.commits.isEmpty)
        #expect(bench.engine.startRows(at: at(0)).filter(\.isLearned).map(\.key) == ["learned/gate/bias", "learned/gate/resident/1"])
        bench.engine.advance(to: at(2_000), into: &bench.output)
        var said = StationOutput()
        said.proposals = [crossing(.provisional)]
        said.learned = [LearnedState(name: "resident/1", value: nil)]
        bench.engine.take(said, station: "gate", into: &bench.output)
        let decision = try #require(bench.output.commits.first?.decision)
        #expect(
            learned(decision.rows) == [
                StateRow(key: "learned/gate/bias", value: bias.value), StateRow(key: "learned/gate/resident/1", value: nil),
            ])
        #expect(decision.events.count == 1)
        #expect(bench.engine.ledger.state.learned(by: "gate") == [bias])
        #expect(bench.engine.ledger.state.learned(by: "gat").isEmpty)
    }

    @Test("It is saved alone when nothing happens for a minute, and when the gateway ends", arguments: [false, true])
    func alone(atEnd: Bool) {
        var bench = Bench()
        bench.commits = false
        bench.say(at: 1_000, learned: [bias])
        if atEnd {
            bench.engine.finish(at: at(2_000), into: &bench.output)
        } else {
            bench.engine.advance(to: at(60_999), into: &bench.output)
            #expect(bench.output.commits.isEmpty)
            bench.engine.advance(to: at(61_000), into: &bench.output)
        }
        #expect(bench.output.commits.map(\.decision) == [Decision(rows: [StateRow(key: "learned/gate/bias", value: bias.value)])])
        #expect(bench.engine.nextDeadline == nil)
    }

    @Test("What a failed commit did not save is saved by a later one, unless something newer is known")
    func failed() throws {
        var bench = Bench()
        bench.commits = false
        bench.say(at: 1_000, learned: [bias, LearnedState(name: "floor", value: 1)])
        bench.engine.advance(to: at(61_000), into: &bench.output)
        let commit = try #require(bench.output.commits.first)
        bench.output.removeAll()
        bench.say(at: 61_500, learned: [LearnedState(name: "floor", value: 2)])
        bench.engine.commitFailed(ticket: commit.ticket, at: at(62_000), into: &bench.output)
        bench.engine.reloaded(LedgerState(), at: at(63_000), into: &bench.output)
        bench.output.removeAll()
        bench.engine.advance(to: at(200_000), into: &bench.output)
        let rows = bench.output.commits.flatMap(\.decision.rows)
        #expect(rows == [StateRow(key: "learned/gate/bias", value: bias.value), StateRow(key: "learned/gate/floor", value: 2)])
    }

    @Test("A start has it again, and it is no part of what events say")
    func loaded() throws {
        let rows = [StateRow(key: "learned/gate/bias", value: bias.value), StateRow(key: "learned/other/bias", value: 3)]
        let state = try LedgerState(nextSequence: 1, rows: rows)
        #expect(state.rows == rows)
        let bench = Bench(state: state)
        #expect(bench.engine.ledger.state.learned(by: "gate") == [bias])
        #expect(throws: EventError.self) { try LedgerState(nextSequence: 1, rows: [StateRow(key: "learned/", value: 1)]) }
    }
}
