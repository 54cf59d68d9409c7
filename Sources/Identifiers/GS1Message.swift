/// A set of GS1 element strings from one symbol, tag or Digital Link.
public struct GS1Message: Hashable, Sendable {
    /// The greatest length of data that is parsed, in bytes. The largest symbol in use holds fewer.
    public static let maximumLength = 4096
    /// The separator of element strings as scanners transmit it: the control character GS.
    public static let separator: UInt8 = 0x1D

    /// How strictly data is read.
    public struct Options: Hashable, Sendable {
        /// The present year, four digits: decides the century of two-digit years.
        public var referenceYear: Int
        /// Whether identifiers that must or must not stand together are checked. Off for labels that are read in parts.
        public var checksPairs: Bool
        /// Whether a separator before the first identifier is skipped, as some scanners send for FNC1 in first position.
        public var toleratesLeadingSeparator: Bool

        public init(referenceYear: Int, checksPairs: Bool = true, toleratesLeadingSeparator: Bool = false) {
            self.referenceYear = referenceYear
            self.checksPairs = checksPairs
            self.toleratesLeadingSeparator = toleratesLeadingSeparator
        }
    }

    /// The element strings in the order of the data.
    public let elements: [GS1Element]

    /// Elements that are known to be right.
    init(unchecked elements: [GS1Element]) {
        self.elements = elements
    }

    /// Checks elements that were parsed elsewhere; offsets of errors count from the start of the value.
    public init(elements: [GS1Element], options: Options) throws(GS1Error) {
        guard !elements.isEmpty else { throw GS1Error(.empty, offset: 0) }
        for element in elements {
            guard let facts = ApplicationIdentifierTable.facts(element.ai) else {
                throw GS1Error(.unknownIdentifier, ai: element.ai, offset: 0)
            }
            try GS1Rules.checkContent(of: element.ai, facts, Array(element.value.utf8)[...], offset: 0, options: options)
        }
        try GS1Rules.checkSet(elements, options: options)
        self.elements = elements
    }

    /// The value of an identifier; nil when it is absent.
    public func value(_ ai: ApplicationIdentifier) -> String? {
        elements.first { $0.ai == ai }?.value
    }

    /// The element strings with bracketed identifiers, `(01)…(21)…`; an opening bracket inside a value is written `\(`.
    public var bracketed: String {
        var result = ""
        for element in elements {
            result += "(\(element.ai))"
            for character in element.value.unicodeScalars {
                if character == "(" { result += "\\" }
                result.unicodeScalars.append(character)
            }
        }
        return result
    }

    /// The element strings as a symbol transmits them, with separators where the identifier's length is not predefined.
    public var transmitted: [UInt8] {
        var result: [UInt8] = []
        for (index, element) in elements.enumerated() {
            result += Array(element.ai.description.utf8) + Array(element.value.utf8)
            let isPredefined = ApplicationIdentifierTable.facts(element.ai)?.isPredefinedLength ?? false
            if index < elements.count - 1, !isPredefined { result.append(Self.separator) }
        }
        return result
    }
}

extension GS1Message {
    /// GTIN of the item, 14 digits: (01), (03) or the GTIN inside an ITIP (8006).
    public var gtin: String? {
        value(.gtin) ?? value(.madeToOrderGTIN) ?? value(.itip).map { String($0.prefix(14)) }
    }
    /// GTIN of the items contained in a logistic unit (02), 14 digits.
    public var contentGTIN: String? { value(.content) }
    public var serial: String? { value(.serial) }
    public var lot: String? { value(.lot) }
    public var sscc: String? { value(.sscc) }
    /// Global Location Number of a physical location (414), 13 digits.
    public var gln: String? { value(.locationGLN) }
    /// Extension component of the location (254).
    public var glnExtension: String? { value(.glnExtension) }
    /// Returnable asset (8003): 14 digits and the serial, if any.
    public var grai: String? { value(.grai) }
    /// Individual asset (8004).
    public var giai: String? { value(.giai) }
    /// Recipient of a service relation (8018): the borrower on a badge.
    public var gsrn: String? { value(.gsrnRecipient) }
    /// Count of items: (30) for variable measure, (37) for the content of a logistic unit.
    public var quantity: Int? {
        (value(.variableCount) ?? value(.count)).flatMap { Int(digits: $0.utf8) }
    }

    /// A date attribute; nil when it is absent. Day 00 becomes the last of the month.
    public func date(_ ai: ApplicationIdentifier, referenceYear: Int) -> GS1Date? {
        value(ai).flatMap { GS1Date($0, referenceYear: referenceYear) }
    }

    /// The date after which the item must not be used: (17), or the date part of (7003).
    public func expiry(referenceYear: Int) -> GS1Date? {
        date(.expiry, referenceYear: referenceYear)
            ?? value(.expiryTime).flatMap { GS1Date(String($0.prefix(6)), referenceYear: referenceYear) }
    }

    public func bestBefore(referenceYear: Int) -> GS1Date? { date(.bestBefore, referenceYear: referenceYear) }
    public func productionDate(referenceYear: Int) -> GS1Date? { date(.productionDate, referenceYear: referenceYear) }
}
