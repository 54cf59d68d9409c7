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

    /// The longest frame: the length byte counts what follows it.
    static let longestFrame = 257
    /// A frame that did not go on for this long never will: 257 bytes take 268 ms at 9600 baud, 23 ms at the usual 115200.
    static let frameTimeout = Instant.Span.milliseconds(300)

    let configuration: Configuration
    /// The beginning of a frame whose end has not come; never more than one frame.
    private var pending: [UInt8] = []
    private var lastBytes = Instant.zero

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        pending.reserveCapacity(Self.longestFrame)
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        guard !bytes.isEmpty else { return }
        lastBytes = now
        var start = 0
        while !pending.isEmpty {
            let held = pending.count
            let taken = min(Self.longestFrame - held, bytes.count - start)
            pending.append(contentsOf: bytes[start..<start + taken])
            let used = pending.withUnsafeBytes { takeFrames($0, into: &batch) }
            if used >= held {
                // The rest of what was copied is still in `bytes`, where it is read without a copy.
                start += used - held
                pending.removeAll(keepingCapacity: true)
            } else {
                start += taken
                pending.removeFirst(used)
                if start == bytes.count { return }
            }
        }
        start += takeFrames(UnsafeRawBufferPointer(rebasing: bytes[start...]), into: &batch)
        pending.append(contentsOf: bytes[start...])
    }

    public var nextDeadline: Instant? { pending.isEmpty ? nil : lastBytes + Self.frameTimeout }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        // What looked like the head of a frame was none: there may be whole frames behind it.
        while !pending.isEmpty {
            batch.rejects.count(.incomplete)
            pending.removeFirst()
            pending.removeFirst(pending.withUnsafeBytes { takeFrames($0, into: &batch) })
        }
    }

    public mutating func reset() {
        pending.removeAll(keepingCapacity: true)
    }

    /// Reads all whole frames. Returns the number of bytes that are done with; what remains is the beginning of a frame.
    private func takeFrames(_ bytes: UnsafeRawBufferPointer, into batch: inout DecodedBatch) -> Int {
        let count = bytes.count
        var index = 0
        var noise: UInt64 = 0
        search: while index < count {
            guard bytes[index] == 0xA0 else {
                noise += 1
                index += 1
                continue
            }
            guard index + 1 < count else { break }
            let length = Int(bytes[index + 1])
            // Address, command and check at the least.
            guard length >= 3 else {
                batch.rejects.count(.length)
                index += 1
                continue
            }
            let end = index + length + 2
            guard end <= count else { break }
            var sum: UInt8 = 0
            for position in index..<end { sum &+= bytes[position] }
            guard sum == 0 else {
                batch.rejects.count(.checksum)
                index += 1
                continue
            }
            take(UnsafeRawBufferPointer(rebasing: bytes[index..<end]), into: &batch)
            index = end
        }
        if noise > 0 { batch.rejects.count(.noise, times: noise) }
        return index
    }
}
