import Foundation
import Readings
import Testing

@testable import Gateway

@Suite("The wall clock")
struct WallClockTests {
    /// Two changes a year, half an hour, Ramadan's four, and none.
    @Test(
        "What is told of changes to come is what the zone's rules say",
        arguments: [
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Shanghai", "America/Sao_Paulo",
        ])
    func changes(name: String) throws {
        let zone = try #require(TimeZone(identifier: name))
        let start: Int64 = 1_795_248_000
        func offset(_ seconds: Int64) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))) / 60 }
        let changes = WallClock.changes(around: start, offset: offset)
        let first = changes.first.map { $0.milliseconds / 1_000 } ?? start - 366 * 86_400
        #expect(first <= start - 365 * 86_400)
        var expected: [SiteZone.Change] = changes.isEmpty ? [] : [.init(milliseconds: first * 1_000, offsetMinutes: offset(first))]
        var next = zone.nextDaylightSavingTimeTransition(after: Date(timeIntervalSince1970: Double(first)))
        while let moment = next, moment.timeIntervalSince1970 <= Double(first + (730 + 546) * 86_400) {
            let seconds = Int64(moment.timeIntervalSince1970)
            if offset(seconds) != offset(seconds - 1) {
                expected.append(.init(milliseconds: seconds * 1_000, offsetMinutes: offset(seconds)))
            }
            next = zone.nextDaylightSavingTimeTransition(after: moment)
        }
        #expect(changes == expected)
        // A day's hours by these rules are those of the zone.
        let site = SiteZone(offsetMinutes: offset(start), changes: changes)
        for day in stride(from: start - 365 * 86_400, to: start + 700 * 86_400, by: 43_200) {
            #expect(site.offset(at: day * 1_000) == offset(day))
        }
    }
}
