import Identifiers
import Testing

@Suite struct EPCIdentityTests {
    /// Tag Data Standard 2.3 annex E.3.
    @Test(arguments: [
        (
            "3066C4409047E140075BCD15", "SGTIN-96", "(01)09506000134352(21)123456789",
            "urn:epc:tag:sgtin-96:3.95060001343.05.123456789", "https://id.gs1.org/01/09506000134352/21/123456789"
        ),
        (
            "3666C4409047E159B2C2BF100000000000000000000000000000", "SGTIN-198", "(01)09506000134352(21)32a/b",
            "urn:epc:tag:sgtin-198:3.95060001343.05.32a%2Fb", "https://id.gs1.org/01/09506000134352/21/32a%2Fb"
        ),
        (
            "311BA1B300CE0A6A83000000", "SSCC-96", "(00)095201234567891235", "urn:epc:tag:sscc-96:0.952012.03456789123",
            "https://id.gs1.org/00/095201234567891235"
        ),
        (
            "3276451FD46072000000162E", "SGLN-96", "(414)9521141123454(254)5678", "urn:epc:tag:sgln-96:3.9521141.12345.5678",
            "https://id.gs1.org/414/9521141123454/254/5678"
        ),
        (
            "3376451FD40C0E400000162E", "GRAI-96", "(8003)095211411234545678", "urn:epc:tag:grai-96:3.9521141.12345.5678",
            "https://id.gs1.org/8003/095211411234545678"
        ),
        (
            "3476451FD40000000000162E", "GIAI-96", "(8004)95211415678", "urn:epc:tag:giai-96:3.9521141.5678",
            "https://id.gs1.org/8004/95211415678"
        ),
        (
            "3876451FD59B2C2BF10000000000000000000000000000000000", "GIAI-202", "(8004)952114132a/b",
            "urn:epc:tag:giai-202:3.9521141.32a%2Fb", "https://id.gs1.org/8004/952114132a%2Fb"
        ),
        (
            "2D76451FD4499602D2000000", "GSRN-96", "(8018)952114112345678906", "urn:epc:tag:gsrn-96:3.9521141.1234567890",
            "https://id.gs1.org/8018/952114112345678906"
        ),
        (
            "2C76451FD46072000000162E", "GDTI-96", "(253)95211411234545678", "urn:epc:tag:gdti-96:3.9521141.12345.5678",
            "https://id.gs1.org/253/95211411234545678"
        ),
    ])
    func examples(hex: String, scheme: String, elements: String, tagURI: String, link: String) throws {
        let epc = try #require(EPC(hex: hex))
        let identity = epc.identity()
        #expect(identity.scheme.name == scheme)
        #expect(identity.elementString == elements)
        #expect(identity.tagURI == tagURI)
        #expect(identity.digitalLink == link)
        #expect(identity.canonicalURI == link)
        #expect(identity.rawURI == "urn:epc:raw:\(hex.count * 4).x\(hex)")
    }

    /// Tag Data Standard 2.3 annex E.3, filled to whole words.
    @Test(arguments: [
        ("F73795211411234538566CB0AFC4", "SGTIN+", "(01)79521141123453(21)32a/b", "https://id.gs1.org/01/79521141123453/21/32a%2Fb"),
        (
            "FB342CDE795211411234538566CB0AFC4000", "DSGTIN+", "(01)79521141123453(21)32a/b(17)220630",
            "https://id.gs1.org/01/79521141123453/21/32a%2Fb?17=220630"
        ),
        ("F90095201234567891235000", "SSCC+", "(00)095201234567891235", "https://id.gs1.org/00/095201234567891235"),
        ("F2395211411234548566CB0AFC40", "SGLN+", "(414)9521141123454(254)32a/b", "https://id.gs1.org/414/9521141123454/254/32a%2Fb"),
        ("FA3952114132E83C2BF10000", "GIAI+", "(8004)952114132a/b", "https://id.gs1.org/8004/952114132a%2Fb"),
    ])
    func examplesOfVersion2(hex: String, scheme: String, elements: String, link: String) throws {
        let identity = try #require(EPC(hex: hex)).identity()
        #expect(identity.scheme.name == scheme)
        #expect(identity.elementString == elements)
        #expect(identity.digitalLink == link)
        #expect(identity.tagURI == nil)
        #expect(identity.pureIdentityURI == nil)
    }

    /// A tag with a date and a bar code without one name the same item.
    @Test func attributesAreNotPartOfTheIdentity() throws {
        let tag = try #require(EPC(hex: "FB342CDE795211411234538566CB0AFC4000")).identity()
        let label = ScannedCode(scan: Array("]d201795211411234532132a/b\u{1D}10LOT7".utf8), options: .init(message: .year2026))
        #expect(tag.canonicalURI == "https://id.gs1.org/01/79521141123453/21/32a%2Fb")
        #expect(label.canonicalURI == tag.canonicalURI)
    }

    @Test func filterIsNotPartOfTheIdentity() throws {
        let one = try EPC.giai96("95211415678", companyPrefixLength: 7, filter: 0)
        let other = try EPC.giai96("95211415678", companyPrefixLength: 7, filter: 3)
        #expect(one != other)
        #expect(one.identity().canonicalURI == other.identity().canonicalURI)
    }

    @Test func locationWithoutExtension() throws {
        let identity = try EPC.sgln96(gln: "9521141123454", companyPrefixLength: 7).identity()
        #expect(identity.elementString == "(414)9521141123454")
        #expect(identity.pureIdentityURI == "urn:epc:id:sgln:9521141.12345.0")
        #expect(identity.canonicalURI == "https://id.gs1.org/414/9521141123454")
    }

    /// SGLN+ and bar codes can spell the extension 0, which means the same.
    @Test func extension0IsNoExtension() throws {
        let tag = try #require(EPC(hex: "F2095211411234540100")).identity()
        #expect(tag.elementString == "(414)9521141123454(254)0")
        #expect(tag.canonicalURI == "https://id.gs1.org/414/9521141123454")
    }

    @Test func generalIdentifierHasNoKey() throws {
        let identity = try #require(EPC(hex: "3500E86F8000A9E000000586")).identity()
        #expect(identity.elementString == nil)
        #expect(identity.tagURI == "urn:epc:tag:gid-96:952056.2718.1414")
        #expect(identity.canonicalURI == "urn:epc:id:gid:952056.2718.1414")
    }

    /// TDS section 14 on what a decoder must refuse.
    @Test(arguments: [
        ("307EC4409047E140075BCD15", EPCScheme.sgtin96, EPCRefusal.partition),
        // Company prefix of 12 digits in 40 bits, all ones.
        ("3063FFFFFFFFFC0000000001", .sgtin96, .companyPrefixRange),
        // Partition 0 leaves no digit for the location, so its bit must be 0.
        ("32600000000002000000162E", .sgln96, .referenceRange),
        ("311BA1B300CE0A6A83000001", .sscc96, .nonZeroTail),
        ("2D76451FD4499602D2000100", .gsrn96, .nonZeroTail),
        ("3066C4409047E140075BCD", .sgtin96, .tooFewBits),
        ("3666C4409047E1400000000000000000000000000000000000000000", .sgtin198, .emptyText),
        ("3666C4409047E159B2C2BF100000000000000000000040000000", .sgtin198, .textAfterEnd),
        // The first character is a blank.
        ("3666C4409047E1500000000000000000000000000000000000000000", .sgtin198, .characterOutsideSet),
        ("E28011702000123456789ABC", .blank, .blankTag), ("000000000000000000000000", .unprogrammed, .unprogrammed),
        ("FFFFFFFFFFFFFFFFFFFFFFFF", .unknown, .unknownHeader), ("FE00", .unknown, .unknownHeader),
        ("3A76451FD4607200000000000000162E", .gdti113, .unsupportedScheme), ("F73A9521", .sgtinPlus, .decimalNibble),
        ("F73795211411234548566CB0AFC4", .sgtinPlus, .checkDigit), ("F737952114112345", .sgtinPlus, .tooFewBits),
        ("F7379521141123453E566CB0AFC4", .sgtinPlus, .encodingMethod), ("FA3F", .giaiPlus, .emptyText),
    ])
    func refusedBitsKeepTheRawName(hex: String, scheme: EPCScheme, refusal: EPCRefusal) throws {
        let identity = try #require(EPC(hex: hex)).identity()
        #expect(identity.scheme == scheme)
        #expect(identity.refusal == refusal)
        #expect(identity.canonicalURI == "urn:epc:raw:\(hex.count * 4).x\(hex)")
        #expect(identity.digitalLink == nil)
        #expect(identity.tagURI == nil)
    }

    @Test func otherApplicationsAreNotDecoded() throws {
        let identity = try #require(EPC(hex: "3066C4409047E140075BCD15")).identity(applicationFamily: 0xC2)
        #expect(identity.canonicalURI == "urn:epc:raw:96.xC2.x3066C4409047E140075BCD15")
        #expect(identity.refusal == .applicationFamily)
    }

    @Test func headersAreAllDifferent() {
        let named = (UInt8.min...UInt8.max).map { EPCScheme(header: $0) }.filter { $0 != .unknown }
        #expect(Set(named).count == named.count)
        #expect(Set(named).count == EPCScheme.allCases.count - 1)
    }
}
