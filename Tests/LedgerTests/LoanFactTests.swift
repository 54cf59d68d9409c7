import Readings
import SiteConfiguration
import Testing

@testable import Ledger

/// What an event of a loan says besides who and what, and what stays known when the loan is over.
@Suite("Ledger: facts of loans")
struct LoanFactTests {
    private static let drill = ItemKey("DRILL-01")!

    private static func ask(_ ledger: inout Ledger, _ command: LoanCommand, by client: String = "anna", at time: WallTime = Fixture.now)
        throws -> [Event]
    {
        ledger.commit(try ledger.plan(.loan(command), by: client, at: time)).events
    }

    @Test("A badge that was taken away is nobody's, from that moment on")
    func revokedBadge() {
        var ledger = Fixture.ledger()
        var master = Fixture.master
        #expect(ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])).events.map(\.word).count == 1)
        master.credentials["1001"] = nil
        ledger.loadMaster(master)
        #expect(
            ledger.decide(Fixture.crossing(.out, [Fixture.saw], badges: ["1001"])).events.map(\.summary)
                == ["exception.raised unknown_badge SAW-01 "])
        // What was lent with it comes back all the same.
        #expect(ledger.decide(Fixture.crossing(.in, [Fixture.drill])).events.map(\.summary) == ["loan.returned DRILL-01 p-li"])
    }

    @Test("Who brings back what another borrowed is named; without a badge the borrower is")
    func returnByAnother() {
        func actor(badges: [String]) -> [Event.Actor] {
            var ledger = Fixture.ledger()
            _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
            let events = ledger.decide(Fixture.crossing(.in, [Fixture.drill], badges: badges)).events
            #expect(events.map(\.summary) == ["loan.returned DRILL-01 p-li"])
            return events.map(\.actor)
        }
        #expect(actor(badges: []) == [.person(Fixture.liLei)])
        #expect(actor(badges: ["1002"]) == [.person(Fixture.hanMei)])
        #expect(actor(badges: ["1001", "1002"]) == [.person(Fixture.liLei)])
        #expect(actor(badges: ["9999"]) == [.person(Fixture.liLei)])
    }

    @Test("A tool that leaves uninspected says so, and comes back from the log so")
    func conditionOut() throws {
        var master = Fixture.master
        master.classes["power"] = ItemClass(name: "Power tools", needsInspection: true)
        var policy = LoanPolicy()
        policy.responses[.condition] = .flag
        var ledger = Fixture.ledger(policy, master: master)
        func lent(_ events: [Event]) throws -> Event.Checkout {
            for event in events { if case .checkedOut(let checkout) = event.body { return checkout } }
            throw CommandRefusal(.notFound, "nothing was lent")
        }
        #expect(try lent(ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])).events).condition == nil)
        _ = ledger.decide(Fixture.crossing(.in, [Fixture.drill]))
        let events = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1002"])).events
        #expect(try lent(events).condition == .uninspected)
        let body = try #require(events.first?.body)
        #expect(body.json["condition"] == "uninspected" && Event.Body(type: body.type, json: body.json) == body)
    }

    @Test("A request that is used up stays used up when it comes back from upstream under its own key")
    func mirroredRequest() throws {
        var policy = LoanPolicy()
        policy.withoutPermit = .refuse
        var ledger = Fixture.ledger(policy)
        _ = try Self.ask(&ledger, .request(.init(person: Fixture.liLei, items: [Self.drill])))
        let key = try #require(ledger.state.requests.keys.first)
        _ = try Self.ask(&ledger, .approve(permit: key), by: "bob")
        var mirrored = Fixture.master
        mirrored.permits[key] = ledger.state.requests[key]?.permit
        #expect(ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])).events.map(\.body.type) == ["loan.checked_out"])
        _ = ledger.decide(Fixture.crossing(.in, [Fixture.drill]))
        #expect(ledger.state.requests.isEmpty)
        ledger.loadMaster(mirrored)
        #expect(
            ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])).events.map(\.summary)
                == ["exception.raised not_permitted DRILL-01 p-li"])
        #expect(try LedgerState(nextSequence: ledger.state.nextSequence, rows: ledger.state.rows) == ledger.state)
    }

    @Test("Requests whose last day is a month ago make room")
    func expiredRequests() throws {
        var ledger = Fixture.ledger()
        for until in [CivilDate("2026-11-22"), nil] {
            _ = try Self.ask(&ledger, .request(.init(person: Fixture.liLei, items: [Self.drill], until: until)))
        }
        #expect(ledger.state.requests.count == 2)
        for (day, count) in [("2026-11-22", 3), ("2026-12-23", 4), ("2026-12-24", 4)] {
            let time = try #require(WallTime(rfc3339: "\(day)T10:00:00+08:00"))
            _ = try Self.ask(&ledger, .request(.init(person: Fixture.hanMei, items: [Self.drill])), at: time)
            #expect(ledger.state.requests.count == count, "on the \(day)")
        }
        #expect(try LedgerState(nextSequence: ledger.state.nextSequence, rows: ledger.state.rows) == ledger.state)
    }

    @Test("What is expired stands in nobody's way, when as many are open as may be")
    func fullOfExpiredRequests() throws {
        var state = LedgerState()
        let since = try #require(WallTime(rfc3339: "2026-11-01T10:00:00+08:00"))
        for number in 0..<Ledger.maximumRequests {
            let permit = Permit(
                key: try #require(PermitKey("R-\(number)")), person: Fixture.liLei, items: [Self.drill], classes: [], quantity: 1,
                until: CivilDate("2026-11-20"))
            _ = state.apply(request: PermitRequest(permit: permit, levels: 1, requestedBy: "anna", since: since))
        }
        var ledger = Ledger(site: Fixture.site(), epoch: 1, state: state, master: Fixture.master)
        #expect(try Self.ask(&ledger, .request(.init(person: Fixture.liLei, items: [Self.drill]))).count == 1)
        // On the last day itself they are good.
        var early = Ledger(site: Fixture.site(), epoch: 1, state: state, master: Fixture.master)
        let lastDay = try #require(WallTime(rfc3339: "2026-11-20T10:00:00+08:00"))
        #expect(throws: CommandRefusal.self) {
            try Self.ask(&early, .request(.init(person: Fixture.liLei, items: [Self.drill])), at: lastDay)
        }
    }

    @Test("What is withdrawn by a clock that nobody knows is withdrawn so from the log too")
    func withdrawnWithoutTime() throws {
        let time = Fixture.now.with(quality: .unknown)
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: time)
        _ = try Self.ask(&ledger, .transfer(item: Self.drill, to: Fixture.hanMei), at: time)
        let second = try #require(ledger.state.loans[Self.drill]?.number)
        let events = try Self.ask(&ledger, .void(loan: second, item: nil, note: ""), at: time)
        let body = try #require(events.last?.body)
        guard case .crossingRetracted(let read)? = Event.Body(type: body.type, json: body.json) else {
            return #expect(Bool(false), "\(body.json)")
        }
        #expect(read.time.quality == .unknown)
        // Folded from what is stored, the state is the same.
        #expect(ledger.state.tools[Self.drill]?.minutesInAll == 0)
    }

    @Test("A handing over that is taken back says nothing about where the tool is")
    func correctedAfterAVoid() throws {
        var policy = LoanPolicy()
        policy.withoutPermit = .flag
        var ledger = Fixture.ledger(policy)
        let flagged = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"])).events
        let exception = try #require(flagged.last?.sequence)
        _ = try Self.ask(&ledger, .transfer(item: Self.drill, to: Fixture.hanMei))
        for _ in 0..<2 {
            let loan = try #require(ledger.state.loans[Self.drill]?.number)
            _ = try Self.ask(&ledger, .void(loan: loan, item: nil, note: ""))
        }
        #expect(ledger.state.loans[Self.drill] == nil)
        _ = try Self.ask(&ledger, .correct(exception: exception, person: Fixture.hanMei, note: ""))
        #expect(ledger.state.loans[Self.drill]?.person == Fixture.hanMei)
    }

    @Test("What came in and was looked at is nobody's loan, whatever is said of how it went out")
    func correctedAfterItCameIn() throws {
        var ledger = Fixture.ledger()
        let out = try #require(ledger.decide(Fixture.crossing(.out, [Fixture.drill])).events.last?.sequence)
        let back = try #require(ledger.decide(Fixture.crossing(.in, [Fixture.drill])).events.last?.sequence)
        let dismissed = try ledger.plan(.resolveException(number: back, resolution: "dismissed", note: ""), by: "anna", at: Fixture.now)
        _ = ledger.commit(dismissed)
        #expect(throws: CommandRefusal.self) { try Self.ask(&ledger, .correct(exception: out, person: Fixture.liLei, note: "")) }
        #expect(try LedgerState(nextSequence: ledger.state.nextSequence, rows: ledger.state.rows) == ledger.state)
    }

    @Test("Hundreds of reminders of one moment are said in rounds, each once")
    func rounds() throws {
        var master = Fixture.master
        var tags: [ItemKey] = []
        for number in 0..<250 {
            let key = try #require(ItemKey("TOOL-\(number)"))
            master.items[key] = Item(key: key, name: key.text, itemClass: nil, dueDays: nil, uri: nil)
            tags.append(key)
        }
        var ledger = Fixture.ledger(master: master)
        for (number, key) in tags.enumerated() {
            // A minute apart, so that each is a loan of its own.
            var time = Fixture.now
            time.milliseconds += Int64(number) * 60_000
            var draft = Draft(ledger: ledger, station: nil, at: time)
            let person = try #require(master.people[Fixture.liLei])
            let verdict = ledger.verdict(on: key, for: person, at: time, station: nil, companions: [], after: Taking())
            _ = ledger.lend(key, epc: nil, to: person.key, verdict, evidence: .null, into: &draft)
            _ = ledger.commit(draft.plan(feedback: nil))
        }
        let morning = try #require(WallTime(rfc3339: "2026-11-28T08:00:00+08:00"))
        var said: [ItemKey] = []
        var rounds: [Int] = []
        while let plan = ledger.planReminders(at: morning) {
            let items = plan.events.flatMap { event in if case .reminded(let reminder) = event.body { reminder.items } else { [ItemKey]() }
            }
            rounds.append(plan.events.count)
            said += items
            _ = ledger.commit(plan)
        }
        #expect(rounds == [100, 100, 50])
        #expect(said.count == 250 && Set(said) == Set(tags))
        #expect(ledger.nextReminder ?? .max > morning.milliseconds)
    }
}
