import Readings

/// R2000 readers with frames that begin with A0.
struct A0Dialect: ReaderDialect {
    private var region: [UInt8] = [0x02, 0x00, 0x06]
    private var power: UInt8 = 26
    private var detector: UInt8 = 0
    private var antenna: UInt8 = 1
    private var inventoryCommand: UInt8 = 0x89

    private let antennaCount: UInt8

    init(antennaCount: UInt8) { self.antennaCount = antennaCount }

    mutating func takeCommand(from buffer: inout [UInt8]) -> [UInt8]? {
        while buffer.count >= 2 {
            let length = Int(buffer[1]) + 2
            if buffer[0] == 0xA0, length >= 5, length <= 64 {
                guard buffer.count >= length else { return nil }
                let frame = Array(buffer[..<length])
                if ReaderSum.sum(frame) == 0 {
                    buffer.removeFirst(length)
                    return frame
                }
            }
            buffer.removeFirst()
        }
        return nil
    }

    mutating func answer(_ command: [UInt8]) -> ReaderAction {
        let data = Array(command[4..<command.count - 1])
        func say(_ data: [UInt8]) -> ReaderAction { .answer([frame(command[3], data)]) }
        switch command[3] {
        case 0x72: return say([1, 9])
        case 0x63: return say([detector])
        case 0x62: detector = data.first ?? 0
        case 0x66, 0x76: power = data.first ?? power
        case 0x77: return say([power])
        case 0x78:
            guard data.count == 3, (1...3).contains(data[0]) else { return say([0x49]) }
            region = data
        case 0x79: return say(region)
        case 0x74:
            guard let port = data.first, port < antennaCount else { return say([0x47]) }
            antenna = port + 1
        case 0x75: return say([antenna - 1])
        case 0x89, 0x8B:
            inventoryCommand = command[3]
            return .round(antennas: [antenna], duration: nil)
        case 0x8A:
            inventoryCommand = 0x8A
            return .round(antennas: ports(data), duration: nil)
        default: break
        }
        return say([0x10])
    }

    /// Pairs of antenna (from 0) and stay; ports that the reader does not have are written to leave an antenna out.
    private func ports(_ data: [UInt8]) -> [UInt8] {
        stride(from: 0, to: data.count - 3, by: 2).compactMap { data[$0] < antennaCount && data[$0 + 1] > 0 ? data[$0] + 1 : nil }
    }

    func note(_ command: [UInt8]) -> String {
        let data = Array(command[4..<command.count - 1])
        switch command[3] {
        case 0x61 where data.count >= 2: return "output \(data[0]) \(data[1] != 0 ? "on" : "off")"
        case 0x72: return "firmware?"
        case 0x77: return "power?"
        case 0x79: return "region?"
        case 0x89, 0x8B: return "inventory, antenna \(antenna)"
        case 0x8A: return "inventory, antennas \(ports(data).map(String.init).joined(separator: " "))"
        default: return "command \(Hex.text([command[3]])) \(Hex.text(data))"
        }
    }

    mutating func report(_ reads: [TagRead]) -> [[UInt8]] {
        reads.map { read in
            // Frequency index 1, 865.5 MHz, and the antenna's lower bits; its upper bit in the signal, which is raised by 129.
            let signal = UInt8(clamping: Int(read.rssi) / 100 + 129) & 0x7F | (read.antenna > 4 ? 0x80 : 0)
            return frame(inventoryCommand, [1 << 2 | (read.antenna - 1) & 3] + read.protocolControlAndEPC + [signal])
        }
    }

    mutating func endOfRound(antennas: [UInt8], reads: Int, duration: Instant.Span) -> [[UInt8]] {
        let total = UInt16(clamping: reads)
        let (high, low) = (UInt8(total >> 8), UInt8(total & 0xFF))
        let time = UInt16(clamping: duration.milliseconds)
        let isSwitching = inventoryCommand == 0x8A
        return [
            frame(
                inventoryCommand,
                isSwitching ? [0, high, low, 0, 0, UInt8(time >> 8), UInt8(time & 0xFF)] : [antenna - 1, 0, low, 0, 0, high, low])
        ]
    }

    private func frame(_ command: UInt8, _ data: [UInt8]) -> [UInt8] {
        let frame: [UInt8] = [0xA0, UInt8(clamping: data.count + 3), 0x01, command] + data
        return frame + [0 &- ReaderSum.sum(frame)]
    }
}
