import Identifiers
import Readings
import Testing

@testable import Simulation

private let drill = EPC(hex: "3476451FD400000000000001")!
private let saw = EPC(hex: "3476451FD400000000000002")!
private let meter = EPC(hex: "3476451FD400000000000003")!
private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

@Suite("Scoring")
struct ScoreTests {
    private let truth = Truth(
        scenario: "pass", seed: 1, duration: .seconds(60),
        tools: [
            .init(epc: drill, side: .inside, recorded: .inside), .init(epc: saw, side: .inside, recorded: .outside),
            .init(epc: meter, side: .inside, recorded: .inside),
        ],
        people: [.init(id: "p1", badge: "B1")],
        crossings: [
            .init(time: at(10), epc: drill, direction: .out, person: "p1", isReadable: true),
            .init(time: at(10), epc: saw, direction: .out, person: "p1", isReadable: true),
        ],
        visits: [.init(start: at(0), end: at(60), epc: meter, what: .stray)])

    private func decision(
        _ epc: EPC, _ verdict: ScoredDecision.Verdict, _ seconds: Double, badge: String? = nil, against: Bool = false
    ) -> ScoredDecision {
        ScoredDecision(
            epc: epc, verdict: verdict, time: at(seconds), lastRead: at(seconds), provisional: at(seconds + 2), final: at(seconds + 5),
            badge: badge, isAgainstRecord: against)
    }

    @Test("All right is all right")
    func right() {
        let score = Score(
            truth: truth,
            decisions: [decision(drill, .passed(.out), 11, badge: "B1"), decision(saw, .passed(.out), 11, badge: "B1", against: true)])
        #expect(score.f1 == 1 && score.readableRecall == 1 && score.attribution == 1 && score.wrongDirection == 0)
        #expect(score.contradictions == 1 && score.contradictionsFound == 1)
        #expect(score.latency.readToProvisional == [2_000, 2_000] && score.latency.crossingToFinal == [6_000, 6_000])
        #expect(score.confusion[0, 0] == 2 && score.confusion[2, 3] == 1)
    }

    @Test("Wrong direction, undecided, nothing and a ghost are told apart")
    func wrong() {
        let score = Score(
            truth: truth, decisions: [decision(drill, .passed(.in), 11), decision(saw, .undecided, 12), decision(meter, .passed(.out), 30)])
        #expect(score.wrongDirection == 1 && score.undecided == 1 && score.ghosts == ["stray": 1] && score.found == 0)
        #expect(score.precision == 0 && score.recall == 0)
        // One ghost in a minute about one tag: 1,440 a day, a hundred times that for a hundred tags.
        #expect(score.ghostsPerDayPer100 == 144_000)
    }

    @Test("Each crossing and each event counts once; the tolerance is −3 to +15 s")
    func once() {
        let twice = Score(truth: truth, decisions: [decision(drill, .passed(.out), 11), decision(drill, .passed(.out), 12)])
        #expect(twice.found == 1 && twice.ghostTotal == 1)
        for (seconds, isFound) in [(6.9, false), (7.1, true), (24.9, true), (25.1, false)] {
            #expect((Score(truth: truth, decisions: [decision(drill, .passed(.out), seconds)]).found == 1) == isFound, "\(seconds) s")
        }
    }

    @Test("What was taken back is a retraction, no ghost; tags that are no tools are passed over")
    func retracted() {
        let badge = EPC(hex: "2D76451FD400000000000001")!
        let score = Score(truth: truth, decisions: [decision(meter, .retracted, 20), decision(badge, .passed(.out), 11)])
        #expect(score.retractions == 1 && score.ghostTotal == 0 && score.events == 0)
    }

    @Test("A cabinet's close is right when everything is")
    func closes() {
        let cabinet = Truth(
            scenario: "cabinet", seed: 1, duration: .seconds(100), tools: truth.tools,
            closes: [
                .init(time: at(10), number: 1, taken: [drill], returned: [], person: "p1"),
                .init(time: at(50), number: 2, taken: [saw], returned: [drill], person: "p1"),
            ])
        let score = Score(
            truth: cabinet,
            decisions: [decision(drill, .passed(.out), 12), decision(saw, .passed(.out), 52), decision(meter, .passed(.out), 52)])
        #expect(score.closes == 2 && score.closesRight == 1 && score.falseMoves == 1 && score.missedMoves == 1)
    }

    @Test("Bootstrap intervals hold the value, shrink with more runs and are the same for the same seed")
    func bootstrap() {
        let good = Score(truth: truth, decisions: [decision(drill, .passed(.out), 11), decision(saw, .passed(.out), 11)])
        let bad = Score(truth: truth, decisions: [decision(drill, .passed(.out), 11)])
        func estimate(_ count: Int) -> Estimate {
            Score.bootstrap((0..<count).map { $0 % 4 == 0 ? bad : good }, seed: 5, \.recall)
        }
        let (few, many) = (estimate(20), estimate(400))
        #expect(few.value == 0.875 && few.lower < 0.875 && few.upper > 0.875)
        #expect(many.upper - many.lower < few.upper - few.lower)
        #expect(few == estimate(20))
    }

    @Test("Events are read back: confirmed, withdrawn, exceptions")
    func events() throws {
        var reader = try DecisionReader(truth: truth)
        let lines = [
            #"{"seq":1,"type":"loan.checked_out","certainty":"provisional","time":"2026-01-05T08:00:11.000+00:00","station":"gate","episode":"gate/1","actor":{"person":"p1"},"data":{"epc":"3476451FD400000000000001"}}"#,
            #"{"seq":2,"type":"exception.raised","certainty":"provisional","time":"2026-01-05T08:00:11.000+00:00","station":"gate","episode":"gate/1","actor":"unknown","data":{"kind":"state_conflict","direction":"out","epcs":["3476451FD400000000000002"]}}"#,
            #"{"seq":3,"type":"loan.checked_out","certainty":"provisional","time":"2026-01-05T08:00:30.000+00:00","station":"gate","episode":"gate/2","actor":{"person":"p1"},"data":{"epc":"3476451FD400000000000003"}}"#,
            #"{"seq":4,"type":"loan.checked_out","certainty":"final","corrects":1,"time":"2026-01-05T08:00:11.000+00:00","station":"gate","episode":"gate/1","actor":{"person":"p1"},"data":{"epc":"3476451FD400000000000001"}}"#,
            #"{"seq":5,"type":"crossing.retracted","certainty":"provisional","corrects":3,"time":"2026-01-05T08:00:30.000+00:00","station":"gate","data":{}}"#,
            #"{"seq":6,"type":"device.state_changed","time":"2026-01-05T08:00:31.000+00:00","data":{}}"#,
        ]
        for line in lines { reader.take(try JSON(parsing: line)) }
        let score = Score(truth: truth, decisions: reader.decisions, named: [.out])
        #expect(score.found == 2 && score.ghostTotal == 0 && score.retractions == 1 && score.contradictionsFound == 1)
        #expect(score.attributedRight == 1 && reader.otherLines == 1)
    }

    @Test("Sightings are read back: a later word about the same visit replaces the earlier")
    func sightings() throws {
        var reader = try DecisionReader(truth: truth)
        for line in [
            #"{"station":"gate","epc":"3476451FD400000000000001","sighting":"appeared","certainty":"provisional","visit":1,"first":9000000000,"last":9000000000}"#,
            #"{"station":"gate","epc":"3476451FD400000000000001","sighting":"passed_out","certainty":"provisional","visit":1,"first":9000000000,"last":11000000000,"crossed":10100000000}"#,
            #"{"station":"gate","epc":"3476451FD400000000000001","sighting":"passed_out","certainty":"final","visit":1,"first":9000000000,"last":11000000000,"crossed":10100000000}"#,
            #"{"station":"gate","epc":"3476451FD400000000000003","sighting":"stayed","certainty":"final","visit":2,"first":9000000000,"last":11000000000}"#,
        ] { reader.take(try JSON(parsing: line)) }
        let score = Score(truth: truth, decisions: reader.decisions)
        #expect(score.found == 1 && score.events == 1 && score.retractions == 0)
    }
}
