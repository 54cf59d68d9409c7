/// The EPC schemes of the Tag Data Standard by the header of the binary encoding (TDS 2.3 table 14-1).
public enum EPCScheme: String, Hashable, Sendable, CaseIterable {
    case gdti96 = "GDTI-96"
    case gsrn96 = "GSRN-96"
    case gsrnp96 = "GSRNP-96"
    case usdod96 = "USDoD-96"
    case sgtin96 = "SGTIN-96"
    case sscc96 = "SSCC-96"
    case sgln96 = "SGLN-96"
    case grai96 = "GRAI-96"
    case giai96 = "GIAI-96"
    case gid96 = "GID-96"
    case sgtin198 = "SGTIN-198"
    case grai170 = "GRAI-170"
    case giai202 = "GIAI-202"
    case sgln195 = "SGLN-195"
    case gdti113 = "GDTI-113"
    case adiVariable = "ADI-var"
    case cpi96 = "CPI-96"
    case cpiVariable = "CPI-var"
    case gdti174 = "GDTI-174"
    case sgcn96 = "SGCN-96"
    case itip110 = "ITIP-110"
    case itip212 = "ITIP-212"
    case cpiPlus = "CPI+"
    case graiPlus = "GRAI+"
    case sglnPlus = "SGLN+"
    case itipPlus = "ITIP+"
    case gsrnPlus = "GSRN+"
    case gsrnpPlus = "GSRNP+"
    case gdtiPlus = "GDTI+"
    case sgtinPlus = "SGTIN+"
    case sgcnPlus = "SGCN+"
    case ssccPlus = "SSCC+"
    case giaiPlus = "GIAI+"
    case dsgtinPlus = "DSGTIN+"
    case dsgtinPlusPlus = "DSGTIN++"
    case sgtinPlusPlus = "SGTIN++"
    case cpiPlusPlus = "CPI++"
    case gsrnPlusPlus = "GSRN++"
    case gsrnpPlusPlus = "GSRNP++"
    case sglnPlusPlus = "SGLN++"
    case gdtiPlusPlus = "GDTI++"
    case graiPlusPlus = "GRAI++"
    case sgcnPlusPlus = "SGCN++"
    case itipPlusPlus = "ITIP++"
    case giaiPlusPlus = "GIAI++"
    case ssccPlusPlus = "SSCC++"
    /// Header 00: the tag was never written.
    case unprogrammed = "unprogrammed tag"
    /// Header E2: reserved for ever, because blank chips show their TID in the EPC memory.
    case blank = "blank tag (TID shown as EPC)"
    /// Any other header: reserved by the standard, or numbers of a private scheme.
    case unknown = "unknown scheme"

    /// The scheme that the first byte of an EPC names.
    public init(header: UInt8) {
        self = Self.byHeader[header] ?? .unknown
    }

    /// The name in the spelling of the standard.
    public var name: String { rawValue }

    private static let byHeader: [UInt8: EPCScheme] = [
        0x00: .unprogrammed, 0x2C: .gdti96, 0x2D: .gsrn96, 0x2E: .gsrnp96, 0x2F: .usdod96, 0x30: .sgtin96, 0x31: .sscc96,
        0x32: .sgln96, 0x33: .grai96, 0x34: .giai96, 0x35: .gid96, 0x36: .sgtin198, 0x37: .grai170, 0x38: .giai202,
        0x39: .sgln195, 0x3A: .gdti113, 0x3B: .adiVariable, 0x3C: .cpi96, 0x3D: .cpiVariable, 0x3E: .gdti174, 0x3F: .sgcn96,
        0x40: .itip110, 0x41: .itip212, 0xE2: .blank,
        0xE6: .cpiPlusPlus, 0xE7: .gsrnPlusPlus, 0xE8: .gsrnpPlusPlus, 0xE9: .sglnPlusPlus, 0xEA: .gdtiPlusPlus,
        0xEB: .graiPlusPlus, 0xEC: .sgcnPlusPlus, 0xED: .itipPlusPlus, 0xEE: .giaiPlusPlus, 0xEF: .ssccPlusPlus,
        0xF0: .cpiPlus, 0xF1: .graiPlus, 0xF2: .sglnPlus, 0xF3: .itipPlus, 0xF4: .gsrnPlus, 0xF5: .gsrnpPlus, 0xF6: .gdtiPlus,
        0xF7: .sgtinPlus, 0xF8: .sgcnPlus, 0xF9: .ssccPlus, 0xFA: .giaiPlus, 0xFB: .dsgtinPlus, 0xFC: .dsgtinPlusPlus,
        0xFD: .sgtinPlusPlus,
    ]
}

/// Why the bits of an EPC are not what its header announces; the raw URI then is its only name.
public enum EPCRefusal: String, Error, Hashable, Sendable {
    /// The tag was never written.
    case unprogrammed
    /// The EPC memory shows the chip's TID.
    case blankTag
    /// No scheme has this header.
    case unknownHeader
    /// The PC word says that the bits belong to an ISO application family and are no EPC.
    case applicationFamily
    /// The scheme is known by name only.
    case unsupportedScheme
    /// The tag holds fewer bits than the scheme needs.
    case tooFewBits
    /// Partition value 7.
    case partition
    /// The company prefix has more digits than its partition value allows.
    case companyPrefixRange
    /// A reference or serial has more digits than allowed, or a zero-digit reference is not 0.
    case referenceRange
    /// Bits that must be zero are not.
    case nonZeroTail
    /// A text field is empty.
    case emptyText
    /// A text field has a character after its end.
    case textAfterEnd
    /// A text field has a character outside its set.
    case characterOutsideSet
    /// A text field is longer than its key allows.
    case tooLong
    /// A binary coded decimal nibble above 9.
    case decimalNibble
    /// The key on the tag has a wrong check digit.
    case checkDigit
    /// A TDS 2 encoding method or date kind that the standard does not define, or an impossible date.
    case encodingMethod
}
