import Readings
import Testing

@Suite("A reader's own time")
struct ReaderTimeTests {
    @Test(
        "Microseconds are written and read back",
        arguments: [
            (0, "1970-01-01T00:00:00.000000+00:00"), (1, "1970-01-01T00:00:00.000001+00:00"),
            (951_782_400_000_099, "2000-02-29T00:00:00.000099+00:00"), (1_763_690_400_123_456, "2025-11-21T02:00:00.123456+00:00"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999+00:00"),
        ] as [(UInt64, String)])
    func form(microseconds: UInt64, text: String) throws {
        let time = try #require(ReaderTime(microseconds: microseconds))
        #expect(time.rfc3339 == text)
        #expect(ReaderTime(rfc3339: text) == time)
    }

    @Test("No date shows what is after the year 9999", arguments: [253_402_300_800_000_000, UInt64.max])
    func beyond(microseconds: UInt64) {
        #expect(ReaderTime(microseconds: microseconds) == nil)
    }

    @Test(
        "Other forms are refused",
        arguments: [
            "", "2025-11-21T02:00:00.123+00:00", "2025-11-21T02:00:00.123456Z", "2025-11-21T02:00:00.123456+08:00",
            "1969-12-31T23:59:59.999999+00:00", "2025-11-21T02:00:00.12345x+00:00", "2025-02-30T02:00:00.123456+00:00",
        ])
    func refused(text: String) {
        #expect(ReaderTime(rfc3339: text) == nil)
    }

    @Test("A set of antenna ports has every port once, ascending")
    func ports() {
        #expect(AntennaPorts([4, 0, 255, 64, 63, 4]).ports == [0, 4, 63, 64, 255])
        #expect(AntennaPorts().ports.isEmpty)
        #expect(AntennaPorts(0...255).ports == Array(0...255))
        #expect(!AntennaPorts([3]).contains(67))
    }
}
