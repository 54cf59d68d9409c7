import Readings

/// The protocol of Chafon's readers and their many brands: UHFReader18, UHFReader288, UHFReader86, E310.
///
/// Answer: length of what follows, address, command, status, data, CRC (2, low byte first, over all before it). There is no head: any
/// byte may be a length. So a frame counts only when length, command, status and CRC agree, and after one that fails the search goes on
/// at the next byte.
///
/// Sources: the unit tests of chafon-rfid, the manual of the UHFEx10, the client rfidtime.
public struct UHFReader18Protocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        /// What stands in the record of a tag.
        public enum Records: String, Hashable, Sendable, CaseIterable {
            /// EPC only: UHFReader18.
            case plain
            /// The antenna before the records of a frame, the signal in each: UHFReader288, 86 and E310.
            case antennaAndSignal = "antenna_and_signal"
        }

        public var records: Records
        /// What is added to the signal byte to make dBm, −200...0, where somebody has measured it for this model; nil: the byte is
        /// passed over, since the makers call it a strength without a unit.
        public var signalOffset: Int16?

        public init(records: Records = .plain, signalOffset: Int16? = nil) {
            self.records = records
            self.signalOffset = signalOffset
        }
    }

    let configuration: Configuration
    /// The length byte counts what follows it. 256 bytes take 267 ms at 9600 baud, 45 ms at the usual 57600.
    private var stream = FrameStream(longestFrame: 256, timeout: .milliseconds(300))

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        let configuration = configuration
        stream.decode(bytes, at: now, into: &batch, examine: Self.examine) { Self.take($0, configuration, into: &$1) }
    }

    public var nextDeadline: Instant? { stream.nextDeadline }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        let configuration = configuration
        stream.advance(to: now, into: &batch, examine: Self.examine) { Self.take($0, configuration, into: &$1) }
    }

    public mutating func reset() { stream.reset() }

    private static func examine(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> FrameCandidate {
        // Address, command, status and CRC at the least.
        let length = Int(bytes[index])
        guard length >= 5 else { return .none(.noise) }
        guard index + 3 < bytes.count else { return .incomplete }
        // Without a head most bytes would be waited on for a whole frame; what no reader says need not be.
        switch bytes[index + 2] {
        case 0x00...0x9F, 0xEE: break
        default: return .none(.noise)
        }
        switch bytes[index + 3] {
        case 0x00...0x30, 0xEE...0xFF: break
        default: return .none(.noise)
        }
        let end = index + length + 1
        guard end <= bytes.count else { return .incomplete }
        let crc = Checksum.crc8408(bytes[index..<end - 2])
        return crc == UInt16(bytes[end - 2]) | UInt16(bytes[end - 1]) << 8 ? .frame(length: length + 1) : .none(.checksum)
    }
}
