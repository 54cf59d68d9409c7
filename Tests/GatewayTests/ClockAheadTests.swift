import Foundation
import Readings
import Testing

@testable import Gateway

/// The made-up time of demonstrations and tests.
@Suite struct ClockAheadTests {
    private static func ahead(_ text: String?) throws -> ClockAhead {
        let path = NSTemporaryDirectory() + "clock-ahead-\(UUID().uuidString)"
        if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        return ClockAhead(path: path)
    }

    @Test(
        arguments: [
            ("86400\n", 86_400), (" 60 ", 60), ("315360000", 315_360_000), ("0", 0), ("315360001", nil), ("-1", nil), ("", nil),
            ("soon", nil), ("99999999999999999999", nil),
        ] as [(String, Int64?)])
    func seconds(text: String, seconds: Int64?) throws {
        let ahead = try Self.ahead(text)
        #expect(ahead.seconds == seconds)
        try FileManager.default.removeItem(atPath: ahead.path)
    }

    @Test func noFile() throws { #expect(try Self.ahead(nil).seconds == nil) }

    /// What was recorded before does not look as if its clock had been wrong: wall clock and time since the start go ahead together.
    @Test func wholeMachineSleeps() throws {
        let now = WallAnchor(
            instant: Instant(nanoseconds: 5_000_000_000), milliseconds: 1_795_000_000_000, offsetMinutes: 60, quality: .synchronised,
            boot: BootTime(boot: 7, milliseconds: 5_000))
        let then = ClockAhead.moved(now, by: 7_200) { $0 >= 1_795_003_600 ? 120 : 60 }
        #expect(then.instant == now.instant)
        #expect(then.milliseconds == now.milliseconds + 7_200_000)
        #expect(then.boot == BootTime(boot: 7, milliseconds: 7_205_000))
        #expect(then.offsetMinutes == 120 && then.quality == .unsynchronised)
    }
}
