import Readings

/// ThingMagic's M6e Nano.
struct MercuryDialect: ReaderDialect {
    /// nil after power was lost: it then refuses to read.
    private var region: UInt8?
    private var power: [UInt8] = [0x01, 0xF4]

    mutating func takeCommand(from buffer: inout [UInt8]) -> [UInt8]? {
        while let first = buffer.first {
            if first == 0xFF {
                guard buffer.count >= 2 else { return nil }
                let length = Int(buffer[1]) + 5
                if length <= 64 {
                    guard buffer.count >= length else { return nil }
                    let frame = Array(buffer[..<length])
                    let crc = ReaderSum.crcMercury(frame[1..<length - 2])
                    if [UInt8(crc >> 8), UInt8(crc & 0xFF)] == Array(frame.suffix(2)) {
                        buffer.removeFirst(length)
                        return frame
                    }
                }
            }
            buffer.removeFirst()
        }
        return nil
    }

    mutating func answer(_ command: [UInt8]) -> ReaderAction {
        let data = Array(command[3..<command.count - 2])
        func say(_ status: UInt16 = 0, _ data: [UInt8] = []) -> [[UInt8]] { [frame(command[2], status, data)] }
        switch command[2] {
        case 0x03: return .answer(say(0, [UInt8](repeating: 0x11, count: 20)))
        // Its firmware runs already.
        case 0x04: return .answer(say(0x0101))
        case 0x97:
            guard let value = data.first, value > 0 else { return .answer(say(0x010B)) }
            region = value
        case 0x67: return .answer(say(0, [region ?? 0]))
        case 0x92:
            guard data.count == 2 else { return .answer(say(0x0100)) }
            power = data
        case 0x62: return .answer(say(0, [0] + power))
        case 0x2F:
            if data == [0, 0, 2] { return .stop(answer: say()) }
            guard region != nil else { return .answer(say(0x010B)) }
            return .stream(answer: say())
        case 0x91, 0x93, 0x9A: break
        default: return .answer(say(0x0101))
        }
        return .answer(say())
    }

    mutating func report(_ reads: [TagRead]) -> [[UInt8]] {
        reads.map { read in
            let tag = read.backscatter
            // Once read, signal, both ports, 865.7 MHz, 16 ms, 45°, Gen2, no data, inputs; then the bits of PC, EPC and CRC.
            let metadata: [UInt8] =
                [0x01, read.signedSignal, read.antenna << 4 | read.antenna, 0x0D, 0x35, 0xA4, 0, 0, 0, 0x10, 0, 45, 0x05, 0, 0, 0x0F]
                + [UInt8(tag.count * 8 >> 8), UInt8(tag.count * 8 & 0xFF)]
            return frame(0x22, 0, [0x10, 0x00, 0x1B, 0x01, 0xFF, 0x01] + metadata + tag)
        }
    }

    var signOfLife: (frame: [UInt8], milliseconds: Int64)? { (frame(0x22, 0x0400, []), 1_000) }

    private func frame(_ operation: UInt8, _ status: UInt16, _ data: [UInt8]) -> [UInt8] {
        let body: [UInt8] = [UInt8(clamping: data.count), operation, UInt8(status >> 8), UInt8(status & 0xFF)] + data
        let crc = ReaderSum.crcMercury(body)
        return [0xFF] + body + [UInt8(crc >> 8), UInt8(crc & 0xFF)]
    }
}
