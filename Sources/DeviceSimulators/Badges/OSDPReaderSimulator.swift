import Readings

/// An OSDP reader with one light, one buzzer, one output and some inputs. Written from the protocol's description, apart from the panel
/// it serves to try.
public struct OSDPReaderSimulator: SimulatedDevice {
    /// Demands the secure channel for everything but identification and capabilities, as readers in service do.
    public var demandsSecureChannel = false
    /// Answers "busy" so many times.
    public var busyAnswers = 0
    /// The light, buzzer and output commands that were carried out: code and data.
    public private(set) var shown: [[UInt8]] = []
    /// Commands answered, repetitions included.
    public private(set) var answers = 0
    private let address: UInt8
    private var inputs: [Bool]
    private var isTampered = false
    /// Replies that wait for a poll.
    private var waiting: [[UInt8]] = []
    private var lastSequence: UInt8?
    private var lastReply: [UInt8] = []
    private var buffer: [UInt8] = []
    private var notes: [String] = []

    public init(address: UInt8 = 0, inputs: Int = 0) {
        self.address = address
        self.inputs = Array(repeating: false, count: inputs)
    }

    /// Holds a card before the reader.
    /// - Parameters:
    ///   - bytes: its bits, the first on top of the first byte.
    ///   - count: how many.
    public mutating func present(_ bytes: [UInt8], count: Int) {
        let length = UInt16(clamping: count)
        waiting.append([0x50, 0, 1, UInt8(truncatingIfNeeded: length), UInt8(length >> 8)] + bytes.prefix((count + 7) / 8))
    }

    /// Holds a card before the reader that it gives as characters.
    public mutating func present(text: String) { waiting.append([0x51, 0, 0, UInt8(clamping: text.utf8.count)] + text.utf8) }

    public mutating func setInput(_ line: Int, _ isActive: Bool) {
        guard inputs.indices.contains(line) else { return }
        inputs[line] = isActive
        waiting.append([0x49] + inputs.map { $0 ? 1 : 0 })
    }

    public mutating func setTampered(_ isTampered: Bool) {
        self.isTampered = isTampered
        waiting.append([0x48, isTampered ? 1 : 0, 0])
    }

    /// A badge is facility and number of a card with 26 bits, or all bits of another in hexadecimal.
    public mutating func perform(_ action: SimulatedAction, at now: Instant) -> [[UInt8]]? {
        switch action {
        case .badge(let number):
            if let bits = WiegandConverter.bits(number) {
                present(withUnsafeBytes(of: (bits << 6).bigEndian) { Array($0) }, count: 26)
            } else if let bytes = Hex.bytes(number), !bytes.isEmpty {
                present(bytes, count: bytes.count * 8)
            } else {
                return nil
            }
        case .input(let line, let isActive):
            guard inputs.indices.contains(Int(line)) else { return nil }
            setInput(Int(line), isActive)
        case .tag, .remove, .scan: return nil
        }
        return []
    }

    public mutating func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    /// The power went and came back: numbers and what waited are forgotten.
    public mutating func restart() {
        lastSequence = nil
        waiting = []
        buffer = []
    }

    public mutating func receive(_ bytes: [UInt8], at now: Instant) -> [[UInt8]] {
        buffer += bytes
        var answers: [[UInt8]] = []
        while let packet = takePacket() {
            if notes.count < 1_000 { notes.append(Self.note(packet[5])) }
            answers.append(reply(to: packet))
        }
        return answers.filter { !$0.isEmpty }
    }

    private static func note(_ code: UInt8) -> String {
        switch code {
        case 0x60: "poll"
        case 0x61: "identification?"
        case 0x62: "capabilities?"
        case 0x64: "housing?"
        case 0x65: "inputs?"
        case 0x68: "output"
        case 0x69: "light"
        case 0x6A: "buzzer"
        default: "command \(Hex.text([code]))"
        }
    }

    /// A packet from `53` on with a right check; what stands before it is dropped.
    private mutating func takePacket() -> [UInt8]? {
        while let first = buffer.first {
            guard first == 0x53 else {
                buffer.removeFirst()
                continue
            }
            guard buffer.count >= 5 else { return nil }
            let length = Int(buffer[2]) + Int(buffer[3]) * 256
            guard length >= 7, length <= 256 else {
                buffer.removeFirst()
                continue
            }
            guard buffer.count >= length else { return nil }
            let packet = Array(buffer[..<length])
            let covered = packet[..<(length - (packet[4] & 4 == 0 ? 1 : 2))]
            guard Self.check(covered, isCRC: packet[4] & 4 != 0) == Array(packet[covered.count...]) else {
                buffer.removeFirst()
                continue
            }
            buffer.removeFirst(length)
            return packet
        }
        return nil
    }

    private mutating func reply(to packet: [UInt8]) -> [UInt8] {
        guard packet[1] == address || packet[1] == 0x7F else { return [] }
        answers += 1
        let sequence = packet[4] & 3
        let isCRC = packet[4] & 4 != 0
        if busyAnswers > 0 {
            busyAnswers -= 1
            return encode([0x79], sequence: 0, isCRC: isCRC)
        }
        // The same number: the panel has not heard the reply. Nothing is done twice.
        if sequence != 0, sequence == lastSequence { return lastReply }
        if sequence != 0, lastSequence.map({ $0 % 3 + 1 }) != sequence { return encode([0x41, 4], sequence: sequence, isCRC: isCRC) }
        let body = packet[5..<(packet.count - (isCRC ? 2 : 1))]
        lastSequence = sequence
        lastReply = encode(answer(to: Array(body)), sequence: sequence, isCRC: isCRC)
        return lastReply
    }

    private mutating func answer(to command: [UInt8]) -> [UInt8] {
        let code = command.first ?? 0
        if demandsSecureChannel, code != 0x61, code != 0x62 { return [0x41, 6] }
        switch code {
        case 0x60: return waiting.isEmpty ? [0x40] : waiting.removeFirst()
        case 0x61: return [0x45, 0x5C, 0x26, 0x80, 2, 1, 0x78, 0x56, 0x34, 0x12, 10, 11, 12]
        case 0x62:
            return [
                0x46, 1, 1, UInt8(clamping: inputs.count), 2, 1, 1, 3, 1, 1, 4, 4, 1, 5, 2, 1, 8, 1, 0, 9, demandsSecureChannel ? 1 : 0, 0,
            ]
        case 0x64: return [0x48, isTampered ? 1 : 0, 0]
        case 0x65: return [0x49] + inputs.map { $0 ? 1 : 0 }
        case 0x68, 0x69, 0x6A:
            if shown.count < 10_000 { shown.append(command) }
            return [0x40]
        default: return [0x41, 3]
        }
    }

    private func encode(_ body: [UInt8], sequence: UInt8, isCRC: Bool) -> [UInt8] {
        let length = 5 + body.count + (isCRC ? 2 : 1)
        let covered = [0x53, address | 0x80, UInt8(length & 255), UInt8(length >> 8), sequence | (isCRC ? 4 : 0)] + body
        return [0xFF] + covered + Self.check(covered[...], isCRC: isCRC)
    }

    private static func check(_ bytes: ArraySlice<UInt8>, isCRC: Bool) -> [UInt8] {
        guard isCRC else { return [0 &- bytes.reduce(0, &+)] }
        var register: UInt16 = 0x1D0F
        for byte in bytes {
            for bit in stride(from: 7, through: 0, by: -1) {
                let feedback = register >> 15 ^ UInt16(byte >> bit & 1)
                register <<= 1
                if feedback == 1 { register ^= 0x1021 }
            }
        }
        return [UInt8(register & 255), UInt8(register >> 8)]
    }
}
