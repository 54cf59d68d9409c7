import Foundation
import Identifiers
import Readings
import SiteConfiguration
import TestSupport
import Testing

@testable import Ledger

/// A workshop in Berlin whose people borrow, bring back, renew and forget; with a second opinion of when somebody must be told, from
/// Foundation's calendar.
struct SimulatedYear {
    private(set) var ledger: Ledger
    private(set) var folded = LedgerState()
    private(set) var borrowed = 0
    private(set) var told = 0
    private(set) var events = 0
    private(set) var problems: [String] = []
    /// How long each checkout took to decide, and to fold twice.
    private(set) var decisions: [Duration] = []

    private var generator: SeededGenerator
    private let size: YearTests.Size
    private let calendar: Calendar
    private let begin: Int64
    private var now: Int64
    /// What the second opinion knows of each open loan.
    private var open: [ItemKey: Open] = [:]
    private var free: [Int]
    /// Brought back then, and by index.
    private var returns: [(at: Int64, tool: Int)] = []
    /// The machine is off: from, to.
    private let outages: [(from: Int64, to: Int64)]

    private struct Open {
        var due: Int64
        var since: Int64
        var said: ReminderStep?
    }

    private static let soonDays = 3
    private static let overdueDays = [1, 3, 7]

    init(size: YearTests.Size, seed: UInt64) throws {
        self.size = size
        generator = SeededGenerator(seed: seed)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "Europe/Berlin"))
        self.calendar = calendar
        let first = try #require(CivilDate(size.first))
        let start = try #require(calendar.date(from: DateComponents(year: first.year, month: first.month, day: first.day)))
        begin = Int64(start.timeIntervalSince1970) * 1_000
        now = begin
        let length = Int64(size.days) * 86_400_000
        outages = [(begin + length / 4, begin + length / 4 + 3 * 86_400_000), (begin + length / 2, begin + length / 2 + 5 * 3_600_000)]
        free = Array(0..<size.tools)
        var master = MasterData()
        for person in 0..<size.people {
            let key = try #require(PersonKey("p-\(person)"))
            master.people[key] = Person(key: key, number: "\(person)", name: "Person \(person)", isBlocked: false, quota: nil)
            master.credentials["\(person)"] = key
        }
        for tool in 0..<size.tools {
            let key = try #require(ItemKey("T-\(tool)"))
            master.items[key] = Item(key: key, name: "Tool \(tool)", itemClass: "class-\(tool % 20)", dueDays: 1 + tool % 14, uri: nil)
            master.tags[Self.epc(tool)] = .item(key)
        }
        // Once every class has a standing permission, nobody needs a request.
        for index in 0..<20 { master.classes["class-\(index)"] = ItemClass(name: "Class \(index)", isStanding: index % 2 == 0) }
        ledger = Ledger(
            site: Fixture.site(LoanPolicy(workingWeek: [.monday, .tuesday, .wednesday, .thursday, .friday])), epoch: seed, master: master)
        ledger.zone = zone(at: begin)
    }

    private static func epc(_ tool: Int) -> EPC { EPC(hex: String(format: "3000%020X", tool))! }

    private func zone(at milliseconds: Int64) -> SiteZone {
        let time = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
        let begin = time.addingTimeInterval(-366 * 86_400)
        var changes: [SiteZone.Change] = [
            .init(
                milliseconds: Int64(begin.timeIntervalSince1970 * 1_000),
                offsetMinutes: calendar.timeZone.secondsFromGMT(for: begin) / 60)
        ]
        var next = calendar.timeZone.nextDaylightSavingTimeTransition(after: begin)
        while let change = next, changes.count < 6 {
            changes.append(
                .init(
                    milliseconds: Int64(change.timeIntervalSince1970 * 1_000),
                    offsetMinutes: calendar.timeZone.secondsFromGMT(for: change.addingTimeInterval(1)) / 60))
            next = calendar.timeZone.nextDaylightSavingTimeTransition(after: change)
        }
        return SiteZone(offsetMinutes: calendar.timeZone.secondsFromGMT(for: time) / 60, changes: changes)
    }

    private func wall(_ milliseconds: Int64) -> WallTime {
        let offset = calendar.timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(milliseconds) / 1_000)) / 60
        return WallTime(milliseconds: milliseconds, offsetMinutes: offset, quality: .synchronised)
    }

    // MARK: The year

    mutating func run() throws {
        let perDay = size.loans / size.days
        for day in 0..<size.days {
            // Every anchor says anew how the clocks will change.
            try pass(to: begin + Int64(day) * 86_400_000)
            ledger.zone = zone(at: now)
            var moments = (0..<perDay).map { _ in begin + Int64(day) * 86_400_000 + Int64(generator.next() % 86_400_000) }
            moments.sort()
            for moment in moments where !isOff(moment) {
                try pass(to: moment)
                try borrow()
            }
            // Somebody sets the clock back: nobody is told twice for it.
            if day == size.days * 3 / 4 { now -= 7_200_000 }
        }
        try pass(to: begin + Int64(size.days) * 86_400_000)
    }

    private func isOff(_ moment: Int64) -> Bool { outages.contains { $0.from <= moment && moment < $0.to } }

    /// Lets time come to a moment: what comes back and what must be told on the way is done when it is due, or when the machine is on again.
    private mutating func pass(to moment: Int64) throws {
        while true {
            let nextReturn = returns.first?.at ?? .max
            var nextTold = max(ledger.nextReminder ?? .max, now)
            if let outage = outages.first(where: { $0.from <= nextTold && nextTold < $0.to }) { nextTold = outage.to }
            let next = min(nextReturn, nextTold)
            guard next <= moment else { break }
            now = max(now, next)
            if nextTold <= nextReturn { try tell() } else { bringBack() }
        }
        now = max(now, moment)
    }

    private mutating func take(_ plan: Plan) {
        let decision = ledger.commit(plan)
        for event in decision.events { _ = folded.apply(event) }
        events += decision.events.count
    }

    private mutating func borrow() throws {
        let person = Int(generator.next() % UInt64(size.people))
        let count = min(free.count, generator.next() % 4 == 0 ? 2 : 1)
        guard count > 0 else { return }
        var tools: [Int] = []
        for _ in 0..<count {
            free.swapAt(Int(generator.next() % UInt64(free.count)), free.count - 1)
            tools.append(free.removeLast())
        }
        let begin = ContinuousClock.now
        take(ledger.plan(Fixture.crossing(.out, tools.map(Self.epc), badges: ["\(person)"]), at: wall(now)))
        decisions.append(ContinuousClock.now - begin)
        for tool in tools {
            let item = ItemKey("T-\(tool)")!
            guard let loan = ledger.state.loans[item] else { return problems.append("\(item) was not lent") }
            borrowed += 1
            check(due: loan, days: 1 + tool % 14)
            open[item] = Open(due: loan.due.milliseconds, since: now)
            // Most come back in time, some late, a few very late.
            let span = loan.due.milliseconds - now
            let dice = generator.next() % 100
            let stay =
                dice < 90 ? Int64(generator.next() % UInt64(span)) : span + Int64(generator.next() % (dice < 98 ? 4 : 20) * 86_400_000)
            var back = now + stay
            if let outage = outages.first(where: { $0.from <= back && back < $0.to }) { back = outage.to + 1 }
            let place = returns.firstIndex { $0.at > back } ?? returns.count
            returns.insert((back, tool), at: place)
        }
    }

    private mutating func bringBack() {
        let (_, tool) = returns.removeFirst()
        let item = ItemKey("T-\(tool)")!
        take(ledger.plan(Fixture.crossing(.in, [Self.epc(tool)]), at: wall(now)))
        if ledger.state.loans[item] != nil { problems.append("\(item) did not come back") }
        // Nobody may have been forgotten until now.
        if let loan = open.removeValue(forKey: item), let step = step(of: loan, at: now - 1), loan.said.map({ $0 < step }) ?? true {
            problems.append("\(item): nobody was told \(step)")
        }
        free.append(tool)
    }

    // MARK: Second opinion

    private mutating func tell() throws {
        guard let plan = ledger.planReminders(at: wall(now)) else { return problems.append("nothing to tell at \(now)") }
        for event in plan.events {
            guard case .reminded(let reminder) = event.body else { continue }
            told += 1
            for item in reminder.items {
                guard var loan = open[item] else {
                    problems.append("\(item) is not out")
                    continue
                }
                if step(of: loan, at: now) != reminder.step { problems.append("\(item): \(reminder.step) at \(now)") }
                if loan.said.map({ $0 >= reminder.step }) ?? false { problems.append("\(item): \(reminder.step) twice") }
                let wasOff = outages.contains { $0.to == now }
                if !wasOff, moment(reminder.step, loan) != now { problems.append("\(item): \(reminder.step) not at its moment") }
                loan.said = reminder.step
                open[item] = loan
            }
        }
        take(plan)
    }

    private func step(of loan: Open, at moment: Int64) -> ReminderStep? {
        ReminderStep.allCases.last { step in self.moment(step, loan).map { $0 <= moment && $0 > loan.since } ?? false }
    }

    /// At eight in the morning of a day before or after the day on which it is due.
    private func moment(_ step: ReminderStep, _ loan: Open) -> Int64? {
        let days = [-Self.soonDays, 0] + Self.overdueDays
        let offset = days[ReminderStep.allCases.firstIndex(of: step)!]
        let day = calendar.startOfDay(for: Date(timeIntervalSince1970: Double(loan.due) / 1_000))
        guard let that = calendar.date(byAdding: .day, value: offset, to: day),
            let eight = calendar.date(bySettingHour: 8, minute: 0, second: 0, of: that)
        else { return nil }
        return Int64(eight.timeIntervalSince1970) * 1_000
    }

    private mutating func check(due loan: Loan, days: Int) {
        let date = Date(timeIntervalSince1970: Double(now) / 1_000)
        guard var day = calendar.date(byAdding: .day, value: days, to: calendar.startOfDay(for: date)) else { return }
        while [1, 7].contains(calendar.component(.weekday, from: day)) { day = calendar.date(byAdding: .day, value: 1, to: day) ?? day }
        let six = calendar.date(bySettingHour: 18, minute: 0, second: 0, of: day)
        if six.map({ Int64($0.timeIntervalSince1970) * 1_000 }) != loan.due.milliseconds {
            problems.append("\(loan.item) from \(loan.since.rfc3339) is due \(loan.due.rfc3339)")
        }
    }
}
