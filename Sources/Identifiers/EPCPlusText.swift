/// The variable-length serials of TDS 2 (TDS 2.3 section 14.5, encoding indicators of table E).
enum EPCPlusText {
    private static let upperHex = Array("0123456789ABCDEF".utf8)
    private static let lowerHex = Array("0123456789abcdef".utf8)
    /// URN Code 40 of RFC 5165 table 1; value 0 fills the last group.
    private static let code40 = Array("?ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789".utf8)

    /// Bits of the greatest integer with so many decimal digits, 0…31.
    private static func integerBits(_ digits: Int) -> Int {
        var limit: UInt128 = 1
        for _ in 0..<min(digits, 38) { limit *= 10 }
        return 128 - (limit - 1).leadingZeroBitCount
    }

    private static func integer(_ reader: inout EPCBitReader, digits: Int) throws(EPCRefusal) -> String {
        guard let text = DecimalText.padded(try reader.takeWide(integerBits(digits)), digits: digits) else { throw .referenceRange }
        return text
    }

    /// Three bits of method, five of length, then the text: 1 to `maximum` characters of the allowed set.
    static func take(
        _ reader: inout EPCBitReader, maximum: Int, allowed: (UInt8) -> Bool = CharacterSet82.contains
    ) throws(EPCRefusal) -> String {
        let method = try reader.take(3)
        let length = Int(truncatingIfNeeded: try reader.take(5))
        guard length > 0 else { throw .emptyText }
        guard length <= maximum else { throw .tooLong }
        var text: [UInt8] = []
        switch method {
        case 0: return try integer(&reader, digits: length)
        case 1: for _ in 0..<length { text.append(upperHex[Int(truncatingIfNeeded: try reader.take(4))]) }
        case 2: for _ in 0..<length { text.append(lowerHex[Int(truncatingIfNeeded: try reader.take(4))]) }
        case 3: for _ in 0..<length { text.append(CharacterSet64.character(UInt8(truncatingIfNeeded: try reader.take(6)))) }
        case 4: for _ in 0..<length { text.append(UInt8(truncatingIfNeeded: try reader.take(7))) }
        case 5: text = try takeCode40(&reader, length: length)
        default: throw .encodingMethod
        }
        guard text.allSatisfy(allowed) else { throw .characterOutsideSet }
        return String(decoding: text, as: UTF8.self)
    }

    /// Three characters in sixteen bits: 1600 a + 40 b + c + 1.
    private static func takeCode40(_ reader: inout EPCBitReader, length: Int) throws(EPCRefusal) -> [UInt8] {
        var text: [UInt8] = []
        var left = length
        while left > 0 {
            let group = Int(truncatingIfNeeded: try reader.take(16)) - 1
            guard group >= 0, group < 64000 else { throw .characterOutsideSet }
            for value in [group / 1600, group / 40 % 40, group % 40] {
                if left > 0 {
                    guard value != 0 else { throw .characterOutsideSet }
                    text.append(code40[value])
                    left -= 1
                } else {
                    guard value == 0 else { throw .textAfterEnd }
                }
            }
        }
        return text
    }

    /// Four bits of length, then 1 to 12 digits as an integer (serials of CPI+ and SGCN+).
    static func takeShortNumber(_ reader: inout EPCBitReader) throws(EPCRefusal) -> String {
        let length = Int(truncatingIfNeeded: try reader.take(4))
        guard length > 0 else { throw .emptyText }
        guard length <= 12 else { throw .tooLong }
        return try integer(&reader, digits: length)
    }

    /// Decimal nibbles up to 1111, the end, or 1110, after which the rest follows as text (keys of GIAI+ and CPI+, at most
    /// 30 characters).
    static func takeTerminated(_ reader: inout EPCBitReader, allowed: (UInt8) -> Bool) throws(EPCRefusal) -> String {
        var digits = ""
        while true {
            let nibble = try reader.take(4)
            switch nibble {
            case 0...9:
                guard digits.utf8.count < 30 else { throw .tooLong }
                digits += String(nibble)
            case 0xE: return digits + (try take(&reader, maximum: 30 - digits.utf8.count, allowed: allowed))
            case 0xF:
                guard !digits.isEmpty else { throw .emptyText }
                return digits
            default: throw .decimalNibble
            }
        }
    }
}
