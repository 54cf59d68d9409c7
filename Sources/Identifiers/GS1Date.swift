/// A calendar date of an element string.
public struct GS1Date: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Four-digit year.
    public let year: Int
    /// Month 1…12.
    public let month: Int
    /// Day 1…31: the last of the month when only the month was written.
    public let day: Int
    /// Whether only the month was written, as day 00.
    public let isWholeMonth: Bool

    /// The date of six digits YYMMDD; nil for anything that is no date.
    ///
    /// The century is the one that brings the year within 49 years before and 50 years after `referenceYear` (General Specifications
    /// section 7.12). Day 00 stands for the last day of the month.
    public init?(_ digits: String, referenceYear: Int) {
        let units = Array(digits.utf8)
        guard units.count == 6, let written = Int(digits: units[..<2]), let month = Int(digits: units[2..<4]),
            let day = Int(digits: units[4...])
        else { return nil }
        let year = Self.fullYear(written, referenceYear: referenceYear)
        guard let last = Self.lastDay(year: year, month: month), day <= last else { return nil }
        self.year = year
        self.month = month
        self.day = day == 0 ? last : day
        isWholeMonth = day == 0
    }

    /// The four-digit year of two digits; a reference year outside 100…9899 is taken as the nearer bound.
    static func fullYear(_ twoDigits: Int, referenceYear: Int) -> Int {
        let reference = min(max(referenceYear, 100), 9899)
        let century = reference / 100 * 100
        switch twoDigits - reference % 100 {
        case 51...: return century - 100 + twoDigits
        case ...(-50): return century + 100 + twoDigits
        default: return century + twoDigits
        }
    }

    /// The last day of a month of the Gregorian calendar; nil for a month that does not exist.
    static func lastDay(year: Int, month: Int) -> Int? {
        switch month {
        case 1, 3, 5, 7, 8, 10, 12: return 31
        case 4, 6, 9, 11: return 30
        case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: return nil
        }
    }

    public static func < (left: GS1Date, right: GS1Date) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    /// ISO 8601, `2026-02-28`.
    public var description: String {
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return "\(year)-\(padded(month))-\(padded(day))"
    }
}
