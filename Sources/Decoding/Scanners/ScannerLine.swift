import Readings

/// A barcode scanner on a serial line or USB CDC: one line of text per scan.
public struct ScannerLine: Decoder {
    public enum Terminator: String, Hashable, Sendable, CaseIterable {
        case cr
        case lf
        case crlf
        /// ETX (0x03), mostly with a prefix STX.
        case etx
        /// CR, LF, both or ETX: whichever comes.
        case any
        /// None: the scan is over after a gap.
        case gap
    }

    public struct Configuration: Hashable, Sendable {
        public var terminator: Terminator
        /// With `gap`: the silence after the last character that ends a scan (20...50 ms on a wire). Else: after this silence
        /// a line without an end is given up.
        public var gap: Instant.Span
        public var text: TextRule

        public init(terminator: Terminator = .any, gap: Instant.Span = .milliseconds(500), text: TextRule = TextRule()) {
            self.terminator = terminator
            self.gap = gap
            self.text = text
        }
    }

    private let configuration: Configuration
    private var line: LineBuffer
    /// A CR that may be the first half of CR LF.
    private var holdsCR = false
    private var lastByte = Instant.zero

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        line = LineBuffer(limit: configuration.text.longestLine)
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        for byte in bytes { take(byte, into: &batch) }
        lastByte = now
    }

    public var nextDeadline: Instant? { line.isEmpty && !holdsCR ? nil : lastByte + configuration.gap }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        holdsCR = false
        if configuration.terminator != .gap, !line.isEmpty { line.spoil(.incomplete) }
        line.end(by: configuration.text, into: &batch)
    }

    public mutating func reset() {
        line.clear()
        holdsCR = false
    }

    private mutating func take(_ byte: UInt8, into batch: inout DecodedBatch) {
        if holdsCR {
            holdsCR = false
            if byte == 0x0A { return line.end(by: configuration.text, into: &batch) }
            line.append(0x0D)
        }
        let isEnd =
            switch configuration.terminator {
            case .cr: byte == 0x0D
            case .lf: byte == 0x0A
            case .etx: byte == 0x03
            case .any: byte == 0x0D || byte == 0x0A || byte == 0x03
            case .crlf, .gap: false
            }
        if isEnd {
            line.end(by: configuration.text, into: &batch)
        } else if configuration.terminator == .crlf, byte == 0x0D {
            holdsCR = true
        } else {
            line.append(byte)
        }
    }
}
