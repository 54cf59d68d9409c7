import Readings

/// One simulated Modbus unit: inputs, coils and registers, and what can go wrong with it. Written from the specification, apart from
/// the decoder and the library that it serves to try.
public struct ModbusUnitSimulator: Sendable {
    /// Discrete inputs, read by function 02.
    public internal(set) var inputs = [Bool](repeating: false, count: 256)
    /// How often each input became active; read by function 04 from `counterStart` on, one register each.
    public internal(set) var counts = [UInt16](repeating: 0, count: 256)
    public var counterStart: UInt16?
    public var holdingRegisters: [UInt16: UInt16] = [:]
    public var inputRegisters: [UInt16: UInt16] = [:]
    /// Coils 0...255 with the time at which those that flash go off.
    private var coils: [UInt16: (isOn: Bool, until: Instant?)] = [:]
    /// Answers nothing.
    public var isSilent = false
    /// How long it thinks before it answers, in milliseconds.
    public var delay: Int32 = 0
    /// Answers every request with this exception.
    public var exception: UInt8?
    /// So many answers are sent with a wrong check.
    public var spoiltAnswers = 0
    /// So many writes are lost on their way: neither carried out nor answered.
    public var lostWrites = 0
    /// Takes coil writes at 0200 and on as flashes of so many tenths of a second, and 00FF as all coils, as the relay boards of
    /// Waveshare do.
    public var flashes = false
    /// Requests that were answered, function first.
    public private(set) var requests: [UInt8: Int] = [:]
    /// Every change of a coil by a write, with its time.
    public private(set) var coilChanges: [CoilChange] = []

    public struct CoilChange: Hashable, Sendable {
        public var coil: UInt16
        public var isOn: Bool
        public var at: Instant
    }

    public init() {}

    public mutating func set(input: Int, _ isActive: Bool) {
        guard inputs.indices.contains(input), inputs[input] != isActive else { return }
        inputs[input] = isActive
        if isActive { counts[input] &+= 1 }
    }

    public func coil(_ number: UInt16, at now: Instant) -> Bool {
        guard let coil = coils[number] else { return false }
        if let until = coil.until, until <= now { return !coil.isOn }
        return coil.isOn
    }

    /// The response to a request, both function first.
    public mutating func answer(_ request: [UInt8], at now: Instant) -> [UInt8] {
        guard let function = request.first, request.count >= 5 else { return [0x80, 1] }
        requests[function, default: 0] += 1
        func refuse(_ code: UInt8) -> [UInt8] { [function | 0x80, code] }
        if let exception { return refuse(exception) }
        let start = UInt16(request[1]) << 8 | UInt16(request[2])
        let value = UInt16(request[3]) << 8 | UInt16(request[4])
        switch function {
        case 0x01, 0x02:
            guard (1...2_000).contains(value) else { return refuse(3) }
            guard Int(start) + Int(value) <= (function == 0x02 ? inputs.count : 65_536) else { return refuse(2) }
            let bits = (0..<value).map { function == 0x01 ? coil(start &+ $0, at: now) : inputs[Int(start + $0)] }
            var bytes = [UInt8](repeating: 0, count: (bits.count + 7) / 8)
            for (place, bit) in bits.enumerated() where bit { bytes[place / 8] |= 1 << UInt8(place % 8) }
            return [function, UInt8(bytes.count)] + bytes
        case 0x03, 0x04:
            guard (1...125).contains(value) else { return refuse(3) }
            let words = (0..<value).map { function == 0x03 ? holdingRegisters[start &+ $0] ?? 0 : inputRegister(start &+ $0) }
            return [function, UInt8(words.count * 2)] + words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        case 0x05: return write(coil: start, value, at: now) ? request : refuse(3)
        case 0x06:
            holdingRegisters[start] = value
            return request
        case 0x0F:
            guard request.count == 6 + Int(value + 7) / 8 else { return refuse(3) }
            for place in 0..<Int(value) {
                switchCoil(start &+ UInt16(place), request[6 + place / 8] >> UInt8(place % 8) & 1 == 1, until: nil, at: now)
            }
            return Array(request[..<5])
        case 0x10:
            guard request.count == 6 + Int(value) * 2 else { return refuse(3) }
            for place in 0..<Int(value) {
                holdingRegisters[start &+ UInt16(place)] = UInt16(request[6 + place * 2]) << 8 | UInt16(request[7 + place * 2])
            }
            return Array(request[..<5])
        default: return refuse(1)
        }
    }

    /// Whether a request is one that is to be lost.
    mutating func loses(_ request: [UInt8]) -> Bool {
        guard lostWrites > 0, let function = request.first, [0x05, 0x06, 0x0F, 0x10].contains(function) else { return false }
        lostWrites -= 1
        return true
    }

    /// The power was off for a moment: outputs are as the device comes up with them.
    public mutating func restart(coils on: [UInt16], at now: Instant) {
        coils = [:]
        for coil in on { switchCoil(coil, true, until: nil, at: now) }
    }

    private func inputRegister(_ address: UInt16) -> UInt16 {
        guard let counterStart, address >= counterStart, Int(address - counterStart) < counts.count else {
            return inputRegisters[address] ?? 0
        }
        return counts[Int(address - counterStart)]
    }

    private mutating func write(coil: UInt16, _ value: UInt16, at now: Instant) -> Bool {
        if flashes, (0x0200...0x02FF).contains(coil) {
            switchCoil(coil - 0x0200, true, until: now + .milliseconds(Int64(value) * 100), at: now)
            return true
        }
        guard value == 0xFF00 || value == 0 else { return false }
        let all = flashes && coil == 0x00FF
        for number in all ? Array(0..<8) : [coil] { switchCoil(number, value != 0, until: nil, at: now) }
        return true
    }

    private mutating func switchCoil(_ number: UInt16, _ isOn: Bool, until: Instant?, at now: Instant) {
        if coil(number, at: now) != isOn, coilChanges.count < 100_000 {
            coilChanges.append(CoilChange(coil: number, isOn: isOn, at: now))
        }
        coils[number] = (isOn, until)
    }
}
