import Readings
import TestSupport
import Testing

@testable import Ledger
@testable import Store

/// The index says of open loans what the ledger says of them, whatever is confirmed, withdrawn and stamped by whatever clock.
@Suite struct LedgerAgreementTests {
    /// A gateway that says things at random, as its ledger would record them.
    private struct Gateway {
        var state = LedgerState()
        var events: [StoredEvent] = []
        var generator: SeededGenerator
        /// Facts that nothing has corrected yet, and the loan that a return had closed.
        private var standing: [Int64: (event: Event, closed: Loan?)] = [:]
        private var boot: UInt64 = 1
        private var uptime: Int64 = 60_000
        /// What the clock of this boot shows less the time since its start; the right one is known from outside.
        private var knowsTime: Bool
        private var rightOffset: Int64 = 1_795_000_000_000
        /// A fact that was stamped before the clock was put right keeps what the machine remembered of it.
        private var settled: Int64 = 0

        init(seed: UInt64) {
            generator = SeededGenerator(seed: seed)
            knowsTime = Bool.random(using: &generator)
        }

        private var now: WallTime {
            WallTime(
                milliseconds: knowsTime ? rightOffset + uptime : uptime, offsetMinutes: knowsTime ? 480 : 0,
                quality: knowsTime ? .synchronised : .unknown, boot: BootTime(boot: boot, milliseconds: uptime))
        }

        mutating func step() {
            uptime += Int64.random(in: 1_000...40_000_000, using: &generator)
            let item = ItemKey("TOOL-\(Int.random(in: 1...6, using: &generator))")!
            switch Int.random(in: 0..<12, using: &generator) {
            case 0 where !knowsTime: learnTime()
            case 1 where Int.random(in: 0..<4, using: &generator) == 0: restart()
            case 2...4: confirm()
            case 5, 6: withdraw()
            default:
                let number = LoanNumber(gateway: "CRIB1", epoch: 7, counter: state.loanCounter + 1)
                let day = now.localDate.daysSince1970 + Int64.random(in: 1...9, using: &generator)
                let due = WallTime(
                    milliseconds: (day * 1_440 + 1_080 - Int64(now.offsetMinutes)) * 60_000, offsetMinutes: now.offsetMinutes,
                    quality: .synchronised)
                if let loan = state.loans[item], state.provisional[loan.opened] == nil, Int.random(in: 0..<3, using: &generator) == 0 {
                    let transfer = Event.Transfer(
                        loan: number, item: item, fromLoan: loan.number, from: loan.person, person: PersonKey("p-5")!, permit: nil, due: due
                    )
                    let event = event(.transferred(transfer), at: now, .final, corrects: nil)
                    record(event)
                    standing[event.sequence] = (event, nil)
                } else if let loan = state.loans[item] {
                    let returned = Event.Return(loan: loan.number, item: item, epc: nil, borrower: loan.person)
                    say(.returned(returned), closed: loan)
                } else {
                    let person = PersonKey("p-\(Int.random(in: 1...4, using: &generator))")!
                    let checkout = Event.Checkout(loan: number, item: item, epc: nil, person: person, permit: nil, due: due)
                    say(.checkedOut(checkout), closed: nil)
                }
            }
        }

        private mutating func say(_ body: Event.Body, closed: Loan?) {
            let certainty: Certainty = Bool.random(using: &generator) ? .provisional : .final
            let event = event(body, at: now, certainty, corrects: nil)
            record(event)
            standing[event.sequence] = (event, closed)
        }

        private mutating func confirm() {
            guard let number = state.provisional.keys.sorted().randomElement(using: &generator), var fact = state.provisional[number] else {
                return
            }
            let closed = fact.closed
            // A little later than was said at first. Of a loan that is closed meanwhile the ledger keeps what it was closed with.
            if fact.event.time.quality == .synchronised, let boot = fact.event.time.boot,
                fact.items.allSatisfy({ state.loans[$0]?.opened == number })
            {
                fact.event.time.milliseconds += 500
                fact.event.time.boot = BootTime(boot: boot.boot, milliseconds: boot.milliseconds + 500)
            }
            let event = event(fact.event.body, at: fact.event.time, .final, corrects: number)
            record(event)
            standing[number] = nil
            standing[event.sequence] = (event, closed)
        }

        private mutating func withdraw() {
            guard
                let number = standing.keys.filter({ $0 > settled || state.provisional[$0] != nil }).sorted().randomElement(
                    using: &generator),
                let (event, closed) = standing.removeValue(forKey: number), let fact = Event.CrossingFact(event.body)
            else { return }
            var reopened = state.provisional[number].map(\.closed) ?? closed
            if case .transferred(let transfer) = fact {
                // By hand, while it is open and the loan before it is known.
                guard let loan = state.loans[transfer.item], loan.number == transfer.loan, let before = loan.before.first else { return }
                reopened = before
            }
            record(
                self.event(
                    .crossingRetracted(.init(fact: fact, time: event.time.calendar, reopened: reopened, replacedBy: nil)), at: now,
                    event.certainty, corrects: number))
            guard case .checkedOut(let checkout) = fact else { return }
            // A void loan does not come back.
            for (number, fact) in standing { standing[number]?.closed = fact.closed?.without(checkout) }
        }

        private mutating func learnTime() {
            guard let clock = state.clock, clock.boot == boot else { return }
            knowsTime = true
            correct(.init(boot: boot, first: clock.first, shift: rightOffset, offset: rightOffset, was: .unknown))
        }

        private mutating func restart() {
            let (knew, last) = (knowsTime, state.clock)
            rightOffset += uptime + 1_000_000
            (boot, uptime) = (boot + 1, 30_000)
            knowsTime = !knew || Bool.random(using: &generator)
            guard knowsTime, let last, last.quality == .unknown else { return }
            let offset = rightOffset - 500_000_000
            var correction = Event.ClockCorrection(boot: last.boot, first: last.first, shift: offset, offset: offset, was: .unknown)
            correction.isEstimate = true
            correct(correction)
        }

        private mutating func correct(_ correction: Event.ClockCorrection) {
            record(event(.clockCorrected(correction), at: now, .final, corrects: nil))
            settled = state.nextSequence - 1
        }

        private func event(_ body: Event.Body, at time: WallTime, _ certainty: Certainty, corrects: Int64?) -> Event {
            Event(
                sequence: state.nextSequence, time: time, station: "gate", episode: nil, actor: .unknown, subjects: [], place: nil,
                certainty: certainty, corrects: corrects, masterVersion: 1, body: body, evidence: .null)
        }

        private mutating func record(_ event: Event) {
            _ = state.apply(event)
            let identity = EventIdentity(gateway: "CRIB1", epoch: 7)
            events.append(event.unsealed(identity: identity).sealed(previousHash: String(repeating: "0", count: 64)))
        }
    }

    private struct Open: Hashable, CustomStringConvertible {
        var description: String { "\(loan) \(item) \(person) since \(since) due \(due)" }
        var loan: String
        var item: ItemKey
        var person: PersonKey
        var station: String?
        var since: Int64
        var due: Int64
    }

    @Test("Open loans of the index are those of the ledger", arguments: UInt64(1)...40)
    func openLoans(seed: UInt64) throws {
        var gateway = Gateway(seed: seed)
        let index = try EventIndex(directory: IndexFolder().path)
        for round in 0..<6 {
            let before = gateway.events.count
            for _ in 0..<30 { gateway.step() }
            try index.take(Array(gateway.events[before...]))
            let expected = Set(
                gateway.state.loans.values.map {
                    Open(
                        loan: $0.number.description, item: $0.item, person: $0.person, station: $0.station, since: $0.since.milliseconds,
                        due: $0.due.milliseconds)
                })
            let found = try index.loanHistory(from: .max, to: .max).lines.map {
                Open(loan: $0.loan, item: $0.item, person: $0.person, station: $0.station, since: $0.out, due: $0.due)
            }
            #expect(found.count == expected.count, "seed \(seed), round \(round)")
            #expect(Set(found).subtracting(expected) == [], "seed \(seed), round \(round)")
            #expect(expected.subtracting(found) == [], "seed \(seed), round \(round)")
        }
    }

    @Test("A machine that began in 1970: times are put right, and once more when they were put right wrongly")
    func corrections() throws {
        func event(_ number: Int64, _ type: String, _ time: String, uptime: Int64, clock: String, _ data: JSON) -> StoredEvent {
            let json: JSON = [
                "seq": .integer(number), "type": .string(type), "time": .string(time), "clock": .string(clock), "boot": "00000000000000aa",
                "uptime": .integer(uptime), "station": "crib", "data": data,
            ]
            return StoredEvent(sequence: number, bytes: json.canonicalBytes)
        }
        func correction(_ number: Int64, first: Int64, offset: String, time: String, uptime: Int64, was: String) -> StoredEvent {
            event(
                number, "clock.corrected", time, uptime: uptime, clock: "synchronised",
                [
                    "boot": "00000000000000aa", "first": .integer(first), "shift_ms": 0, "was": .string(was),
                    "offset_ms": .integer(WallTime(rfc3339: offset)!.milliseconds),
                ])
        }
        let index = try EventIndex(directory: IndexFolder().path)
        // Three minutes, and two days, after the start.
        let (early, late) = (Int64(180_000), Int64(2 * 86_400_000))
        try index.take([
            event(
                1, "loan.checked_out", "1970-01-01T00:03:00.000+00:00", uptime: early, clock: "unknown",
                ["loan": "L1", "item": "A", "person": "p", "due": "1970-01-08T18:00:00.000+00:00"]),
            event(2, "loan.returned", "1970-01-03T00:00:00.000+00:00", uptime: late, clock: "unknown", ["loan": "L1", "item": "A"]),
        ])
        let unknown = try index.loanHistory(from: 0, to: 1_000_000_000)
        #expect(unknown.lines.map(\.isTimed) == [false])
        // The machine was started on 10 November at 08:00 at the site. The first word of it is wrong by a day.
        try index.take([
            correction(
                3, first: 1, offset: "2026-11-09T08:00:00+08:00", time: "2026-11-12T08:30:00.000+08:00", uptime: late + 1_800_000,
                was: "unknown")
        ])
        func line() throws -> LoanHistory.Line { try #require(try index.loanHistory(from: 1_000_000_000, to: .max).lines.first) }
        func moment(_ text: String) -> Int64 { WallTime(rfc3339: "2026-11-\(text):00+08:00")!.milliseconds }
        #expect(try line().isTimed && line().out == moment("09T08:03") && line().end?.time == moment("11T08:00"))
        // Seven days later at 18:00 at the site, though the machine had thought itself in Greenwich.
        #expect(try line().due == moment("16T18:00"))
        // The clock that put it right was wrong itself.
        try index.take([
            correction(
                4, first: 3, offset: "2026-11-10T08:00:00+08:00", time: "2026-11-12T09:00:00.000+08:00", uptime: late + 3_600_000,
                was: "synchronised")
        ])
        #expect(try line().out == moment("10T08:03") && line().end?.time == moment("12T08:00"))
        #expect(try line().due == moment("16T18:00"), "the ledger does not reckon a due time twice")
        #expect(try index.loanHistory(from: moment("12T08:00"), to: moment("13T08:00")).lines.count == 1)
        #expect(try index.loanHistory(from: moment("12T08:00") + 1, to: moment("13T08:00")).lines.isEmpty)
    }
}
