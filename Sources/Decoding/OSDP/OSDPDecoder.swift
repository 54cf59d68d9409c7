import Readings

/// What an OSDP reader answers, without the panel: for captures and `stockgate decode`. Commands, which stand between the replies in
/// what is heard on a bus, are passed over.
public struct OSDPDecoder: Decoder {
    private var framer = OSDPFramer()
    private var report: OSDPReport
    private var last: OSDPPacket?

    public init(_ configuration: OSDPSession.Configuration = .init()) {
        report = OSDPReport(configuration)
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        for packet in framer.take(bytes, at: now, rejects: &batch.rejects) { take(packet, into: &batch) }
    }

    public var nextDeadline: Instant? { framer.deadline }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = framer.deadline, deadline <= now else { return }
        for packet in framer.giveUp(rejects: &batch.rejects) { take(packet, into: &batch) }
    }

    public mutating func reset() {
        framer.reset()
        report.reset()
        last = nil
    }

    private mutating func take(_ packet: OSDPPacket, into batch: inout DecodedBatch) {
        guard packet.isReply else { return }
        // The answer to a command that the panel sent again: the same number, the same content.
        if packet == last { return batch.rejects.count(.duplicate) }
        last = packet
        guard packet.securityBlock == nil else { return batch.rejects.count(.unknownFrame) }
        guard let reply = OSDPReply(packet) else { return batch.rejects.count(.malformed) }
        report.take(reply, into: &batch)
        switch reply {
        case .identification, .capabilities, .localStatus, .readers, .outputs: batch.signals.append(.answer(packet.encoded))
        case .acknowledged, .busy: batch.signals.append(.alive)
        default: break
        }
    }
}
