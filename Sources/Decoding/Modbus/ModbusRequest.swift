import Readings

/// Requests and exceptions of Modbus; "section" is one of the MODBUS Application Protocol Specification V1.1b3.
enum ModbusRequest {
    /// The longest request or response without address and check: 256 bytes of a serial frame less three (section 4.1).
    static let maximumLength = 253
    /// The functions that devices of this project are asked for: read and write coils, inputs and registers.
    static let reads: ClosedRange<UInt8> = 0x01...0x04
    /// Write one coil, one register, several coils, several registers; each is answered by five bytes.
    static let writes: [UInt8] = [0x05, 0x06, 0x0F, 0x10]

    /// The most coils or registers that one read may name (sections 6.1 to 6.4).
    static func maximumCount(ofRead function: UInt8) -> Int { function <= 0x02 ? 2_000 : 125 }

    /// Bytes of data in the response to a read.
    static func byteCount(ofRead function: UInt8, count: Int) -> Int { function <= 0x02 ? (count + 7) / 8 : count * 2 }

    /// What is wrong with a request; nil: it is whole.
    static func fault(_ request: [UInt8]) -> String? {
        guard let function = request.first else { return "is empty" }
        func word(_ index: Int) -> Int { Int(request[index]) << 8 | Int(request[index + 1]) }
        switch function {
        case reads:
            guard request.count == 5 else { return "a read has five bytes: function, address, count" }
            let maximum = maximumCount(ofRead: function)
            guard (1...maximum).contains(word(3)) else { return "the count must be between 1 and \(maximum)" }
        case 0x05, 0x06:
            guard request.count == 5 else { return "this write has five bytes: function, address, value" }
        case 0x0F, 0x10:
            guard request.count >= 6 else { return "this write has function, address, count, number of bytes, bytes" }
            let maximum = function == 0x0F ? 1_968 : 123
            guard (1...maximum).contains(word(3)) else { return "the count must be between 1 and \(maximum)" }
            let bytes = function == 0x0F ? (word(3) + 7) / 8 : word(3) * 2
            guard Int(request[5]) == bytes, request.count == 6 + bytes else { return "the count asks for \(bytes) bytes of data" }
        default:
            return "must begin with a function: 01 to 06, 0F or 10; without the unit and without a check"
        }
        return nil
    }

    /// What an exception code means, and whether it may be gone the next time (section 7).
    static func exception(_ code: UInt8) -> (meaning: String, isTransient: Bool) {
        switch code {
        case 0x01: ("illegal function", false)
        case 0x02: ("illegal address", false)
        case 0x03: ("illegal value", false)
        case 0x04: ("device failure", true)
        case 0x05: ("acknowledged, not done yet", true)
        case 0x06: ("device busy", true)
        case 0x08: ("memory parity error", true)
        case 0x0A: ("gateway path unavailable", true)
        case 0x0B: ("no answer behind the gateway", true)
        case ModbusCode.noAnswer: ("no answer in time", true)
        case ModbusCode.spoilt: ("spoilt answer", true)
        default: ("exception \(code)", true)
        }
    }

    /// Whether a code stands in the specification (7 is sent by old devices), or is one of the bus.
    static func isException(_ code: UInt8) -> Bool {
        (0x01...0x0B).contains(code) || code == ModbusCode.noAnswer || code == ModbusCode.spoilt
    }
}
