import Glibc

/// What other threads leave for the writer, in the order of arrival.
///
/// A condition variable, not a timer, wakes the writer: while it waits for the disk the next group gathers by itself.
/// `@unchecked Sendable`: `elements`, `isClosed` and `isFinished` are touched only while `mutex` is held.
final class WriterMailbox<Element: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let ended = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var elements: [Element] = []
    private var isClosed = false
    private var isFinished = false

    init() {
        mutex.initialize(to: pthread_mutex_t())
        arrived.initialize(to: pthread_cond_t())
        ended.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        // Waiting spans must not change when the wall clock is set.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(arrived, &attributes)
        pthread_cond_init(ended, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_cond_destroy(ended)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        ended.deallocate()
        mutex.deallocate()
    }

    /// - Returns: false when the mailbox was closed: nobody will read it.
    func post(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        elements.append(element)
        if elements.count == 1 { pthread_cond_signal(arrived) }
        return true
    }

    /// Waits for something to do, and takes all of it.
    /// - Parameter nanoseconds: the longest wait; nil: as long as it takes.
    /// - Returns: nothing after the wait ran out, or when the mailbox is closed and empty.
    func take(waitingAtMost nanoseconds: Int64?) -> (elements: [Element], isClosed: Bool) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if let nanoseconds {
            var deadline = Self.deadline(after: nanoseconds)
            while elements.isEmpty, !isClosed, pthread_cond_timedwait(arrived, mutex, &deadline) != ETIMEDOUT {}
        } else {
            while elements.isEmpty, !isClosed { pthread_cond_wait(arrived, mutex) }
        }
        let taken = elements
        elements.removeAll(keepingCapacity: taken.count <= 1_024)
        return (taken, isClosed)
    }

    /// What was posted is still read, nothing more is taken in.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
    }

    /// The reader's last word.
    func finish() {
        pthread_mutex_lock(mutex)
        isFinished = true
        pthread_cond_broadcast(ended)
        pthread_mutex_unlock(mutex)
    }

    /// - Returns: whether the reader finished in time.
    func waitUntilFinished(within nanoseconds: Int64) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var deadline = Self.deadline(after: nanoseconds)
        while !isFinished, pthread_cond_timedwait(ended, mutex, &deadline) != ETIMEDOUT {}
        return isFinished
    }

    private static func deadline(after nanoseconds: Int64) -> timespec {
        let end = monotonicNanoseconds() &+ max(0, nanoseconds)
        return timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
func monotonicNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
}
