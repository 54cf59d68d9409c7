import Glibc
import Readings

/// What the event loop has for a bus thread.
///
/// A lock and a condition of pthread: waits are measured on the monotonic clock.
final class ModbusMailbox: @unchecked Sendable {
    // `mail`, `isEnded` and `isClosed` are only touched with `mutex` held; the two pthread objects are made for use by several threads
    // and never move.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var mail = Mail()
    private var isEnded = false
    private var isClosed = false

    struct Mail: Sendable {
        var arrivals: [(id: UInt64, unit: ModbusUnit, tell: @Sendable (ModbusUnitReport) -> Void)] = []
        var departures: [(id: UInt64, reason: String)] = []
        var commands: [(id: UInt64, request: [UInt8])] = []
        /// What became of the look-up of the bus's name.
        var lookup: Result<[ModbusAddress], DeviceError>?

        var isEmpty: Bool { arrivals.isEmpty && departures.isEmpty && commands.isEmpty && lookup == nil }
    }

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        changed = .allocate(capacity: 1)
        changed.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        changed.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Puts something in and wakes the thread.
    /// - Returns: false when the thread has ended; then nothing was put in.
    @discardableResult
    func post(_ change: (inout Mail) -> Void) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isEnded else { return false }
        change(&mail)
        pthread_cond_broadcast(changed)
        return true
    }

    /// Takes everything out, waiting for it.
    /// - Parameter wait: the longest wait; nil: without end.
    func take(waiting wait: Instant.Span?) -> Mail {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var deadline = timespec()
        if let wait {
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            let nanoseconds = Int64(deadline.tv_nsec) + max(0, min(wait.nanoseconds, 3_600_000_000_000))
            deadline.tv_sec += Int(nanoseconds / 1_000_000_000)
            deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        while mail.isEmpty {
            if wait == nil {
                pthread_cond_wait(changed, mutex)
            } else if wait == .zero || pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT {
                break
            }
        }
        defer { mail = Mail() }
        return mail
    }

    /// Whether a unit is to be let go.
    var hasDepartures: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return !mail.departures.isEmpty
    }

    /// Ends the taking in, unless something came meanwhile.
    func endIfEmpty() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard mail.isEmpty else { return false }
        isEnded = true
        return true
    }

    /// The port of the bus is closed.
    func markClosed() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    /// The port is closed and stays so.
    var hasClosed: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return isClosed
    }

    /// Waits until the port of the bus is closed: as long as one request, not longer.
    func waitUntilClosed() {
        pthread_mutex_lock(mutex)
        while !isClosed { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }
}
