import Readings

/// A barcode scanner on a serial line, USB CDC or TCP: one line of text per scan, and lines that are no scans between them.
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
        /// Bytes that end a line besides the terminator.
        public var otherEnds: Set<UInt8>
        /// The byte that begins every line and is no part of it, such as STX (0x02); what stands between lines is noise. nil: a line
        /// begins where the one before ended.
        public var start: UInt8?
        /// With `gap`: the silence after the last character that ends a scan (20...50 ms on a wire). Else: after this silence
        /// a line without an end is given up.
        public var gap: Instant.Span
        /// Lines that say that no code was found.
        public var noRead: [LinePattern]
        /// Lines that say that the device works.
        public var heartbeat: [LinePattern]
        /// Lines that answer commands.
        public var answers: [LinePattern]
        /// Whether a scan, and a line that says that none was found, ends a round of the plan's inventory: for scanners that read once
        /// when told.
        public var endsRounds: Bool
        public var text: TextRule

        public init(
            terminator: Terminator = .any, otherEnds: Set<UInt8> = [], start: UInt8? = nil, gap: Instant.Span = .milliseconds(500),
            noRead: [LinePattern] = [], heartbeat: [LinePattern] = [], answers: [LinePattern] = [], endsRounds: Bool = false,
            text: TextRule = TextRule()
        ) {
            self.terminator = terminator
            self.otherEnds = otherEnds
            self.start = start
            self.gap = gap
            self.noRead = noRead
            self.heartbeat = heartbeat
            self.answers = answers
            self.endsRounds = endsRounds
            self.text = text
        }
    }

    private let configuration: Configuration
    private var line: LineBuffer
    /// A CR that may be the first half of CR LF.
    private var holdsCR = false
    /// Inside a line that began with the start byte, or where none is needed.
    private var isInside: Bool
    private var lastByte = Instant.zero

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        line = LineBuffer(limit: configuration.text.longestLine)
        isInside = configuration.start == nil
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        for byte in bytes { take(byte, into: &batch) }
        lastByte = now
    }

    public var nextDeadline: Instant? { isIdle ? nil : lastByte + configuration.gap }

    private var isIdle: Bool { line.isEmpty && !holdsCR && isInside == (configuration.start == nil) }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        holdsCR = false
        // Some answer commands with a line that has no end.
        let isKnown = line.fault == nil && (notice(line.bytes) != nil)
        if configuration.terminator != .gap, !isKnown, !line.isEmpty { line.spoil(.incomplete) }
        end(into: &batch)
    }

    public mutating func reset() {
        line.clear()
        holdsCR = false
        isInside = configuration.start == nil
    }

    mutating func take(_ byte: UInt8, into batch: inout DecodedBatch) {
        if holdsCR {
            holdsCR = false
            if byte == 0x0A { return end(into: &batch) }
            line.append(0x0D)
        }
        if let start = configuration.start {
            if byte == start {
                if isInside, !line.isEmpty {
                    line.spoil(.incomplete)
                    end(into: &batch)
                }
                isInside = true
                return
            }
            guard isInside else {
                // An end of line between two lines is nothing.
                if byte != 0x0D, byte != 0x0A { batch.rejects.count(.noise) }
                return
            }
        }
        if isEnd(byte) {
            end(into: &batch)
        } else if configuration.terminator == .crlf, byte == 0x0D {
            holdsCR = true
        } else {
            line.append(byte)
        }
    }

    private func isEnd(_ byte: UInt8) -> Bool {
        let isEnd =
            switch configuration.terminator {
            case .cr: byte == 0x0D
            case .lf: byte == 0x0A
            case .etx: byte == 0x03
            case .any: byte == 0x0D || byte == 0x0A || byte == 0x03
            case .crlf, .gap: false
            }
        return isEnd || configuration.otherEnds.contains(byte)
    }

    /// What a line that is no scan says; nil for all others.
    private func notice(_ bytes: [UInt8]) -> Signal? {
        if configuration.answers.contains(where: { $0.matches(bytes) }) { return .answer(bytes) }
        if configuration.heartbeat.contains(where: { $0.matches(bytes) }) { return .alive }
        return configuration.noRead.contains { $0.matches(bytes) } ? .noRead : nil
    }

    private mutating func end(into batch: inout DecodedBatch) {
        isInside = configuration.start == nil
        if line.fault == nil, !line.bytes.isEmpty, let notice = notice(line.bytes) {
            line.clear()
            batch.signals.append(notice)
            if configuration.endsRounds, notice == .noRead { batch.signals.append(.roundEnded) }
            return
        }
        let before = batch.readings.count
        line.end(by: configuration.text, into: &batch)
        if configuration.endsRounds, batch.readings.count > before { batch.signals.append(.roundEnded) }
    }
}
