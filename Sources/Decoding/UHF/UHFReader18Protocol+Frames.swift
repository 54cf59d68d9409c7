import Identifiers
import Readings

extension UHFReader18Protocol {
    /// What a whole frame with a good CRC says.
    static func take(_ frame: UnsafeRawBufferPointer, _ configuration: Configuration, into batch: inout DecodedBatch) {
        let status = frame[3]
        switch frame[2] {
        case 0x01, 0x0F: takeInventory(status, frame, configuration, into: &batch)
        case 0xEE: takeUpload(status, frame, configuration, into: &batch)
        // A command that the reader does not know at all is answered without its number.
        case 0x00: takeFault(status, into: &batch)
        default: batch.signals.append(.answer(Array(frame)))
        }
    }

    /// An inventory is answered by any number of frames; all but the last one say that more follow.
    private static func takeInventory(
        _ status: UInt8, _ frame: UnsafeRawBufferPointer, _ configuration: Configuration, into batch: inout DecodedBatch
    ) {
        switch status {
        case 0x01...0x04:
            takeTags(UnsafeRawBufferPointer(rebasing: frame[4..<frame.count - 2]), configuration, into: &batch)
            // Complete, out of time or out of memory: what was found was said.
            if status != 0x03 { batch.signals.append(.roundEnded) }
        // No tag; and figures about the round, which come last where they were asked for.
        case 0xFB, 0x26: batch.signals.append(.roundEnded)
        default: takeFault(status, into: &batch)
        }
    }

    /// `[antenna (1)] | number of tags (1) | records`; a record is `length | EPC | [signal]`.
    ///
    /// All records or none: where one does not fit, the frame has records of another kind, and what was read before was none.
    private static func takeTags(_ data: UnsafeRawBufferPointer, _ configuration: Configuration, into batch: inout DecodedBatch) {
        // The end of a round may stand alone.
        guard !data.isEmpty else { return }
        let hasSignal = configuration.records == .antennaAndSignal
        var index = hasSignal ? 2 : 1
        guard data.count >= index else { return batch.rejects.count(.malformed) }
        let antenna = hasSignal ? antenna(data[0]) : 0
        let before = batch.readings.count
        var withoutEPC: UInt64 = 0
        for _ in 0..<data[index - 1] {
            // The upper bits tell of phase or TID behind the EPC, whose layout is not known: such a record is not read by guess. An EPC
            // is whole words (GS1 EPC UHF Gen2 Air Interface, PC length field).
            let length = index < data.count ? Int(data[index]) : EPC.maximumByteCount + 1
            let end = index + 1 + length
            guard length <= EPC.maximumByteCount, length.isMultiple(of: 2), end + (hasSignal ? 1 : 0) <= data.count else {
                index = data.count + 1
                break
            }
            if let epc = EPC(bytes: UnsafeRawBufferPointer(rebasing: data[index + 1..<end])) {
                batch.readings.append(
                    .tag(TagRead(epc: epc, antenna: antenna, rssi: hasSignal ? signal(data[end], configuration) : TagRead.noRSSI)))
            } else {
                // A tag without an EPC must not hide the others.
                withoutEPC += 1
            }
            index = end + (hasSignal ? 1 : 0)
        }
        if index != data.count {
            batch.readings.removeSubrange(before...)
            batch.rejects.count(.malformed)
        } else if withoutEPC > 0 {
            batch.rejects.count(.malformed, times: withoutEPC)
        }
    }

    /// A tag that the reader tells of by itself: `antenna | length | EPC | signal`.
    private static func takeUpload(
        _ status: UInt8, _ frame: UnsafeRawBufferPointer, _ configuration: Configuration, into batch: inout DecodedBatch
    ) {
        guard status == 0 else {
            // No tag, and the end of a round among many.
            if status <= 0x04 || status == 0x26 || status == 0x28 || status == 0xFB { return batch.signals.append(.alive) }
            return takeFault(status, into: &batch)
        }
        guard frame.count > 8, frame.count == Int(frame[5]) + 9, frame[5].isMultiple(of: 2),
            let epc = EPC(bytes: UnsafeRawBufferPointer(rebasing: frame[6..<frame.count - 3]))
        else { return batch.rejects.count(.malformed) }
        batch.readings.append(.tag(TagRead(epc: epc, antenna: antenna(frame[4]), rssi: signal(frame[frame.count - 3], configuration))))
    }

    /// One bit for each antenna; 0 where it is not exactly one.
    private static func antenna(_ mask: UInt8) -> UInt8 { mask.nonzeroBitCount == 1 ? UInt8(mask.trailingZeroBitCount) + 1 : 0 }

    private static func signal(_ byte: UInt8, _ configuration: Configuration) -> Int16 {
        configuration.signalOffset.map { (Int16(byte) + max(-200, min(0, $0))) * 100 } ?? TagRead.noRSSI
    }

    private static func takeFault(_ status: UInt8, into batch: inout DecodedBatch) {
        let error = error(status)
        batch.signals.append(.fault(code: status, meaning: error.meaning, isTransient: error.isTransient))
        batch.signals.append(.roundFailed)
    }

    /// The status bytes that say that something did not work.
    static func error(_ status: UInt8) -> (meaning: String, isTransient: Bool) {
        switch status {
        case 0x05: ("access password wrong", false)
        case 0xF8: ("antenna missing", true)
        case 0xF9: ("command failed", true)
        case 0xFA: ("tag understood badly", true)
        case 0xFC: ("tag answered with an error", true)
        case 0xFD: ("length of the command refused", false)
        case 0xFE: ("command unknown to the reader", false)
        case 0xFF: ("parameter refused", false)
        default: ("unknown error", false)
        }
    }

    /// What is wrong with bytes that should be one whole command; nil: nothing.
    public static func fault(ofFrame bytes: [UInt8]) -> String? {
        guard bytes.count >= 5 else { return "must be a whole frame: length, address, command, data, CRC" }
        guard Int(bytes[0]) == bytes.count - 1 else {
            return "its length byte must be \(Hex.text([UInt8(truncatingIfNeeded: bytes.count - 1)]))"
        }
        let crc = Checksum.crc8408(bytes.dropLast(2))
        guard UInt16(bytes[bytes.count - 2]) | UInt16(bytes[bytes.count - 1]) << 8 == crc else {
            return "its last two bytes, the CRC, must be \(Hex.text([UInt8(crc & 0xFF), UInt8(crc >> 8)]))"
        }
        return nil
    }
}
