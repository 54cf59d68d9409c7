import Glibc
import Readings

/// The gateway's monotonic clock. It counts while the machine sleeps, and no step of the wall clock moves it (`CLOCK_BOOTTIME`).
public enum BootClock {
    /// Time since the machine was started.
    public static func now() -> Instant {
        var time = timespec()
        // Fails only for an unknown clock or a bad address.
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// `CLOCK_MONOTONIC` in microseconds: the clock of udev's time stamps. It stands still while the machine sleeps.
    static func monotonicMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1_000
    }
}
