import Glibc
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

extension DeviceTransport {
    /// Whether the device calls, when it pleases.
    var listens: Bool { if case .tcp(let endpoint) = self { endpoint.listens } else { false } }
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

    /// `tcp://10.0.0.5:5084`, `tls://reader.lan:5085`; where the device calls, `tcp-listen://0.0.0.0:4001`.
    public var path: String {
        let scheme = tls == nil ? "tcp" : "tls"
        return "\(scheme)\(listens ? "-listen" : "")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}

/// The files that TLS needs; all PEM. They are read for every connection, so that renewed ones need no restart.
public struct TLSFiles: Hashable, Sendable {
    /// The certificate authorities to trust instead of the system's.
    public var authorityFile: String?
    /// Our own certificate, and its key where it does not stand in the same file. Required where the device calls.
    public var certificateFile: String?
    public var keyFile: String?
    /// The name that must stand in the other's certificate; nil: the host that is called, or no matter which where the device calls.
    /// There a name needs `authorityFile`, without which no certificate is asked for.
    public var serverName: String?

    public init(authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil, serverName: String? = nil) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.serverName = serverName
    }
}

/// One unit on a Modbus bus, and what is read from it again and again.
public struct ModbusUnit: Hashable, Sendable {
    /// What units share: only one of them talks at a time.
    public enum Bus: Hashable, Sendable, CustomStringConvertible {
        /// RTU on a serial line.
        case serial(path: String, SerialLine)
        case tcp(host: String, port: UInt16)

        /// `/dev/ttyUSB0`, `tcp://10.0.0.7:502`
        public var description: String {
            switch self {
            case .serial(let path, _): path
            case .tcp(let host, let port): "tcp://\(host.contains(":") ? "[\(host)]" : host):\(port)"
            }
        }

        /// The same bus by the name that the kernel has for its port, as long as the port is there: a port has several names, such as those
        /// below /dev/serial.
        public var resolved: Bus {
            guard case .serial(let path, let line) = self, let real = realpath(path, nil) else { return self }
            defer { free(real) }
            return .serial(path: String(cString: real), line)
        }
    }

    public var bus: Bus
    /// The unit's address: 1...247 on a serial line; over TCP also 0 and 255, for a device without units.
    public var unit: UInt8
    /// Requests that are sent again and again, in this order, function first; at least one, because a unit is open from its first answer on.
    public var polls: [[UInt8]]
    /// The pause between two beginnings of a cycle of polls; at least 10 ms.
    public var interval: Instant.Span
    /// How long the unit may take for a whole answer; 10 ms to 10 s.
    public var responseTimeout: Instant.Span

    public static let shortestInterval = Instant.Span.milliseconds(10)

    public init(
        bus: Bus, unit: UInt8, polls: [[UInt8]] = [], interval: Instant.Span = shortestInterval,
        responseTimeout: Instant.Span = .milliseconds(500)
    ) {
        self.bus = bus
        self.unit = unit
        self.polls = polls
        self.interval = max(interval, Self.shortestInterval)
        self.responseTimeout = min(max(responseTimeout, .milliseconds(10)), .seconds(10))
    }

    /// The name of the device for its supervisor: `/dev/ttyUSB0#3`, `tcp://10.0.0.7:502#1`.
    public var path: String { "\(bus)#\(unit)" }
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
