import Readings

/// The serial protocol of ThingMagic's modules (M5e, M6e, M6e Nano, M7e), as their "Mercury" interface speaks it.
///
/// Frame from the module: `FF`, length of the data, operation, status (2), data, CRC (2, big-endian, over all but `FF`). Nothing is
/// escaped, so a frame counts only when length and CRC agree.
///
/// Sources: SparkFun's library for simultaneous tag reading, the vendor's guide to autonomous configuration, the headers of the
/// vendor's programming interface.
public struct MercuryProtocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        public init() {}
    }

    /// The length byte counts the data only. 262 bytes take 273 ms at 9600 baud, 23 ms at the usual 115200.
    private var stream = FrameStream(longestFrame: 262, timeout: .milliseconds(300))

    public init(_ configuration: Configuration = Configuration()) {}

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        stream.decode(bytes, at: now, into: &batch, examine: Self.examine, take: Self.take)
    }

    public var nextDeadline: Instant? { stream.nextDeadline }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        stream.advance(to: now, into: &batch, examine: Self.examine, take: Self.take)
    }

    public mutating func reset() { stream.reset() }

    private static func examine(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> FrameCandidate {
        guard bytes[index] == 0xFF else { return .none(.noise) }
        guard index + 1 < bytes.count else { return .incomplete }
        let end = index + Int(bytes[index + 1]) + 7
        guard end <= bytes.count else { return .incomplete }
        let crc = Checksum.crcMercury(bytes[index + 1..<end - 2])
        return crc == UInt16(bytes[end - 2]) << 8 | UInt16(bytes[end - 1]) ? .frame(length: end - index) : .none(.checksum)
    }
}
