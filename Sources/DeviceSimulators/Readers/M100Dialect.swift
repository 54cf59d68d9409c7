import Readings

/// M100 modules (BB…7E) and the R200 (AA…DD).
struct M100Dialect: ReaderDialect {
    let head: UInt8
    let end: UInt8
    private var region: UInt8 = 0x03
    private var power: [UInt8] = [0x07, 0xD0]

    init(head: UInt8, end: UInt8) {
        self.head = head
        self.end = end
    }

    mutating func takeCommand(from buffer: inout [UInt8]) -> [UInt8]? {
        while let first = buffer.first {
            if first == head {
                guard buffer.count >= 7 else { return nil }
                let length = Int(buffer[3]) << 8 | Int(buffer[4])
                if length <= 64 {
                    guard buffer.count >= length + 7 else { return nil }
                    let frame = Array(buffer[..<(length + 7)])
                    if frame.last == end, ReaderSum.sum(frame[1..<frame.count - 2]) == frame[frame.count - 2] {
                        buffer.removeFirst(length + 7)
                        return frame
                    }
                }
            }
            buffer.removeFirst()
        }
        return nil
    }

    mutating func answer(_ command: [UInt8]) -> ReaderAction {
        let data = Array(command[5..<command.count - 2])
        func say(_ data: [UInt8]) -> [[UInt8]] { [frame(0x01, command[2], data)] }
        switch command[2] {
        case 0x03: return .answer(say([0] + Array("M100 26dBm V1.0".utf8)))
        case 0x07: region = data.first ?? region
        case 0x08: return .answer(say([region]))
        case 0xB6:
            guard data.count == 2 else { return .answer([error(0x0E)]) }
            power = data
        case 0xB7: return .answer(say(power))
        case 0x27: return .stream(answer: [])
        case 0x28: return .stop(answer: say([0]))
        default: return .answer([error(0x17)])
        }
        return .answer(say([0]))
    }

    mutating func report(_ reads: [TagRead]) -> [[UInt8]] { reads.map { frame(0x02, 0x22, [$0.signedSignal] + $0.backscatter) } }

    /// One "no tag" for each poll of an empty field.
    var signOfLife: (frame: [UInt8], milliseconds: Int64)? { (error(0x15), 40) }

    private func error(_ code: UInt8) -> [UInt8] { frame(0x01, 0xFF, [code]) }

    private func frame(_ type: UInt8, _ command: UInt8, _ data: [UInt8]) -> [UInt8] {
        let body: [UInt8] = [type, command, UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
        return [head] + body + [ReaderSum.sum(body), end]
    }
}
