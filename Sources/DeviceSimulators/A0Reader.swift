import Identifiers
import Readings

/// A UHF reader of the R2000 "A0" family: answers its commands, reads what its antennas see, works its outputs.
public struct A0Reader: SimulatedDevice {
    /// An output that was switched: what the reader's light and buzzer did.
    public struct Output: Hashable, Sendable {
        public var line: UInt8
        public var isOn: Bool
        public var at: Instant
    }

    /// A round of inventory under way.
    private struct Round {
        var command: UInt8
        var ports: [UInt8]
        var next = 0
        var due: Instant
        var total: UInt32 = 0
    }

    public var tags: any TagSource
    public private(set) var outputs: [Output] = []
    private let dwell: Instant.Span
    private var buffer: [UInt8] = []
    private var round: Round?
    private var notes: [String] = []

    private static let address: UInt8 = 1
    private static let longestFrame = 64
    private static let bufferLimit = 4_096

    /// - Parameter dwell: how long the reader listens on one antenna.
    public init(tags: any TagSource, dwell: Instant.Span = .milliseconds(30)) {
        self.tags = tags
        self.dwell = dwell
    }

    /// What was switched since the last call.
    public mutating func takeOutputs() -> [Output] {
        defer { outputs = [] }
        return outputs
    }

    public mutating func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    public var nextDeadline: Instant? { round?.due }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        buffer += bytes.prefix(Self.bufferLimit - min(buffer.count, Self.bufferLimit))
        return work(at: now)
    }

    public mutating func advance(to now: Instant) -> [[UInt8]] { work(at: now) }

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        switch action {
        case .tag(let epc, let antenna): tags.put(epc, antenna: antenna)
        case .remove(let epc): tags.take(epc)
        case .scan, .badge, .input: return nil
        }
        return []
    }

    /// Commands that come during a round wait for its end.
    private mutating func work(at now: Instant) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while true {
            if round != nil {
                guard goOn(at: now, &frames) else { return frames }
            }
            guard let frame = takeFrame() else { return frames }
            answer(frame, at: now, &frames)
        }
    }

    /// A whole frame with a right check; bytes before it are dropped.
    private mutating func takeFrame() -> [UInt8]? {
        while let first = buffer.first {
            guard first == 0xA0 else {
                buffer.removeFirst()
                continue
            }
            guard buffer.count >= 2 else { return nil }
            let length = Int(buffer[1]) + 2
            guard length >= 5, length <= Self.longestFrame else {
                buffer.removeFirst()
                continue
            }
            guard buffer.count >= length else { return nil }
            let frame = Array(buffer[..<length])
            guard frame.reduce(0, &+) == 0 else {
                buffer.removeFirst()
                continue
            }
            buffer.removeFirst(length)
            return frame
        }
        return nil
    }

    private mutating func answer(_ frame: [UInt8], at now: Instant, _ frames: inout [[UInt8]]) {
        let command = frame[3]
        let data = Array(frame[4..<frame.count - 1])
        notes.append(Self.note(command, data))
        switch command {
        case 0x72: frames.append(Self.frame(command, [1, 9]))
        case 0x77: frames.append(Self.frame(command, [26]))
        case 0x79: frames.append(Self.frame(command, [2, 0, 6]))
        case 0x61:
            if data.count >= 2, outputs.count < 10_000 { outputs.append(Output(line: data[0], isOn: data[1] != 0, at: now)) }
            frames.append(Self.frame(command, [0x10]))
        case 0x89: round = Round(command: command, ports: [1], due: now + dwell)
        case 0x8A: round = Round(command: command, ports: Self.fastSwitchPorts(data), due: now + dwell)
        default: frames.append(Self.frame(command, [0x10]))
        }
    }

    private static func note(_ command: UInt8, _ data: [UInt8]) -> String {
        switch command {
        case 0x72: "firmware?"
        case 0x77: "power?"
        case 0x79: "region?"
        case 0x61 where data.count >= 2: "output \(data[0]) \(data[1] != 0 ? "on" : "off")"
        case 0x89: "inventory, antenna as set"
        case 0x8A: "inventory, antennas \(fastSwitchPorts(data).map(String.init).joined(separator: " "))"
        default: "command \(Hex.text([command])) \(Hex.text(data))"
        }
    }

    /// Pairs of antenna (from 0) and stay; ports above the fourth are written to leave an antenna out.
    private static func fastSwitchPorts(_ data: [UInt8]) -> [UInt8] {
        stride(from: 0, to: data.count - 2, by: 2).compactMap { data[$0] < 4 && data[$0 + 1] > 0 ? data[$0] + 1 : nil }
    }

    /// - Returns: whether the round is over.
    private mutating func goOn(at now: Instant, _ frames: inout [[UInt8]]) -> Bool {
        guard var current = round else { return true }
        while current.next < current.ports.count {
            guard current.due <= now else {
                round = current
                return false
            }
            let port = current.ports[current.next]
            for read in tags.reads(port: port, at: now) {
                current.total &+= 1
                frames.append(Self.report(read, current.command))
            }
            current.next += 1
            if current.next < current.ports.count { current.due = current.due + dwell }
        }
        let count = withUnsafeBytes(of: current.total.bigEndian) { Array($0) }
        if current.command == 0x8A {
            let milliseconds = UInt32(clamping: Int64(current.ports.count) * dwell.milliseconds)
            frames.append(Self.frame(0x8A, [count[1], count[2], count[3]] + withUnsafeBytes(of: milliseconds.bigEndian) { Array($0) }))
        } else {
            frames.append(Self.frame(current.command, [0, 0, UInt8(clamping: current.total)] + count))
        }
        round = nil
        return true
    }

    /// Frequency index 1 (865.5 MHz) and antenna bits; PC with the EPC's length in words; RSSI raised by 129.
    private static func report(_ read: TagRead, _ command: UInt8) -> [UInt8] {
        let frequencyAndAntenna = UInt8(1 << 2 | (read.antenna &- 1) & 3)
        let words = UInt8(clamping: (read.epc.byteCount + 1) / 2)
        let strength = UInt8(clamping: Int(read.rssi) / 100 + 129) & 0x7F
        return frame(command, [frequencyAndAntenna, words << 3, 0] + read.epc.bytes + [strength | (read.antenna > 4 ? 0x80 : 0)])
    }

    private static func frame(_ command: UInt8, _ data: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = [0xA0, UInt8(clamping: data.count + 3), address, command] + data
        frame.append(0 &- frame.reduce(0, &+))
        return frame
    }
}
