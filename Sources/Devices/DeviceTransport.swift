import Readings

/// How the bytes or keys of a device are reached.
public enum DeviceTransport: Hashable, Sendable {
    /// A serial line: a UART, a USB serial chip, a CDC ACM device or a pseudo-terminal.
    case serial(SerialLine)
    /// An input device that types what it reads, taken for the gateway alone.
    case evdev
}

/// The settings of a serial line.
public struct SerialLine: Hashable, Sendable {
    public enum Parity: String, Hashable, Sendable, CaseIterable {
        case none
        case even
        case odd
    }

    public enum FlowControl: String, Hashable, Sendable, CaseIterable {
        case none
        /// RTS and CTS.
        case hardware
        /// XON and XOFF; not for protocols that send any byte.
        case software
    }

    /// Speed in baud, 50...4,000,000; it need not be one of the usual ones.
    public var baud: UInt32
    /// 7 or 8.
    public var dataBits: Int
    public var parity: Parity
    /// 1 or 2.
    public var stopBits: Int
    public var flowControl: FlowControl
    /// The level of DTR after opening; nil: as the driver sets it (on).
    public var dtr: Bool?
    /// The level of RTS after opening; nil: as the driver sets it (on). Without meaning under hardware flow control.
    public var rts: Bool?
    /// How long the device needs after opening, 0...10 s; what it sends meanwhile is thrown away. For boards that restart on DTR.
    public var openDelay: Instant.Span

    public init(
        baud: UInt32 = 115_200, dataBits: Int = 8, parity: Parity = .none, stopBits: Int = 1, flowControl: FlowControl = .none,
        dtr: Bool? = nil, rts: Bool? = nil, openDelay: Instant.Span = .zero
    ) {
        self.baud = baud
        self.dataBits = dataBits
        self.parity = parity
        self.stopBits = stopBits
        self.flowControl = flowControl
        self.dtr = dtr
        self.rts = rts
        self.openDelay = openDelay
    }
}
