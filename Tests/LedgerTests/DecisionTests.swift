import Identifiers
import Readings
import SiteConfiguration
import Testing

@testable import Ledger

/// What a station says about one crossing, word by word: provisional, confirmed, changed, withdrawn.
@Suite("Ledger: provisional, final and withdrawn crossings")
struct DecisionTests {
    struct Step: Sendable {
        var proposal: Proposal
        var events: [String]
        var feedback: Feedback?

        init(_ proposal: Proposal, _ events: [String], _ feedback: Feedback? = nil) {
            (self.proposal, self.events, self.feedback) = (proposal, events, feedback)
        }
    }

    struct Story: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var policy = LoanPolicy()
        var steps: [Step]
        /// `ITEM PERSON NUMBER` of every open loan in the end.
        var loans: [String] = []
        /// Numbers of exceptions that are open in the end.
        var exceptions: [Int64] = []
    }

    private static let (drill, saw, meter) = (Fixture.drill, Fixture.saw, Fixture.meter)
    private static let out = "loan.checked_out DRILL-01 p-li"
    private static let back = "loan.returned DRILL-01 p-li"

    static let stories: [Story] = [
        Story(
            testDescription: "confirmed",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
                Step(Fixture.word(1, .final, .out, [drill], badges: ["1001"]), ["\(out) <1"]),
                Step(Fixture.word(1, .final, .out, [drill], badges: ["1001"]), []),
            ], loans: ["DRILL-01 p-li 1"]),
        Story(
            testDescription: "said twice",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), []),
            ], loans: ["DRILL-01 p-li 1"]),
        Story(
            testDescription: "withdrawn: the number is never used again",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
                Step(Fixture.retraction(1), ["~crossing.retracted (\(out)) <1"], .refused),
                Step(Fixture.retraction(1), []),
                Step(Fixture.word(2, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
            ], loans: ["DRILL-01 p-li 2"]),
        Story(
            testDescription: "withdrawn after it was final",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
                Step(Fixture.word(1, .final, .out, [drill], badges: ["1001"]), ["\(out) <1"]),
                Step(Fixture.retraction(1), ["crossing.retracted (\(out)) <2"], .refused),
            ]),
        Story(
            testDescription: "a return that did not happen opens the loan again",
            steps: [
                Step(Fixture.crossing(.out, [drill], badges: ["1001"]), [out], .accepted),
                Step(Fixture.word(1, .provisional, .in, [drill]), ["~\(back)"], .accepted),
                Step(Fixture.retraction(1), ["~crossing.retracted (\(back)) <2"], .refused),
                Step(Fixture.word(2, .provisional, .in, [drill]), ["~\(back)"], .accepted),
                Step(Fixture.word(2, .final, .in, [drill]), ["\(back) <4"]),
                Step(Fixture.retraction(2), ["crossing.retracted (\(back)) <5"], .refused),
            ], loans: ["DRILL-01 p-li 1"]),
        Story(
            testDescription: "another person",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
                Step(
                    Fixture.word(1, .final, .out, [drill], badges: ["1002"]),
                    ["~crossing.retracted (\(out)) <1", "loan.checked_out DRILL-01 p-han"]),
            ], loans: ["DRILL-01 p-han 2"]),
        Story(
            testDescription: "another person, provisional still",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
                Step(
                    Fixture.word(1, .provisional, .out, [drill], badges: ["1002"]),
                    ["~crossing.retracted (\(out)) <1", "~loan.checked_out DRILL-01 p-han"]),
                Step(Fixture.word(1, .final, .out, [drill], badges: ["1002"]), ["loan.checked_out DRILL-01 p-han <3"]),
            ], loans: ["DRILL-01 p-han 2"]),
        Story(
            testDescription: "a tool less and a tool more",
            steps: [
                Step(
                    Fixture.word(1, .provisional, .out, [drill, saw], badges: ["1001"]), ["~\(out)", "~loan.checked_out SAW-01 p-li"],
                    .accepted),
                Step(
                    Fixture.word(1, .final, .out, [drill, meter], badges: ["1001"]),
                    ["~crossing.retracted (loan.checked_out SAW-01 p-li) <2", "\(out) <1", "loan.checked_out METER-01 p-li"]),
            ], loans: ["DRILL-01 p-li 1", "METER-01 p-li 1"]),
        Story(
            testDescription: "out became in",
            steps: [
                Step(Fixture.crossing(.out, [drill], badges: ["1001"]), [out], .accepted),
                Step(
                    Fixture.word(1, .provisional, .out, [drill], badges: ["1002"]), ["~exception.raised state_conflict DRILL-01 p-han"],
                    .exception),
                Step(
                    Fixture.word(1, .final, .in, [drill], badges: ["1002"]),
                    ["~crossing.retracted (exception.raised state_conflict DRILL-01 p-han) <2", back], .accepted),
            ]),
        Story(
            testDescription: "an exception keeps the number that it was told by",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill]), ["~exception.raised no_badge DRILL-01 "], .exception),
                Step(Fixture.word(1, .final, .out, [drill]), ["exception.raised no_badge DRILL-01  <1"]),
            ], exceptions: [1]),
        Story(
            testDescription: "the badge came late",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill]), ["~exception.raised no_badge DRILL-01 "], .exception),
                Step(
                    Fixture.word(1, .final, .out, [drill], badges: ["1001"]),
                    ["~crossing.retracted (exception.raised no_badge DRILL-01 ) <1", out], .accepted),
            ], loans: ["DRILL-01 p-li 1"]),
        Story(
            testDescription: "it may have passed, it did not",
            steps: [
                Step(
                    Fixture.word(1, .provisional, .out, [], uncertain: [drill]), ["~exception.raised uncertain_passage DRILL-01 "],
                    .exception),
                Step(Fixture.retraction(1), ["~crossing.retracted (exception.raised uncertain_passage DRILL-01 ) <1"]),
            ]),
        Story(
            testDescription: "only a final word",
            steps: [
                Step(Fixture.word(1, .final, .out, [drill], badges: ["1001"]), [out], .accepted),
                Step(
                    Fixture.word(1, .final, .out, [saw], badges: ["1001"]),
                    [
                        "crossing.retracted (\(out)) <1", "loan.checked_out SAW-01 p-li",
                    ]),
            ], loans: ["SAW-01 p-li 2"]),
        Story(
            testDescription: "already yours is said once",
            steps: [
                Step(Fixture.crossing(.out, [drill], badges: ["1001"]), [out], .accepted),
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), [], .accepted),
                Step(Fixture.word(1, .final, .out, [drill], badges: ["1001"]), []),
            ], loans: ["DRILL-01 p-li 1"]),
        Story(
            testDescription: "a loan that is void frees its place in the quota", policy: LoanPolicy(quota: 1),
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
                Step(
                    Fixture.word(1, .final, .out, [saw], badges: ["1001"]),
                    ["~crossing.retracted (\(out)) <1", "loan.checked_out SAW-01 p-li"]),
            ], loans: ["SAW-01 p-li 2"]),
        Story(
            testDescription: "seen at the next gate meanwhile: the first word stands",
            steps: [
                Step(Fixture.word(1, .provisional, .out, [drill], badges: ["1001"]), ["~\(out)"], .accepted),
                Step(Fixture.word(2, .provisional, .in, [drill]), ["\(out) <1", "~\(back)"], .accepted),
                Step(Fixture.word(1, .final, .out, [drill], badges: ["1001"]), []),
                Step(Fixture.word(2, .final, .in, [drill]), ["\(back) <3"]),
            ]),
        Story(
            testDescription: "a withdrawal of nothing", steps: [Step(Fixture.retraction(9), [])]),
    ]

    @Test("Story", arguments: stories)
    func story(_ story: Story) {
        var ledger = Fixture.ledger(story.policy)
        for step in story.steps {
            let decision = ledger.decide(step.proposal)
            #expect(decision.events.map(\.word) == step.events)
            #expect(decision.feedback == step.feedback)
        }
        let loans = ledger.state.loans.values.map { "\($0.item) \($0.person) \($0.number.counter)" }
        #expect(loans.sorted() == story.loans)
        #expect(ledger.state.exceptions.keys.sorted() == story.exceptions)
    }

    @Test("A withdrawal repeats what it withdraws, and names what happened instead")
    func withdrawal() throws {
        var ledger = Fixture.ledger()
        let first = ledger.decide(Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1001"])).events[0]
        var later = Fixture.now
        later.milliseconds += 4_000
        let proposal = Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1002"])
        let events = ledger.commit(ledger.plan(proposal, at: Fixture.now, recorded: later)).events
        guard case .crossingRetracted(let retraction) = events[0].body else { return #expect(Bool(false)) }
        #expect(retraction.fact.body == first.body && retraction.time == first.time && retraction.replacedBy == events[1].sequence)
        #expect(events[0].subjects == first.subjects && events[0].place == first.place && events[0].episode == first.episode)
        #expect(events.map(\.episode) == ["gate/1", "gate/1"])
        #expect(events.map(\.recorded) == [later, later] && events.map(\.time) == [Fixture.now, Fixture.now])
    }

    @Test("What nobody will look at again becomes final as it is", arguments: [false, true])
    func settled(afterRestart: Bool) throws {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill], badges: ["1001"]))
        _ = ledger.decide(Fixture.word(2, .provisional, .out, [Fixture.saw]))
        #expect(!ledger.hasOrphans)
        if afterRestart {
            let rows = ledger.state.rows
            ledger = Ledger(
                site: Fixture.site(), epoch: 0x0123_4567_89AB_CDEF,
                state: try LedgerState(nextSequence: ledger.state.nextSequence, rows: rows), master: Fixture.master)
        } else {
            ledger.abandon(station: "gate")
        }
        #expect(ledger.hasOrphans)
        var later = Fixture.now
        later.milliseconds += 5_000
        let events = ledger.commit(ledger.settleOrphans(at: later)).events
        #expect(events.map(\.word) == ["loan.checked_out DRILL-01 p-li <1", "exception.raised no_badge SAW-01  <2"])
        #expect(events.allSatisfy { $0.time == Fixture.now && $0.recorded == later && $0.evidence["unchecked"] == true })
        #expect(events.map(\.episode) == ["gate/1", "gate/2"])
        #expect(!ledger.hasOrphans && ledger.state.provisional.isEmpty)
        #expect(ledger.settleOrphans(at: later).events.isEmpty)
        // The number of a decision begins anew with its station.
        let next = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.meter], badges: ["1001"]))
        #expect(next.events.map(\.word) == ["~loan.checked_out METER-01 p-li"])
        #expect(next.events.first?.episode == "gate/3")
    }

    @Test("After a commit that failed only what the store holds can be corrected")
    func reloaded() {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill], badges: ["1001"]))
        let stored = ledger.state
        _ = ledger.decide(Fixture.word(2, .provisional, .out, [Fixture.saw], badges: ["1001"]))
        ledger.reload(stored)
        #expect(ledger.decide(Fixture.retraction(2)).events.isEmpty)
        #expect(!ledger.hasOrphans)
        #expect(
            ledger.decide(Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1001"])).events.map(\.word) == [
                "loan.checked_out DRILL-01 p-li <1"
            ])
    }

    @Test("A void loan is not brought back by the withdrawal of its return")
    func voidLoan() {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill], badges: ["1001"]))
        _ = ledger.decide(Fixture.word(2, .provisional, .in, [Fixture.drill]))
        _ = ledger.decide(Fixture.retraction(1))
        _ = ledger.decide(Fixture.retraction(2))
        #expect(ledger.state.loans.isEmpty && ledger.state.provisional.isEmpty)
    }

    @Test("Decisions of long ago are forgotten, provisional ones are not")
    func memory() {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill], badges: ["1001"]))
        for number in 2...400 as ClosedRange<UInt64> { _ = ledger.decide(Fixture.word(number, .final, .out, [Fixture.saw])) }
        #expect(ledger.memories.count <= Ledger.maximumMemories)
        #expect(ledger.decide(Fixture.retraction(1)).events.map(\.word) == ["~crossing.retracted (loan.checked_out DRILL-01 p-li) <1"])
        #expect(ledger.decide(Fixture.retraction(2)).events.isEmpty)
    }
}
