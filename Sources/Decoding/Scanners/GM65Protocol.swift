import Readings

/// Scan modules of the Grow GM65 family: scans as lines of text, and between them answers to commands in frames.
///
/// Command: `7E 00`, type (07 read, 08 write, 09 save), length, address in two bytes, data, CRC-16/XMODEM over type to data, or `AB CD`
/// for none. Answer: `02 00`, status, length, data, CRC-16/XMODEM over status to data. Sources: user manuals of the GM65 and
/// published exchanges of its users.
public struct GM65Protocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        /// How scans come.
        public var line: ScannerLine.Configuration

        public init(line: ScannerLine.Configuration = ScannerLine.Configuration()) {
            self.line = line
        }
    }

    /// An answer that did not go on for this long is none: 261 bytes take 272 ms at 9600 baud.
    static let timeout = Instant.Span.milliseconds(300)

    private var line: ScannerLine
    /// What may be the beginning of an answer.
    private var pending: [UInt8] = []
    private var lastBytes = Instant.zero

    public init(_ configuration: Configuration = Configuration()) {
        line = ScannerLine(configuration.line)
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        guard !bytes.isEmpty else { return }
        lastBytes = now
        // Tells the line that it is heard of, whatever becomes of the bytes.
        line.decode(UnsafeRawBufferPointer(rebasing: bytes[..<0]), at: now, into: &batch)
        pending.append(contentsOf: bytes)
        takePending(isEnd: false, into: &batch)
    }

    public var nextDeadline: Instant? {
        guard !pending.isEmpty else { return line.nextDeadline }
        let own = lastBytes + Self.timeout
        return line.nextDeadline.map { min($0, own) } ?? own
    }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        if !pending.isEmpty, now >= lastBytes + Self.timeout { takePending(isEnd: true, into: &batch) }
        line.advance(to: now, into: &batch)
    }

    public mutating func reset() {
        pending.removeAll()
        line.reset()
    }

    private mutating func takePending(isEnd: Bool, into batch: inout DecodedBatch) {
        var index = 0
        while index < pending.count {
            let rest = pending[index...]
            switch Self.answer(at: rest) {
            case .whole(let length):
                batch.signals.append(.answer(Array(rest.prefix(length))))
                index += length
            case .unfinished where !isEnd:
                pending.removeFirst(index)
                return
            case .unfinished, .none:
                line.take(pending[index], into: &batch)
                index += 1
            }
        }
        pending.removeAll(keepingCapacity: true)
    }

    private enum Finding {
        case whole(Int)
        case unfinished
        case none
    }

    private static func answer(at bytes: ArraySlice<UInt8>) -> Finding {
        guard bytes.first == 0x02 else { return .none }
        let frame = Array(bytes.prefix(261))
        guard frame.count > 1 else { return .unfinished }
        guard frame[1] == 0 else { return .none }
        guard frame.count > 3 else { return .unfinished }
        let length = 6 + Int(frame[3])
        guard frame.count >= length else { return .unfinished }
        let check = UInt16(frame[length - 2]) << 8 | UInt16(frame[length - 1])
        return Checksum.crc1021(initial: 0, frame[2..<length - 2]) == check ? .whole(length) : .none
    }

    /// What is wrong with a command; nil when it is whole.
    static func fault(ofFrame bytes: [UInt8]) -> String? {
        guard bytes.count >= 8, bytes[0] == 0x7E, bytes[1] == 0 else { return "must begin with 7E 00 and have at least 8 bytes" }
        // A question has one byte of data, the number of bytes asked for.
        let length = 8 + Int(bytes[3])
        guard bytes.count == length else { return "its length byte says \(length) bytes, there are \(bytes.count)" }
        let check = Checksum.crc1021(initial: 0, bytes[2..<length - 2])
        let found = UInt16(bytes[length - 2]) << 8 | UInt16(bytes[length - 1])
        if found == check || found == 0xABCD { return nil }
        return "its last two bytes, the check, must be \(Hex.text([UInt8(check >> 8), UInt8(check & 0xFF)])) or ABCD"
    }
}
