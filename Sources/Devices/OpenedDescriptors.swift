import CLinux
import Glibc
import Readings

/// The descriptors of an open device: two for the event loop, one that stays with the connection.
///
/// The last `close` of a device can take long: a serial driver waits for unsent bytes (up to 30 s by default) and talks to the USB
/// device. `control` shares the open file with the other two, so closing those on the event loop costs nothing, and the last close
/// is done with `release()` on another thread.
struct OpenedDescriptors: Sendable {
    /// For settings, and for the last close.
    var control: Int32
    /// Read by the event loop, which then owns it.
    var input: Int32
    /// Written by the event loop, which then owns it; nil for devices that are only read.
    var output: Int32?
    /// The name that the driver gives the device, where it gives one.
    var name: String?
    /// Whether reports may be written to `control`, one at a time, by whoever may wait for the device.
    var takesReports = false
    /// When the device was taken for this program alone; nil where that does not matter.
    var takenAt: Instant?
    /// What a technician should know of this opening.
    var notes: [String] = []

    /// Makes the others out of the first one. On failure nothing is left open.
    init(duplicating descriptor: Int32, writable: Bool, name: String?, path: String) throws(DeviceError) {
        let input = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        let output = writable ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : nil
        guard input >= 0, output ?? 0 >= 0 else {
            let number = errno
            if input >= 0 { close(input) }
            if let output, output >= 0 { close(output) }
            close(descriptor)
            throw DeviceError(.open, path: path, errorNumber: number)
        }
        (self.control, self.input, self.output, self.name) = (descriptor, input, output, name)
    }

    /// Throws away what a serial device sent so far; does not block.
    func discardReceived() {
        tcflush(control, TCIFLUSH)
    }

    /// Closes what the event loop never took over.
    func closeUnused() {
        close(input)
        if let output { close(output) }
    }

    /// The last close. May block; errors do not matter any more: a device that is gone answers everything with EIO.
    /// - Parameter drains: whether what was written last still has to reach the device. That is waited for, but not for ever.
    func release(drains: Bool) {
        if output != nil {
            // Unsent bytes would hold up the close, and exclusive use outlives it on a pseudo-terminal.
            let isSent = drains && waitUntilSent()
            tcflush(control, isSent ? TCIFLUSH : TCIOFLUSH)
            _ = ioctl(control, UInt(TIOCNXCL), 0)
        }
        close(control)
    }

    /// Polls, because `tcdrain` has no bound: a line under flow control may never be ready.
    private func waitUntilSent() -> Bool {
        for _ in 0...50 {
            var waiting: Int32 = 0
            guard ioctl(control, UInt(TIOCOUTQ), &waiting) == 0 else { return false }
            if waiting == 0 { return true }
            usleep(5_000)
        }
        return false
    }
}

/// Opens a device node, never as the controlling terminal, never waiting for a carrier.
/// - Throws: `DeviceError` when that fails or the path is not a character device.
func openNode(_ path: String, flags: Int32) throws(DeviceError) -> Int32 {
    let descriptor = open(path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw DeviceError(.open, path: path, errorNumber: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else {
        close(descriptor)
        throw DeviceError(.open, path: path, detail: "this is no device")
    }
    return descriptor
}
