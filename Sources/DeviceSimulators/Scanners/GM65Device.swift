import Readings

/// A Grow GM65 module: scans as lines, and answers to commands of eight registers between them.
public struct GM65Device: SimulatedDevice {
    /// What was written, by address.
    public private(set) var registers: [UInt16: UInt8] = [0x002A: 0x39, 0x002B: 0x01]
    private var held: [UInt8] = []

    public init() {}

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .scan(let text) = action else { return nil }
        let code = SimulatedCode(text)
        // Bit 7 of register D0 turns identifiers on.
        return [((registers[0x00D0] ?? 0) & 0x80 == 0 ? code.data : code.text) + [0x0D]]
    }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        held += bytes
        var answers: [[UInt8]] = []
        while held.count >= 8 {
            let length = 8 + Int(held[3])
            guard held.starts(with: [0x7E, 0x00]) else {
                held.removeFirst()
                continue
            }
            guard held.count >= length else { break }
            let frame = Array(held.prefix(length))
            let check = Self.check(frame[2..<length - 2])
            guard Array(frame.suffix(2)) == check || Array(frame.suffix(2)) == [0xAB, 0xCD] else {
                held.removeFirst()
                continue
            }
            held.removeFirst(length)
            answers.append(answer(to: frame))
        }
        return answers
    }

    private mutating func answer(to frame: [UInt8]) -> [UInt8] {
        let address = UInt16(frame[4]) * 256 + UInt16(frame[5])
        var data: [UInt8] = [0]
        switch frame[2] {
        case 0x07: data = (0..<UInt16(frame[6])).map { registers[address &+ $0] ?? 0 }
        case 0x08: for (offset, value) in frame[6..<frame.count - 2].enumerated() { registers[address &+ UInt16(offset)] = value }
        default: break
        }
        let body = [0x00, UInt8(clamping: data.count)] + data
        return [0x02, 0x00] + body + Self.check(body)
    }

    /// CRC-16/XMODEM, bit by bit.
    private static func check(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var register = 0
        for byte in bytes {
            for bit in (0..<8).reversed() {
                let carry = (register >> 15) ^ (Int(byte) >> bit) & 1
                register = (register << 1) & 0xFFFF
                if carry & 1 == 1 { register ^= 0x1021 }
            }
        }
        return [UInt8(register / 256), UInt8(register % 256)]
    }
}
