/// The Global Trade Item Number in its four lengths: GTIN-8, GTIN-12, GTIN-13 and GTIN-14.
public enum GTIN {
    /// The digits as GTIN-14, padded with zeros on the left; nil for another length, another character or a wrong check digit.
    public static func padded14(_ digits: some BidirectionalCollection<UInt8>) -> String? {
        guard [8, 12, 13, 14].contains(digits.count), CheckDigit.isValid(digits) else { return nil }
        return String(repeating: "0", count: 14 - digits.count) + String(decoding: digits, as: UTF8.self)
    }

    /// The digits as GTIN-14; nil for a text that is not a GTIN.
    public static func padded14(_ text: String) -> String? {
        padded14(Array(text.utf8))
    }

    /// Whether the text is a GTIN of any of the four lengths with a right check digit.
    public static func isValid(_ text: String) -> Bool { padded14(text) != nil }

    /// Whether a GTIN-14 belongs to numbers that name no trade item of their own and must never become an SGTIN:
    /// restricted circulation (prefixes 02, 04, 20–29 of a GTIN-13 and 0001–0007 of GTIN-8 in use within one company), coupons
    /// (98, 99) and serial publications (977). General Specifications section 1.4.2; TDS section 7.
    public static func isRestricted(_ gtin14: String) -> Bool {
        let digits = Array(gtin14.utf8)
        guard digits.count == 14, digits.allSatisfy(\.isASCIIDigit) else { return true }
        let prefix2 = (digits[1] - 0x30) * 10 + digits[2] - 0x30
        if digits[0..<6].allSatisfy({ $0 == 0x30 }) {
            // GTIN-8 in six leading zeros; its first digit 0 or 2 is restricted circulation.
            return digits[6] == 0x30 || digits[6] == 0x32
        }
        if digits[1..<4].allSatisfy({ $0 == 0x30 }), (0x31...0x37).contains(digits[4]) { return true }
        if prefix2 == 2 || prefix2 == 4 || (20...29).contains(prefix2) || prefix2 >= 98 { return true }
        return prefix2 == 97 && digits[3] == 0x37
    }
}

/// The Serial Shipping Container Code of a logistic unit: 18 digits.
public enum SSCC {
    public static func isValid(_ text: String) -> Bool {
        text.utf8.count == 18 && CheckDigit.isValid(text)
    }
}

/// The Global Location Number: 13 digits.
public enum GLN {
    public static func isValid(_ text: String) -> Bool {
        text.utf8.count == 13 && CheckDigit.isValid(text)
    }
}

/// The Global Service Relation Number of a recipient or provider: 18 digits.
public enum GSRN {
    public static func isValid(_ text: String) -> Bool {
        text.utf8.count == 18 && CheckDigit.isValid(text)
    }
}
