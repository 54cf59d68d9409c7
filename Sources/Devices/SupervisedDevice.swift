import Readings

/// A device of the site, as its supervisor sees it.
public struct SupervisedDevice: Sendable {
    public var name: String
    /// Whatever its connection depends on, for example the digest of its profile and site settings. When the configuration is
    /// read again and this is the same, an open device stays open.
    public var revision: String
    public var source: Source

    /// Where the device is found.
    public enum Source: Sendable {
        /// A path, or the address of a device on the network (`TCPEndpoint.path`), that the operator named. It is tried again and
        /// again; udev only makes that quicker.
        case port(String, DeviceMatch)
        /// Any node that the closure recognises. It must give the same answer for the same node every time.
        case node(@Sendable (DeviceNode) -> DeviceMatch?)

        /// The node that a device with a named port depends on: for a unit on a serial bus that of the bus.
        var namedNode: String? {
            guard case .port(let path, let match) = self else { return nil }
            if case .modbus(let unit) = match.transport { return "\(unit.bus)" }
            return path
        }
    }

    public init(name: String, revision: String, source: Source) {
        self.name = name
        self.revision = revision
        self.source = source
    }
}

/// How a device that was found is to be opened.
public struct DeviceMatch: Hashable, Sendable {
    /// The id of the profile that recognised it.
    public var profile: String
    public var transport: DeviceTransport

    public init(profile: String, transport: DeviceTransport) {
        self.profile = profile
        self.transport = transport
    }
}

/// How a device is doing: what `stockgate devices` shows.
public struct DeviceStatus: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        /// No node of this device is there.
        case waiting
        case opening
        case open
        case closing
        /// Opening or working failed; tried again at `retryAt`.
        case backingOff = "backing_off"
        /// The gateway is closing.
        case stopped
    }

    public var name: String
    public var state: State
    /// When the state was entered.
    public var since: Instant
    /// The node in use or last tried.
    public var path: String?
    /// The profile that recognised it.
    public var profile: String?
    /// How it is or was last reached.
    public var transport: DeviceTransport?
    /// What the other end calls itself, or where it called from; nil unless it is open. From a stranger.
    public var deviceName: String?
    /// What a technician should know of this opening, in words.
    public var notes: [String] = []
    /// From the node's appearance to its being taken for the gateway alone: for so long its keys went to the console too. nil for
    /// devices that are not taken, and for a node that was there before the gateway.
    public var grabDelay: Instant.Span?
    /// The nodes that fit this device, where there is more than one: which of them it gets is chance.
    public var rivals: [String] = []
    /// The device that has the named port of this one, so that it waits; nil: nobody of the site.
    public var portHolder: String?
    /// What udev knows of the node; nil for a port that udev knows nothing of.
    public var node: DeviceNode?
    /// How often it was opened.
    public var opens: UInt64
    /// Failures in a row: they lengthen the pause before the next attempt.
    public var failures: Int
    /// When it is tried again.
    public var retryAt: Instant?
    /// What went wrong last, with the system's own words; nil once the device could be opened.
    public var lastError: String?
}
