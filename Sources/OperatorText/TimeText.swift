import Readings
import SiteConfiguration

/// Times for people.
public enum TimeText {
    /// `2026-11-21 10:15:30`: the time as it was on the site's clock; what cannot be read is shown as it came.
    public static func local(_ rfc3339: String?) -> Printable {
        guard let rfc3339 else { return "" }
        guard let time = WallTime(rfc3339: rfc3339) else { return Printable(escaping: rfc3339, limit: 40) }
        let bytes = Array(time.rfc3339.utf8)
        return Printable(escaping: String(decoding: bytes[0..<10], as: UTF8.self) + " " + String(decoding: bytes[11..<19], as: UTF8.self))
    }

    /// `2026-11-28 18:00`: for due times and deadlines.
    public static func minute(_ rfc3339: String?) -> Printable {
        let text = local(rfc3339).text
        guard text.utf8.count == 19 else { return local(rfc3339) }
        return Printable(escaping: text.prefix(16))
    }

    /// `2 min ago`, `in 3 d`, seen from `now`; the time itself when one of the two cannot be read.
    public static func relative(_ rfc3339: String?, now: String?, _ language: Site.Language) -> Printable {
        guard let time = rfc3339.flatMap(WallTime.init(rfc3339:)), let reference = now.flatMap(WallTime.init(rfc3339:)) else {
            return local(rfc3339)
        }
        let seconds = (reference.milliseconds - time.milliseconds) / 1_000
        let size = seconds.magnitude
        if size < 5 { return Text.timeNow(language) }
        let past = seconds > 0
        switch size {
        case ..<60: return (past ? Text.timeSecondsAgo : .timeInSeconds)(language, ["n": Printable(size)])
        case ..<3_600: return (past ? Text.timeMinutesAgo : .timeInMinutes)(language, ["n": Printable(size / 60)])
        case ..<172_800: return (past ? Text.timeHoursAgo : .timeInHours)(language, ["n": Printable(size / 3_600)])
        default: return (past ? Text.timeDaysAgo : .timeInDays)(language, ["n": Printable(size / 86_400)])
        }
    }

    /// Whether a due time or deadline is over.
    public static func isPast(_ rfc3339: String?, now: String?) -> Bool {
        guard let time = rfc3339.flatMap(WallTime.init(rfc3339:)), let reference = now.flatMap(WallTime.init(rfc3339:)) else {
            return false
        }
        return time.milliseconds < reference.milliseconds
    }

    /// `3 h 12 min`.
    public static func duration(seconds: Int64, _ language: Site.Language) -> Printable {
        let size = max(0, seconds)
        switch size {
        case ..<3_600:
            return Text.durationMinutes(language, ["minutes": Printable(size / 60), "seconds": Printable(size % 60)])
        case ..<86_400:
            return Text.durationHours(language, ["hours": Printable(size / 3_600), "minutes": Printable(size / 60 % 60)])
        default:
            return Text.durationDays(language, ["days": Printable(size / 86_400), "hours": Printable(size / 3_600 % 24)])
        }
    }
}
