import CLinux
import Glibc

/// Why a pseudo-terminal could not be made or used.
public struct PseudoTerminalError: Error, Hashable, Sendable, CustomStringConvertible {
    public var operation: String
    public var errorNumber: Int32

    public init(operation: String, errorNumber: Int32) {
        self.operation = operation
        self.errorNumber = errorNumber
    }

    public var description: String {
        "\(operation): \(clinux_errno_name(errorNumber).map { String(cString: $0) } ?? "error \(errorNumber)")"
    }
}

/// A pair of connected terminals: a simulated device writes and reads one end, the gateway opens the other like a serial line.
///
/// Both ends are raw. The object keeps the device's side open itself, so that the device "stays plugged in" while the gateway
/// closes and opens it; `hangUp()` is pulling the plug. Not thread-safe; the descriptor may be read and written by anyone.
public final class PseudoTerminal {
    /// What the gateway opens: the symbolic link where one was asked for, otherwise the node under /dev/pts.
    public let path: String
    /// The node under /dev/pts.
    public let nodePath: String
    /// The simulated device's end, non-blocking; -1 after `hangUp()`.
    public private(set) var descriptor: Int32
    private let link: String?
    private var keeper: Int32

    /// - Parameter link: a path for a symbolic link to the node, so that its name stays the same from run to run; an older link to such
    ///   a node is replaced, anything else is left alone.
    /// - Throws: `PseudoTerminalError`
    public init(link: String? = nil) throws(PseudoTerminalError) {
        var name = [CChar](repeating: 0, count: 128)
        let master = clinux_open_pty_master(&name, name.count)
        guard master >= 0 else { throw PseudoTerminalError(operation: "open a pseudo-terminal", errorNumber: errno) }
        let node = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let slave = open(node, O_RDWR | O_NOCTTY | O_CLOEXEC)
        do throws(PseudoTerminalError) {
            guard slave >= 0 else { throw PseudoTerminalError(operation: "open \(node)", errorNumber: errno) }
            var settings = termios()
            guard tcgetattr(slave, &settings) == 0 else { throw PseudoTerminalError(operation: "tcgetattr \(node)", errorNumber: errno) }
            cfmakeraw(&settings)
            guard tcsetattr(slave, TCSANOW, &settings) == 0 else {
                throw PseudoTerminalError(operation: "tcsetattr \(node)", errorNumber: errno)
            }
            if let link { try Self.replace(link, by: node) }
        } catch {
            if slave >= 0 { close(slave) }
            close(master)
            throw error
        }
        (descriptor, keeper, nodePath, self.link, path) = (master, slave, node, link, link ?? node)
    }

    deinit {
        hangUp()
    }

    /// Pulls the plug: whoever has the node open reads an end of file or EIO, and the node and the link disappear. Idempotent.
    public func hangUp() {
        guard descriptor >= 0 else { return }
        if let link, Self.target(of: link) == nodePath { unlink(link) }
        close(descriptor)
        close(keeper)
        (descriptor, keeper) = (-1, -1)
    }

    /// Sends bytes as the device. A device does not wait: what the terminal cannot take (about 4 KiB unread) is lost.
    /// - Returns: how many bytes were taken; 0 after `hangUp()`.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    /// Reads what was sent to the device, waiting for the first byte.
    /// - Parameter milliseconds: the longest wait; 0 does not wait.
    /// - Returns: at most 4,096 bytes, none when the time is over or after `hangUp()`.
    public func read(waiting milliseconds: Int32) -> [UInt8] {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard descriptor >= 0, poll(&request, 1, milliseconds) > 0 else { return [] }
        return Array(unsafeUninitializedCapacity: 4_096) { buffer, count in
            count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
        }
    }

    private static func replace(_ link: String, by node: String) throws(PseudoTerminalError) {
        // A link of an earlier run, whose node may be gone or another's by now. Any other may be of use to somebody.
        if target(of: link)?.hasPrefix("/dev/pts/") == true { unlink(link) }
        guard symlink(node, link) == 0 else { throw PseudoTerminalError(operation: "link \(link)", errorNumber: errno) }
    }

    /// Where a symbolic link points; nil when there is none.
    private static func target(of link: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink(link, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
