import Readings

/// The site file as values: what stands where, and by which rules. Parsing and its errors stand in `Gateway`.
public struct Site: Hashable, Sendable {
    public var gateway: Gateway
    /// In the order of the file; a `DeviceIndex` is a place in this list.
    public var devices: [Device]
    public var stations: [Station]
    public var destinations: [Destination]
    /// Where master data comes from by itself.
    public var sources: [Source]
    public var policy: LoanPolicy

    public init(
        gateway: Gateway, devices: [Device] = [], stations: [Station] = [], destinations: [Destination] = [],
        sources: [Source] = [], policy: LoanPolicy = LoanPolicy()
    ) {
        self.gateway = gateway
        self.devices = devices
        self.stations = stations
        self.destinations = destinations
        self.sources = sources
        self.policy = policy
    }

    public func deviceIndex(named name: String) -> DeviceIndex? {
        devices.firstIndex { $0.name == name }.flatMap { UInt16(exactly: $0) }.map(DeviceIndex.init)
    }

    /// The language of operator texts.
    public enum Language: String, Hashable, Sendable, CaseIterable {
        case english = "en"
        case chinese = "zh"
    }

    public struct Gateway: Hashable, Sendable {
        /// Two to eight of A–Z and 0–9: the first part of every loan number, unique among the gateways of an owner.
        public var code: String
        /// The site's name, for people and for topics.
        public var site: String
        public var language: Language
        /// An IANA time zone name such as `Asia/Shanghai`; nil: the machine's.
        public var timeZone: String?
        /// Where the store lives.
        public var stateDirectory: String
        public var controlSocket: String
        /// Folders of profiles, a later one over an earlier one.
        public var profileDirectories: [String]
        /// The prefix of URIs made for things without a GS1 key, for example `https://example.com/stockgate`.
        public var uriPrefix: String
        /// The always-on recorder; nil: off.
        public var recorder: Recorder?
        /// Where backups go; nil: the folder `backups` in the state directory.
        public var backupDirectory: String?
        /// Hours between two backups; 0: only on request.
        public var backupHours: Int
        /// Backups that stay.
        public var backupKeep: Int
        /// Days that delivered events stay in the ledger before they are moved to its archive.
        public var retentionDays: Int

        public var backups: String { backupDirectory ?? "\(stateDirectory)/backups" }

        public init(
            code: String, site: String, language: Language = .english, timeZone: String? = nil,
            stateDirectory: String = "/var/lib/stockgate",
            controlSocket: String = "/run/stockgate/control.sock",
            profileDirectories: [String] = ["/usr/share/stockgate/profiles", "/etc/stockgate/profiles"],
            uriPrefix: String = "https://stockgate.invalid", recorder: Recorder? = nil, backupDirectory: String? = nil,
            backupHours: Int = 24,
            backupKeep: Int = 7, retentionDays: Int = 30
        ) {
            self.code = code
            self.site = site
            self.language = language
            self.timeZone = timeZone
            self.stateDirectory = stateDirectory
            self.controlSocket = controlSocket
            self.profileDirectories = profileDirectories
            self.uriPrefix = uriPrefix
            self.recorder = recorder
            self.backupDirectory = backupDirectory
            self.backupHours = backupHours
            self.backupKeep = backupKeep
            self.retentionDays = retentionDays
        }
    }

    /// Where inputs are recorded; the newest file is kept open, the oldest is removed when the bound is reached.
    public struct Recorder: Hashable, Sendable {
        public var directory: String
        /// Bytes over all files, 1 MiB or more.
        public var maximumBytes: Int64

        public init(directory: String, maximumBytes: Int64 = 64 << 20) {
            self.directory = directory
            self.maximumBytes = maximumBytes
        }
    }

    public struct Device: Hashable, Sendable {
        public var name: String
        /// The id of its profile; nil: the profile is found by what udev says.
        public var profile: String?
        /// A device node named by the operator, for example `/dev/ttyUSB0` or a pseudo-terminal: needs no udev.
        public var port: String?
        /// udev properties that must agree, with `*` and `?` as wildcards; for a device that has no fixed node.
        public var match: [String: String]
        /// The line speed in baud, where it differs from the profile's.
        public var baud: Int?
        /// A device on the network that is called, or that calls.
        public var network: Network?
        /// Its address on a bus that it shares with others: a Modbus unit, 1...247, or an OSDP address, 0...126.
        public var unit: UInt8?
        public var radio: RadioSettings
        /// The keyboard layout that a scanner in keyboard mode is set to, where it differs from the profile's.
        public var layout: String?
        /// Where the site file says so, for messages.
        public var origin: Origin

        /// A place in a file. It is not a part of what a device is: all of them are equal, so that a moved line is no change.
        public struct Origin: Hashable, Sendable {
            /// Empty: the device stands in no file.
            public var file: String
            /// Counted from 1.
            public var line: Int?

            public init(file: String = "", line: Int? = nil) {
                self.file = file
                self.line = line
            }

            public static func == (left: Origin, right: Origin) -> Bool { true }
            public func hash(into hasher: inout Hasher) {}
        }

        public struct Network: Hashable, Sendable {
            /// For a device that is called: its name or address; for one that calls, where to listen.
            public var host: String
            /// nil: the port that the profile names.
            public var port: UInt16?
            /// Whether the device calls.
            public var listens: Bool
            /// nil: in the clear.
            public var tls: TLS?

            public init(host: String, port: UInt16? = nil, listens: Bool = false, tls: TLS? = nil) {
                self.host = host
                self.port = port
                self.listens = listens
                self.tls = tls
            }
        }

        public struct TLS: Hashable, Sendable {
            /// A file with the certificate authorities to trust instead of the system's.
            public var authorityFile: String?
            /// Our own certificate and key, for a device that asks for one, or that calls.
            public var certificateFile: String?
            public var keyFile: String?
            /// The name that must stand in the device's certificate; nil: `host`.
            public var serverName: String?

            public init(
                authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil, serverName: String? = nil
            ) {
                self.authorityFile = authorityFile
                self.certificateFile = certificateFile
                self.keyFile = keyFile
                self.serverName = serverName
            }
        }

        public init(
            name: String, profile: String? = nil, port: String? = nil, match: [String: String] = [:], baud: Int? = nil,
            network: Network? = nil, unit: UInt8? = nil, radio: RadioSettings = RadioSettings(), layout: String? = nil,
            origin: Origin = Origin()
        ) {
            self.name = name
            self.profile = profile
            self.port = port
            self.match = match
            self.baud = baud
            self.network = network
            self.unit = unit
            self.radio = radio
            self.layout = layout
            self.origin = origin
        }
    }
}
