/// A day of the week, in the order of ISO 8601: Monday is the first.
public enum Weekday: Int, Hashable, Sendable, CaseIterable, Comparable {
    case monday = 1
    case tuesday, wednesday, thursday, friday, saturday, sunday

    /// `mon` … `sun`, as the site file writes it.
    public var shortName: String { Self.shortNames[rawValue - 1] }

    private static let shortNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// nil for what is no such name.
    public init?(shortName: some StringProtocol) {
        guard let index = Self.shortNames.firstIndex(where: { $0 == shortName }) else { return nil }
        self = Self.allCases[index]
    }

    public static func < (left: Weekday, right: Weekday) -> Bool { left.rawValue < right.rawValue }
}

extension CivilDate {
    public var weekday: Weekday {
        // 1970-01-01 was a Thursday.
        let index = (daysSince1970 + 3) % 7
        return Weekday.allCases[Int(index < 0 ? index + 7 : index)]
    }

    /// So many days later, or earlier where negative.
    public func advanced(by days: Int64) -> CivilDate { CivilDate(daysSince1970: daysSince1970 &+ days) }

    /// `YYYY-MM-DD`; nil for anything else and for days that are not in the calendar.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }
}
