/// The symbology identifier that a scanner puts before the data: `]`, a code letter and a modifier (ISO/IEC 15424).
public struct AIMIdentifier: Hashable, Sendable, CustomStringConvertible {
    /// What the data after the identifier is.
    public enum Content: Hashable, Sendable {
        /// GS1 element strings; FNC1 inside them arrives as GS (0x1D).
        case elementStrings
        /// A GTIN-8, GTIN-12 or GTIN-13, for an EAN/UPC symbol.
        case tradeItemNumber
        /// A GTIN in the first thirteen digits, then the digits of an add-on symbol.
        case tradeItemNumberWithAddOn
        /// Fourteen digits with a right check digit are a GTIN, all else is text.
        case tradeItemNumberOrText
        /// Text, which may be a Digital Link URI.
        case text
    }

    /// The code letter, ASCII.
    public let code: UInt8
    /// The modifier character, ASCII.
    public let modifier: UInt8

    /// The identifier at the start of scan data; nil when the data does not begin with one.
    public init?(prefixOf data: some Collection<UInt8>) {
        var iterator = data.makeIterator()
        guard iterator.next() == 0x5D, let code = iterator.next(), let modifier = iterator.next() else { return nil }
        self.init(code: code, modifier: modifier)
    }

    /// The identifier as three characters, such as `]C1`.
    public init?(_ text: String) {
        guard text.utf8.count == 3 else { return nil }
        self.init(prefixOf: Array(text.utf8))
    }

    private init?(code: UInt8, modifier: UInt8) {
        let letter = (0x41...0x5A).contains(code) || (0x61...0x7A).contains(code)
        let modifierLetter = (0x41...0x5A).contains(modifier) || (0x61...0x7A).contains(modifier)
        guard letter, modifierLetter || modifier.isASCIIDigit else { return nil }
        self.code = code
        self.modifier = modifier
    }

    /// The three characters, such as `]C1`.
    public var description: String {
        String(decoding: [0x5D, code, modifier], as: UTF8.self)
    }

    /// What the data after the identifier is (General Specifications figure 5.1.3-1; unlisted identifiers are text).
    public var content: Content {
        switch description {
        case "]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1": .elementStrings
        case "]E0", "]E4": .tradeItemNumber
        case "]E1", "]E2", "]E3": .tradeItemNumberWithAddOn
        case "]I1": .tradeItemNumberOrText
        default: .text
        }
    }

    /// The name of the symbology; "unknown symbology" for a code letter that the table does not have.
    public var symbology: String {
        Self.special[description] ?? Self.families[code] ?? "unknown symbology"
    }

    private static let special: [String: String] = [
        "]C1": "GS1-128", "]d2": "GS1 DataMatrix", "]Q3": "GS1 QR Code", "]J1": "GS1 DotCode",
        "]e0": "GS1 DataBar", "]e1": "GS1 Composite component", "]e2": "GS1 Composite component",
        "]E0": "EAN-13, UPC-A or UPC-E", "]E1": "EAN/UPC with two-digit add-on", "]E2": "EAN/UPC with five-digit add-on",
        "]E3": "EAN-13, UPC-A or UPC-E with add-on", "]E4": "EAN-8",
    ]

    // AIM code letters, ISO/IEC 15424 table 1.
    private static let families: [UInt8: String] = [
        0x41: "Code 39", 0x42: "Telepen", 0x43: "Code 128", 0x44: "Code One", 0x45: "EAN/UPC", 0x46: "Codabar", 0x47: "Code 93",
        0x48: "Code 11", 0x49: "Interleaved 2 of 5", 0x4A: "DotCode", 0x4B: "Code 16K", 0x4C: "PDF417", 0x4D: "MSI", 0x4E: "Anker",
        0x4F: "Codablock", 0x50: "Plessey", 0x51: "QR Code", 0x52: "Straight 2 of 5", 0x53: "Straight 2 of 5", 0x55: "MaxiCode",
        0x58: "other symbology", 0x5A: "no bar code", 0x64: "Data Matrix", 0x65: "GS1 DataBar", 0x68: "Han Xin Code",
        0x6F: "optical character recognition", 0x7A: "Aztec Code",
    ]
}
