/// Reads fields of an EPC from the most significant bit on.
struct EPCBitReader {
    private let epc: EPC
    private(set) var position = 0

    init(_ epc: EPC) {
        self.epc = epc
    }

    /// Bits that are left.
    var remaining: Int { epc.bitCount - position }

    /// The next 0…64 bits as a number.
    mutating func take(_ count: Int) throws(EPCRefusal) -> UInt64 {
        UInt64(truncatingIfNeeded: try takeWide(min(count, 64)))
    }

    /// The next 0…128 bits as a number.
    mutating func takeWide(_ count: Int) throws(EPCRefusal) -> UInt128 {
        guard count >= 0, count <= 128, count <= remaining else { throw .tooFewBits }
        var value: UInt128 = 0
        var left = count
        while left > 0 {
            let available = 8 - (position & 7)
            let step = min(available, left)
            let byte = UInt128(epc.byte(at: position >> 3))
            value = value << UInt128(step) | (byte >> UInt128(available - step)) & ((1 << UInt128(step)) - 1)
            position += step
            left -= step
        }
        return value
    }

    /// Skips bits that must be zero.
    mutating func takeZeros(_ count: Int) throws(EPCRefusal) {
        var left = count
        while left > 0 {
            let step = min(left, 64)
            guard try take(step) == 0 else { throw .nonZeroTail }
            left -= step
        }
    }

    /// A text of seven-bit characters of CSET 82 that fills `bits`, ended by zero bits (TDS section 14.4.2).
    mutating func takeText7(bits: Int, maximum: Int) throws(EPCRefusal) -> String {
        guard bits <= remaining else { throw .tooFewBits }
        var text: [UInt8] = []
        var ended = false
        for _ in 0..<(bits / 7) {
            let unit = UInt8(truncatingIfNeeded: try take(7))
            if unit == 0 {
                ended = true
            } else {
                guard !ended else { throw .textAfterEnd }
                guard CharacterSet82.contains(unit) else { throw .characterOutsideSet }
                text.append(unit)
            }
        }
        try takeZeros(bits % 7)
        guard !text.isEmpty else { throw .emptyText }
        guard text.count <= maximum else { throw .tooLong }
        return String(decoding: text, as: UTF8.self)
    }

    /// One six-bit character as ASCII: 0x01–0x1A are capital letters, the rest keeps its code (TDS table G).
    mutating func takeCharacter6() throws(EPCRefusal) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: try take(6))
        return (0x01...0x1A).contains(value) ? value + 0x40 : value
    }

    /// A text of six-bit characters of CSET 39 ended by six zero bits (TDS section 14.4.9).
    mutating func takeText6(maximum: Int) throws(EPCRefusal) -> String {
        var text: [UInt8] = []
        while true {
            let unit = try takeCharacter6()
            if unit == 0 { return String(decoding: text, as: UTF8.self) }
            guard CharacterSet39.contains(unit) else { throw .characterOutsideSet }
            guard text.count < maximum else { throw .tooLong }
            text.append(unit)
        }
    }

    /// Decimal digits of four bits each.
    mutating func takeDecimal(_ count: Int) throws(EPCRefusal) -> String {
        var digits: [UInt8] = []
        for _ in 0..<count {
            let nibble = UInt8(truncatingIfNeeded: try take(4))
            guard nibble <= 9 else { throw .decimalNibble }
            digits.append(nibble + 0x30)
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// As ``takeDecimal(_:)`` for a key that ends with its check digit.
    mutating func takeDecimalKey(_ count: Int) throws(EPCRefusal) -> String {
        let key = try takeDecimal(count)
        guard CheckDigit.isValid(key) else { throw .checkDigit }
        return key
    }
}

/// Decimal numbers of a fixed number of digits.
enum DecimalText {
    /// The number with leading zeros; nil when it has more than `digits` digits. Zero digits hold the number 0 only.
    static func padded(_ value: UInt128, digits: Int) -> String? {
        if digits <= 0 { return value == 0 ? "" : nil }
        let text = String(value)
        guard text.utf8.count <= digits else { return nil }
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }
}
