/// A reader's own time: UTC as the reader knows it. One whose clock was never set counts from 1970.
public struct ReaderTime: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public let microseconds: UInt64

    /// The end of the year 9999.
    private static let latest: UInt64 = 253_402_300_799_999_999

    /// nil after the year 9999, which no date can show.
    public init?(microseconds: UInt64) {
        guard microseconds <= Self.latest else { return nil }
        self.microseconds = microseconds
    }

    /// RFC 3339 with microseconds, in UTC: `2026-11-21T00:15:30.123456+00:00`.
    public var rfc3339: String {
        let time = WallTime(milliseconds: Int64(microseconds / 1_000), offsetMinutes: 0, quality: .synchronised).rfc3339
        let digits = String(microseconds % 1_000)
        return time.prefix(Self.millisecondsEnd) + String(repeating: "0", count: 3 - digits.count) + digits
            + time.dropFirst(Self.millisecondsEnd)
    }

    /// Reads the form that `rfc3339` gives; nil for anything else.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 32, bytes[19] == 0x2E, text.hasSuffix("+00:00"), let time = WallTime(rfc3339: text), time.milliseconds >= 0
        else { return nil }
        // `WallTime` took six digits before the offset, so these are three of them.
        let digits = bytes[Self.millisecondsEnd..<Self.millisecondsEnd + 3].reduce(UInt64(0)) { $0 * 10 + UInt64($1 &- 0x30) }
        self.init(microseconds: UInt64(time.milliseconds) * 1_000 + digits)
    }

    /// Where in `2026-11-21T00:15:30.123+00:00` the milliseconds end.
    private static let millisecondsEnd = 23

    public static func < (left: ReaderTime, right: ReaderTime) -> Bool { left.microseconds < right.microseconds }
}
