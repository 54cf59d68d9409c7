import Readings
import TestSupport
import Testing

@Suite("Wall clock")
struct WallClockTests {
    // Days and milliseconds computed with CPython's datetime.
    @Test(
        arguments: [
            (1, 1, 1, -719_162), (1600, 2, 29, -135_081), (1900, 3, 1, -25_508), (1969, 12, 31, -1), (1970, 1, 1, 0), (1972, 2, 29, 789),
            (2000, 2, 29, 11_016), (2000, 3, 1, 11_017), (2100, 2, 28, 47_540), (2100, 3, 1, 47_541), (2026, 11, 21, 20_778),
            (9999, 12, 31, 2_932_896),
        ] as [(Int, Int, Int, Int64)])
    func knownDays(year: Int, month: Int, day: Int, count: Int64) throws {
        let date = try #require(CivilDate(year: year, month: month, day: day))
        #expect(date.daysSince1970 == count)
        #expect(CivilDate(daysSince1970: count) == date)
    }

    @Test(arguments: [
        (2100, 2, 29), (1900, 2, 29), (2023, 2, 29), (2024, 2, 30), (2024, 4, 31), (2024, 0, 1), (2024, 13, 1), (2024, 1, 0), (0, 1, 1),
        (10_000, 1, 1),
    ])
    func daysThatAreNone(year: Int, month: Int, day: Int) {
        #expect(CivilDate(year: year, month: month, day: day) == nil)
    }

    @Test(
        arguments: [
            ("2026-11-21T08:15:30.123+08:00", 1_795_220_130_123), ("1999-12-31T23:59:59.999-05:30", 946_704_599_999),
            ("2000-02-29T00:00:00.000+00:00", 951_782_400_000), ("1969-12-31T23:59:59.500+00:00", -500),
            ("9999-12-31T23:59:59.999+00:00", 253_402_300_799_999), ("2024-02-29T12:00:00.000+14:00", 1_709_157_600_000),
        ] as [(String, Int64)])
    func knownTimes(text: String, milliseconds: Int64) throws {
        let time = try #require(WallTime(rfc3339: text))
        #expect(time.milliseconds == milliseconds)
        #expect(time.rfc3339 == text)
    }

    @Test func otherWaysToWriteATime() throws {
        #expect(WallTime(rfc3339: "1970-01-01T00:00:01Z")?.milliseconds == 1_000)
        #expect(WallTime(rfc3339: "1970-01-01 00:00:00.5Z")?.milliseconds == 500)
        #expect(WallTime(rfc3339: "1970-01-01T00:00:00.123456789Z")?.milliseconds == 123)
        // A leap second is the first second of the next minute.
        #expect(WallTime(rfc3339: "2016-12-31T23:59:60Z")?.milliseconds == 1_483_228_800_000)
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T08:15:30", "2026-11-21T08:15:30.Z", "2026-11-21T24:00:00Z", "2026-11-21T08:60:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-21T08:15:30+8:00", "2026-11-21T08:15:30+24:00", "2026-11-21T08:15:30Zx", "２０２６-11-21T08:15:30Z",
        "2026-11-21T08:15:30.1234567890Z",
    ])
    func refuses(text: String) {
        #expect(WallTime(rfc3339: text) == nil)
    }

    @Test func anyNumberIsWritten() {
        for milliseconds in [Int64.min, -1, 0, 1, .max] {
            for offset in [Int.min, -1_440, 0, 1_440, .max] {
                let text = WallTime(milliseconds: milliseconds, offsetMinutes: offset, quality: .unknown).rfc3339
                #expect(text.utf8.count == 29, "\(text)")
            }
        }
        // An anchor keeps to the years that a date can show; from there the longest span, 292 years, cannot overflow.
        let anchor = WallAnchor(instant: Instant(nanoseconds: .min), milliseconds: .max, offsetMinutes: 99_999, quality: .unknown)
        #expect(anchor.milliseconds == 253_402_214_400_000)
        #expect(anchor.wallTime(at: Instant(nanoseconds: .max)).milliseconds == 253_402_214_400_000 + Int64.max / 1_000_000)
    }

    @Test(arguments: [21, 22] as [UInt64])
    func daysFollowEachOther(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let day = Int64.random(in: -719_162..<2_932_896, using: &generator)
            let date = CivilDate(daysSince1970: day)
            #expect(date.daysSince1970 == day, "seed \(seed), day \(day)")
            #expect(CivilDate(year: date.year, month: date.month, day: date.day) == date, "seed \(seed), day \(day)")
            #expect(CivilDate(daysSince1970: day + 1) > date, "seed \(seed), day \(day)")
        }
    }

    @Test(arguments: [31, 32] as [UInt64])
    func timesSurviveWritingAndReading(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let time = WallTime(
                milliseconds: .random(in: -62_000_000_000_000...253_000_000_000_000, using: &generator),
                offsetMinutes: .random(in: -1_439...1_439, using: &generator), quality: .synchronised)
            #expect(WallTime(rfc3339: time.rfc3339) == time, "seed \(seed), \(time)")
        }
    }
}
