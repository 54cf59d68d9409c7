import Identifiers
import Readings
import Simulation

/// What the antennas of a simulated reader see.
public protocol TagSource: Sendable {
    /// What one antenna reads now.
    mutating func reads(port: UInt8, at now: Instant) -> [TagRead]
    mutating func put(_ epc: EPC, antenna: UInt8?)
    mutating func take(_ epc: EPC)
}

/// A tag that lies in the field of a simulated reader.
public struct SimulatedTag: Hashable, Sendable {
    public var epc: EPC
    /// From 1; nil: all see it.
    public var antenna: UInt8?
    /// Hundredths of a dBm; nil: it varies.
    public var rssi: Int16?

    public init(epc: EPC, antenna: UInt8? = nil, rssi: Int16? = nil) {
        self.epc = epc
        self.antenna = antenna
        self.rssi = rssi
    }
}

/// Tags that lie before antennas and are read at a steady rate.
public struct TagField: TagSource {
    public var tags: [SimulatedTag]
    private let readsPerSecond: Int
    private var random: SplitMix64
    private var next = 0
    private var last: Instant?
    /// Reads that are due, in billionths.
    private var credit: Int64 = 0

    /// A reader that was not asked for long does not make up for it.
    private static let longestCredit = Instant.Span.milliseconds(200)

    /// - Parameter readsPerSecond: over all tags and antennas, 1...20,000.
    public init(_ tags: [SimulatedTag] = [], readsPerSecond: Int = 50, seed: UInt64 = 1) {
        self.tags = tags
        self.readsPerSecond = max(1, min(20_000, readsPerSecond))
        random = SplitMix64(state: seed)
    }

    public mutating func put(_ epc: EPC, antenna: UInt8?) {
        take(epc)
        tags.append(SimulatedTag(epc: epc, antenna: antenna))
    }

    public mutating func take(_ epc: EPC) { tags.removeAll { $0.epc == epc } }

    public mutating func reads(port: UInt8, at now: Instant) -> [TagRead] {
        let rate = Int64(readsPerSecond)
        if let last { credit += min(max(now - last, .zero), Self.longestCredit).nanoseconds * rate }
        credit = min(credit, Self.longestCredit.nanoseconds * rate)
        last = now
        let seen = tags.filter { $0.antenna == nil || $0.antenna == port }
        guard !seen.isEmpty else { return [] }
        var reads: [TagRead] = []
        while credit >= 1_000_000_000 {
            credit -= 1_000_000_000
            next = (next + 1) % seen.count
            let rssi = seen[next].rssi ?? Int16(clamping: -5_500 - Int64(random.next() % 600))
            reads.append(TagRead(epc: seen[next].epc, antenna: port, rssi: rssi))
        }
        return reads
    }
}

extension GateScene: TagSource {
    /// Lies still before the antenna.
    public mutating func put(_ epc: EPC, antenna: UInt8?) {
        let place = antennas.first { $0.port == antenna } ?? antennas.first
        add(Walk(epcs: [epc], start: .zero, from: place?.position ?? 0, speed: 0))
    }

    public mutating func take(_ epc: EPC) { remove(epc) }
}
