import Readings
import Testing

@testable import Ledger

/// What people say by hand while a gate may still change its mind.
@Suite("Ledger: corrections beside a provisional word")
struct HandCorrectionTests {
    private let drill = ItemKey("DRILL-01")!

    private func words(_ events: [Event]) -> [String] { events.map(\.word) }

    /// A ledger in which the drill was taken provisionally.
    private func taken() throws -> (ledger: Ledger, loan: LoanNumber) {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill], badges: ["1001"]))
        return (ledger, try #require(ledger.state.loans[drill]?.number))
    }

    private func plan(_ command: LoanCommand, _ ledger: Ledger) throws -> Plan {
        try ledger.plan(.loan(command), by: "anna", at: Fixture.now)
    }

    @Test("A mistake is withdrawn at the place where it was made, and the station has no more to say about it")
    func void() throws {
        var (ledger, loan) = try taken()
        let retracted = ledger.commit(try plan(.void(loan: loan, item: nil, note: ""), ledger)).events
        #expect(words(retracted) == ["loan.checked_out DRILL-01 p-li <1", "crossing.retracted (loan.checked_out DRILL-01 p-li) <2"])
        #expect(retracted.last?.station == "gate" && retracted.last?.place == "https://id.gs1.org/414/9521141123454/254/A-01")
        #expect(words(ledger.decide(Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1001"])).events) == [])
    }

    @Test("Who takes finals only hears of a loan before what becomes of it")
    func order() throws {
        let (ledger, loan) = try taken()
        let commands: [LoanCommand] = [
            .lost(item: drill, note: ""), .transfer(item: drill, to: Fixture.hanMei), .takeBack(loan: loan, item: nil),
        ]
        for command in commands {
            var ledger = ledger
            let events = ledger.commit(try plan(command, ledger)).events
            #expect(words(events).first == "loan.checked_out DRILL-01 p-li <1" && events.count == 2)
            #expect(events.allSatisfy { $0.certainty == .final })
            // The gate's last word says nothing new.
            #expect(words(ledger.decide(Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1001"])).events) == [])
        }
    }

    @Test("A loan that was renewed before it was confirmed stays renewed")
    func renewal() throws {
        var (ledger, loan) = try taken()
        _ = ledger.commit(try plan(.renew(loan: loan, item: nil), ledger))
        let due = ledger.state.loans[drill]?.due
        _ = ledger.decide(Fixture.word(1, .final, .out, [Fixture.drill], badges: ["1001"]))
        #expect(ledger.state.loans[drill]?.due == due && ledger.state.loans[drill]?.renewals == 1)
    }

    @Test("A damage is told of the loan that came back, also while that is provisional")
    func inspection() throws {
        func inspected(_ ledger: Ledger) throws -> Event.Inspection? {
            for event in try plan(.inspect(.init(item: drill, result: .damaged)), ledger).events {
                if case .inspected(let inspection) = event.body { return inspection }
            }
            return nil
        }
        var ledger = Fixture.ledger()
        #expect(try inspected(ledger)?.loan == nil)
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1002"]))
        let first = ledger.state.loans[drill]?.number
        _ = ledger.decide(Fixture.crossing(.in, [Fixture.drill]))
        #expect(try inspected(ledger)?.loan == first && inspected(ledger)?.borrower == Fixture.hanMei)
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]))
        let second = ledger.state.loans[drill]?.number
        _ = ledger.decide(Fixture.word(7, .provisional, .in, [Fixture.drill]))
        #expect(try inspected(ledger)?.loan == second && inspected(ledger)?.borrower == Fixture.liLei)
        // It did not come back after all, and then it did.
        _ = ledger.decide(Fixture.retraction(7))
        #expect(ledger.state.loans[drill]?.number == second)
        _ = ledger.decide(Fixture.crossing(.in, [Fixture.drill]))
        #expect(try inspected(ledger)?.loan == second && inspected(ledger)?.borrower == Fixture.liLei)
    }

    @Test("A handing over that was a mistake gives the tool back to who had it")
    func handingOver() throws {
        var (ledger, first) = try taken()
        _ = ledger.commit(try plan(.transfer(item: drill, to: Fixture.hanMei), ledger))
        let second = try #require(ledger.state.loans[drill])
        #expect(second.number != first && second.from == first && second.before.map(\.opened) == [2])
        // The gate thinks otherwise; but somebody had it in the hand.
        #expect(words(ledger.decide(Fixture.retraction(1)).events) == [])
        let withdrawn = ledger.commit(try plan(.void(loan: second.number, item: nil, note: ""), ledger)).events
        #expect(withdrawn.map(\.corrects) == [second.opened])
        #expect(ledger.state.loans[drill]?.number == first && ledger.state.loans[drill]?.person == Fixture.liLei)
    }
}
