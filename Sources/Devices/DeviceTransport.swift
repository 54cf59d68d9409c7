import Readings

/// How the bytes or keys of a device are reached.
public enum DeviceTransport: Hashable, Sendable {
    /// A serial line: a UART, a USB serial chip, a CDC ACM device or a pseudo-terminal.
    case serial(SerialLine)
    /// An input device that types what it reads, taken for the gateway alone.
    case evdev
    /// The reports of a HID device; the feature reports are set after opening, report id first.
    case hidraw(featureReports: [[UInt8]])
    /// A device on the network that is called, or that calls.
    case tcp(TCPEndpoint)
    /// One unit on a Modbus bus that it may share with others.
    case modbus(ModbusUnit)
}

/// Where a device on the network is.
public struct TCPEndpoint: Hashable, Sendable {
    /// For a device that is called: a name, an IPv4 or an IPv6 address. For one that calls: the address to listen on.
    public var host: String
    public var port: UInt16
    /// Whether the device calls.
    public var listens: Bool
    /// nil: in the clear.
    public var tls: TLSFiles?

    public init(host: String, port: UInt16, listens: Bool = false, tls: TLSFiles? = nil) {
        self.host = host
        self.port = port
        self.listens = listens
        self.tls = tls
    }
}

/// The files that TLS needs.
public struct TLSFiles: Hashable, Sendable {
    /// The certificate authorities to trust instead of the system's.
    public var authorityFile: String?
    /// Our own certificate and key.
    public var certificateFile: String?
    public var keyFile: String?
    /// The name that must stand in the other's certificate; nil: the host that is called.
    public var serverName: String?

    public init(authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil, serverName: String? = nil) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.serverName = serverName
    }
}

/// One unit on a Modbus bus.
public struct ModbusUnit: Hashable, Sendable {
    /// What units share: only one of them talks at a time.
    public enum Bus: Hashable, Sendable {
        /// RTU on a serial line.
        case serial(path: String, SerialLine)
        case tcp(host: String, port: UInt16)
    }

    public var bus: Bus
    /// The unit's address, 1...247 (255 for a TCP device without units).
    public var unit: UInt8

    public init(bus: Bus, unit: UInt8) {
        self.bus = bus
        self.unit = unit
    }
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
