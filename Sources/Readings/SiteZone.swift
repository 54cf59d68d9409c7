/// How far the site's local time is from UTC: lately, now, and in times to come. Daylight-saving changes are known years before.
public struct SiteZone: Hashable, Sendable {
    /// From a moment on, another offset.
    public struct Change: Hashable, Sendable {
        /// Milliseconds since 1970-01-01T00:00:00Z.
        public var milliseconds: Int64
        /// −1440 < offset < 1440.
        public var offsetMinutes: Int

        public init(milliseconds: Int64, offsetMinutes: Int) {
            self.milliseconds = milliseconds
            self.offsetMinutes = max(-1_439, min(1_439, offsetMinutes))
        }
    }

    /// Before the first change.
    public var offsetMinutes: Int
    /// In the order of time, at most `maximumChanges`.
    public private(set) var changes: [Change]

    public static let maximumChanges = 16

    public init(offsetMinutes: Int, changes: [Change] = []) {
        self.offsetMinutes = max(-1_439, min(1_439, offsetMinutes))
        self.changes = Array(changes.sorted { $0.milliseconds < $1.milliseconds }.prefix(Self.maximumChanges))
    }

    /// The offset at a moment, in minutes.
    public func offset(at milliseconds: Int64) -> Int {
        changes.last { $0.milliseconds <= milliseconds }?.offsetMinutes ?? offsetMinutes
    }

    /// The moment at which the site's clocks show a time of a day. An hour that is skipped in spring is taken as it would have been
    /// without the change; of an hour that comes twice in autumn, the first.
    /// - Parameter minute: of the day, 0...1439.
    public func time(on day: CivilDate, minute: Int, quality: ClockQuality) -> WallTime {
        let local = day.daysSince1970 * 86_400_000 + Int64(minute) * 60_000
        var offsets = [offsetMinutes] + changes.map(\.offsetMinutes)
        offsets = offsets.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        let fitting = offsets.map { (offset: $0, moment: local - Int64($0) * 60_000) }.filter { offset(at: $0.moment) == $0.offset }
        if let first = fitting.min(by: { $0.moment < $1.moment }) {
            return WallTime(milliseconds: first.moment, offsetMinutes: first.offset, quality: quality)
        }
        // Skipped: by the offset of before, which makes it an hour later on the clocks of after.
        let before = offset(at: local - Int64(offsets.max() ?? 0) * 60_000 - 3_600_000)
        let moment = local - Int64(before) * 60_000
        return WallTime(milliseconds: moment, offsetMinutes: offset(at: moment), quality: quality)
    }
}
