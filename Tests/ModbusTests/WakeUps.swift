import Devices
import Foundation
import NIOConcurrencyHelpers
import Readings

/// How late a thread is woken up that asked to be every millisecond: what the machine adds to any delay while it has other work.
final class WakeUps: Sendable {
    private struct Seen {
        var lateness: [Int64] = []
        var isStopped = false
    }

    private let seen = NIOLockedValueBox(Seen())

    /// Begins to watch, on a thread of its own.
    init() {
        Thread.detachNewThread { [self] in
            while !seen.withLockedValue({ $0.isStopped }) {
                let due = BootClock.now() + .milliseconds(1)
                Thread.sleep(forTimeInterval: 0.001)
                seen.withLockedValue { $0.lateness.append((BootClock.now() - due).nanoseconds) }
            }
        }
    }

    /// Ends the watch.
    /// - Returns: the lateness of the wake-up that only so many others exceeded.
    func stop(worst place: Int) -> Instant.Span {
        let all = seen.withLockedValue { seen in
            seen.isStopped = true
            return seen.lateness.sorted(by: >)
        }
        return Instant.Span(nanoseconds: all.indices.contains(place) ? max(0, all[place]) : 0)
    }
}
