extension EPC: CustomStringConvertible {
    /// The EPC written as hexadecimal digits of either case; blanks between digits are ignored.
    ///
    /// Returns nil for an odd number of digits, another character, no digits or more than ``maximumByteCount`` bytes.
    public init?(hex: String) {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(Self.maximumByteCount)
        var high: UInt8?
        for unit in hex.utf8 where unit != 0x20 {
            guard let digit = HexDigits.value(of: unit) else { return nil }
            if let first = high {
                guard buffer.count < Self.maximumByteCount else { return nil }
                buffer.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard high == nil else { return nil }
        self.init(buffer)
    }

    /// The EPC as upper-case hexadecimal digits without blanks.
    public var hex: String {
        String(unsafeUninitializedCapacity: byteCount * 2) { target in
            for position in 0..<byteCount {
                let value = byte(at: position)
                target[position * 2] = HexDigits.upperCase(value >> 4)
                target[position * 2 + 1] = HexDigits.upperCase(value & 0xF)
            }
            return byteCount * 2
        }
    }

    /// The same as ``hex``.
    public var description: String { hex }
}

/// Hexadecimal digits as ASCII codes.
enum HexDigits {
    static func value(of unit: UInt8) -> UInt8? {
        switch unit {
        case 0x30...0x39: unit - 0x30
        case 0x41...0x46: unit - 0x41 + 10
        case 0x61...0x66: unit - 0x61 + 10
        default: nil
        }
    }

    /// The digit of a value 0…15; higher bits are ignored.
    static func upperCase(_ value: UInt8) -> UInt8 {
        let digit = value & 0xF
        return digit < 10 ? 0x30 + digit : 0x41 + digit - 10
    }

    /// The two digits of a byte.
    static func text(of byte: UInt8) -> String {
        String(decoding: [upperCase(byte >> 4), upperCase(byte)], as: UTF8.self)
    }
}
