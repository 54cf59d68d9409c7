import Identifiers
import Readings
import Testing

@testable import Engine
@testable import Ledger

private let tool = EPC(hex: "3476451FD400000000000001")!
private let day: Int64 = 86_400_000
/// Friday, 2025-11-21, 10:00 in Shanghai, is when `Bench` begins; a loan of seven days is due on the 28th at 18:00.
private let firstReminder = 4 * day - 2 * 3_600_000

@Suite("Engine: reminders by the wall clock")
struct ReminderTimerTests {
    private static func lent() -> Bench {
        var bench = Bench()
        bench.walk(tool, at: 1_000, badge: "77")
        bench.run(to: 10_000)
        bench.events = []
        return bench
    }

    private static func steps(_ bench: Bench) -> [String] {
        bench.events.compactMap { event in if case .reminded(let reminder) = event.body { reminder.step.rawValue } else { nil } }
    }

    @Test("The engine stops at the moment itself, once for each step")
    func moments() {
        var bench = Self.lent()
        bench.run(to: firstReminder - 1)
        #expect(bench.events.isEmpty)
        bench.run(to: firstReminder)
        #expect(Self.steps(bench) == ["due_soon"])
        // 8:00 on the 25th: three days before it is due.
        #expect(bench.events.first?.time.rfc3339 == "2025-11-25T08:00:00.000+08:00")
        bench.run(to: 60 * day)
        #expect(Self.steps(bench) == ["due_soon", "due_today", "overdue_1", "overdue_2", "overdue_3"])
        #expect(
            bench.events.map { String($0.time.rfc3339.prefix(16)) } == [
                "2025-11-25T08:00", "2025-11-28T08:00", "2025-11-29T08:00", "2025-12-01T08:00", "2025-12-05T08:00",
            ])
        #expect(bench.engine.nextDeadline.map { $0 > Instant(nanoseconds: 60 * day * 1_000_000) } ?? true)
    }

    @Test("Between rounds of reminders the gate has its turn")
    func rounds() {
        var state = LedgerState()
        let due = WallTime(milliseconds: 1_763_690_400_000 + 7 * day + 8 * 3_600_000, offsetMinutes: 480, quality: .synchronised)
        let since = WallTime(milliseconds: 1_763_690_400_000 - day, offsetMinutes: 480, quality: .synchronised)
        for number in 1...250 {
            let checkout = Event.Checkout(
                loan: LoanNumber(gateway: "CRIB1", epoch: 1, counter: Int64(number)), item: ItemKey("TOOL-\(number)")!, epc: nil,
                person: PersonKey("p-li")!, permit: nil, due: due)
            _ = state.apply(
                Event(
                    sequence: state.nextSequence, time: since, actor: .unknown, subjects: [], certainty: .final, masterVersion: 0,
                    body: .checkedOut(checkout), evidence: .null))
        }
        var bench = Bench(state: state)
        bench.run(to: firstReminder)
        #expect(Self.steps(bench).count == 100)
        // Somebody walks through between the first round and the second.
        bench.engine.read(.badge(.init(credential: "77")), from: Bench.badges, at: bench.engine.now, into: &bench.output)
        bench.settle()
        #expect(Self.steps(bench).count == 100 && bench.feedback.last == .next)
        bench.run(to: firstReminder + 250)
        #expect(Self.steps(bench).count == 200)
        bench.run(to: firstReminder + 10_000)
        #expect(Self.steps(bench).count == 250)
    }

    @Test("A step of the clock moves the moment with it")
    func step() {
        var bench = Self.lent()
        // An hour ahead: it is due an hour sooner by the machine's own clock.
        bench.engine.wallChanged(
            WallAnchor(
                instant: Instant(nanoseconds: 20_000_000_000), milliseconds: 1_763_690_420_000 + 3_600_000, offsetMinutes: 480,
                quality: .synchronised), into: &bench.output)
        bench.settle()
        bench.run(to: firstReminder - 3_600_000 - 1)
        #expect(Self.steps(bench).isEmpty)
        bench.run(to: firstReminder - 3_600_000)
        #expect(Self.steps(bench) == ["due_soon"])
    }

    @Test("While nobody knows the time nobody is told, and then what is true then, once")
    func unknownTime() {
        var bench = Self.lent()
        func anchor(_ milliseconds: Int64, _ quality: ClockQuality) -> WallAnchor {
            WallAnchor(
                instant: Instant(nanoseconds: milliseconds * 1_000_000), milliseconds: 1_763_690_400_000 + milliseconds, offsetMinutes: 480,
                quality: quality)
        }
        bench.engine.wallChanged(anchor(day, .unknown), into: &bench.output)
        bench.run(to: 9 * day)
        #expect(Self.steps(bench).isEmpty)
        bench.engine.wallChanged(anchor(9 * day, .synchronised), into: &bench.output)
        bench.run(to: 9 * day + 1)
        #expect(Self.steps(bench) == ["overdue_1"])
    }

    @Test("What could not be stored is said when it can")
    func notStored() {
        var bench = Self.lent()
        let state = bench.engine.ledger.state
        bench.commits = false
        bench.engine.advance(to: Instant(nanoseconds: firstReminder * 1_000_000), into: &bench.output)
        let ticket = bench.output.commits.first?.ticket ?? 0
        #expect(bench.output.commits.count == 1)
        bench.output.removeAll()
        bench.engine.commitFailed(ticket: ticket, at: bench.engine.now, into: &bench.output)
        bench.commits = true
        bench.engine.reloaded(state, at: bench.engine.now, into: &bench.output)
        bench.settle()
        bench.run(to: firstReminder + 120_000)
        #expect(Self.steps(bench) == ["due_soon"])
    }
}

@Suite("Engine: the same tag at two stations")
struct RecentTagsTests {
    private static func sighting(_ first: Int64, to last: Int64? = nil) -> Sighting {
        Sighting(
            epc: tool, kind: .passed(.out), first: Instant(nanoseconds: first * 1_000_000_000),
            last: Instant(nanoseconds: (last ?? first) * 1_000_000_000), inside: .init(reads: 1, strongest: -5_000),
            outside: .init(reads: 1, strongest: -5_000), firstSide: .inside, lastSide: .outside)
    }

    @Test("Nobody is at two gates within two seconds; the same gate says a tag as often as it likes")
    func clones() {
        var tags = RecentTags()
        #expect(tags.take([Self.sighting(10)], at: "north").isEmpty)
        #expect(tags.take([Self.sighting(11)], at: "north").isEmpty)
        #expect(tags.take([Self.sighting(12)], at: "south").map(\.other) == ["north"])
        #expect(tags.take([Self.sighting(14)], at: "north").isEmpty)
        // What a gate says late is held against the time at which it happened.
        #expect(tags.take([Self.sighting(13)], at: "south").map(\.other) == ["north"])
    }

    @Test("Who lingers at one gate while the same tag goes through another is found")
    func lingering() {
        var tags = RecentTags()
        #expect(tags.take([Self.sighting(10, to: 30)], at: "north").isEmpty)
        #expect(tags.take([Self.sighting(15, to: 18)], at: "south").map(\.other) == ["north"])
        #expect(tags.take([Self.sighting(40, to: 60)], at: "south").isEmpty)
        // Seen in the north when the south saw it no more: it was carried there.
        #expect(tags.take([Self.sighting(61, to: 64)], at: "north").isEmpty)
    }

    @Test("It remembers a bounded number of tags")
    func bound() {
        var tags = RecentTags()
        for index in 0..<10_000 {
            var sighting = Self.sighting(1)
            sighting.epc = EPC(hex: String(index + 0x1000_0000, radix: 16))!
            _ = tags.take([sighting], at: "north")
        }
        #expect(tags.count <= RecentTags.maximumTags)
    }
}
