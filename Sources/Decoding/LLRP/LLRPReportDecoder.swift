import Readings

/// What an LLRP reader reports: tags as readings, changes of its inputs as readings, KEEPALIVE as a sign of life with its answer, and every
/// other message whole, as an answer for whoever leads the conversation.
///
/// Hopping events say only what the tag reports say too, and come by the hundred: they are a sign of life and nothing else.
public struct LLRPReportDecoder: Decoder {
    /// A message that does not go on for this long never will: readers send a KEEPALIVE more often, and TCP gave up long before.
    public static let messageTimeout = Instant.Span.seconds(30)

    private var framer: LLRPFramer
    private var reports: LLRPTagReports
    private(set) var lastBytes = Instant.zero

    public init(channels: [UInt32] = [], maximumLength: Int = LLRPFramer.usualMaximumLength) {
        framer = LLRPFramer(maximumLength: maximumLength)
        reports = LLRPTagReports(channels: channels)
    }

    /// The frequencies in kHz that channel indexes name, the first that of index 1.
    public var channels: [UInt32] {
        get { reports.channels }
        set { reports.channels = newValue }
    }

    /// Bytes of a message whose end has not come.
    var heldBytes: [UInt8] { framer.heldBytes }

    mutating func restore(held bytes: [UInt8], at time: Instant) {
        framer.restore(bytes)
        lastBytes = time
    }

    /// What stands in for parameters that reports leave out.
    var lastReported: JSON {
        get { reports.lastReported }
        set { reports.lastReported = newValue }
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        guard !bytes.isEmpty else { return }
        lastBytes = now
        var output = Output(reports: reports, readings: [], signals: [])
        swap(&output.readings, &batch.readings)
        swap(&output.signals, &batch.signals)
        framer.take(bytes, rejects: &batch.rejects, context: &output) { $1.take($0, rejects: &$2) }
        swap(&output.readings, &batch.readings)
        swap(&output.signals, &batch.signals)
        reports = output.reports
    }

    public var nextDeadline: Instant? { framer.isHolding ? lastBytes + Self.messageTimeout : nil }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        var output = Output(reports: reports, readings: [], signals: [])
        framer.flush(rejects: &batch.rejects, context: &output) { $1.take($0, rejects: &$2) }
        batch.readings += output.readings
        batch.signals += output.signals
        reports = output.reports
    }

    public mutating func reset() {
        framer.reset()
        reports.reset()
    }
}

/// Where the messages of one call go.
private struct Output {
    var reports: LLRPTagReports
    var readings: [Reading]
    var signals: [Signal]

    mutating func take(_ frame: UnsafeRawBufferPointer, rejects: inout RejectCounts) {
        // The framer gives whole messages only.
        guard let base = frame.baseAddress, frame.count >= LLRPMessage.headerLength else { return }
        let type = base.bigEndian16(at: 0) & 0x3FF
        switch type {
        case 61: reports.take(frame, readings: &readings, rejects: &rejects)
        case 62:
            // KEEPALIVE_ACK, type 72, carries the version and the id of its question.
            signals.append(.reply([base.byte(at: 0), 72, 0, 0, 0, 10] + frame[6..<10]))
            signals.append(.alive)
        case 63: takeEvents(base, frame, rejects: &rejects)
        case 30:
            // The reader took a new inventory: what its reports leave out from here on is not what those of the old one said.
            if Self.isSuccess(base, frame) { reports.reset() }
            signals.append(.answer(Array(frame)))
        default: if LLRPTypes.isKnown(type) { signals.append(.answer(Array(frame))) } else { rejects.count(.unknownFrame) }
        }
    }

    /// An answer that begins with an LLRPStatus (287) of code 0.
    private static func isSuccess(_ base: UnsafeRawPointer, _ frame: UnsafeRawBufferPointer) -> Bool {
        let start = LLRPMessage.headerLength
        guard frame.count - start >= 8, base.bigEndian16(at: start) & 0x3FF == 287 else { return false }
        return base.bigEndian16(at: start + 4) == 0
    }

    /// READER_EVENT_NOTIFICATION: one ReaderEventNotificationData (246) with a time and events.
    private mutating func takeEvents(_ base: UnsafeRawPointer, _ frame: UnsafeRawBufferPointer, rejects: inout RejectCounts) {
        let start = LLRPMessage.headerLength
        guard frame.count - start >= 4, base.bigEndian16(at: start) & 0x3FF == 246,
            Int(base.bigEndian16(at: start + 2)) == frame.count - start
        else { return rejects.count(.malformed) }
        var position = start + 4
        var isForOthers = false
        while frame.count - position >= 4, base.byte(at: position) & 0x80 == 0 {
            let length = Int(base.bigEndian16(at: position + 2))
            guard length >= 4, length <= frame.count - position else { break }
            switch base.bigEndian16(at: position) & 0x3FF {
            // UTCTimestamp, Uptime, HoppingEvent.
            case 128, 129, 247: break
            case 248 where length == 7:
                let port = base.bigEndian16(at: position + 4)
                if (1...256).contains(port) {
                    let change = InputChange(line: UInt8(truncatingIfNeeded: port - 1), isActive: base.byte(at: position + 6) & 0x80 != 0)
                    readings.append(.input(change))
                } else {
                    rejects.count(.malformed)
                }
            default: isForOthers = true
            }
            position += length
        }
        if position != frame.count { rejects.count(.malformed) }
        signals.append(isForOthers ? .answer(Array(frame)) : .alive)
    }
}
