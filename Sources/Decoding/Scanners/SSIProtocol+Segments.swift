import Readings

/// Codes too long for one packet, as newer scanners send them.
///
/// Segment: opcode 73, number from 0, content. The content of the first is opcode F3, source, status, length of the whole (2), then type,
/// 01, length of the code (2) and its beginning; that of the others is what follows. Each but the last is full: 255 bytes.
///
/// Source: the client enioka_scan and the first segment of a code that it shows; the numbers after the first are written from its
/// description.
extension SSIProtocol {
    struct Segments: Hashable, Sendable {
        /// The number of the next one.
        var next: UInt8
        /// The bytes of the code that have not come.
        var remaining: Int
    }

    /// The bytes of the first segment before the code.
    private static let headLength = 10

    /// - Parameters:
    ///   - body: what follows the first four bytes of the packet.
    ///   - isRepeated: the packet says so.
    mutating func takeSegment(_ body: [UInt8], isRepeated: Bool, at now: Instant, into batch: inout DecodedBatch) {
        guard let number = body.first else { return batch.rejects.count(.malformed) }
        var content = body.dropFirst()
        // A repetition is the same but for the bit that says so, which may stand in the status of the content.
        var mark = body
        if number == 0, body.count >= Self.headLength { mark[3] &= ~Status.isRepeated }
        // Only a segment that began no code must be the old one; the first may also be that of another code of the same text.
        if segments == nil, let last = lastSegment, last.mark == mark, now - last.time < Self.repeatTimeout,
            number > 0 || isRepeated || mark != body
        {
            acknowledge(isLast: true, into: &batch)
            return batch.rejects.count(.duplicate)
        }
        if let open = segments, open.next > 0, number == open.next - 1 {
            // Our acknowledgement was lost.
            acknowledge(isLast: false, into: &batch)
            return batch.rejects.count(.duplicate)
        }
        if number == 0 {
            giveUpSegments(into: &batch)
            if isContinued {
                data.spoil(.incomplete)
                end(into: &batch)
            }
            guard body.count >= Self.headLength, body[1] == Opcode.decodeData, body[7] == 0x01 else {
                // Acknowledged, so that the scanner goes on with what can be read.
                acknowledge(isLast: false, into: &batch)
                return batch.rejects.count(.unknownFrame)
            }
            type = body[6]
            isContinued = true
            segments = Segments(next: 0, remaining: Int(body[8]) << 8 | Int(body[9]))
            content = body.dropFirst(Self.headLength)
        }
        guard var open = segments, number == open.next else {
            // One was lost, or the first was not understood.
            acknowledge(isLast: false, into: &batch)
            guard segments != nil else { return batch.rejects.count(.unknownFrame) }
            return giveUpSegments(into: &batch)
        }
        for byte in content.prefix(open.remaining) { data.append(byte) }
        open.remaining -= min(content.count, open.remaining)
        open.next &+= 1
        segments = open
        acknowledge(isLast: open.remaining == 0, into: &batch)
        guard open.remaining == 0 else { return }
        lastSegment = (mark, now)
        end(into: &batch)
    }

    /// Another code came before the last segment of this one.
    mutating func giveUpSegments(into batch: inout DecodedBatch) {
        guard segments != nil else { return }
        data.spoil(.incomplete)
        end(into: &batch)
    }

    private func acknowledge(isLast: Bool, into batch: inout DecodedBatch) {
        guard configuration.acknowledges else { return }
        batch.signals.append(.reply(isLast ? Self.acknowledgement : Self.segmentAcknowledgement))
    }
}
