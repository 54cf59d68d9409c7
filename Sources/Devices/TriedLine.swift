import CLinux
import Glibc
import Readings

/// A serial line that is tried at one setting after the other by a program that has nothing else to do. Blocking; whatever it was set
/// to, it is left as it was found.
public final class TriedLine {
    /// Errors that the driver counted.
    public struct Errors: Hashable, Sendable {
        public var framing: UInt32 = 0
        public var parity: UInt32 = 0
        public var breaks: UInt32 = 0
        public var overruns: UInt32 = 0

        public init() {}

        /// Errors that a wrong speed or parity makes.
        public var settings: UInt64 { UInt64(framing) + UInt64(parity) + UInt64(breaks) }

        /// What was counted since `earlier`; the counters wrap.
        public func since(_ earlier: Errors) -> Errors {
            var difference = Errors()
            difference.framing = framing &- earlier.framing
            difference.parity = parity &- earlier.parity
            difference.breaks = breaks &- earlier.breaks
            difference.overruns = overruns &- earlier.overruns
            return difference
        }
    }

    public let path: String
    private var descriptor: Int32
    private let found: termios
    private let foundSpeed: UInt32?
    private let foundModemLines: Int32?

    /// Opens a line for this program alone and changes nothing yet.
    /// - Throws: `DeviceError`: `.lock` when another program, such as the gateway, has it.
    public init(_ path: String) throws(DeviceError) {
        let descriptor = try openNode(path, flags: O_RDWR)
        var settings = termios()
        do throws(DeviceError) {
            try SerialPort.claim(descriptor, path)
            guard tcgetattr(descriptor, &settings) == 0 else {
                throw DeviceError(.configure, path: path, errorNumber: errno, detail: "this is no serial line")
            }
        } catch {
            close(descriptor)
            throw error
        }
        var (speed, lines) = (UInt32(0), Int32(0))
        (self.path, self.descriptor, found) = (path, descriptor, settings)
        foundSpeed = clinux_get_line_speed(descriptor, &speed) == 0 ? speed : nil
        foundModemLines = ioctl(descriptor, UInt(TIOCMGET), &lines) == 0 ? lines : nil
    }

    deinit { release() }

    /// Sets the line and throws away what came before.
    /// - Throws: `DeviceError` where the driver does not do it.
    public func apply(_ line: SerialLine) throws(DeviceError) {
        try SerialPort.configure(descriptor, path, line, lowLatency: false)
    }

    /// What comes next.
    /// - Parameter milliseconds: the longest wait for the first byte.
    /// - Returns: at most 4,096 bytes; none when the time is over.
    /// - Throws: `DeviceError` when the device is gone.
    public func read(waiting milliseconds: Int32) throws(DeviceError) -> [UInt8] {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, milliseconds) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count > 0 { return Array(buffer[..<count]) }
        if count < 0, errno == EAGAIN || errno == EINTR { return [] }
        throw DeviceError(.read, path: path, errorNumber: count < 0 ? errno : EIO, detail: "the device was unplugged")
    }

    /// Sends all bytes, or as many as the driver takes within a second.
    /// - Throws: `DeviceError`
    public func write(_ bytes: [UInt8]) throws(DeviceError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent) }
            if count > 0 {
                sent += count
            } else if count < 0, errno == EAGAIN {
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&request, 1, 1_000) > 0 else { throw DeviceError(.write, path: path, errorNumber: ETIMEDOUT) }
            } else if count == 0 || errno != EINTR {
                throw DeviceError(.write, path: path, errorNumber: count < 0 ? errno : EIO)
            }
        }
    }

    /// nil where the driver counts none: pseudo-terminals and USB CDC.
    public var errors: Errors? {
        var counted = clinux_line_errors()
        guard clinux_get_line_errors(descriptor, &counted) == 0 else { return nil }
        var errors = Errors()
        (errors.framing, errors.parity, errors.breaks, errors.overruns) =
            (counted.framing, counted.parity, counted.breaks, counted.overruns)
        return errors
    }

    /// Puts back what was found and closes the line. Idempotent.
    public func release() {
        guard descriptor >= 0 else { return }
        tcflush(descriptor, TCIOFLUSH)
        var settings = found
        tcsetattr(descriptor, TCSANOW, &settings)
        var speed: UInt32 = 0
        if let foundSpeed, clinux_get_line_speed(descriptor, &speed) == 0, speed != foundSpeed {
            _ = clinux_set_line_speed(descriptor, foundSpeed)
        }
        if var lines = foundModemLines { _ = ioctl(descriptor, UInt(TIOCMSET), &lines) }
        _ = ioctl(descriptor, UInt(TIOCNXCL), 0)
        close(descriptor)
        descriptor = -1
    }
}
