/// How far the wall clock can be trusted.
public enum ClockQuality: String, Hashable, Sendable, CaseIterable {
    /// The kernel says that it is synchronised.
    case synchronised
    /// A plausible time from a battery-backed clock or the last run, not synchronised.
    case unsynchronised
    /// Certainly wrong (before this program was built) or never set.
    case unknown
}

extension ClockQuality {
    /// 0 for the worst.
    public var rank: Int {
        switch self {
        case .unknown: 0
        case .unsynchronised: 1
        case .synchronised: 2
        }
    }
}

/// A moment by the clock of one boot, which nobody sets.
public struct BootTime: Hashable, Sendable {
    /// The first 64 bits of the kernel's boot id (random(4), `boot_id`).
    public var boot: UInt64
    /// `CLOCK_BOOTTIME` in milliseconds.
    public var milliseconds: Int64

    public init(boot: UInt64, milliseconds: Int64) {
        self.boot = boot
        self.milliseconds = milliseconds
    }

    /// 16 lower-case hexadecimal digits.
    public var bootText: String { Self.text(boot: boot) }

    public static func text(boot: UInt64) -> String {
        let digits = String(boot, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// nil unless it is 16 hexadecimal digits.
    public static func boot(text: String) -> UInt64? {
        guard text.utf8.count == 16, text.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }) else { return nil }
        return UInt64(text, radix: 16)
    }
}

/// What the wall clock showed at one instant.
public struct WallAnchor: Hashable, Sendable {
    public var instant: Instant
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var milliseconds: Int64
    /// The site's offset from UTC in minutes, −1440 < offset < 1440.
    public var offsetMinutes: Int
    public var quality: ClockQuality
    /// The same instant by the machine's own clock; nil where the machine is not known, as in a data set.
    public var boot: BootTime?
    /// When the site's offset changed last and will change, as far as is known; at most `SiteZone.maximumChanges`.
    public var changes: [SiteZone.Change]

    /// The years 1 to 9999, less a day at each end: no offset and no sum with a deadline leaves what a date can show.
    private static let years: ClosedRange<Int64> = -62_135_510_400_000...253_402_214_400_000

    public init(
        instant: Instant, milliseconds: Int64, offsetMinutes: Int, quality: ClockQuality, boot: BootTime? = nil,
        changes: [SiteZone.Change] = []
    ) {
        self.instant = instant
        self.boot = boot
        self.changes = changes
        self.milliseconds = max(Self.years.lowerBound, min(Self.years.upperBound, milliseconds))
        self.offsetMinutes = max(-1_439, min(1_439, offsetMinutes))
        self.quality = quality
    }

    public init(instant: Instant, _ time: WallTime) {
        self.init(
            instant: instant, milliseconds: time.milliseconds, offsetMinutes: time.offsetMinutes, quality: time.quality, boot: time.boot)
    }

    public var zone: SiteZone { SiteZone(offsetMinutes: offsetMinutes, changes: changes) }

    /// The wall time of any instant of this boot: the anchor plus the monotonic difference.
    public func wallTime(at other: Instant) -> WallTime {
        let elapsed = (other - instant).milliseconds
        let (sum, overflow) = milliseconds.addingReportingOverflow(elapsed)
        return WallTime(
            milliseconds: overflow ? milliseconds : sum, offsetMinutes: offsetMinutes, quality: quality,
            boot: boot.map { BootTime(boot: $0.boot, milliseconds: $0.milliseconds &+ elapsed) })
    }
}

/// A wall time as events carry it.
public struct WallTime: Hashable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var milliseconds: Int64
    public var offsetMinutes: Int
    public var quality: ClockQuality
    /// The same moment by the machine's own clock: with it a wrong wall time can be put right later. nil: read from a text, or reckoned.
    public var boot: BootTime?

    public init(milliseconds: Int64, offsetMinutes: Int, quality: ClockQuality, boot: BootTime? = nil) {
        self.boot = boot
        self.milliseconds = milliseconds
        self.offsetMinutes = offsetMinutes
        self.quality = quality
    }

    /// The time alone, for what is reckoned from it.
    public var calendar: WallTime { WallTime(milliseconds: milliseconds, offsetMinutes: offsetMinutes, quality: quality) }

    /// The day at the site.
    public var localDate: CivilDate {
        let local = milliseconds.addingReportingOverflow(Int64(offsetMinutes) * 60_000)
        return CivilDate(daysSince1970: (local.overflow ? milliseconds : local.partialValue).floorDivided(by: 86_400_000))
    }

    /// RFC 3339 with milliseconds and the site's offset, for example `2026-11-21T08:15:30.123+08:00`.
    public var rfc3339: String {
        // A capture may state any number; years outside 1...9999 are clamped, as in `CivilDate`.
        let offset = max(-1_439, min(1_439, offsetMinutes))
        let local = max(-62_135_596_800_000, min(253_402_300_799_999, milliseconds)) + Int64(offset) * 60_000
        let day = local.floorDivided(by: 86_400_000)
        let time = local - day * 86_400_000
        let date = CivilDate(daysSince1970: day)
        let clock =
            "\(padded(time / 3_600_000, 2)):\(padded(time / 60_000 % 60, 2)):\(padded(time / 1_000 % 60, 2)).\(padded(time % 1_000, 3))"
        return "\(date)T\(clock)\(Self.offsetText(minutes: offset))"
    }

    /// `+08:00`; never `Z`, which EPCIS refuses as a time zone offset.
    public static func offsetText(minutes: Int) -> String {
        let size = minutes.magnitude
        return "\(minutes < 0 ? "-" : "+")\(padded(Int64(size / 60), 2)):\(padded(Int64(size % 60), 2))"
    }

    /// Reads RFC 3339 with `Z` or a numeric offset and up to nine decimals; nil for anything else.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ start: Int, _ count: Int) -> Int64? {
            guard start + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[start..<start + count] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard bytes.count >= 20, bytes.count <= 40, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54 || bytes[10] == 0x20,
            bytes[13] == 0x3A, bytes[16] == 0x3A,
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), hour < 24, minute < 60, second <= 60,
            let date = CivilDate(year: Int(year), month: Int(month), day: Int(day))
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if bytes[index] == 0x2E {
            index += 1
            var digits = 0
            while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 {
                if digits < 3 { fraction = fraction * 10 + Int64(bytes[index] - 0x30) }
                digits += 1
                index += 1
            }
            guard digits >= 1, digits <= 9 else { return nil }
            for _ in digits..<max(digits, 3) { fraction *= 10 }
        }
        guard index < bytes.count else { return nil }
        var offset = 0
        switch bytes[index] {
        case 0x5A where index + 1 == bytes.count: break
        case 0x2B, 0x2D:
            guard index + 6 == bytes.count, bytes[index + 3] == 0x3A, let hours = number(index + 1, 2),
                let minutes = number(index + 4, 2), hours < 24, minutes < 60
            else { return nil }
            offset = Int(hours * 60 + minutes) * (bytes[index] == 0x2D ? -1 : 1)
        default: return nil
        }
        let local = date.daysSince1970 * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1_000 + fraction
        self.init(milliseconds: local - Int64(offset) * 60_000, offsetMinutes: offset, quality: .synchronised)
    }
}

/// A day of the Gregorian calendar.
public struct CivilDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let year: Int
    public let month: Int
    public let day: Int

    /// nil when there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9_999).contains(year), (1...12).contains(month), day >= 1, day <= Self.days(in: month, of: year) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Years before 1 and after 9999 are clamped: no device or file may trap the daemon with a date.
    public init(daysSince1970: Int64) {
        // Shift the year to start in March, so that the leap day is the last of its year; 400 years are 146,097 days.
        let shifted = max(-719_162, min(2_932_896, daysSince1970)) + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
        month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    public var daysSince1970: Int64 {
        let marchYear = Int64(month <= 2 ? year - 1 : year)
        let era = marchYear.floorDivided(by: 400)
        let yearOfEra = marchYear - era * 400
        let marchMonth = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * marchMonth + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    public static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    public static func < (left: CivilDate, right: CivilDate) -> Bool { left.daysSince1970 < right.daysSince1970 }

    /// `2026-11-21`
    public var description: String { "\(padded(Int64(year), 4))-\(padded(Int64(month), 2))-\(padded(Int64(day), 2))" }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
