import Glibc
import Synchronization

/// Keeps a second process out of the store: an advisory lock on a file of its own, released by the kernel when the process ends.
///
/// The lock must not lie on `events.db` itself: closing any descriptor of that file would drop the locks that SQLite holds on it.
final class StoreLock: Sendable {
    private let descriptor: Mutex<Int32?>

    /// - Throws: `.locked` when another process holds it.
    init(directory: String) throws(StoreError) {
        let path = "\(directory)/lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard opened >= 0 else { throw StoreError(.inputOutput, "open \(path)", errorNumber: errno) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(opened)
            throw number == EWOULDBLOCK
                ? StoreError(.locked, "another process has the store in \(directory) open")
                : StoreError(.inputOutput, "lock \(path)", errorNumber: number)
        }
        descriptor = Mutex(opened)
    }

    deinit {
        release()
    }

    func release() {
        descriptor.withLock { descriptor in
            if let opened = descriptor {
                // A child that is just being started has the descriptor too, until it becomes another program: closing ours is not enough.
                flock(opened, LOCK_UN)
                close(opened)
            }
            descriptor = nil
        }
    }
}
