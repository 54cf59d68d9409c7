import Identifiers
import Readings

/// Chafon readers: UHFReader18, or UHFReader288 with antennas and signal.
struct UHFReader18Dialect: ReaderDialect {
    let has288Layout: Bool
    private var region: [UInt8] = [0x4E, 0x00]
    private var power: UInt8 = 30
    /// Units of 100 ms.
    private var scanTime: UInt8 = 10

    init(has288Layout: Bool) { self.has288Layout = has288Layout }

    mutating func takeCommand(from buffer: inout [UInt8]) -> [UInt8]? {
        while let length = buffer.first.map(Int.init) {
            if length >= 4, length <= 64 {
                guard buffer.count > length else { return nil }
                let frame = Array(buffer[...length])
                let crc = ReaderSum.crc8408(frame.dropLast(2))
                if [UInt8(crc & 0xFF), UInt8(crc >> 8)] == Array(frame.suffix(2)), [0x00, 0xFF].contains(frame[1]) {
                    buffer.removeFirst(length + 1)
                    return frame
                }
            }
            buffer.removeFirst()
        }
        return nil
    }

    mutating func answer(_ command: [UInt8]) -> ReaderAction {
        let data = Array(command[3..<command.count - 2])
        func say(_ status: UInt8, _ data: [UInt8] = []) -> ReaderAction { .answer([frame(command[2], status, data)]) }
        switch command[2] {
        case 0x21:
            // Version 0.22, model, protocols, band, power, scan time.
            return say(0, [0x00, 0x16, has288Layout ? 0x0C : 0x09, 0x03] + region + [power, scanTime, 0x01, 0x00, 0x00])
        case 0x22:
            guard data.count == 2 else { return say(0xFD) }
            region = data
        case 0x2F:
            guard let value = data.first, value <= 30 else { return say(0xFF) }
            power = value
        case 0x25:
            guard let value = data.first, value >= 3 else { return say(0xFF) }
            scanTime = value
        case 0x33: break
        case 0x01:
            guard has288Layout else {
                return data.isEmpty ? .round(antennas: [1], duration: .milliseconds(Int64(scanTime) * 100)) : say(0xFE)
            }
            guard data.count >= 8, data[data.count - 2] & 0x80 != 0 else { return say(0xFF) }
            return .round(antennas: [data[data.count - 2] & 0x7F + 1], duration: .milliseconds(Int64(max(1, data[data.count - 1])) * 100))
        default: return .answer([frame(0x00, 0xFE, [])])
        }
        return say(0)
    }

    mutating func report(_ reads: [TagRead]) -> [[UInt8]] {
        // Tags of one antenna go into one frame, as many as a length byte can count.
        var frames: [[UInt8]] = []
        for (antenna, reads) in Dictionary(grouping: reads, by: \.antenna).sorted(by: { $0.key < $1.key }) {
            var rest = reads[...]
            while !rest.isEmpty {
                var records: [UInt8] = []
                var count: UInt8 = 0
                while let read = rest.first, records.count + read.epc.byteCount + 2 <= 200 {
                    records +=
                        [UInt8(read.epc.byteCount)] + read.epc.bytes + (has288Layout ? [UInt8(clamping: Int(read.rssi) / 100 + 200)] : [])
                    count += 1
                    rest = rest.dropFirst()
                }
                frames.append(frame(0x01, 0x03, (has288Layout ? [1 << (antenna - 1), count] : [count]) + records))
            }
        }
        return frames
    }

    mutating func endOfRound(antennas: [UInt8], reads: Int, duration: Instant.Span) -> [[UInt8]] {
        guard reads > 0 else { return [frame(0x01, 0xFB, [])] }
        return [frame(0x01, 0x01, has288Layout ? [1 << ((antennas.first ?? 1) - 1), 0] : [0])]
    }

    private func frame(_ command: UInt8, _ status: UInt8, _ data: [UInt8]) -> [UInt8] {
        let frame: [UInt8] = [UInt8(clamping: data.count + 5), 0x00, command, status] + data
        let crc = ReaderSum.crc8408(frame)
        return frame + [UInt8(crc & 0xFF), UInt8(crc >> 8)]
    }
}
