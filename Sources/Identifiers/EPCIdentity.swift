/// What an EPC names, in all the spellings that upstream systems use (TDS 2.3 sections 6 to 14).
public struct EPCIdentity: Hashable, Sendable {
    /// The scheme that the header names. With a ``refusal`` the bits do not follow it.
    public let scheme: EPCScheme
    /// The filter value 0…7 (USDoD 0…15, ADI 0…63); nil for schemes without one and for refused bits. Not part of the identity.
    public let filter: UInt8?
    /// The element strings; empty for schemes without a GS1 key and for refused bits.
    public let elements: [GS1Element]
    /// The element strings with bracketed identifiers for people, `(01)…(21)…`; nil for schemes without a GS1 key. A bracket inside a
    /// value is not marked, unlike in ``GS1Message/bracketed``.
    public let elementString: String?
    /// The Digital Link with all that the tag holds, attributes in the query included; nil for schemes without a GS1 key.
    public let digitalLink: String?
    /// `urn:epc:id:…`; nil for the schemes of TDS 2, which have no EPC URI.
    public let pureIdentityURI: String?
    /// `urn:epc:tag:…` with the filter value; nil for the schemes of TDS 2.
    public let tagURI: String?
    /// `urn:epc:raw:<bits>.x<HEX>`: always there.
    public let rawURI: String
    /// Why the bits were not decoded; nil when they were.
    public let refusal: EPCRefusal?

    private let instanceURI: String?

    /// The one name of the object for events and comparison: the Digital Link of its key if it has one, else the pure identity
    /// URI, else the raw URI.
    ///
    /// Equal for all tags and bar codes of the same object: neither filter value nor attributes such as lot or expiry that a
    /// tag may carry beside a serial number are in it.
    public var canonicalURI: String { instanceURI ?? pureIdentityURI ?? rawURI }

    init(epc: EPC, scheme: EPCScheme, filter: UInt8?, content: EPCContent) {
        let message = content.elements.isEmpty ? nil : GS1Message(unchecked: content.elements)
        self.scheme = scheme
        self.filter = filter
        elements = content.elements
        elementString = message == nil ? nil : content.elements.map { "(\($0.ai))\($0.value)" }.joined()
        digitalLink = message?.digitalLink
        instanceURI = message?.identityURI
        pureIdentityURI = content.fields.map { "urn:epc:id:\(content.uriName):\($0)" }
        tagURI = content.fields.map { fields in
            let filterField = filter.map { "\($0)." } ?? ""
            return "urn:epc:tag:\(scheme.name.lowercased()):\(filterField)\(fields)"
        }
        rawURI = Self.rawURI(of: epc)
        refusal = nil
    }

    init(epc: EPC, scheme: EPCScheme, refusal: EPCRefusal, applicationFamily: UInt8? = nil) {
        self.scheme = scheme
        filter = nil
        elements = []
        elementString = nil
        digitalLink = nil
        instanceURI = nil
        pureIdentityURI = nil
        tagURI = nil
        rawURI = Self.rawURI(of: epc, applicationFamily: applicationFamily)
        self.refusal = refusal
    }

    private static func rawURI(of epc: EPC, applicationFamily: UInt8? = nil) -> String {
        let family = applicationFamily.map { "x\(HexDigits.text(of: $0))." } ?? ""
        return "urn:epc:raw:\(epc.bitCount).\(family)x\(epc.hex)"
    }
}

/// What a scheme's bits hold, before it is spelled out.
struct EPCContent {
    /// The element strings of the GS1 key.
    var elements: [GS1Element] = []
    /// The scheme name inside `urn:epc:id:`.
    var uriName = ""
    /// The fields after the scheme name of the EPC URI, escaped; nil for schemes without an EPC URI.
    var fields: String?
}

extension EPC {
    /// Decodes the scheme of the Tag Data Standard that the header names.
    ///
    /// Never fails: bits that do not follow their scheme keep the raw URI and say why in ``EPCIdentity/refusal``. Bits after
    /// the end of a scheme, such as the filling up to a whole word, are not looked at.
    public func identity() -> EPCIdentity {
        let scheme = EPCScheme(header: header)
        do throws(EPCRefusal) {
            let (filter, content) = try decode(scheme)
            return EPCIdentity(epc: self, scheme: scheme, filter: filter, content: content)
        } catch {
            return EPCIdentity(epc: self, scheme: scheme, refusal: error)
        }
    }

    /// The identity of a tag whose PC word has the toggle bit set: its bits belong to an ISO application family, such as library
    /// items, and are not decoded. The raw URI holds the application family identifier (TDS section 12).
    public func identity(applicationFamily: UInt8) -> EPCIdentity {
        EPCIdentity(epc: self, scheme: .unknown, refusal: .applicationFamily, applicationFamily: applicationFamily)
    }

    private func decode(_ scheme: EPCScheme) throws(EPCRefusal) -> (UInt8?, EPCContent) {
        var reader = EPCBitReader(self)
        _ = try reader.take(8)
        switch scheme {
        case .unprogrammed: throw .unprogrammed
        case .blank: throw .blankTag
        case .unknown: throw .unknownHeader
        case .gdti113: throw .unsupportedScheme
        case .gid96: return (nil, try EPCLayout.gid(&reader))
        case .usdod96:
            let filter = UInt8(truncatingIfNeeded: try reader.take(4))
            return (filter, try EPCLayout.usdod(&reader))
        case .adiVariable:
            let filter = UInt8(truncatingIfNeeded: try reader.take(6))
            return (filter, try EPCLayout.adi(&reader))
        default: break
        }
        if let plus = EPCPlusLayout(scheme) { return try plus.decode(&reader) }
        let filter = UInt8(truncatingIfNeeded: try reader.take(3))
        return (filter, try EPCLayout.decode(scheme, &reader))
    }
}

/// Escaping of text fields in EPC URIs (TDS section 5.4): seven characters of CSET 82, and `#` of CSET 39.
enum EPCURIText {
    static func escaped(_ text: String) -> String {
        var result: [UInt8] = []
        for unit in text.utf8 {
            switch unit {
            case 0x22, 0x23, 0x25, 0x26, 0x2F, 0x3C, 0x3E, 0x3F:
                result += [0x25, HexDigits.upperCase(unit >> 4), HexDigits.upperCase(unit)]
            default: result.append(unit)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
