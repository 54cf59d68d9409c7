import Identifiers
import Readings
import SiteConfiguration
import Testing

@testable import Ledger

@Suite("Ledger: crossings of a gate")
struct CrossingTests {
    struct Situation: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var before: [Proposal] = []
        var policy = LoanPolicy()
        var crossing: Proposal
        var events: [String]
        var feedback: Feedback?
    }

    static let situations: [Situation] = [
        Situation(
            testDescription: "one person takes a tool", crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]),
            events: ["loan.checked_out DRILL-01 p-li"], feedback: .accepted),
        Situation(
            testDescription: "one person takes two tools",
            crossing: Fixture.crossing(.out, [Fixture.drill, Fixture.meter], badges: ["1001"]),
            events: ["loan.checked_out DRILL-01 p-li", "loan.checked_out METER-01 p-li"], feedback: .accepted),
        Situation(
            testDescription: "a badge with a tag is as good",
            crossing: Fixture.crossing(.out, [Fixture.drill], badgeTags: [Fixture.badgeTag]),
            events: ["loan.checked_out DRILL-01 p-han"], feedback: .accepted),
        Situation(
            testDescription: "both badges of one person are one person",
            crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1002"], badgeTags: [Fixture.badgeTag]),
            events: ["loan.checked_out DRILL-01 p-han"], feedback: .accepted),
        Situation(
            testDescription: "nobody held a badge", crossing: Fixture.crossing(.out, [Fixture.drill]),
            events: ["exception.raised no_badge DRILL-01 "], feedback: .exception),
        Situation(
            testDescription: "a badge that nobody has", crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["9999"]),
            events: ["exception.raised unknown_badge DRILL-01 "], feedback: .exception),
        Situation(
            testDescription: "two people", crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1001", "1002"]),
            events: ["exception.raised several_people DRILL-01 p-han,p-li"], feedback: .exception),
        Situation(
            testDescription: "one person and a badge that nobody has",
            crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1001", "9999"]),
            events: ["exception.raised several_people DRILL-01 p-li"], feedback: .exception),
        Situation(
            testDescription: "a blocked person", crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1003"]),
            events: ["exception.raised person_blocked DRILL-01 p-blocked"], feedback: .exception),
        Situation(
            testDescription: "an unknown tag beside a tool",
            crossing: Fixture.crossing(.out, [Fixture.drill, Fixture.stranger], badges: ["1001"]),
            events: ["exception.raised unknown_tag  p-li", "loan.checked_out DRILL-01 p-li"], feedback: .exception),
        Situation(
            testDescription: "a person without tools", crossing: Fixture.crossing(.out, [], badges: ["1001"]), events: [], feedback: nil),
        Situation(
            testDescription: "a return needs no badge", before: [Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])],
            crossing: Fixture.crossing(.in, [Fixture.drill]), events: ["loan.returned DRILL-01 p-li"], feedback: .accepted),
        Situation(
            testDescription: "a return by somebody else closes the borrower's loan",
            before: [Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])],
            crossing: Fixture.crossing(.in, [Fixture.drill], badges: ["1002"]), events: ["loan.returned DRILL-01 p-li"], feedback: .accepted
        ),
        Situation(
            testDescription: "a blocked person may return", before: [Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])],
            crossing: Fixture.crossing(.in, [Fixture.drill], badges: ["1003"]), events: ["loan.returned DRILL-01 p-li"], feedback: .accepted
        ),
        Situation(
            testDescription: "already yours", before: [Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])],
            crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), events: [], feedback: .accepted),
        Situation(
            testDescription: "somebody else's", before: [Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])],
            crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1002"]), events: ["exception.raised state_conflict DRILL-01 p-han"],
            feedback: .exception),
        Situation(
            testDescription: "in, but never out", crossing: Fixture.crossing(.in, [Fixture.drill]),
            events: ["exception.raised state_conflict DRILL-01 "], feedback: .exception),
        Situation(
            testDescription: "over the quota, tool by tool", policy: LoanPolicy(quota: 1),
            crossing: Fixture.crossing(.out, [Fixture.drill, Fixture.meter], badges: ["1001"]),
            events: ["loan.checked_out DRILL-01 p-li", "exception.raised over_quota METER-01 p-li"], feedback: .exception),
        Situation(
            testDescription: "without a permit, flagged", policy: LoanPolicy(withoutPermit: .flag),
            crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]),
            events: ["loan.checked_out DRILL-01 p-li", "exception.raised not_permitted DRILL-01 p-li"], feedback: .exception),
        Situation(
            testDescription: "without a permit, refused", policy: LoanPolicy(withoutPermit: .refuse),
            crossing: Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), events: ["exception.raised not_permitted DRILL-01 p-li"],
            feedback: .exception),
    ]

    @Test("Situation", arguments: situations)
    func situation(_ situation: Situation) {
        var ledger = Fixture.ledger(situation.policy)
        for proposal in situation.before { _ = ledger.decide(proposal) }
        let decision = ledger.decide(situation.crossing)
        #expect(decision.events.map(\.summary) == situation.events)
        #expect(decision.feedback == situation.feedback)
    }

    @Test("A cart with more than a hundred strange tags is several exceptions, and none is left out")
    func cart() {
        var ledger = Fixture.ledger()
        let strangers = (0..<250).map { EPC([0xE2, UInt8($0 / 100), UInt8($0 % 100)])! }
        let decision = ledger.decide(Fixture.crossing(.out, strangers))
        let named = decision.events.flatMap { event -> [EPC] in
            if case .exceptionRaised(let raised) = event.body { raised.epcs } else { [] }
        }
        #expect(decision.events.count == 3)
        #expect(Set(named) == Set(strangers))
    }

    @Test("A second tag that is read a little longer does not make a lent tool look taken without a badge")
    func stragglingTag() {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
        var soon = Fixture.now
        soon.milliseconds += 1_500
        #expect(ledger.decide(Fixture.crossing(.out, [Fixture.drill]), at: soon).events.isEmpty)
        soon.milliseconds += 60_000
        let late = ledger.decide(Fixture.crossing(.out, [Fixture.drill]), at: soon)
        #expect(late.events.map(\.summary) == ["exception.raised no_badge DRILL-01 "])
    }

    @Test("A tool with two tags is one tool: one loan, one return")
    func twoTags() {
        var master = Fixture.master
        let second = EPC([0xE2, 9])!
        master.tags[second] = .item(ItemKey("DRILL-01")!)
        var ledger = Fixture.ledger(LoanPolicy(quota: 1), master: master)
        let out = ledger.decide(Fixture.crossing(.out, [Fixture.drill, second], badges: ["1001"]))
        #expect(out.events.map(\.summary) == ["loan.checked_out DRILL-01 p-li"])
        let back = ledger.decide(Fixture.crossing(.in, [second, Fixture.drill]))
        #expect(back.events.map(\.summary) == ["loan.returned DRILL-01 p-li"])
    }

    private func permit(
        _ key: String, items: [String] = [], classes: Set<String> = [], quantity: Int = 1, until: String? = nil, due: String? = nil
    ) -> Permit {
        func date(_ text: String?) -> CivilDate? {
            guard let numbers = text?.split(separator: "-").compactMap({ Int($0) }), numbers.count == 3 else { return nil }
            return CivilDate(year: numbers[0], month: numbers[1], day: numbers[2])
        }
        return Permit(
            key: PermitKey(key)!, person: Fixture.liLei, items: Set(items.compactMap(ItemKey.init)), classes: classes, quantity: quantity,
            from: nil,
            until: date(until), due: date(due))
    }

    @Test("A permit covers its items and classes, as often as it says, until its last day; the one that runs out first is used first")
    func permits() {
        var master = Fixture.master
        for permit in [
            permit("REQ-1", items: ["DRILL-01"], until: "2026-11-21", due: "2026-11-23"), permit("REQ-2", classes: ["power"], quantity: 1),
            permit("REQ-3", items: ["METER-01"], until: "2026-11-20"),
        ] { master.permits[permit.key] = permit }
        var ledger = Fixture.ledger(LoanPolicy(withoutPermit: .refuse), master: master)
        let first = ledger.decide(Fixture.crossing(.out, [Fixture.drill, Fixture.saw, Fixture.meter], badges: ["1001"]))
        #expect(
            first.events.map(\.summary) == [
                "loan.checked_out DRILL-01 p-li by REQ-1", "loan.checked_out SAW-01 p-li by REQ-2",
                "exception.raised not_permitted METER-01 p-li",
            ])
        if case .checkedOut(let checkout) = first.events[0].body { #expect(checkout.due.rfc3339 == "2026-11-23T18:00:00.000+08:00") }
        if case .checkedOut(let checkout) = first.events[1].body { #expect(checkout.due.rfc3339 == "2026-11-28T18:00:00.000+08:00") }
        _ = ledger.decide(Fixture.crossing(.in, [Fixture.drill, Fixture.saw]))
        let again = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
        #expect(again.events.map(\.summary) == ["exception.raised not_permitted DRILL-01 p-li"])
    }

    @Test("An uncertain passage makes no loan")
    func uncertain() {
        var ledger = Fixture.ledger()
        let proposal = Proposal(
            station: "gate",
            content: .crossing(.init(direction: .out, tags: [], credentials: ["1001"], uncertain: [Fixture.sighting(Fixture.drill, .out)])))
        #expect(ledger.decide(proposal).events.map(\.summary) == ["exception.raised uncertain_passage DRILL-01 p-li"])
        #expect(ledger.state.loans.isEmpty)
    }

    @Test("Events of one crossing share an episode and follow one another; evidence stays within its bound")
    func form() {
        var ledger = Fixture.ledger()
        let many = (0..<60).map { EPC([0xE2, UInt8($0)])! }
        let decision = ledger.decide(Fixture.crossing(.out, [Fixture.drill] + many, badges: ["1001"]))
        #expect(decision.events.map(\.sequence) == [1, 2])
        #expect(decision.events.allSatisfy { $0.episode == "gate/1" && $0.masterVersion == 7 })
        #expect(decision.events.allSatisfy { $0.evidence.canonicalBytes.count <= Event.maximumEvidenceBytes })
        #expect(decision.events[0].place == "https://id.gs1.org/414/9521141123454/254/A-01")
        #expect(decision.events[1].subjects == ["https://example.com/sg/item/DRILL-01"])
        #expect(ledger.decide(Fixture.crossing(.in, [Fixture.drill])).events.first?.episode == "gate/2")
    }
}

@Suite("Ledger: what is announced once")
struct AnnouncedOnceTests {
    @Test("An unknown tag that is waited for already is not announced again; another one is")
    func strangers() throws {
        var ledger = Fixture.ledger()
        #expect(ledger.decide(Fixture.crossing(.out, [Fixture.stranger])).events.count == 1)
        let again = ledger.decide(Fixture.crossing(.in, [Fixture.stranger]))
        #expect(again.events.isEmpty)
        #expect(again.feedback == nil)
        let other = ledger.decide(Fixture.crossing(.out, [Fixture.stranger, EPC([0xE2, 1])!]))
        guard case .exceptionRaised(let raised)? = other.events.first?.body else { return #expect(Bool(false)) }
        #expect(raised.epcs == [EPC([0xE2, 1])!])
        _ = ledger.commit(try ledger.plan(.resolveException(number: 1, resolution: "ok", note: ""), by: "uid:0", at: Fixture.now))
        #expect(ledger.decide(Fixture.crossing(.out, [Fixture.stranger])).events.count == 1)
    }

    @Test("An unknown code is heard each time and announced once a station")
    func codes() {
        var ledger = Fixture.ledger()
        let scan = Scan(data: Array("WHAT".utf8))
        #expect(ledger.decide(Proposal(station: "bench", content: .unknownCode(scan))).events.count == 1)
        let again = ledger.decide(Proposal(station: "bench", content: .unknownCode(scan)))
        #expect(again.events.isEmpty)
        #expect(again.feedback == .exception)
        #expect(ledger.decide(Proposal(station: "gate", content: .unknownCode(scan))).events.count == 1)
    }

    @Test("The key of a location, item or product is a code by itself")
    func keys() {
        let ledger = Fixture.ledger()
        #expect(ledger.known(Scan(data: Array("A-01".utf8))) == .location)
        #expect(ledger.known(Scan(data: Array("SAW-01".utf8))) == .item(isOut: false))
        #expect(ledger.known(Scan(data: Array("BOLT-M8".utf8))) == .product)
        #expect(ledger.known(Scan(data: Array("NOTHING".utf8))) == .nothing)
        #expect(ledger.known(Scan(data: [0xFF, 0xFE, 0x00])) == .nothing)
    }
}
