import Identifiers
import Readings

/// A kind of device that can be simulated. A new one is one line in `all`.
public struct SimulatedDeviceKind: Sendable {
    /// How it is reached when nothing else is asked for.
    public enum Reach: Hashable, Sendable {
        case pseudoTerminal
        /// The port that its protocol has.
        case tcp(port: UInt16)
    }

    /// What a simulated device is given.
    public struct Setting: Sendable {
        public var tags: [EPC]
        /// Over all tags and antennas.
        public var readsPerSecond: Int
        /// Makes the random numbers.
        public var seed: UInt64

        public init(tags: [EPC] = [], readsPerSecond: Int = 50, seed: UInt64 = 1) {
            self.tags = tags
            self.readsPerSecond = readsPerSecond
            self.seed = seed
        }

        public var field: TagField { TagField(tags, readsPerSecond: readsPerSecond, seed: seed) }
    }

    /// On the command line.
    public var name: String
    /// What it is, for people.
    public var summary: String
    /// The shipped profile that reads it.
    public var profile: String
    public var reach: Reach
    public var make: @Sendable (Setting) -> any SimulatedDevice

    init(
        _ name: String, _ summary: String, profile: String, reach: Reach = .pseudoTerminal,
        make: @escaping @Sendable (Setting) -> any SimulatedDevice
    ) {
        self.name = name
        self.summary = summary
        self.profile = profile
        self.reach = reach
        self.make = make
    }

    public static let all: [SimulatedDeviceKind] = [
        SimulatedDeviceKind("a0", "UHF reader, protocol A0", profile: "r2000/a0-uhf") { A0Reader(tags: $0.field) },
        SimulatedDeviceKind("em4100", "125 kHz badge reader, ASCII", profile: "em4100/serial-ascii") { _ in EM4100Reader() },
        SimulatedDeviceKind("scanner", "barcode scanner on a serial line", profile: "generic/serial-scanner") { _ in LineScanner() },
    ]
}
