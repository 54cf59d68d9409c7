import Gateway
import Glibc
import Readings
import Synchronization

/// The made-up time of the demonstration: the file that `stockgated --clock-ahead` reads.
final class DemoClock: Sendable {
    let path: String
    /// Seconds that it is ahead of the machine's clock.
    private let ahead = Mutex<Int64>(0)

    /// - Throws: `FileFailure`
    init(path: String) throws {
        self.path = path
        try write(0)
    }

    /// Lets days pass, up to an hour of the last of them.
    /// - Parameters:
    ///   - days: 0...366. With 0 it is the next time that the hour strikes.
    ///   - hour: 0...23, local time.
    /// - Throws: `FileFailure`
    func pass(days: Int, until hour: Int) throws {
        try ahead.withLock { ahead in
            let now = Int64(time(nil)) + ahead
            var (seconds, local) = (time_t(now), tm())
            localtime_r(&seconds, &local)
            local.tm_mday += Int32(days)
            (local.tm_hour, local.tm_min, local.tm_sec, local.tm_isdst) = (Int32(hour), 0, 0, -1)
            var then = Int64(mktime(&local))
            while then <= now { then += 86_400 }
            // As far as the daemon goes along.
            ahead = min(ahead + then - now, ClockAhead.longest)
            try write(ahead)
        }
    }

    /// In one step: the daemon may look at any moment.
    private func write(_ seconds: Int64) throws {
        let bytes = Array("\(seconds)\n".utf8)
        do {
            let file = try OutputFile("\(path).new")
            try bytes.withUnsafeBufferPointer { try file.write($0) }
        }
        guard rename("\(path).new", path) == 0 else { throw FileFailure(errno: errno) }
    }
}
