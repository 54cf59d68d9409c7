import Readings

/// A file with the seconds that have passed although nobody waited for them: so that a demonstration or a test sees a loan become
/// overdue.
///
/// The time since the machine was started goes ahead with the wall clock, as if the machine had slept: nothing looks like a clock that
/// was wrong. Devices and gates are told nothing; they go on at their own pace.
public struct ClockAhead: Hashable, Sendable {
    public let path: String

    /// Ten years, in seconds: more is not believed.
    public static let longest: Int64 = 315_360_000

    public init(path: String) { self.path = path }

    /// nil where there is no such file, or no number of 0 to ten years in it.
    var seconds: Int64? {
        guard let text = SiteFile.contents(of: path), let seconds = Int64(text.filter { !$0.isWhitespace }) else { return nil }
        return (0...Self.longest).contains(seconds) ? seconds : nil
    }

    /// What a clock shows that is ahead; it is never one to be relied on.
    /// - Parameter offset: minutes from UTC at a second since 1970.
    static func moved(_ anchor: WallAnchor, by seconds: Int64, offset: (Int64) -> Int) -> WallAnchor {
        let milliseconds = seconds * 1_000
        let time = anchor.milliseconds + milliseconds
        let boot = anchor.boot.map { BootTime(boot: $0.boot, milliseconds: $0.milliseconds + milliseconds) }
        return WallAnchor(
            instant: anchor.instant, milliseconds: time, offsetMinutes: offset(time / 1_000),
            quality: anchor.quality == .unknown ? .unknown : .unsynchronised, boot: boot)
    }
}
