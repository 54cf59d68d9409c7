import Identifiers
import Readings

extension MercuryProtocol {
    /// What a whole frame with a good CRC says.
    static func take(_ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        let status = UInt16(frame[3]) << 8 | UInt16(frame[4])
        switch frame[2] {
        case 0x21, 0x22: takeInventory(status, frame, into: &batch)
        case 0x2F:
            batch.signals.append(.answer(Array(frame)))
            if status != 0 { takeFault(status, into: &batch) }
        case 0x03...0x06, 0x0C, 0x24, 0x28...0x2A, 0x61...0x72, 0x91...0x9A: batch.signals.append(.answer(Array(frame)))
        default: batch.rejects.count(.unknownFrame)
        }
    }

    private static func takeInventory(_ status: UInt16, _ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        // "No tags found" is also how the module shows every second that it goes on.
        if status == 0x0400 { return batch.signals.append(.alive) }
        if status != 0 { return takeFault(status, into: &batch) }
        // Ten bytes are a report of its temperature, fewer only say that the command was taken.
        if frame[1] <= 0x0A { return batch.signals.append(.alive) }
        takeTags(UnsafeRawBufferPointer(rebasing: frame[5..<frame.count - 2]), into: &batch)
    }

    /// `option (1) | search flags (2) | metadata flags (2) | records (1) | records`.
    private static func takeTags(_ data: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        let flags = MetadataFlags(rawValue: UInt16(data[3]) << 8 | UInt16(data[4]))
        guard flags.isSubset(of: .known), data[5] > 0 else { return batch.rejects.count(.malformed) }
        var index = 6
        for _ in 0..<data[5] {
            guard let length = takeTag(data, at: index, flags, into: &batch) else { return batch.rejects.count(.malformed) }
            index += length
        }
        if index != data.count { batch.rejects.count(.malformed) }
    }

    /// One record: what the flags name, in the order of their bits, then the number of bits of PC, EPC and CRC (2) and these.
    /// - Returns: its length; nil when the data end before it does.
    private static func takeTag(_ data: UnsafeRawBufferPointer, at start: Int, _ flags: MetadataFlags, into batch: inout DecodedBatch)
        -> Int?
    {
        var index = start
        var antenna: UInt8 = 0
        var rssi = TagRead.noRSSI
        var frequency: UInt32 = 0
        var phase: UInt16?
        func has(_ flag: MetadataFlags, _ length: Int) -> Bool {
            guard flags.contains(flag) else { return false }
            index += length
            return true
        }
        func byte(_ position: Int) -> UInt32 { position < data.count ? UInt32(data[position]) : 0 }
        _ = has(.readCount, 1)
        if has(.rssi, 1) { rssi = Int16(Int8(truncatingIfNeeded: byte(index - 1))) * 100 }
        if has(.antenna, 1) {
            // The sending port in the upper half, 0 for the sixteenth.
            let port = UInt8(truncatingIfNeeded: byte(index - 1) >> 4)
            antenna = port == 0 ? 16 : port
        }
        if has(.frequency, 3) { frequency = byte(index - 3) << 16 | byte(index - 2) << 8 | byte(index - 1) }
        // Milliseconds since the last sign of life: no clock.
        _ = has(.timestamp, 4)
        if has(.phase, 2) {
            let degrees = byte(index - 2) << 8 | byte(index - 1)
            if degrees < 360 { phase = UInt16(truncatingIfNeeded: degrees * 65_536 / 360) }
        }
        _ = has(.protocolCode, 1)
        if has(.embeddedData, 2) { index += (Int(byte(index - 2)) << 8 | Int(byte(index - 1)) + 7) / 8 }
        _ = has(.inputs, 1)
        guard index + 2 <= data.count else { return nil }
        let bits = Int(data[index]) << 8 | Int(data[index + 1])
        index += 2
        guard bits % 8 == 0, index + bits / 8 <= data.count else { return nil }
        let end = index + bits / 8
        switch Gen2Backscatter.epc(in: UnsafeRawBufferPointer(rebasing: data[index..<end])) {
        case .success(let epc):
            batch.readings.append(.tag(TagRead(epc: epc, antenna: antenna, rssi: rssi, frequency: frequency, phase: phase)))
        case .failure(let refusal): batch.rejects.count(refusal.reason)
        }
        return end - start
    }

    /// What stands before the EPC of a record.
    private struct MetadataFlags: OptionSet {
        var rawValue: UInt16

        static let readCount = Self(rawValue: 0x0001)
        static let rssi = Self(rawValue: 0x0002)
        static let antenna = Self(rawValue: 0x0004)
        static let frequency = Self(rawValue: 0x0008)
        static let timestamp = Self(rawValue: 0x0010)
        static let phase = Self(rawValue: 0x0020)
        static let protocolCode = Self(rawValue: 0x0040)
        static let embeddedData = Self(rawValue: 0x0080)
        static let inputs = Self(rawValue: 0x0100)
        static let known = Self(rawValue: 0x01FF)
    }

    private static func takeFault(_ status: UInt16, into batch: inout DecodedBatch) {
        guard status != 0x0400 else { return batch.signals.append(.alive) }
        let error = error(status)
        batch.signals.append(
            .fault(
                code: UInt8(truncatingIfNeeded: status),
                meaning: "\(error.meaning) (\(Hex.text([UInt8(status >> 8), UInt8(status & 0xFF)])))",
                isTransient: error.isTransient))
        batch.signals.append(.roundFailed)
    }

    /// The status words of the module, without "success" and "no tags found".
    static func error(_ status: UInt16) -> (meaning: String, isTransient: Bool) {
        switch status {
        case 0x0100: ("wrong length of data", false)
        case 0x0101: ("operation unknown to the module", false)
        case 0x0105: ("parameter refused", false)
        case 0x0109: ("not possible with this module", false)
        case 0x010A: ("line speed refused", false)
        case 0x010B: ("region refused", false)
        case 0x0100...0x010F: ("command refused", false)
        case 0x0200...0x02FF: ("firmware is not running", false)
        case 0x0300...0x03FF: ("flash memory failed", false)
        case 0x0401...0x04FF: ("tag protocol failed", true)
        case 0x0503: ("antenna missing", true)
        case 0x0504: ("too hot", true)
        case 0x0505: ("antenna reflects too much", true)
        case 0x0500...0x05FF: ("antenna or radio failed", true)
        case 0x0600...0x06FF: ("tag buffer failed", true)
        case 0x7F00...0x7FFF: ("module failed", false)
        default: ("unknown error", false)
        }
    }

    /// What is wrong with bytes that should be one whole command; nil: nothing.
    public static func fault(ofFrame bytes: [UInt8]) -> String? {
        guard bytes.count >= 5, bytes[0] == 0xFF else { return "must be a whole frame: FF, length, operation, data, CRC" }
        guard Int(bytes[1]) == bytes.count - 5 else {
            return "its length byte must be \(Hex.text([UInt8(truncatingIfNeeded: bytes.count - 5)]))"
        }
        let crc = Checksum.crcMercury(bytes[1..<bytes.count - 2])
        guard UInt16(bytes[bytes.count - 2]) << 8 | UInt16(bytes[bytes.count - 1]) == crc else {
            return "its last two bytes, the CRC, must be \(Hex.text([UInt8(crc >> 8), UInt8(crc & 0xFF)]))"
        }
        return nil
    }
}
