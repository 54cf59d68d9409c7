import Identifiers

/// A recording of what devices sent: JSON Lines, a header, the start state, then one line per input.
///
/// `docs/capture-format.md` is the document of record.
public enum Capture {
    /// The version of the format that this code writes.
    public static let version: Int64 = 1

    /// The first line.
    public struct Header: Hashable, Sendable {
        /// When the recording was started, RFC 3339.
        public var recorded: String
        /// Product, firmware, what was done: for people.
        public var note: String
        /// For a recording of a running gateway: where its event log stood.
        public var gateway: GatewayPosition?
        /// Device names and the ids of the profiles that decode them.
        public var devices: [String: String]

        public init(recorded: String, note: String, gateway: GatewayPosition? = nil, devices: [String: String] = [:]) {
            self.recorded = recorded
            self.note = note
            self.gateway = gateway
            self.devices = devices
        }
    }

    /// Where an event log stood when a recording began.
    public struct GatewayPosition: Hashable, Sendable {
        /// The gateway's code.
        public var gateway: String
        /// The epoch of its store, 16 hexadecimal digits.
        public var epoch: String
        /// The number the next event gets.
        public var nextSequence: Int64
        /// The hash of the event before it, 64 hexadecimal digits.
        public var previousHash: String
        /// The ticket that the next decision gets: `committed` lines name tickets.
        public var nextTicket: UInt64
        /// SHA-256 of the site configuration, hexadecimal.
        public var configurationDigest: String
        /// SHA-256 of the master data, hexadecimal.
        public var masterDigest: String
        /// The version of the master data, which events name: it counts imports, so the rows alone do not tell it. 0: none yet.
        public var masterVersion: Int64

        public init(
            gateway: String, epoch: String, nextSequence: Int64, previousHash: String, nextTicket: UInt64 = 1, configurationDigest: String,
            masterDigest: String, masterVersion: Int64 = 0
        ) {
            self.gateway = gateway
            self.epoch = epoch
            self.nextSequence = nextSequence
            self.previousHash = previousHash
            self.nextTicket = nextTicket
            self.configurationDigest = configurationDigest
            self.masterDigest = masterDigest
            self.masterVersion = masterVersion
        }
    }

    /// One line after the header.
    public struct Line: Hashable, Sendable {
        /// Since the start of the recording. A `state` line has zero.
        public var time: Instant
        /// The device's name; nil for lines that belong to no device.
        public var device: String?
        public var content: Content

        public init(time: Instant, device: String? = nil, content: Content) {
            self.time = time
            self.device = device
            self.content = content
        }
    }

    public enum Content: Hashable, Sendable {
        /// Bytes that came from the device.
        case received([UInt8])
        /// Bytes that were sent to it.
        case transmitted([UInt8])
        /// A key event: `EV_KEY` code and value.
        case key(code: UInt16, value: Int32)
        /// Key events were lost between the device and the gateway.
        case inputLost
        /// A digital input.
        case input(InputChange)
        /// The device was opened or closed; `reason` is for people.
        case device(DeviceChange)
        /// Already decoded readings, where nothing rawer exists.
        case tag(TagRead)
        case scan(Scan)
        case badge(BadgeRead)
        /// A command of a person or a program, with who asked.
        case command(JSON)
        /// Master data that were applied.
        case master(JSON)
        case wall(WallAnchor)
        /// A row of the start state.
        case state(JSON)
        /// What became of a decision, by its ticket: the first decision of a run has ticket 1.
        case committed(ticket: UInt64)
        case commitFailed(ticket: UInt64)
        /// The state was loaded again from the store, after a commit that failed; the number that the next event gets says what of
        /// the failed decisions the store holds after all.
        case reloaded(nextSequence: Int64)
        /// The gateway ended, or took over new settings: devices were told what they must know before they are let go.
        case released
        /// The gateway ended, or took over new settings: walks under way were decided.
        case finished
    }

    /// What happened to a device's connection.
    public enum DeviceChange: Hashable, Sendable {
        /// Opened, and steered as the profile with this id says.
        case opened(profile: String?)
        /// It was in use when the recording began, and its session stood as told; nil: initialised and working.
        case running(profile: String?, session: JSON? = nil)
        case closed(reason: String)
    }
}
