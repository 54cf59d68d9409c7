import Readings

/// The protocol of the small modules M100, QM100, JRD-100, JRD-4035 and YRM100, and of the R200 with another head and end.
///
/// Frame: head, type (0 command, 1 answer, 2 notice), command, length of the parameters (2, big-endian), parameters, check (sum of all
/// between head and check), end. Nothing is escaped, so a frame counts only when length, end and check agree.
///
/// The protocol of Phychips readers has the same head and end with the check behind the end; none of its frames passes here.
///
/// Sources: the headers and unit tests of M5Unit-RFID, the manual of the M5 UHF unit, the protocol page of the EL-UHF-RMT01.
public struct M100Protocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        /// The bytes around a frame.
        public enum Framing: String, Hashable, Sendable, CaseIterable {
            /// M100, QM100, JRD-100, YRM100.
            case bb7E = "bb_7e"
            /// R200.
            case aaDD = "aa_dd"

            var head: UInt8 { self == .bb7E ? 0xBB : 0xAA }
            var end: UInt8 { self == .bb7E ? 0x7E : 0xDD }
        }

        public var framing: Framing

        public init(framing: Framing = .bb7E) {
            self.framing = framing
        }
    }

    /// The longest parameters that any answer has: memory of a tag, read in one piece, with its PC and EPC.
    static let longestParameters = 320

    let configuration: Configuration
    /// 327 bytes take 340 ms at 9600 baud, 28 ms at the usual 115200.
    private var stream = FrameStream(longestFrame: longestParameters + 7, timeout: .milliseconds(300))

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        let framing = configuration.framing
        stream.decode(bytes, at: now, into: &batch, examine: { Self.examine($0, $1, framing) }, take: Self.take)
    }

    public var nextDeadline: Instant? { stream.nextDeadline }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        let framing = configuration.framing
        stream.advance(to: now, into: &batch, examine: { Self.examine($0, $1, framing) }, take: Self.take)
    }

    public mutating func reset() { stream.reset() }

    private static func examine(_ bytes: UnsafeRawBufferPointer, _ index: Int, _ framing: Configuration.Framing) -> FrameCandidate {
        guard bytes[index] == framing.head else { return .none(.noise) }
        guard index + 1 < bytes.count else { return .incomplete }
        guard bytes[index + 1] <= 2 else { return .none(.malformed) }
        guard index + 4 < bytes.count else { return .incomplete }
        let length = Int(bytes[index + 3]) << 8 | Int(bytes[index + 4])
        guard length <= longestParameters else { return .none(.length) }
        let end = index + 6 + length
        guard end < bytes.count else { return .incomplete }
        guard bytes[end] == framing.end else { return .none(.malformed) }
        return Checksum.sum8(bytes[index + 1..<end - 1]) == bytes[end - 1] ? .frame(length: length + 7) : .none(.checksum)
    }
}
