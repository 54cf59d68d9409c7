import Testing

@testable import Readings

@Suite("The site's zone")
struct SiteZoneTests {
    /// Berlin, 2026: summer time from 29 March, 01:00 UTC, to 25 October, 01:00 UTC.
    private static let berlin = SiteZone(
        offsetMinutes: 60,
        changes: [.init(milliseconds: 1_774_746_000_000, offsetMinutes: 120), .init(milliseconds: 1_792_890_000_000, offsetMinutes: 60)])

    @Test(
        "A time of a day",
        arguments: [
            ("2026-03-28", 18 * 60, "2026-03-28T18:00:00.000+01:00"), ("2026-03-29", 18 * 60, "2026-03-29T18:00:00.000+02:00"),
            ("2026-03-29", 60, "2026-03-29T01:00:00.000+01:00"),
            // Half past two is skipped: an hour later on the clocks.
            ("2026-03-29", 150, "2026-03-29T03:30:00.000+02:00"), ("2026-10-24", 150, "2026-10-24T02:30:00.000+02:00"),
            // It comes twice: the first.
            ("2026-10-25", 150, "2026-10-25T02:30:00.000+02:00"), ("2026-10-25", 180, "2026-10-25T03:00:00.000+01:00"),
            ("2026-10-26", 0, "2026-10-26T00:00:00.000+01:00"),
        ])
    func time(day: String, minute: Int, expected: String) throws {
        let day = try #require(CivilDate(day))
        #expect(Self.berlin.time(on: day, minute: minute, quality: .synchronised).rfc3339 == expected)
    }

    @Test(
        "Days of the week",
        arguments: [
            ("1970-01-01", Weekday.thursday), ("2026-11-22", .sunday), ("2000-02-29", .tuesday), ("1969-12-31", .wednesday),
            ("0001-01-01", .monday),
        ])
    func weekday(day: String, expected: Weekday) throws { #expect(try #require(CivilDate(day)).weekday == expected) }

    @Test("What is no day", arguments: ["2026-02-29", "2026-2-01", "26-02-01", "", "2026-02-01 ", "2026/02/01", "+026-02-01"])
    func noDay(text: String) { #expect(CivilDate(text) == nil) }
}
