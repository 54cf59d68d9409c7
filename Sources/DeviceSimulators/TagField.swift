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

/// Tags that lie before antennas and are read at a steady rate.
public struct TagField: TagSource {
    private var tags: [(epc: EPC, antenna: UInt8?)] = []
    private let readsPerSecond: Int
    private var random: SplitMix64
    private var next = 0
    private var last: Instant?
    /// Reads that are due, in billionths.
    private var credit: Int64 = 0

    /// A reader that was not asked for long does not make up for it.
    private static let longestCredit = Instant.Span.milliseconds(200)

    /// - Parameter readsPerSecond: over all tags and antennas, 1...20,000.
    public init(_ tags: [EPC] = [], readsPerSecond: Int = 50, seed: UInt64 = 1) {
        self.readsPerSecond = max(1, min(20_000, readsPerSecond))
        random = SplitMix64(state: seed)
        for epc in tags { put(epc, antenna: nil) }
    }

    public mutating func put(_ epc: EPC, antenna: UInt8?) {
        take(epc)
        tags.append((epc, antenna))
    }

    public mutating func take(_ epc: EPC) { tags.removeAll { $0.epc == epc } }

    public mutating func reads(port: UInt8, at now: Instant) -> [TagRead] {
        if let last { credit += min(max(now - last, .zero), Self.longestCredit).nanoseconds * Int64(readsPerSecond) }
        last = now
        let seen = tags.filter { $0.antenna == nil || $0.antenna == port }
        guard !seen.isEmpty else { return [] }
        var reads: [TagRead] = []
        while credit >= 1_000_000_000 {
            credit -= 1_000_000_000
            next = (next + 1) % seen.count
            reads.append(TagRead(epc: seen[next].epc, antenna: port, rssi: Int16(clamping: -5_500 - Int64(random.next() % 600))))
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
