import Readings

/// A Zebra scanner that speaks SSI packets: waits for the acknowledgement of each scan, repeats it into silence, answers commands.
public struct SSIScannerDevice: SimulatedDevice {
    /// The scanner repeats a packet after this silence.
    static let patience = Instant.Span.seconds(2)
    /// It gives a packet up after so many repetitions.
    static let repetitions = 3

    private struct Waiting {
        var packet: [UInt8]
        var repetitions = 0
        var due: Instant
    }

    /// Codes that were acknowledged.
    public private(set) var acknowledged = 0
    /// Codes that were given up.
    public private(set) var givenUp = 0
    /// The codes of the beeps that it was told to give.
    public private(set) var beeps: [UInt8] = []
    public private(set) var isEnabled = true
    /// Scans wait for the one before them.
    private var queue: [[UInt8]] = []
    private var waiting: Waiting?
    private var held: [UInt8] = []

    public init() {}

    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        guard case .scan(let text) = action else { return nil }
        let code = SimulatedCode(text)
        guard isEnabled, queue.count < 100 else { return [] }
        let type = Self.types[code.aim] ?? 0x03
        // A packet has at most 255 bytes: longer codes go on in further ones.
        var rest = code.data[...]
        repeat {
            let part = Array(rest.prefix(240))
            rest = rest.dropFirst(240)
            queue.append(Self.packet(0xF3, [type] + part, status: rest.isEmpty ? 0 : 0x02))
        } while !rest.isEmpty
        return next(at: now)
    }

    public var nextDeadline: Instant? { waiting?.due }

    public mutating func advance(to now: Instant) -> [[UInt8]] {
        guard var current = waiting, current.due <= now else { return [] }
        guard current.repetitions < Self.repetitions else {
            givenUp += 1
            waiting = nil
            return next(at: now)
        }
        current.repetitions += 1
        current.due = now + Self.patience
        waiting = current
        return [Self.repeated(current.packet)]
    }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        held += bytes
        var answers: [[UInt8]] = []
        // A zero wakes a scanner that sleeps; it is no packet.
        while let length = held.first {
            guard length >= 4 else {
                held.removeFirst()
                continue
            }
            guard held.count >= Int(length) + 2 else { break }
            let packet = Array(held.prefix(Int(length) + 2))
            guard packet[2] == 0x04, Self.check(packet.dropLast(2)) == Array(packet.suffix(2)) else {
                held.removeFirst()
                continue
            }
            held.removeFirst(packet.count)
            answers += take(packet, at: now)
        }
        return answers
    }

    private mutating func take(_ packet: [UInt8], at now: Instant) -> [[UInt8]] {
        switch packet[1] {
        case 0xD0:
            if waiting != nil { acknowledged += 1 }
            waiting = nil
            return next(at: now)
        case 0xD1:
            guard let current = waiting else { return [] }
            waiting?.due = now + Self.patience
            return [Self.repeated(current.packet)]
        case 0xA3: return [Self.packet(0xA4, Array("PAABLS00-005-R00".utf8))]
        case 0xE6: beeps.append(packet.count > 6 ? packet[4] : 0)
        case 0xE9: isEnabled = true
        case 0xEA: isEnabled = false
        case 0xE4, 0xE5, 0xE7, 0xE8, 0xC4, 0xC5: break
        default: return [Self.packet(0xD1, [0x02])]
        }
        return [Self.packet(0xD0)]
    }

    private mutating func next(at now: Instant) -> [[UInt8]] {
        guard waiting == nil, let packet = queue.first else { return [] }
        queue.removeFirst()
        waiting = Waiting(packet: packet, due: now + Self.patience)
        return [packet]
    }

    private static func packet(_ opcode: UInt8, _ data: [UInt8] = [], status: UInt8 = 0) -> [UInt8] {
        let body = [UInt8(clamping: data.count + 4), opcode, 0x00, status] + data
        return body + check(body)
    }

    private static func repeated(_ packet: [UInt8]) -> [UInt8] {
        var body = Array(packet.dropLast(2))
        body[3] |= 0x01
        return body + check(body)
    }

    private static func check(_ body: some Sequence<UInt8>) -> [UInt8] {
        let sum = body.reduce(0) { ($0 + Int($1)) % 65_536 }
        let check = (65_536 - sum) % 65_536
        return [UInt8(check / 256), UInt8(check % 256)]
    }

    private static let types: [String: UInt8] = [
        "]A0": 0x01, "]C0": 0x03, "]E0": 0x0B, "]E4": 0x0A, "]C1": 0x0F, "]d1": 0x1B, "]Q1": 0x1C, "]e0": 0x30,
    ]
}
