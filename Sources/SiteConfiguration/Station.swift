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
        /// When it lends; nil: by the site's policy.
        public var hours: OpeningHours?
        public var kind: Kind

        public enum Kind: Hashable, Sendable {
            case gate(Gate)
            case putaway(Putaway)
            case dwell(Dwell)
            case cabinet(Cabinet)

            /// Whether a reader that is set for this sees what such a station needs.
            ///
            /// A walker is in a gate for a second or two: tags must answer every time (S0, both targets) and every antenna be back in
            /// 0.3 s. Where things stay, tags need not answer often, but must not rest for seconds after each answer (S1, one target).
            public func suits(_ intent: RadioIntent) -> Bool {
                switch self {
                case .gate: intent == .gate
                case .putaway: true
                case .dwell: intent != .cabinet
                case .cabinet: intent == .cabinet
                }
            }

            /// The word for it in the site file and in events.
            public var name: String {
                switch self {
                case .gate: "gate"
                case .putaway: "putaway"
                case .dwell: "dwell"
                case .cabinet: "cabinet"
                }
            }
        }

        public init(
            name: String, location: String? = nil, feedbackDevices: [String] = [], owner: String = "storekeeper", exceptionHours: Int = 24,
            hours: OpeningHours? = nil, kind: Kind
        ) {
            self.name = name
            self.location = location
            self.feedbackDevices = feedbackDevices
            self.owner = owner
            self.exceptionHours = exceptionHours
            self.hours = hours
            self.kind = kind
        }

        /// Of a gate.
        public var antennas: [Gate.Antenna] {
            if case .gate(let gate) = kind { gate.antennas } else { [] }
        }

        /// The names of its RFID readers.
        public var readers: [String] {
            switch kind {
            case .gate(let gate): Array(Set(gate.antennas.map(\.device))).sorted()
            case .putaway: []
            case .dwell(let dwell): dwell.readers
            case .cabinet(let cabinet): cabinet.readers
            }
        }

        /// The names of all devices that this station reads.
        public var inputDevices: [String] {
            switch kind {
            case .gate(let gate): readers + gate.badgeReaders
            case .putaway(let putaway): putaway.scanners + putaway.badgeReaders
            case .dwell: readers
            case .cabinet(let cabinet): readers + cabinet.badgeReaders + [cabinet.door.device]
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
        /// How the antennas stand, where the site file does not say it of each.
        public var geometry: Geometry
        /// Weaker reads than this come from tags that are only near, hundredths of a dBm; nil: every read counts.
        public var floor: Int16?

        public init(
            antennas: [Antenna], badgeReaders: [String] = [], quiet: Instant.Span = .milliseconds(2_000),
            badgeWindow: Instant.Span = .seconds(15), geometry: Geometry = .pedestal
        ) {
            self.antennas = antennas
            self.badgeReaders = badgeReaders
            self.geometry = geometry
            self.quiet = quiet
            self.badgeWindow = badgeWindow
        }

        public struct Antenna: Hashable, Sendable {
            public var device: String
            /// The reader's antenna port, counted from 1.
            public var port: UInt8
            public var side: GateSide
            /// Where it stands; nil: as the gate's `geometry` says.
            public var placement: AntennaPlacement?
            /// How much stronger it reads than its place would have it, hundredths of a dB, as a walk test found it; nil: to be learned.
            public var bias: Int16?

            public init(device: String, port: UInt8, side: GateSide, placement: AntennaPlacement? = nil) {
                self.device = device
                self.port = port
                self.side = side
                self.placement = placement
            }
        }

        /// How the antennas of a gate stand.
        public enum Geometry: String, Hashable, Sendable, CaseIterable {
            /// Two pairs 1.2 m apart along the way, each antenna turned 30° away from the gate.
            case angled
            /// Two pairs 0.6 m apart along the way, each antenna looking straight across it.
            case pedestal
        }

        /// Where every antenna stands, in their order: as the site file says, or as the geometry does. The first antenna of a side stands
        /// at the right-hand post as seen from inside, the second at the left-hand one 2 m away, further ones in turn, lower and higher.
        public var placements: [AntennaPlacement] {
            var counts: [GateSide: Int] = [:]
            return antennas.map { antenna in
                let place = counts[antenna.side, default: 0]
                counts[antenna.side] = place + 1
                return antenna.placement ?? geometry.placement(antenna.side, place: place)
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

extension Site {
    /// A place where things stay: which tags are there is told by all antennas of its readers together.
    public struct Dwell: Hashable, Sendable {
        public var readers: [String]
        /// Weaker reads than this come from beyond the place, hundredths of a dBm; nil: every read counts.
        public var floor: Int16?

        public init(readers: [String], floor: Int16? = nil) {
            self.readers = readers
            self.floor = floor
        }
    }
}

extension Site.Gate.Geometry {
    /// - Parameter place: how many antennas of the same side come before it.
    func placement(_ side: GateSide, place: Int) -> AntennaPlacement {
        let isLeft = place % 2 == 1
        let distance: Int16 = self == .angled ? 60 : 30
        let turned: Int16 = self == .angled ? 30 : 0
        // Seen from above, an antenna at the right-hand post looks along +y (90°); away from the gate is −x inside, +x outside.
        let facing: Int16 = side == .inside ? 90 + turned : 90 - turned
        let heights: [Int16] = [120, 60, 180]
        return AntennaPlacement(
            x: side == .inside ? -distance : distance, y: isLeft ? 200 : 0, z: heights[place / 2 % heights.count],
            facing: isLeft ? -facing : facing)
    }
}
