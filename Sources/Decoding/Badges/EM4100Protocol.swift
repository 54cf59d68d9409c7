import Readings

/// The ASCII protocol of 125 kHz badge readers: RDM6300 and its clones, Innovations ID-2, ID-12 and ID-20.
///
/// Frame: `02`, ten hexadecimal digits (one version byte, four id bytes), two digits of check, `0D 0A` (ID-12 and ID-20 only),
/// `03`. The readers only talk. An RDM6300 repeats the frame as long as the badge is there; an ID-12 sends it once.
public struct EM4100Protocol: Decoder {
    public struct Configuration: Hashable, Sendable {
        public enum Check: String, Hashable, Sendable, CaseIterable {
            /// The exclusive or of the five bytes, as the data sheets have it.
            case xor8
            /// Their sum, as some clones send it.
            case sum8
            /// As `xor8`, but a wrong check is counted and the badge read all the same, for clones that cannot add.
            case warn
        }

        public var check: Check
        /// The same badge again within this long of its last frame is the same badge still there, 0...60 s.
        public var duplicateWindow: Instant.Span
        public var form: BadgeForm

        public init(check: Check = .xor8, duplicateWindow: Instant.Span = .seconds(1), form: BadgeForm = BadgeForm()) {
            self.check = check
            self.duplicateWindow = duplicateWindow
            self.form = form
        }
    }

    /// A frame of 16 characters takes 17 ms at 9600 baud.
    static let frameTimeout = Instant.Span.milliseconds(200)

    private let configuration: Configuration
    /// The digits since `02`; nil outside a frame.
    private var digits: [UInt8]?
    /// The line end of an ID-12: 0 none, 1 after CR, 2 after LF.
    private var lineEnd = 0
    private var lastByte = Instant.zero
    private var lastBadge: (number: [UInt8], time: Instant)?

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        for byte in bytes { take(byte, at: now, into: &batch) }
        lastByte = now
    }

    public var nextDeadline: Instant? { digits == nil ? nil : lastByte + Self.frameTimeout }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        digits = nil
        batch.rejects.count(.incomplete)
    }

    public mutating func reset() {
        digits = nil
    }

    /// The badge that was seen last.
    public func snapshot(at now: Instant) -> JSON? {
        lastBadge.map { .compact(["number": .bytes($0.number), "time": SnapshotClock(now: now).json($0.time)]) }
    }

    public mutating func restore(_ snapshot: JSON, at now: Instant) {
        lastBadge = snapshot["number"]?.bytes.map { ($0, SnapshotClock(now: now).instant(snapshot["time"]) ?? now) }
    }

    private mutating func take(_ byte: UInt8, at now: Instant, into batch: inout DecodedBatch) {
        if byte == 0x02 {
            // No digit looks like a start, so this one begins a frame whatever came before.
            if digits != nil { batch.rejects.count(.incomplete) }
            digits = []
            lineEnd = 0
            return
        }
        guard let count = digits?.count else { return batch.rejects.count(.noise) }
        switch byte {
        case 0x03 where count == 12 && lineEnd != 1: finish(at: now, into: &batch)
        case 0x0D where count == 12 && lineEnd == 0: lineEnd = 1
        case 0x0A where count == 12 && lineEnd == 1: lineEnd = 2
        default:
            if count < 12, hexDigit(byte) != nil {
                digits?.append(byte)
            } else {
                batch.rejects.count(byte == 0x03 ? .length : .malformed)
                digits = nil
            }
        }
    }

    private mutating func finish(at now: Instant, into batch: inout DecodedBatch) {
        let nibbles = (digits ?? []).compactMap(hexDigit)
        digits = nil
        guard nibbles.count == 12 else { return batch.rejects.count(.malformed) }
        let bytes = stride(from: 0, to: 12, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
        let number = Array(bytes[..<5])
        let sum = configuration.check == .sum8 ? Checksum.sum8(number) : Checksum.xor8(number)
        if sum != bytes[5] {
            batch.rejects.count(.checksum)
            guard configuration.check == .warn else { return }
        }
        let isRepeat = lastBadge.map { $0.number == number && now - $0.time < configuration.duplicateWindow } ?? false
        lastBadge = (number, now)
        if isRepeat { return batch.rejects.count(.duplicate) }
        batch.readings.append(.badge(BadgeRead(credential: configuration.form.text(of: number))))
    }
}
