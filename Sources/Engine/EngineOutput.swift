import Decoding
import Ledger
import Presence
import Readings

/// What must be done after an input: the driver's work, in the order of the lists.
public struct EngineOutput: Sendable {
    public var transmissions: [Transmission] = []
    /// Devices that must be closed and opened again.
    public var failures: [DeviceFailure] = []
    public var commits: [Commit] = []
    public var happenings: [Happening] = []

    public init() {}

    public mutating func removeAll() {
        transmissions.removeAll(keepingCapacity: true)
        failures.removeAll(keepingCapacity: true)
        commits.removeAll(keepingCapacity: true)
        happenings.removeAll(keepingCapacity: true)
    }

    public struct Transmission: Hashable, Sendable {
        public var device: DeviceIndex
        public var bytes: [UInt8]
    }

    public struct DeviceFailure: Hashable, Sendable {
        public var device: DeviceIndex
        public var failure: SessionFailure
    }

    /// A decision on its way to the disk. The driver says `committed` or `commitFailed` with its ticket, in the order of the tickets.
    public struct Commit: Hashable, Sendable {
        public var ticket: UInt64
        public var generation: UInt64
        public var decision: Decision
    }
}

/// What people may watch: never an input of anything.
public enum Happening: Hashable, Sendable {
    case reading(DeviceIndex, Reading)
    case deviceState(DeviceIndex, DeviceState)
    case sighting(station: String, Sighting)
    case stay(station: String, DwellEvent)
    /// What a station in maintenance would have recorded.
    case tested(station: String, Plan)
    case feedback(station: String, Feedback)
}
