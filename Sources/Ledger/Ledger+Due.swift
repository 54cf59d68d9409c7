import Readings
import SiteConfiguration

extension Ledger {
    /// When a loan must be back: on the permit's day, or after the item's, its class's or the policy's number of days, at the policy's hour.
    /// What falls on a day on which nobody works is due on the next one on which somebody does.
    func due(_ item: ItemKey, ground: Verdict.Ground, from time: WallTime) -> WallTime {
        let today = time.localDate
        // A plan that time has overtaken plans nothing.
        if case .permit(let permit) = ground, let day = permit.due, day >= today {
            let planned = due(on: day, from: time)
            if planned.milliseconds > time.milliseconds { return planned }
        }
        return due(on: day(after: days(for: item), from: today, isWorking: countsWorkingDays(item)), from: time)
    }

    /// When a loan must be back that began then and is known of only now: nothing is due in the past.
    func due(_ item: ItemKey, ground: Verdict.Ground, from time: WallTime, told now: WallTime) -> WallTime {
        let due = due(item, ground: ground, from: time)
        guard now.quality != .unknown, due.milliseconds <= now.milliseconds else { return due }
        return self.due(on: now.localDate.advanced(by: 1), from: now)
    }

    /// When a loan must be back that is renewed now.
    func renewedDue(_ loan: Loan, at time: WallTime) -> WallTime {
        // From the old day on, unless that is over.
        let start = max(loan.due.localDate, time.localDate)
        return due(on: day(after: days(for: loan.item), from: start, isWorking: countsWorkingDays(loan.item)), from: time)
    }

    private func days(for item: ItemKey) -> Int {
        master.items[item]?.dueDays ?? itemClass(of: item)?.dueDays ?? site.policy.dueDays
    }

    private func countsWorkingDays(_ item: ItemKey) -> Bool {
        itemClass(of: item)?.countsWorkingDays ?? false
    }

    private func due(on day: CivilDate, from time: WallTime) -> WallTime {
        let zone = zone ?? SiteZone(offsetMinutes: time.offsetMinutes)
        return zone.time(on: nextWorkingDay(from: day), minute: site.policy.dueHour * 60, quality: time.quality)
    }

    // MARK: Calendar

    /// A holiday or a working weekend of the master data, else by the days of the week.
    func isWorkingDay(_ day: CivilDate) -> Bool {
        master.days[day] ?? site.policy.workingWeek?.contains(day.weekday) ?? true
    }

    /// A calendar that leaves no day to work on is no calendar.
    private static let longestHoliday: Int64 = 60

    private func nextWorkingDay(from day: CivilDate) -> CivilDate {
        (0...Self.longestHoliday).lazy.map { day.advanced(by: $0) }.first(where: isWorkingDay) ?? day
    }

    private func day(after count: Int, from day: CivilDate, isWorking: Bool) -> CivilDate {
        guard isWorking else { return day.advanced(by: Int64(count)) }
        var next = day
        for _ in 0..<min(count, 3_650) { next = nextWorkingDay(from: next.advanced(by: 1)) }
        return next
    }
}
