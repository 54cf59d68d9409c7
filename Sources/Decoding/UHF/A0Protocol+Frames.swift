import Identifiers
import Readings

extension A0Protocol {
    /// What whole frames say.
    struct Records: Sendable {
        let configuration: Configuration
        /// Records of the reader's buffer that came since it was asked for: each says how many there are, none that it is the last.
        var bufferRecords = 0

        init(configuration: Configuration) {
            self.configuration = configuration
        }
    }
}

extension A0Protocol.Records {
    /// What a frame with a good check says.
    mutating func take(_ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        switch frame[3] {
        case 0x89, 0x8A, 0x8B: takeInventory(frame, into: &batch)
        case 0x80:
            bufferRecords = 0
            frame[1] == 0x04 ? takeError(frame, into: &batch) : batch.signals.append(.roundEnded)
        case 0x90, 0x91: takeBuffer(frame, into: &batch)
        // Settings, GPIO, access, buffer, ISO 18000-6B.
        case 0x60...0x7E, 0x81...0x88, 0x8C...0x8F, 0x92...0x93, 0xB0...0xB4: batch.signals.append(.answer(Array(frame)))
        default: batch.rejects.count(.unknownFrame)
        }
    }

    private func takeInventory(_ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        switch frame[1] {
        case 0x0A: batch.signals.append(.roundEnded)
        case 0x04: takeError(frame, into: &batch)
        case 0x05:
            // Fast antenna switch: one antenna of the round, counted from 0, and what is wrong with it. The round goes on.
            let error = A0Protocol.error(frame[5])
            let antenna = UInt16(frame[4]) + 1
            batch.signals.append(
                .fault(code: frame[5], meaning: "\(error.meaning), antenna \(antenna)", isTransient: error.isTransient))
            batch.signals.append(.antennaFault(antenna: UInt8(clamping: antenna), meaning: error.meaning))
        default: takeTag(frame, into: &batch)
        }
    }

    private func takeError(_ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        // "No tag" is how some firmware ends an empty round, "buffer empty" how it tells of no tag later, "success" how some
        // acknowledges the command.
        let code = frame[4]
        switch code {
        case 0x10: batch.signals.append(.answer(Array(frame)))
        case 0x36, 0x38: batch.signals.append(.roundEnded)
        default:
            let error = A0Protocol.error(code)
            batch.signals.append(.fault(code: code, meaning: error.meaning, isTransient: error.isTransient))
            batch.signals.append(.roundFailed)
        }
    }

    /// `FreqAnt | PC (2) | EPC | RSSI | phase (2, where the firmware sends it)`.
    private func takeTag(_ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        // Everything but header, length, address, command, FreqAnt, PC, RSSI and check. The PC's upper five bits give the number of
        // 16-bit words that the tag sent (GS1 EPC UHF Gen2 Air Interface, PC length field), so it tells whether a phase follows.
        let rest = frame.count - 9
        guard rest >= 2 else { return batch.rejects.count(.malformed) }
        let length = Int(frame[5] >> 3) * 2
        guard rest == length || rest == length + 2,
            let epc = EPC(bytes: UnsafeRawBufferPointer(rebasing: frame[7..<7 + length]))
        else { return batch.rejects.count(.malformed) }
        var read = tag(epc, frequencyAndAntenna: frame[4], signal: frame[7 + length])
        if rest > length, let turn = configuration.phaseUnitsPerTurn, turn > 0 {
            let raw = UInt32(frame[8 + length]) << 8 | UInt32(frame[9 + length])
            read.phase = UInt16(truncatingIfNeeded: UInt64(raw) * 65_536 / UInt64(turn))
        }
        batch.readings.append(.tag(read))
    }

    /// `tags in the buffer (2) | length of what the tag sent (1) | PC (2) | EPC | CRC (2) | RSSI | FreqAnt | reads`, one frame a tag.
    private mutating func takeBuffer(_ frame: UnsafeRawBufferPointer, into batch: inout DecodedBatch) {
        guard frame[1] != 0x04 else {
            bufferRecords = 0
            return takeError(frame, into: &batch)
        }
        guard frame.count >= 11, frame.count == 11 + Int(frame[6]) else { return batch.rejects.count(.malformed) }
        let end = 7 + Int(frame[6])
        switch Gen2Backscatter.epc(in: UnsafeRawBufferPointer(rebasing: frame[7..<end])) {
        case .success(let epc): batch.readings.append(.tag(tag(epc, frequencyAndAntenna: frame[end + 1], signal: frame[end])))
        case .failure(let reason): batch.rejects.count(reason.reason)
        }
        bufferRecords += 1
        if bufferRecords >= Int(frame[4]) << 8 | Int(frame[5]) {
            bufferRecords = 0
            batch.signals.append(.roundEnded)
        }
    }

    private func tag(_ epc: EPC, frequencyAndAntenna: UInt8, signal: UInt8) -> TagRead {
        let index = UInt32(frequencyAndAntenna >> 2)
        let isUpperBand = index >= 7 && !configuration.countsFrequencyFrom865
        return TagRead(
            epc: epc,
            antenna: (frequencyAndAntenna & 3) + 1 + (signal & 0x80 == 0 ? 0 : 4),
            rssi: (Int16(signal & 0x7F) - 129) * 100,
            frequency: isUpperBand ? 902_000 + 500 * (index - 7) : 865_000 + 500 * index)
    }
}

extension A0Protocol {
    /// The error codes of the protocol. Transient ones go away by themselves or when somebody plugs in an antenna.
    static func error(_ code: UInt8) -> (meaning: String, isTransient: Bool) {
        switch code {
        case 0x11: ("command failed", true)
        case 0x20: ("reader was reset", true)
        case 0x21: ("carrier could not be switched on", true)
        case 0x22: ("antenna missing", true)
        case 0x23: ("flash memory could not be written", false)
        case 0x24: ("flash memory could not be read", false)
        case 0x25: ("power could not be set", false)
        case 0x31: ("inventory failed", true)
        case 0x32...0x35, 0x37: ("tag access failed", true)
        case 0x40: ("access password wrong", false)
        case 0x46: ("address refused", false)
        case 0x47: ("antenna refused", false)
        case 0x48: ("power refused", false)
        case 0x49: ("region refused", false)
        case 0x4A: ("line speed refused", false)
        case 0x4B: ("beeper setting refused", false)
        case 0x4F: ("frequency refused", false)
        case 0x41...0x4E: ("parameter refused", false)
        case 0x50...0x57: ("radio chip does not answer", false)
        default: ("unknown error", false)
        }
    }

    /// What is wrong with bytes that should be one whole frame, for people who write commands into profiles; nil: nothing.
    public static func fault(ofFrame bytes: [UInt8]) -> String? {
        guard bytes.count >= 5, bytes[0] == 0xA0 else { return "must be a whole frame: A0, length, address, command, data, check" }
        guard Int(bytes[1]) == bytes.count - 2 else {
            return "its length byte must be \(Hex.text([UInt8(truncatingIfNeeded: bytes.count - 2)]))"
        }
        let check = Checksum.neg8(bytes.dropLast())
        guard bytes.last == check else { return "its last byte, the check, must be \(Hex.text([check]))" }
        return nil
    }
}
