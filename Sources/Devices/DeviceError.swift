import CLinux
import Glibc
import NIOCore

/// Why a device could not be opened or used, in words for the technician who has to do something about it.
public struct DeviceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried: a stable word for programs.
    public enum Operation: String, Hashable, Sendable {
        case open
        /// Another program holds the device.
        case lock
        /// Line settings that the driver refused or silently ignored.
        case configure
        /// Exclusive use of an input device.
        case grab
        case read
        case write
        /// Finding the address of a name.
        case resolve
        /// Calling a device on the network.
        case connect
        /// Waiting for the call of a device.
        case listen
        /// Agreeing on encryption, and on who is who.
        case tls
        /// udev or one of its sockets.
        case monitor
        /// The gateway itself gave up: it is closing, or it no longer wants the device.
        case cancel
    }

    public var operation: Operation
    /// The device node, or what else the operation was about.
    public var path: String
    /// The number of the system's error; nil where the system reported none.
    public var errorNumber: Int32?
    /// What exactly failed, or what to do about it; empty when the rest says it all.
    public var detail: String

    public init(_ operation: Operation, path: String, errorNumber: Int32? = nil, detail: String = "") {
        self.operation = operation
        self.path = path
        self.errorNumber = errorNumber
        self.detail = detail
    }

    /// `open /dev/ttyUSB0: Permission denied (EACCES): …`
    public var description: String {
        var text = "\(operation.rawValue) \(path)"
        if let errorNumber { text += ": \(Self.text(of: errorNumber))" }
        let hint = detail.isEmpty ? Self.hint(operation, errorNumber) : detail
        if !hint.isEmpty { text += ": \(hint)" }
        return text
    }

    /// `No such device (ENODEV)`
    static func text(of errorNumber: Int32) -> String {
        let name = clinux_errno_name(errorNumber).map { String(cString: $0) } ?? "error \(errorNumber)"
        guard let message = strerror(errorNumber) else { return name }
        return "\(String(cString: message)) (\(name))"
    }

    /// What another layer reports, as an error of this device.
    init(_ error: any Error, _ operation: Operation, path: String) {
        switch error {
        case let error as DeviceError: self = error
        case let error as IOError: self.init(operation, path: path, errorNumber: error.errnoCode)
        case ChannelError.connectTimeout: self.init(operation, path: path, errorNumber: ETIMEDOUT)
        default: self.init(operation, path: path, detail: "\(error)")
        }
    }

    /// Whether this is how a device says that it was unplugged. EPIPE and ECONNRESET are what the event loop makes of a hang-up.
    var meansGone: Bool {
        switch errorNumber {
        case EIO, ENODEV, ENXIO, EPIPE, ECONNRESET: true
        default: false
        }
    }

    /// The same wording for the same cause, so that an answer can be found by it.
    private static func hint(_ operation: Operation, _ errorNumber: Int32?) -> String {
        switch (operation, errorNumber) {
        case (.open, EACCES), (.open, EPERM): "the gateway's user is not in the group of this node; see the udev rules"
        case (.open, EBUSY), (.lock, EWOULDBLOCK), (.grab, EBUSY): "another program uses this device"
        case (.connect, ECONNREFUSED): "there is a machine, but nothing listens on this port"
        case (.connect, ETIMEDOUT), (.connect, EHOSTUNREACH): "no answer: is the address right, and is the device on?"
        case (.read, ETIMEDOUT), (.read, EHOSTUNREACH): "the device no longer answers: is it on, and is the cable plugged in?"
        case (.listen, EADDRINUSE): "another program listens on this port"
        case (.listen, EADDRNOTAVAIL): "this machine has no such address"
        case (.listen, EACCES): "ports below 1024 need a right that the gateway does not have"
        default: ""
        }
    }
}
