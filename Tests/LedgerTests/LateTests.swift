import Identifiers
import Readings
import Testing

@testable import Ledger

@Suite("What readers had kept")
struct LateTests {
    private static let noon = ReaderTime(microseconds: 1_763_690_400_123_456)!

    private static func late(_ tags: [EPC]) -> Proposal {
        Proposal(
            station: "gate",
            content: .observedLate(
                .init(
                    device: "uhf",
                    tags: tags.map { .init(epc: $0, antennas: AntennaPorts([2, 1]), reads: 330, first: noon, last: noon) })))
    }

    @Test("Each tag is one fact, known or not, but for badges; nobody's loan changes, nothing is signalled")
    func facts() throws {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
        var before = ledger.state
        let decision = ledger.decide(Self.late([Fixture.drill, Fixture.saw, Fixture.badgeTag, Fixture.stranger]))
        #expect(decision.feedback == nil)
        #expect(decision.rows.isEmpty)
        #expect(decision.events.map(\.body.type) == Array(repeating: "tag.observed_late", count: 3))
        #expect(
            decision.events.map(\.subjects) == [
                ["https://id.gs1.org/8004/95211411", "https://example.com/sg/item/DRILL-01"],
                ["https://id.gs1.org/8004/95211412", "https://example.com/sg/item/SAW-01"],
                [Fixture.stranger.identity().canonicalURI],
            ])
        #expect(decision.events.allSatisfy { $0.station == "gate" && $0.episode == nil && $0.actor == .gateway })
        before.nextSequence += 3
        #expect(ledger.state == before)
    }

    @Test("The same again is told again: what is known does not hide what was seen")
    func repetition() {
        var ledger = Fixture.ledger()
        let first = ledger.decide(Self.late([Fixture.stranger]))
        let second = ledger.decide(Self.late([Fixture.stranger]))
        #expect(first.events.map(\.body) == second.events.map(\.body))
    }

    @Test("Where people were is not recorded")
    func people() {
        #expect(Fixture.ledger().plan(Self.late([Fixture.badgeTag]), at: Fixture.now).events.isEmpty)
    }

    @Test("A fact is stored with the reader's own time and read back as it was")
    func form() throws {
        let ledger = Fixture.ledger()
        let identity = EventIdentity(prefix: 1)
        let zeros = String(repeating: "0", count: 64)
        for event in ledger.plan(Self.late([Fixture.drill, Fixture.stranger]), at: Fixture.now).events {
            let json = event.json(identity: identity, previousHash: zeros)
            #expect(json["data"]?["first"] == "2025-11-21T02:00:00.123456+00:00")
            #expect(json["data"]?["antennas"] == [1, 2])
            #expect(json["data"]?["reads"] == 330)
            #expect(json["data"]?["device"] == "uhf")
            #expect(try Event(json: json) == event)
        }
    }
}
