import Decoding
import Readings

/// All that is known of one model of device: how to find it, open it, understand it and steer it. Data only; `docs/adding-a-device.md`
/// describes the file.
public struct DeviceProfile: Hashable, Sendable {
    /// `vendor/model`, the folders of the file.
    public var id: String
    public var name: String
    /// Names on the boxes that this profile is good for.
    public var models: [String]
    public var support: SupportLevel
    public var transport: Transport
    /// Any of them finds the device; none: it must be named in the site file.
    public var rules: [MatchRule]
    public var decoder: DecoderConfiguration
    /// What can be set of its radio.
    public var radio: RadioRules
    var session: SessionTemplate
    /// What becomes of the outputs when the gateway falls silent; nil: the device has none, or nobody knows.
    public var failsafe: Failsafe?
    /// What is odd about the device, for people.
    public var quirks: [String]
    /// Where the facts are from.
    public var sources: [String]
    /// The file it was read from.
    public var file: String

    /// What the profile's facts rest on.
    public enum SupportLevel: Int, Hashable, Sendable, CaseIterable, Comparable {
        /// Written from documents.
        case documented = 1
        /// Frames of real devices that others published are decoded as they say.
        case published = 2
        /// A capture of a real device is decoded as expected.
        case captured = 3
        /// Tried on a device, feedback and unplugging included.
        case tried = 4
        /// In daily use somewhere.
        case inUse = 5

        public static func < (left: SupportLevel, right: SupportLevel) -> Bool { left.rawValue < right.rawValue }
    }

    /// What a device does with its outputs when nobody talks to it any more.
    public enum Failsafe: String, Hashable, Sendable, CaseIterable {
        /// It sets them to their safe state by itself after a time: the steps of the plan see to that.
        case hostWatchdog = "host_watchdog"
        /// They stay as they are: a lamp stays lit, a lock stays as it was, until the gateway is there again.
        case stays = "none"
    }

    /// How bytes or keys come from the device.
    public enum Transport: Hashable, Sendable {
        case serial(SerialLine)
        /// A keyboard's event node, grabbed so that its keys reach nobody else.
        case evdev
        /// The reports of a HID device.
        case hidraw(HID)
        /// A TCP connection. `serial`: the settings of its serial port, should the site file name one instead of an address.
        case tcp(Network, serial: SerialLine?)

        /// The udev subsystem of its node; nil: it has none.
        public var subsystem: String? {
            switch self {
            case .serial: "tty"
            case .evdev: "input"
            case .hidraw: "hidraw"
            case .tcp(_, let serial): serial == nil ? nil : "tty"
            }
        }
    }

    /// How a HID device is set up.
    public struct HID: Hashable, Sendable {
        /// Feature reports to set after opening, report id first; a device that does not know them says so, and is used as it is.
        public var featureReports: [[UInt8]]

        public init(featureReports: [[UInt8]] = []) { self.featureReports = featureReports }
    }

    /// How a device on the network is reached.
    public struct Network: Hashable, Sendable {
        /// The port of the protocol or of the factory setting; where the device calls, the port to listen on.
        public var port: UInt16
        /// The port for TLS; nil: the device has none.
        public var tlsPort: UInt16?

        public init(port: UInt16, tlsPort: UInt16? = nil) {
            self.port = port
            self.tlsPort = tlsPort
        }
    }

    /// The settings of a serial line.
    public struct SerialLine: Hashable, Sendable {
        public enum Parity: String, Hashable, Sendable, CaseIterable {
            case none, even, odd
        }

        public enum Flow: String, Hashable, Sendable, CaseIterable {
            case none
            case hardware = "rts_cts"
            case software = "xon_xoff"
        }

        /// Baud, 50...4,000,000, also rates that no standard names.
        public var baud: Int
        /// 7 or 8.
        public var dataBits: Int
        public var parity: Parity
        /// 1 or 2.
        public var stopBits: Int
        public var flow: Flow
        /// The level of DTR after opening; nil: as the driver sets it.
        public var dtr: Bool?
        /// The level of RTS after opening; nil: as the driver sets it.
        public var rts: Bool?
        /// How long the device needs after opening before it listens, 0...10 s.
        public var openDelay: Instant.Span

        public init(
            baud: Int, dataBits: Int = 8, parity: Parity = .none, stopBits: Int = 1, flow: Flow = .none, dtr: Bool? = nil, rts: Bool? = nil,
            openDelay: Instant.Span = .zero
        ) {
            self.baud = baud
            self.dataBits = dataBits
            self.parity = parity
            self.stopBits = stopBits
            self.flow = flow
            self.dtr = dtr
            self.rts = rts
            self.openDelay = openDelay
        }
    }
}
