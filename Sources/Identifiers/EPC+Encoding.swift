/// Why a key cannot be written as a 96-bit EPC.
public enum EPCEncodingError: Error, Hashable, Sendable {
    /// The company prefix has 4 to 12 digits.
    case companyPrefixLength(Int)
    /// The filter value is 0 to 7.
    case filter(UInt8)
    /// The key must be exactly so many digits.
    case keyLength(Int)
    case nonDigitCharacter
    case checkDigit
    /// The trade item number names no item outside one company, or a coupon or a serial publication.
    case restrictedTradeItemNumber
    /// The serial number or reference is greater than the field holds; the greatest value is given.
    case serialRange(UInt64)
    /// A reference with a leading zero cannot be kept by a number.
    case leadingZero
}

/// Encoders of the 96-bit schemes of TDS 1.x (TDS 2.3 section 14.5). Keys are given with their check digit. A company prefix of
/// 4 or 5 digits is encoded as one of 6 (TDS section 14.4.3).
extension EPC {
    /// SGTIN-96 for a GTIN-14 and a serial number of at most 274 877 906 943.
    public static func sgtin96(
        gtin: String, companyPrefixLength: Int, serial: UInt64, filter: UInt8 = 0
    ) throws(EPCEncodingError) -> EPC {
        let key = try checkedKey(gtin, length: 14)
        guard !GTIN.isRestricted(gtin) else { throw .restrictedTradeItemNumber }
        let prefix = Array(key[1...])
        return try encode(
            header: 0x30, filter: filter, companyPrefixLength: companyPrefixLength, digits: prefix, leading: key[0], keyDigits: 12,
            totalBits: EPCLayout.itemBits, serial: serial, serialBits: 38)
    }

    /// SSCC-96.
    public static func sscc96(_ sscc: String, companyPrefixLength: Int, filter: UInt8 = 0) throws(EPCEncodingError) -> EPC {
        let key = try checkedKey(sscc, length: 18)
        return try encode(
            header: 0x31, filter: filter, companyPrefixLength: companyPrefixLength, digits: Array(key[1...]), leading: key[0],
            keyDigits: 16, totalBits: EPCLayout.unitBits, serial: 0, serialBits: 24)
    }

    /// SGLN-96 for a GLN and an extension of at most 2 199 023 255 551; 0 for none.
    public static func sgln96(
        gln: String, companyPrefixLength: Int, glnExtension: UInt64 = 0, filter: UInt8 = 0
    ) throws(EPCEncodingError) -> EPC {
        try encode(
            header: 0x32, filter: filter, companyPrefixLength: companyPrefixLength, digits: try checkedKey(gln, length: 13), leading: nil,
            keyDigits: 12, totalBits: EPCLayout.locationBits, serial: glnExtension, serialBits: 41)
    }

    /// GRAI-96 for an asset type of 13 digits and a serial number of at most 274 877 906 943.
    public static func grai96(
        assetType: String, companyPrefixLength: Int, serial: UInt64, filter: UInt8 = 0
    ) throws(EPCEncodingError) -> EPC {
        try encode(
            header: 0x33, filter: filter, companyPrefixLength: companyPrefixLength, digits: try checkedKey(assetType, length: 13),
            leading: nil, keyDigits: 12, totalBits: EPCLayout.itemBits, serial: serial, serialBits: 38)
    }

    /// GSRN-96 of a recipient.
    public static func gsrn96(_ gsrn: String, companyPrefixLength: Int, filter: UInt8 = 0) throws(EPCEncodingError) -> EPC {
        try encode(
            header: 0x2D, filter: filter, companyPrefixLength: companyPrefixLength, digits: try checkedKey(gsrn, length: 18), leading: nil,
            keyDigits: 17, totalBits: EPCLayout.unitBits, serial: 0, serialBits: 24)
    }

    /// GIAI-96 for a GIAI of digits whose asset reference has no leading zero, unless it is 0, and fits its field of 42 to 62
    /// bits, the wider the shorter the company prefix.
    public static func giai96(_ giai: String, companyPrefixLength: Int, filter: UInt8 = 0) throws(EPCEncodingError) -> EPC {
        let partition = try partition(companyPrefixLength, filter: filter)
        let digits = Array(giai.utf8)
        let prefixDigits = 12 - partition
        guard digits.allSatisfy(\.isASCIIDigit) else { throw .nonDigitCharacter }
        guard digits.count > prefixDigits, digits.count <= 30 else { throw .keyLength(prefixDigits + 1) }
        let reference = digits[prefixDigits...]
        guard reference.count == 1 || reference.first != 0x30 else { throw .leadingZero }
        let bits = EPCLayout.assetBits96 - EPCLayout.companyPrefixBits[partition]
        let limit = UInt64.max >> UInt64(64 - bits)
        guard reference.count <= 19, number(reference) <= limit else { throw .serialRange(limit) }
        var value = start(header: 0x34, filter: filter, partition: partition)
        append(number(digits[..<prefixDigits]), bits: EPCLayout.companyPrefixBits[partition], to: &value)
        append(number(reference), bits: bits, to: &value)
        return epc96(value)
    }

    private static func checkedKey(_ text: String, length: Int) throws(EPCEncodingError) -> [UInt8] {
        let digits = Array(text.utf8)
        guard digits.count == length else { throw .keyLength(length) }
        guard digits.allSatisfy(\.isASCIIDigit) else { throw .nonDigitCharacter }
        guard CheckDigit.isValid(digits) else { throw .checkDigit }
        return digits
    }

    private static func partition(_ companyPrefixLength: Int, filter: UInt8) throws(EPCEncodingError) -> Int {
        guard (4...12).contains(companyPrefixLength) else { throw .companyPrefixLength(companyPrefixLength) }
        guard filter <= 7 else { throw .filter(filter) }
        return 12 - max(companyPrefixLength, 6)
    }

    /// Company prefix, reference and serial. `digits` begins with the company prefix; `leading` is the indicator or extension digit
    /// that moves to the front of the reference.
    private static func encode(
        header: UInt8, filter: UInt8, companyPrefixLength: Int, digits: [UInt8], leading: UInt8?, keyDigits: Int, totalBits: Int,
        serial: UInt64, serialBits: Int
    ) throws(EPCEncodingError) -> EPC {
        let partition = try partition(companyPrefixLength, filter: filter)
        let prefixBits = EPCLayout.companyPrefixBits[partition]
        let prefixDigits = 12 - partition
        let reference = (leading.map { [$0] } ?? []) + digits[prefixDigits..<keyDigits]
        let limit = UInt64.max >> UInt64(64 - serialBits)
        guard serial <= limit else { throw .serialRange(limit) }
        var value = start(header: header, filter: filter, partition: partition)
        append(number(digits[..<prefixDigits]), bits: prefixBits, to: &value)
        append(number(reference), bits: totalBits - prefixBits, to: &value)
        append(serial, bits: serialBits, to: &value)
        return epc96(value)
    }

    private static func start(header: UInt8, filter: UInt8, partition: Int) -> UInt128 {
        UInt128(header) << 6 | UInt128(filter) << 3 | UInt128(partition)
    }

    private static func append(_ field: UInt64, bits: Int, to value: inout UInt128) {
        value = value << UInt128(bits) | UInt128(field)
    }

    private static func number(_ digits: some Collection<UInt8>) -> UInt64 {
        digits.reduce(0) { $0 &* 10 &+ UInt64($1 &- 0x30) }
    }

    private static func epc96(_ value: UInt128) -> EPC {
        EPC(words: UInt64(truncatingIfNeeded: value >> 32), UInt64(truncatingIfNeeded: value) << 32, 0, 0, 0, 0, 0, 12)
    }
}
