import CLinux
import CNIOLinux
import Devices
import Glibc
import Readings

/// The machine's wall clock and time zone, as the engine takes them in: one anchor at start, hourly, and whenever either steps.
struct WallClock {
    private var last: WallAnchor?
    private let ahead: ClockAhead?
    /// What `ahead` said last: a file that cannot be read for once turns no time back.
    private var secondsAhead: Int64 = 0

    /// A step of the wall clock that is told to the engine, in milliseconds: more than slewing does between two looks.
    static let stepTolerance: Int64 = 200
    static let anchorInterval = Instant.Span.seconds(3_600)

    /// - Parameter ahead: nil but in demonstrations and tests.
    init(ahead: ClockAhead? = nil) { self.ahead = ahead }

    /// Sets the zone of this process; only before it has threads, because others read the environment without a lock.
    /// - Parameter timeZone: an IANA name; nil: the machine's own zone.
    static func set(timeZone: String?) {
        guard let timeZone else { return }
        setenv("TZ", ":\(timeZone)", 1)
        tzset()
    }

    /// Looks at the clock.
    /// - Returns: an anchor when the engine must know: at first, after an hour, after a step, or when offset or quality changed.
    mutating func look() -> WallAnchor? {
        var anchor = Self.read()
        if let ahead {
            secondsAhead = ahead.seconds ?? secondsAhead
            anchor = ClockAhead.moved(anchor, by: secondsAhead, offset: Self.offset)
        }
        if let last, anchor.instant - last.instant < Self.anchorInterval, anchor.offsetMinutes == last.offsetMinutes,
            anchor.quality == last.quality,
            abs(last.wallTime(at: anchor.instant).milliseconds - anchor.milliseconds) < Self.stepTolerance
        {
            return nil
        }
        last = anchor
        var told = anchor
        told.changes = Self.changes(around: anchor.milliseconds / 1_000, offset: Self.offset)
        return told
    }

    /// `20261121T101530`, for names of files.
    static func stamp() -> String {
        let now = read()
        return now.wallTime(at: now.instant).rfc3339.prefix(19).filter { $0 != ":" && $0 != "-" }
    }

    /// When a day begins in this process's zone. Where summer time begins at midnight, that is an hour later.
    static func midnight(_ day: CivilDate) -> WallTime {
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(day.year - 1_900), Int32(day.month - 1), Int32(day.day))
        parts.tm_isdst = -1
        let seconds = mktime(&parts)
        return WallTime(milliseconds: Int64(seconds) * 1_000, offsetMinutes: parts.tm_gmtoff / 60, quality: .synchronised)
    }

    private static func read() -> WallAnchor {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var local = tm()
        localtime_r(&time.tv_sec, &local)
        let now = BootClock.now()
        let milliseconds = Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
        return WallAnchor(
            instant: now, milliseconds: milliseconds, offsetMinutes: local.tm_gmtoff / 60, quality: quality(milliseconds),
            boot: bootTime(at: now))
    }

    /// Of this process's zone, in minutes.
    static func offset(at seconds: Int64) -> Int {
        var (time, local) = (time_t(seconds), tm())
        localtime_r(&time, &local)
        return local.tm_gmtoff / 60
    }

    /// The changes of the offset from a year or more before a moment to two years after it, to the second: day by day, and then by halves.
    /// The first tells the offset with which that time begins; where there are no others, there is none.
    ///
    /// What was due before the clocks changed was due by the offset of then: a loan is older than the last change.
    /// - Parameters:
    ///   - moment: seconds since 1970.
    ///   - offset: minutes from UTC at a moment.
    static func changes(around moment: Int64, offset: (Int64) -> Int) -> [SiteZone.Change] {
        // The same beginning for half a year, so that what is told is not new every hour.
        let start = (moment / 86_400 / 180 - 2) * 180 * 86_400 - 6 * 86_400
        var changes: [SiteZone.Change] = [.init(milliseconds: start * 1_000, offsetMinutes: offset(start))]
        var (from, before) = (start, offset(start))
        for day in 1...(730 + 546) where changes.count < SiteZone.maximumChanges {
            let to = start + Int64(day) * 86_400
            let after = offset(to)
            if after != before {
                var (low, high) = (from, to)
                while high - low > 1 {
                    let middle = low + (high - low) / 2
                    if offset(middle) == before { low = middle } else { high = middle }
                }
                changes.append(.init(milliseconds: high * 1_000, offsetMinutes: after))
            }
            (from, before) = (to, after)
        }
        return changes.count > 1 ? changes : []
    }

    static func bootTime(at now: Instant) -> BootTime? {
        boot.map { BootTime(boot: $0, milliseconds: now.nanoseconds / 1_000_000) }
    }

    /// The first 64 bits of this boot's id; nil where the kernel tells none.
    private static let boot: UInt64? = SiteFile.contents(of: "/proc/sys/kernel/random/boot_id").flatMap { text in
        UInt64(text.filter(\.isHexDigit).prefix(16), radix: 16)
    }

    /// 2026-01-01: a clock before it was never set.
    private static let oldestPlausible: Int64 = 1_767_225_600_000

    private static func quality(_ milliseconds: Int64) -> ClockQuality {
        guard milliseconds >= oldestPlausible else { return .unknown }
        return clinux_clock_is_synchronised() == 1 ? .synchronised : .unsynchronised
    }

    /// Whether the machine has rules for this zone.
    static func isKnown(timeZone: String) -> Bool {
        guard !timeZone.hasPrefix("/"), !timeZone.contains("..") else { return false }
        // Folders such as `Asia` are readable too: the file must be one.
        return SiteFile.contents(of: "/usr/share/zoneinfo/\(timeZone)", isText: false) != nil
    }
}
