/// GS1 AI encodable character set 82 (General Specifications figure 7.11-1): the characters of alphanumeric AI values.
public enum CharacterSet82 {
    /// The value 0…81 of an ASCII character in the order of the standard; nil for a character outside the set.
    public static func value(of unit: UInt8) -> UInt8? {
        switch unit {
        case 0x21, 0x22: unit - 0x21
        case 0x25...0x3F: unit - 0x25 + 2
        case 0x41...0x5A: unit - 0x41 + 29
        case 0x5F: 55
        case 0x61...0x7A: unit - 0x61 + 56
        default: nil
        }
    }

    public static func contains(_ unit: UInt8) -> Bool { value(of: unit) != nil }
}

/// GS1 AI encodable character set 39 (General Specifications figure 7.11-2): `#`, `-`, `/`, digits and capital letters.
public enum CharacterSet39 {
    public static func contains(_ unit: UInt8) -> Bool {
        switch unit {
        case 0x23, 0x2D, 0x2F, 0x30...0x39, 0x41...0x5A: true
        default: false
        }
    }
}

/// GS1 AI encodable character set 64 (General Specifications figure 7.11-3): base64url of RFC 4648 section 5.
public enum CharacterSet64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The ASCII character for a value; only the low six bits count.
    static func character(_ value: UInt8) -> UInt8 { alphabet[Int(value & 63)] }

    /// Whether a character may stand before the `=` padding.
    public static func contains(_ unit: UInt8) -> Bool {
        switch unit {
        case 0x2D, 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
        default: false
        }
    }
}

extension UInt8 {
    /// Whether this is the ASCII code of a digit.
    @inlinable var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
}
