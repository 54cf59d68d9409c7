import Readings

/// A month at the site: who knows the rules of its time zone says when its days begin.
public struct ReportPeriod: Hashable, Sendable {
    /// The first day of the month.
    public var month: CivilDate
    /// When each of its days begins, then when the next month does. A day of a change to or from summer time has 23 or 25 hours.
    public var dayStarts: [WallTime]
    /// The first day of the months that are looked at for what nobody borrows, and when it begins.
    public var quiet: WallTime

    /// - Parameters:
    ///   - month: any day of it.
    ///   - deadMonths: so many months, this one included, are looked at for what nobody borrows.
    ///   - midnight: when a day begins at the site.
    public init(_ month: CivilDate, deadMonths: Int, midnight: (CivilDate) -> WallTime) {
        let first = Self.firstDay(of: month, later: 0)
        self.month = first
        let length = Int64(CivilDate.days(in: first.month, of: first.year))
        dayStarts = (0...length).map { midnight(CivilDate(daysSince1970: first.daysSince1970 + $0)) }
        quiet = midnight(Self.firstDay(of: month, later: 1 - max(1, deadMonths)))
    }

    /// The first day of a month so many months later, or earlier; what lies before all years is the first day of all.
    private static func firstDay(of day: CivilDate, later months: Int) -> CivilDate {
        let count = day.year * 12 + day.month - 1 + months
        return CivilDate(year: count / 12, month: count % 12 + 1, day: 1) ?? CivilDate(daysSince1970: .min)
    }

    /// `2026-11`
    public var name: String { String(month.description.prefix(7)) }

    public var start: WallTime { dayStarts[0] }
    public var end: WallTime { dayStarts[dayStarts.count - 1] }

    /// Whether something happened in it.
    func contains(_ time: Int64) -> Bool { time >= start.milliseconds && time < end.milliseconds }

    /// The day of a moment, counted from 0; nil outside of the month.
    func day(of time: Int64) -> Int? {
        guard contains(time) else { return nil }
        // Near enough by the length of a usual day; a change of the clock moves it by one at most.
        var day = min(Int((time - start.milliseconds) / 86_400_000), dayStarts.count - 2)
        while day > 0, dayStarts[day].milliseconds > time { day -= 1 }
        while day < dayStarts.count - 2, dayStarts[day + 1].milliseconds <= time { day += 1 }
        return day
    }
}
