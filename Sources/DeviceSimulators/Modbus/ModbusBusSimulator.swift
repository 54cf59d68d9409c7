import Readings

/// Modbus units on one bus: RTU on a pseudo-terminal, or TCP.
///
/// libmodbus can serve only one unit on a serial line, so the frames are taken apart here.
public struct ModbusBusSimulator: SimulatedDevice {
    public enum Framing: Hashable, Sendable { case rtu, tcp }

    public var units: [UInt8: ModbusUnitSimulator]
    /// Connections taken since the start.
    public private(set) var connections = 0
    private let framing: Framing
    private let hasInputs: Bool
    private var buffer: [UInt8] = []
    private var lastHeard = Instant.zero
    /// Answers of units that think before they answer, in their order.
    private var waiting: [(due: Instant, frame: [UInt8])] = []
    private var notes: [String] = []

    /// A line that is silent so long in the middle of a frame has dropped it.
    private static let silence = Instant.Span.milliseconds(50)
    private static let bufferLimit = 4_096

    /// - Parameter hasInputs: whether unit 1 has inputs that can be changed by actions.
    public init(units: [UInt8: ModbusUnitSimulator], framing: Framing = .rtu, hasInputs: Bool = true) {
        self.units = units
        self.framing = framing
        self.hasInputs = hasInputs
    }

    public mutating func connected(at now: Instant) -> [[UInt8]] {
        connections += 1
        buffer = []
        waiting = []
        return []
    }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        if framing == .rtu, lastHeard + Self.silence < now { buffer = [] }
        lastHeard = now
        buffer += bytes
        while let frame = framing == .tcp ? takeTCPFrame() : takeRTUFrame() { answer(frame, at: now) }
        if buffer.count > Self.bufferLimit { buffer = [] }
        return advance(to: now)
    }

    public var nextDeadline: Instant? { waiting.first?.due }

    public mutating func advance(to now: Instant) -> [[UInt8]] {
        let due = waiting.prefix { $0.due <= now }.map(\.frame)
        waiting.removeFirst(due.count)
        return due
    }

    /// Inputs are those of unit 1, from 0.
    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .input(let line, let isActive) = action, hasInputs else { return nil }
        units[1]?.set(input: Int(line), isActive)
        return []
    }

    public mutating func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    private struct Frame {
        var unit: UInt8
        var request: [UInt8]
        /// Transaction and protocol numbers of a TCP frame.
        var head: [UInt8] = []
    }

    private mutating func answer(_ frame: Frame, at now: Instant) {
        guard var unit = units[frame.unit], !unit.isSilent else { return }
        if unit.loses(frame.request) {
            units[frame.unit] = unit
            return
        }
        let isSpoilt = unit.spoiltAnswers > 0
        if isSpoilt { unit.spoiltAnswers -= 1 }
        let changes = unit.coilChanges.count
        let response = unit.answer(frame.request, at: now)
        units[frame.unit] = unit
        if notes.count < 1_000 {
            let changed = unit.coilChanges.dropFirst(changes).map { "unit \(frame.unit), coil \($0.coil) \($0.isOn ? "on" : "off")" }
            notes += changed.isEmpty ? ["unit \(frame.unit), \(Hex.text(frame.request))"] : changed
        }
        let due = max(now, waiting.last?.due ?? now) + .milliseconds(Int64(unit.delay))
        switch framing {
        case .tcp:
            var head = frame.head
            if isSpoilt { head[0] ^= 0x55 }
            let count = response.count + 1
            waiting.append((due, head + [UInt8(count >> 8), UInt8(count & 0xFF), frame.unit] + response))
        case .rtu:
            let body = [frame.unit] + response
            let check = Self.check(body) ^ (isSpoilt ? 0x0100 : 0)
            waiting.append((due, body + [UInt8(check & 0xFF), UInt8(check >> 8)]))
        }
    }

    private mutating func takeTCPFrame() -> Frame? {
        guard buffer.count >= 8 else { return nil }
        let length = Int(buffer[4]) << 8 | Int(buffer[5])
        guard (2...254).contains(length), buffer.count >= 6 + length else { return nil }
        defer { buffer.removeFirst(6 + length) }
        return Frame(unit: buffer[6], request: Array(buffer[7..<6 + length]), head: Array(buffer[..<4]))
    }

    private mutating func takeRTUFrame() -> Frame? {
        while buffer.count >= 8 {
            let isLong = buffer[1] == 0x0F || buffer[1] == 0x10
            let length = isLong ? 9 + Int(buffer[6]) : 8
            guard buffer.count >= length else { return nil }
            guard Self.check(Array(buffer[..<length])) == 0 else {
                buffer.removeFirst()
                continue
            }
            defer { buffer.removeFirst(length) }
            return Frame(unit: buffer[0], request: Array(buffer[1..<length - 2]))
        }
        return nil
    }

    /// CRC of Modbus over Serial Line V1.02, section 6.2.2; over a frame with its check it is 0.
    static func check(_ bytes: [UInt8]) -> UInt16 {
        var value: UInt16 = 0xFFFF
        for byte in bytes {
            value ^= UInt16(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xA001 : value >> 1 }
        }
        return value
    }
}
