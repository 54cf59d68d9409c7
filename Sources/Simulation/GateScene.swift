import Identifiers
import Readings

/// A gate with tags that lie about and tags that are carried through: what each antenna sees at any time.
///
/// A plain model for demonstrations and for tests of the way of a reading: signal falls linearly with distance and reads are lost at
/// random. It makes no claim about accuracy.
public struct GateScene: Sendable {
    /// An antenna and where it looks: millimetres along the walking axis, inside below zero, outside above.
    public struct Antenna: Hashable, Sendable {
        public var port: UInt8
        public var position: Int64

        public init(port: UInt8, position: Int64) {
            self.port = port
            self.position = position
        }
    }

    /// Somebody who carries tags from one side to the other, or things that lie still (`speed` zero).
    public struct Walk: Hashable, Sendable {
        public var epcs: [EPC]
        public var start: Instant
        /// Millimetres at `start`, and millimetres in a second.
        public var from: Int64
        public var speed: Int64

        public init(epcs: [EPC], start: Instant, from: Int64, speed: Int64) {
            self.epcs = epcs
            self.start = start
            self.from = from
            self.speed = speed
        }

        /// A person who goes through at walking speed, 1.34 m/s, from well outside the antennas' reach to the other side.
        public init(epcs: [EPC], through direction: Direction, start: Instant) {
            let isOut = direction == .out
            self.init(epcs: epcs, start: start, from: isOut ? -3_500 : 3_500, speed: isOut ? 1_340 : -1_340)
        }

        func position(at now: Instant) -> Int64? {
            let milliseconds = (now - start).milliseconds
            guard milliseconds >= 0, milliseconds < 3_600_000 || speed == 0 else { return nil }
            return from + speed * milliseconds / 1_000
        }
    }

    public let antennas: [Antenna]
    private var walks: [Walk] = []
    private var random: SplitMix64

    /// How far an antenna reads, in millimetres.
    static let reach: Int64 = 2_000
    /// A walker who is this far from the gate has left the scene.
    static let horizon: Int64 = 6_000

    public init(antennas: [Antenna], seed: UInt64) {
        self.antennas = antennas
        random = SplitMix64(state: seed)
    }

    public mutating func add(_ walk: Walk) { walks.append(walk) }

    /// Nobody carries this tag any more, and it lies nowhere.
    public mutating func remove(_ epc: EPC) {
        for index in walks.indices { walks[index].epcs.removeAll { $0 == epc } }
        walks.removeAll { $0.epcs.isEmpty }
    }

    /// What one antenna reads at one instant: each tag in reach with probability 0.85, 0.6 dB of noise.
    public mutating func reads(port: UInt8, at now: Instant) -> [TagRead] {
        walks.removeAll { walk in walk.position(at: now).map { abs($0) > Self.horizon } ?? false }
        guard let antenna = antennas.first(where: { $0.port == port }) else { return [] }
        var reads: [TagRead] = []
        for walk in walks {
            guard let position = walk.position(at: now) else { continue }
            let distance = abs(position - antenna.position)
            guard distance <= Self.reach else { continue }
            for epc in walk.epcs where random.next() % 100 < 85 {
                let noise = Int64(random.next() % 121) - 60
                reads.append(TagRead(epc: epc, antenna: port, rssi: Int16(clamping: -4_500 - distance * 12 / 10 + noise)))
            }
        }
        return reads
    }
}
