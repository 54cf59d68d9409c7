import CLinux
import Glibc
import NIOConcurrencyHelpers

/// Tells which device nodes are there and which come and go.
///
/// libudev waits on a descriptor of its own and talks to sysfs, so it lives on a thread of its own; the callback is called there and
/// must only hand over. Where there is no udev (a container), it says so once and goes on: named ports need none.
public final class DeviceMonitor: Sendable {
    public enum Event: Hashable, Sendable {
        /// A node is there, is there again, or has got other properties. The same news may come twice.
        case appeared(DeviceNode)
        case disappeared(DeviceNode)
        /// Everything that was there at the start has been told.
        case enumerated
        /// Devices will not be found, or will not be known by their udev properties, for this reason.
        case unavailable(reason: String)
    }

    private struct Running {
        var thread: pthread_t
        var wake: Int32
    }

    private let subsystems: [String]
    private let running = NIOLockedValueBox<Running?>(nil)

    /// - Parameter subsystems: the kernel's names of what to watch.
    public init(subsystems: [String] = ["tty", "input", "hidraw"]) {
        self.subsystems = subsystems
    }

    deinit {
        stop()
    }

    /// Begins with everything that is there, then goes on with what changes. Has no effect while it runs.
    /// - Parameter callback: called on the monitor's thread, in the order of events.
    /// - Throws: `DeviceError` when not even a thread can be had.
    public func start(_ callback: @escaping @Sendable (Event) -> Void) throws(DeviceError) {
        let failure = running.withLockedValue { running -> DeviceError? in
            guard running == nil else { return nil }
            let wake = clinux_open_event_counter()
            guard wake >= 0 else { return DeviceError(.monitor, path: "eventfd", errorNumber: errno) }
            let started = startThread("udev-monitor") { [subsystems] in
                UdevWatch(subsystems: subsystems, wake: wake, callback: callback).run()
            }
            switch started {
            case .success(let thread):
                running = Running(thread: thread, wake: wake)
                return nil
            case .failure(let error):
                close(wake)
                return DeviceError(.monitor, path: "thread", errorNumber: error.number)
            }
        }
        if let failure { throw failure }
    }

    /// Ends the thread and waits for it: as long as a callback takes, not longer. No event comes after this. Idempotent.
    /// Must not be called from the callback.
    public func stop() {
        running.withLockedValue { running in
            guard let stopped = running else { return }
            var one: UInt64 = 1
            write(stopped.wake, &one, MemoryLayout<UInt64>.size)
            pthread_join(stopped.thread, nil)
            close(stopped.wake)
            running = nil
        }
    }
}
