import Readings

/// The protocol of UHF readers on the Impinj R2000 and E710 chips whose frames begin with `A0` (Invelion, Rodinbell and many
/// without a name).
///
/// Frame: `A0`, length of what follows, address, command, data, check (two's complement of the sum of all bytes before it).
/// Nothing is escaped: `A0` also occurs inside an EPC. So a frame counts only when length and check agree, and after one that
/// fails the search goes on at the next byte.
///
/// Sources: the unit tests of rust-invelion and the published exchanges of three other clients of these readers.
public struct A0Protocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        /// Frequency indexes below 7 are 865.0 MHz + 0.5 MHz · index (ETSI), others 902.0 MHz + 0.5 MHz · (index − 7). Some firmware
        /// counts from 865.0 MHz throughout.
        public var countsFrequencyFrom865: Bool
        /// The reader's phase units in a full turn, where its firmware sends a phase and the scale is known, 1...65536; nil: a
        /// phase is passed over.
        public var phaseUnitsPerTurn: UInt32?

        public init(countsFrequencyFrom865: Bool = false, phaseUnitsPerTurn: UInt32? = nil) {
            self.countsFrequencyFrom865 = countsFrequencyFrom865
            self.phaseUnitsPerTurn = phaseUnitsPerTurn
        }
    }

    /// The length byte counts what follows it. 257 bytes take 268 ms at 9600 baud, 23 ms at the usual 115200.
    private var stream = FrameStream(longestFrame: 257, timeout: .milliseconds(300))
    private var records: Records

    public init(_ configuration: Configuration = Configuration()) {
        records = Records(configuration: configuration)
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        stream.decode(bytes, at: now, into: &batch, examine: Self.examine) { records.take($0, into: &$1) }
    }

    public var nextDeadline: Instant? { stream.nextDeadline }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        stream.advance(to: now, into: &batch, examine: Self.examine) { records.take($0, into: &$1) }
    }

    public mutating func reset() {
        stream.reset()
        records.bufferRecords = 0
    }

    private static func examine(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> FrameCandidate {
        guard bytes[index] == 0xA0 else { return .none(.noise) }
        guard index + 1 < bytes.count else { return .incomplete }
        let length = Int(bytes[index + 1])
        // Address, command and check at the least.
        guard length >= 3 else { return .none(.length) }
        let end = index + length + 2
        guard end <= bytes.count else { return .incomplete }
        var sum: UInt8 = 0
        for position in index..<end { sum &+= bytes[position] }
        return sum == 0 ? .frame(length: length + 2) : .none(.checksum)
    }
}
