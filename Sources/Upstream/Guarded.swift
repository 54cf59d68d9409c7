import Glibc

/// A value behind a lock, with waiting for it to change.
///
/// Waits are measured on the monotonic clock: a step of the wall clock must neither end nor prolong them.
final class Guarded<Value: Sendable>: @unchecked Sendable {
    // `value` is only touched with `mutex` held; the two pthread objects are made for use by several threads and never move.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    init(_ value: Value) {
        self.value = value
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

    func read<Result>(_ body: (Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(value)
    }

    /// Changes the value and wakes everyone who waits.
    func update<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return body(&value)
    }

    /// Waits until `condition` holds or the time is over.
    /// - Parameter milliseconds: nil: without end.
    /// - Returns: whether the condition held.
    @discardableResult
    func wait(milliseconds: Int64?, until condition: (Value) -> Bool) -> Bool {
        var deadline = timespec()
        if let milliseconds {
            // A hundred years are as good as for ever and cannot overflow.
            let bounded = max(0, min(milliseconds, 3_153_600_000_000))
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            deadline.tv_sec += Int(bounded / 1_000)
            deadline.tv_nsec += Int(bounded % 1_000) * 1_000_000
            if deadline.tv_nsec >= 1_000_000_000 {
                deadline.tv_nsec -= 1_000_000_000
                deadline.tv_sec += 1
            }
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !condition(value) {
            if milliseconds == nil {
                pthread_cond_wait(changed, mutex)
            } else if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT {
                return condition(value)
            }
        }
        return true
    }
}
