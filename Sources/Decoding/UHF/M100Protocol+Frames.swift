import Readings

extension M100Protocol {
    /// What a whole frame with a good check says.
    static func take(_ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        // An answer to a poll is a notice, but firmware does not agree on its type; a command is what another host sends.
        guard frame[1] != 0 else { return batch.rejects.count(.unknownFrame) }
        switch frame[2] {
        case 0x22: takeTag(frame, into: &batch)
        case 0xFF where frame.count == 8: takeError(frame[5], frame, into: &batch)
        case 0x03, 0x07...0x08, 0x0B...0x0E, 0x11...0x12, 0x17, 0x1D, 0x27...0x28, 0x39, 0x49, 0x65, 0x82, 0xA9...0xAB, 0xAD, 0xB0,
            0xB6...0xB7, 0xD3, 0xE0...0xE5, 0xF0...0xF3, 0xFF:
            batch.signals.append(.answer(Array(frame)))
        default: batch.rejects.count(.unknownFrame)
        }
    }

    /// `RSSI (dBm, signed) | PC (2) | EPC | CRC (2)`.
    private static func takeTag(_ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        let end = frame.count - 2
        guard end > 6 else { return batch.rejects.count(.malformed) }
        switch Gen2Backscatter.epc(in: UnsafeRawBufferPointer(rebasing: frame[6..<end])) {
        case .success(let epc): batch.readings.append(.tag(TagRead(epc: epc, antenna: 1, rssi: Int16(Int8(bitPattern: frame[5])) * 100)))
        case .failure(let refusal): batch.rejects.count(refusal.reason)
        }
    }

    private static func takeError(_ code: UInt8, _ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        // No tag in one of many polls: what an empty field looks like.
        guard code != 0x15 else { return batch.signals.append(.alive) }
        let error = error(code)
        batch.signals.append(.answer(Array(frame)))
        batch.signals.append(.fault(code: code, meaning: error.meaning, isTransient: error.isTransient))
        if error.endsPolling { batch.signals.append(.roundFailed) }
    }

    /// The error codes of the protocol.
    static func error(_ code: UInt8) -> (meaning: String, isTransient: Bool, endsPolling: Bool) {
        switch code {
        case 0x05: ("module was reset by its watchdog", true, true)
        case 0x09: ("tag could not be read", true, false)
        case 0x0E: ("parameter refused", false, true)
        case 0x10: ("tag could not be written", true, false)
        case 0x12: ("tag could not be killed", true, false)
        case 0x13: ("tag could not be locked", true, false)
        case 0x14: ("tag could not be locked for ever", true, false)
        case 0x16: ("access password wrong", false, false)
        case 0x17: ("command refused", false, true)
        case 0x20: ("no free channel", true, false)
        // Gen2 error of the tag in the low four bits, for read, write, lock, kill and permanent lock.
        case 0xA0...0xEF: ("tag answered with an error", true, false)
        default: ("unknown error", false, true)
        }
    }

    /// What is wrong with bytes that should be one whole command; nil: nothing.
    public static func fault(ofFrame bytes: [UInt8], framing: Configuration.Framing) -> String? {
        let length = bytes.count - 7
        guard length >= 0, bytes.first == framing.head, bytes.last == framing.end, bytes[1] == 0 else {
            return "must be a whole frame: \(Hex.text([framing.head])), 00, command, length, parameters, check, \(Hex.text([framing.end]))"
        }
        guard Int(bytes[3]) << 8 | Int(bytes[4]) == length else {
            return "its length bytes must be \(Hex.text([UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)]))"
        }
        let check = Checksum.sum8(bytes[1..<bytes.count - 2])
        guard bytes[bytes.count - 2] == check else { return "its last byte but one, the check, must be \(Hex.text([check]))" }
        return nil
    }
}
