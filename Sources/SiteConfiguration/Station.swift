import Readings

extension Site {
    /// A place with devices and a purpose.
    public struct Station: Hashable, Sendable {
        public var name: String
        /// The id of the location (in the master data) that this station is or leads to.
        public var location: String?
        /// Devices that give light and beep, by name.
        public var feedbackDevices: [String]
        /// The role that looks after this station's exceptions.
        public var owner: String
        /// Hours until an exception of this station must be resolved, 1...8760.
        public var exceptionHours: Int
        public var kind: Kind

        public enum Kind: Hashable, Sendable {
            case gate(Gate)
            case putaway(Putaway)

            /// The word for it in the site file and in events.
            public var name: String {
                switch self {
                case .gate: "gate"
                case .putaway: "putaway"
                }
            }
        }

        public init(
            name: String, location: String? = nil, feedbackDevices: [String] = [], owner: String = "storekeeper", exceptionHours: Int = 24,
            kind: Kind
        ) {
            self.name = name
            self.location = location
            self.feedbackDevices = feedbackDevices
            self.owner = owner
            self.exceptionHours = exceptionHours
            self.kind = kind
        }

        /// The names of all devices that this station reads.
        public var inputDevices: [String] {
            switch kind {
            case .gate(let gate): Array(Set(gate.antennas.map(\.device))).sorted() + gate.badgeReaders
            case .putaway(let putaway): putaway.scanners + putaway.badgeReaders
            }
        }
    }

    /// A gate that people walk through: which side of it each antenna sees.
    public struct Gate: Hashable, Sendable {
        public var antennas: [Antenna]
        public var badgeReaders: [String]
        /// How long a tag must be unread before its visit is over.
        public var quiet: Instant.Span
        /// A badge counts for a walk whose tags are read last at most this long after it.
        public var badgeWindow: Instant.Span

        public init(
            antennas: [Antenna], badgeReaders: [String] = [], quiet: Instant.Span = .milliseconds(2_000),
            badgeWindow: Instant.Span = .seconds(15)
        ) {
            self.antennas = antennas
            self.badgeReaders = badgeReaders
            self.quiet = quiet
            self.badgeWindow = badgeWindow
        }

        public struct Antenna: Hashable, Sendable {
            public var device: String
            /// The reader's antenna port, counted from 1.
            public var port: UInt8
            public var side: GateSide

            public init(device: String, port: UInt8, side: GateSide) {
                self.device = device
                self.port = port
                self.side = side
            }
        }
    }

    /// A bench where goods are scanned and then the shelf they are put on.
    public struct Putaway: Hashable, Sendable {
        public var scanners: [String]
        public var badgeReaders: [String]
        /// The same code from the same scanner within this long is the same scan, read on.
        public var duplicateWindow: Instant.Span
        /// An item without a location is given up after this long.
        public var pairTimeout: Instant.Span

        public init(
            scanners: [String], badgeReaders: [String] = [], duplicateWindow: Instant.Span = .milliseconds(600),
            pairTimeout: Instant.Span = .seconds(30)
        ) {
            self.scanners = scanners
            self.badgeReaders = badgeReaders
            self.duplicateWindow = duplicateWindow
            self.pairTimeout = pairTimeout
        }
    }
}
