import Identifiers
import Readings
import SiteConfiguration
import Testing

@testable import Ledger

/// A machine without a battery-backed clock starts in 1970, records, and learns the time later.
@Suite("Ledger: a clock that is put right")
struct ClockTests {
    /// 2026-11-22T04:20:31.512Z
    static let right: Int64 = 1_795_321_231_512

    /// What the machine shows `uptime` ms after its start when its clock began at zero.
    static func since1970(_ uptime: Int64, boot: UInt64 = 7) -> WallTime {
        WallTime(milliseconds: uptime, offsetMinutes: 0, quality: .unknown, boot: BootTime(boot: boot, milliseconds: uptime))
    }

    /// The same machine after its clock was set at an uptime of 900 s.
    static func known(_ uptime: Int64 = 900_000, boot: UInt64 = 7, quality: ClockQuality = .synchronised) -> WallAnchor {
        WallAnchor(
            instant: Instant(nanoseconds: uptime * 1_000_000), milliseconds: right + uptime - 900_000, offsetMinutes: 480, quality: quality,
            boot: BootTime(boot: boot, milliseconds: uptime))
    }

    @Test("Times of 1970 are put right once, with the loans and exceptions that were reckoned from them")
    func correction() throws {
        var ledger = Fixture.ledger()
        let out = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: Self.since1970(60_000))
        let nobody = ledger.decide(Fixture.crossing(.out, [Fixture.saw]), at: Self.since1970(300_000))
        #expect(out.events.map(\.time.quality) == [.unknown] && nobody.events.last?.body.type == "exception.raised")
        #expect(ledger.state.loans.values.map(\.due.quality) == [.unknown])

        let plan = try #require(ledger.plan(clock: Self.known()))
        let decision = ledger.commit(plan)
        let shift = Self.right - 900_000
        #expect(plan.events.map(\.body) == [.clockCorrected(.init(boot: 7, first: 1, shift: shift, offset: shift, was: .unknown))])
        #expect(plan.events[0].time.rfc3339 == "2026-11-22T12:20:31.512+08:00")

        let loan = try #require(ledger.state.loans.values.first)
        // 14 minutes before: 12:06:31 at the site. Due seven days later at 18:00 there, though the machine had thought itself in UTC.
        #expect(loan.since.rfc3339 == "2026-11-22T12:06:31.512+08:00")
        #expect(loan.due.rfc3339 == "2026-11-29T18:00:00.000+08:00" && loan.due.quality == .synchronised)
        let exception = try #require(ledger.state.exceptions.values.first)
        #expect(exception.since.rfc3339 == "2026-11-22T12:10:31.512+08:00")
        #expect(exception.raised.deadline.milliseconds - exception.since.milliseconds == 24 * 3_600_000)
        #expect(decision.rows.contains { $0.key.hasPrefix("loan/") } && decision.rows.contains { $0.key.hasPrefix("exception/") })

        #expect(ledger.plan(clock: Self.known(1_000_000)) == nil)
        let next = ledger.decide(Fixture.crossing(.in, [Fixture.drill]), at: Self.known().wallTime(at: Self.known().instant))
        #expect(next.rows.allSatisfy { $0.key != "clock" })
    }

    @Test("A gateway that was started anew since then still knows what was stamped wrongly")
    func restart() throws {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: Self.since1970(60_000))
        let stored = try LedgerState(nextSequence: ledger.state.nextSequence, rows: ledger.state.rows)
        #expect(stored == ledger.state)
        let again = Ledger(site: Fixture.site(), epoch: 1, state: stored, master: Fixture.master)
        let plan = try #require(again.plan(clock: Self.known()))
        #expect(plan.events.map(\.body.type) == ["clock.corrected"])
        #expect(again.plan(clock: Self.known(quality: .unknown)) == nil)
    }

    @Test("What was provisional before the clock was known is final with the right time, and the loan stays right")
    func provisional() throws {
        var ledger = Fixture.ledger()
        let first = ledger.decide(Fixture.word(1, .provisional, .out, [Fixture.drill], badges: ["1001"]), at: Self.since1970(60_000))
        #expect(first.events.map(\.certainty) == [.provisional])
        _ = ledger.commit(try #require(ledger.plan(clock: Self.known())))
        let right = try #require(ledger.state.loans.values.first)
        #expect(right.since.rfc3339 == "2026-11-22T12:06:31.512+08:00")
        // The gateway is started anew: nobody will look at it again.
        var again = Ledger(site: Fixture.site(), epoch: 1, state: ledger.state, master: Fixture.master)
        let last = again.settleOrphans(at: Self.known(901_000).wallTime(at: Self.known(901_000).instant))
        _ = again.commit(last)
        ledger = again
        let confirmed = try #require(last.events.first { $0.corrects == 1 })
        #expect(confirmed.time.rfc3339 == "2026-11-22T12:06:31.512+08:00")
        let loan = try #require(ledger.state.loans.values.first)
        #expect(loan.since.milliseconds == right.since.milliseconds && loan.due.milliseconds == right.due.milliseconds)
        #expect(ledger.plan(clock: Self.known(1_000_000)) == nil)
        #expect(try LedgerState(nextSequence: ledger.state.nextSequence, rows: ledger.state.rows) == ledger.state)
    }

    @Test("A machine that is started anew before it learns the time puts what it did right before that start")
    func anotherStart() throws {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: Self.since1970(60_000))
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.saw]), at: Self.since1970(300_000))
        let plan = try #require(ledger.plan(clock: Self.known(boot: 8)))
        guard case .clockCorrected(let correction) = plan.events.first?.body else { throw Missing() }
        // This start was 900 s before the time is known; the exception of 300 s was the last that happened.
        let start = Self.right - 900_000
        #expect(correction == .init(boot: 7, first: 1, shift: start - 300_000, offset: start - 300_000, was: .unknown, isEstimate: true))
        _ = ledger.commit(plan)
        let loan = try #require(ledger.state.loans.values.first)
        #expect(loan.since.milliseconds == start - 240_000 && loan.since.quality == .unsynchronised)
        #expect(loan.due.rfc3339 == "2026-11-29T18:00:00.000+08:00")
        #expect(ledger.state.exceptions.values.first?.since.milliseconds == start)
        #expect(ledger.plan(clock: Self.known(901_000, boot: 8)) == nil)
    }

    @Test("Nor is what it did forgotten when it is started twice before it learns the time")
    func twoStarts() throws {
        var ledger = Fixture.ledger()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: Self.since1970(60_000))
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.saw]), at: Self.since1970(300_000, boot: 8))
        #expect(try LedgerState(nextSequence: ledger.state.nextSequence, rows: ledger.state.rows) == ledger.state)
        var again = Ledger(site: Fixture.site(), epoch: 1, state: ledger.state, master: Fixture.master)
        let plan = try #require(again.plan(clock: Self.known(boot: 9)))
        let corrections = plan.events.compactMap { event -> Event.ClockCorrection? in
            if case .clockCorrected(let correction) = event.body { correction } else { nil }
        }
        // The third start was 900 s before the time is known, the second one 300 s before that at the latest, the first one another 60 s.
        let starts = [Self.right - 1_260_000, Self.right - 1_200_000]
        #expect(corrections.map(\.boot) == [7, 8] && corrections.map(\.offset) == starts && corrections.allSatisfy(\.isEstimate))
        #expect(corrections.map(\.first) == [1, ledger.state.exceptions.keys.min()])
        _ = again.commit(plan)
        let loan = try #require(again.state.loans.values.first)
        #expect(loan.since.milliseconds == starts[0] + 60_000 && loan.due.rfc3339 == "2026-11-29T18:00:00.000+08:00")
        #expect(again.state.exceptions.values.first?.since.milliseconds == starts[1] + 300_000)
        #expect(again.plan(clock: Self.known(901_000, boot: 9)) == nil)
        #expect(again.state.rows.contains { $0.key == "clock" && $0.value?["earlier"] == nil })
    }

    @Test("A clock of the last run, two days behind, is put right too")
    func behind() throws {
        var ledger = Fixture.ledger()
        var saved = Self.known(60_000, quality: .unsynchronised)
        saved.milliseconds -= 2 * 86_400_000
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: saved.wallTime(at: saved.instant))
        _ = ledger.commit(try #require(ledger.plan(clock: Self.known())))
        let loan = try #require(ledger.state.loans.values.first)
        #expect(loan.since.rfc3339 == "2026-11-22T12:06:31.512+08:00" && loan.due.rfc3339 == "2026-11-29T18:00:00.000+08:00")
    }

    @Test("A few seconds that were wrong change no due time: nobody is told once more")
    func seconds() throws {
        var ledger = Fixture.ledger()
        var saved = Self.known(60_000, quality: .unsynchronised)
        saved.milliseconds -= 5_000
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: saved.wallTime(at: saved.instant))
        let told = try #require(ledger.nextReminder)
        let uptime = told - saved.milliseconds + 60_000
        var then = saved.wallTime(at: Instant(nanoseconds: uptime * 1_000_000))
        then.milliseconds = told
        #expect(ledger.commit(try #require(ledger.planReminders(at: then))).events.map(\.body.type) == ["loan.reminded"])
        let right = Self.known(uptime + 60_000)
        _ = ledger.commit(try #require(ledger.plan(clock: right)))
        #expect(ledger.state.loans.values.map(\.reminded) == [.dueSoon])
        #expect(ledger.planReminders(at: right.wallTime(at: right.instant)) == nil)
    }

    private struct Missing: Error {}

    @Test("What is less trusted corrects nothing, nor does a small step")
    func distrust() {
        var ledger = Fixture.ledger()
        let stamped = Self.known()
        _ = ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: stamped.wallTime(at: stamped.instant))
        var late = Self.known(quality: .unsynchronised)
        late.milliseconds += 3_600_000
        #expect(ledger.plan(clock: late) == nil)
        var slewed = Self.known()
        slewed.milliseconds += 1_999
        #expect(ledger.plan(clock: slewed) == nil)
        var stepped = Self.known()
        stepped.milliseconds -= 3_600_000
        #expect(
            ledger.plan(clock: stepped)?.events.map(\.body)
                == [
                    .clockCorrected(
                        .init(boot: 7, first: 1, shift: -3_600_000, offset: Self.right - 900_000 - 3_600_000, was: .synchronised))
                ])
    }

    @Test("The state is the fold of the log, the clock too; events read back are the same")
    func fold() throws {
        var ledger = Fixture.ledger()
        var events: [Event] = []
        events += ledger.decide(Fixture.crossing(.out, [Fixture.drill], badges: ["1001"]), at: Self.since1970(60_000)).events
        events += ledger.decide(Fixture.crossing(.out, [Fixture.saw]), at: Self.since1970(61_000)).events
        events += ledger.commit(try #require(ledger.plan(clock: Self.known()))).events
        var folded = LedgerState()
        for event in events {
            let json = event.json(identity: EventIdentity(prefix: 1), previousHash: "")
            _ = folded.apply(try Event(json: json))
            #expect(event.unsealed(identity: EventIdentity(prefix: 1)).sealed(previousHash: "").bytes == json.canonicalBytes)
        }
        #expect(folded.rows == ledger.state.rows)
        let rows = try LedgerState(nextSequence: ledger.state.nextSequence, rows: ledger.state.rows)
        #expect(rows.rows == ledger.state.rows)
    }
}
