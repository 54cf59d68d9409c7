import Readings

/// How the number of a badge is written. The same card shows different numbers on different readers: one form per site makes
/// them one credential.
public struct BadgeForm: Hashable, Sendable {
    public enum Notation: String, Hashable, Sendable, CaseIterable {
        /// Upper-case hexadecimal, two digits a byte.
        case hexadecimal
        /// Decimal with leading zeros, as many digits as the bytes can need: ten for four bytes, the number printed on most cards.
        case decimal
        /// The third-lowest byte and the lower sixteen bits, `FFF,NNNNN`, as Wiegand-26 systems print them.
        case facilityAndNumber = "facility_and_number"
    }

    public enum Order: String, Hashable, Sendable, CaseIterable {
        case asSent = "as_sent"
        case reversedBytes = "reversed_bytes"
        /// The halves of each byte exchanged.
        case swappedNibbles = "swapped_nibbles"
    }

    public var notation: Notation
    public var order: Order
    /// How many of the number's low bytes count, 1...8; nil: all.
    public var byteCount: Int?

    public init(notation: Notation = .hexadecimal, order: Order = .asSent, byteCount: Int? = nil) {
        self.notation = notation
        self.order = order
        self.byteCount = byteCount
    }

    /// The credential for a number, its most significant byte first; at most sixteen low bytes are used in hexadecimal, else eight.
    public func text(of number: [UInt8]) -> String {
        let limit = notation == .hexadecimal ? 16 : 8
        let bytes = Self.ordered(Array(number.suffix(min(byteCount ?? limit, limit))), order)
        let value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch notation {
        case .hexadecimal: return Hex.text(bytes)
        case .decimal: return Self.padded(String(value), Self.decimalDigits[bytes.count])
        case .facilityAndNumber: return Self.padded(String(value >> 16 & 0xFF), 3) + "," + Self.padded(String(value & 0xFFFF), 5)
        }
    }

    /// The bytes of a number as a reader typed it, most significant first; nil when the text is not of that notation or the
    /// number needs more bytes.
    public static func number(_ text: [UInt8], notation: Notation, byteCount: Int) -> [UInt8]? {
        guard (1...8).contains(byteCount), !text.isEmpty, text.count <= 20 else { return nil }
        let value: UInt64
        switch notation {
        case .hexadecimal:
            guard text.count <= byteCount * 2, let number = digits(text[...], radix: 16) else { return nil }
            value = number
        case .decimal:
            guard let number = digits(text[...], radix: 10) else { return nil }
            value = number
        case .facilityAndNumber:
            guard text.count == 9, text[3] == 0x2C, let facility = digits(text[..<3], radix: 10), facility <= 255,
                let number = digits(text[4...], radix: 10), number <= 65_535
            else { return nil }
            value = facility << 16 | number
        }
        guard byteCount == 8 || value >> UInt64(byteCount * 8) == 0 else { return nil }
        return (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64((byteCount - 1 - $0) * 8)) }
    }

    /// The decimal digits that 0...8 bytes can need.
    private static let decimalDigits = [1, 3, 5, 8, 10, 13, 15, 17, 20]

    private static func ordered(_ bytes: [UInt8], _ order: Order) -> [UInt8] {
        switch order {
        case .asSent: bytes
        case .reversedBytes: bytes.reversed()
        case .swappedNibbles: bytes.map { $0 << 4 | $0 >> 4 }
        }
    }

    private static func digits(_ text: ArraySlice<UInt8>, radix: UInt64) -> UInt64? {
        var value: UInt64 = 0
        for character in text {
            guard let digit = hexDigit(character), UInt64(digit) < radix else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    static func padded(_ digits: String, _ width: Int) -> String {
        String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

/// The value of an ASCII hexadecimal digit.
func hexDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x37
    case 0x61...0x66: character - 0x57
    default: nil
    }
}
