/// The binary layouts of TDS 1.x (TDS 2.3 section 14.5 and the partition tables there).
enum EPCLayout {
    /// Bits of the company prefix by partition value; its digits are 12 less the partition value.
    static let companyPrefixBits = [40, 37, 34, 30, 27, 24, 20]
    /// Bits of company prefix and reference together.
    static let itemBits = 44
    static let unitBits = 58
    static let locationBits = 41
    static let assetBits96 = 82
    static let assetBits202 = 188
    static let partBits96 = 51

    /// The company prefix and the bits that its partition value leaves for the reference.
    struct Prefix {
        let digits: String
        let referenceBits: Int

        var length: Int { digits.utf8.count }

        init(_ reader: inout EPCBitReader, totalBits: Int) throws(EPCRefusal) {
            let partition = Int(truncatingIfNeeded: try reader.take(3))
            guard partition < companyPrefixBits.count else { throw .partition }
            let bits = companyPrefixBits[partition]
            guard let text = DecimalText.padded(UInt128(try reader.take(bits)), digits: 12 - partition) else { throw .companyPrefixRange }
            digits = text
            referenceBits = totalBits - bits
        }

        /// The reference with exactly so many digits.
        func reference(_ reader: inout EPCBitReader, digits: Int) throws(EPCRefusal) -> String {
            guard let text = DecimalText.padded(UInt128(try reader.take(referenceBits)), digits: digits) else { throw .referenceRange }
            return text
        }
    }

    static func decode(_ scheme: EPCScheme, _ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        switch scheme {
        case .sgtin96: try sgtin(&reader, alphanumeric: false)
        case .sgtin198: try sgtin(&reader, alphanumeric: true)
        case .sscc96: try sscc(&reader)
        case .sgln96: try sgln(&reader, alphanumeric: false)
        case .sgln195: try sgln(&reader, alphanumeric: true)
        case .grai96: try grai(&reader, alphanumeric: false)
        case .grai170: try grai(&reader, alphanumeric: true)
        case .giai96: try giai96(&reader)
        case .giai202: try giai202(&reader)
        case .gdti96: try gdti(&reader, alphanumeric: false)
        case .gdti174: try gdti(&reader, alphanumeric: true)
        case .gsrn96: try gsrn(&reader, ai: .gsrnRecipient, name: "gsrn")
        case .gsrnp96: try gsrn(&reader, ai: .gsrnProvider, name: "gsrnp")
        case .sgcn96: try sgcn(&reader)
        case .itip110: try itip(&reader, alphanumeric: false)
        case .itip212: try itip(&reader, alphanumeric: true)
        case .cpi96: try cpi96(&reader)
        case .cpiVariable: try cpiVariable(&reader)
        default: throw .unsupportedScheme
        }
    }

    /// A key with its check digit.
    private static func checked(_ digits: String) throws(EPCRefusal) -> String {
        guard let check = CheckDigit.compute(digits) else { throw .referenceRange }
        return digits + String(check)
    }

    /// A GTIN-14 from company prefix and the item reference that begins with the indicator digit.
    private static func gtin(_ prefix: Prefix, item: String) throws(EPCRefusal) -> String {
        try checked(String(item.prefix(1)) + prefix.digits + String(item.dropFirst()))
    }

    private static func serial(
        _ reader: inout EPCBitReader, alphanumeric: Bool, numericBits: Int, textBits: Int, maximum: Int
    ) throws(EPCRefusal) -> String {
        if alphanumeric { return try reader.takeText7(bits: textBits, maximum: maximum) }
        return String(try reader.take(numericBits))
    }

    private static func sgtin(_ reader: inout EPCBitReader, alphanumeric: Bool) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: itemBits)
        let item = try prefix.reference(&reader, digits: 13 - prefix.length)
        let serial = try serial(&reader, alphanumeric: alphanumeric, numericBits: 38, textBits: 140, maximum: 20)
        return EPCContent(
            elements: [GS1Element(.gtin, try gtin(prefix, item: item)), GS1Element(.serial, serial)],
            uriName: "sgtin", fields: "\(prefix.digits).\(item).\(EPCURIText.escaped(serial))")
    }

    private static func itip(_ reader: inout EPCBitReader, alphanumeric: Bool) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: itemBits)
        let item = try prefix.reference(&reader, digits: 13 - prefix.length)
        guard let piece = DecimalText.padded(UInt128(try reader.take(7)), digits: 2),
            let total = DecimalText.padded(UInt128(try reader.take(7)), digits: 2)
        else { throw .referenceRange }
        let serial = try serial(&reader, alphanumeric: alphanumeric, numericBits: 38, textBits: 140, maximum: 20)
        return EPCContent(
            elements: [GS1Element(.itip, try gtin(prefix, item: item) + piece + total), GS1Element(.serial, serial)],
            uriName: "itip", fields: "\(prefix.digits).\(item).\(piece).\(total).\(EPCURIText.escaped(serial))")
    }

    private static func sscc(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: unitBits)
        let reference = try prefix.reference(&reader, digits: 17 - prefix.length)
        try reader.takeZeros(24)
        let key = try checked(String(reference.prefix(1)) + prefix.digits + String(reference.dropFirst()))
        return EPCContent(elements: [GS1Element(.sscc, key)], uriName: "sscc", fields: "\(prefix.digits).\(reference)")
    }

    private static func gsrn(_ reader: inout EPCBitReader, ai: ApplicationIdentifier, name: String) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: unitBits)
        let reference = try prefix.reference(&reader, digits: 17 - prefix.length)
        try reader.takeZeros(24)
        let key = try checked(prefix.digits + reference)
        return EPCContent(elements: [GS1Element(ai, key)], uriName: name, fields: "\(prefix.digits).\(reference)")
    }

    private static func sgln(_ reader: inout EPCBitReader, alphanumeric: Bool) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: locationBits)
        let location = try prefix.reference(&reader, digits: 12 - prefix.length)
        let component = try serial(&reader, alphanumeric: alphanumeric, numericBits: 41, textBits: 140, maximum: 20)
        var elements = [GS1Element(.locationGLN, try checked(prefix.digits + location))]
        // The extension 0 says that the location has none (TDS section 6.3.3).
        if component != "0" { elements.append(GS1Element(.glnExtension, component)) }
        return EPCContent(
            elements: elements, uriName: "sgln", fields: "\(prefix.digits).\(location).\(EPCURIText.escaped(component))")
    }

    private static func grai(_ reader: inout EPCBitReader, alphanumeric: Bool) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: itemBits)
        let type = try prefix.reference(&reader, digits: 12 - prefix.length)
        let serial = try serial(&reader, alphanumeric: alphanumeric, numericBits: 38, textBits: 112, maximum: 16)
        return EPCContent(
            elements: [GS1Element(.grai, "0" + (try checked(prefix.digits + type)) + serial)],
            uriName: "grai", fields: "\(prefix.digits).\(type).\(EPCURIText.escaped(serial))")
    }

    private static func gdti(_ reader: inout EPCBitReader, alphanumeric: Bool) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: locationBits)
        let type = try prefix.reference(&reader, digits: 12 - prefix.length)
        let serial = try serial(&reader, alphanumeric: alphanumeric, numericBits: 41, textBits: 119, maximum: 17)
        return EPCContent(
            elements: [GS1Element(.gdti, try checked(prefix.digits + type) + serial)],
            uriName: "gdti", fields: "\(prefix.digits).\(type).\(EPCURIText.escaped(serial))")
    }

    private static func giai96(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: assetBits96)
        let reference = String(try reader.take(prefix.referenceBits))
        guard reference.utf8.count <= 25 - prefix.length else { throw .referenceRange }
        return giai(prefix, reference)
    }

    private static func giai202(_ reader: inout EPCBitReader) throws(EPCRefusal) -> EPCContent {
        let prefix = try Prefix(&reader, totalBits: assetBits202)
        return giai(prefix, try reader.takeText7(bits: prefix.referenceBits, maximum: 30 - prefix.length))
    }

    private static func giai(_ prefix: Prefix, _ reference: String) -> EPCContent {
        EPCContent(
            elements: [GS1Element(.giai, prefix.digits + reference)],
            uriName: "giai", fields: "\(prefix.digits).\(EPCURIText.escaped(reference))")
    }
}
