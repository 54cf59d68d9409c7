extension GS1Message {
    /// The EPC URI of an instance, `urn:epc:id:…` (TDS 2.3 section 6.3).
    ///
    /// A key does not tell how long its company prefix is, so the prefixes must be known.
    /// - Parameter companyPrefixes: of 4 to 12 digits; those of 4 and 5 stand for blocks of 6 (TDS section 14.4.3).
    /// - Returns: nil for a key of another company, one that names a class, and one of a kind that has no EPC URI here.
    public func epcURI(companyPrefixes: some Collection<String>) -> String? {
        guard let key = elements.first else { return nil }
        let digits = Array(key.value.utf8)
        switch (key.ai, elements.count) {
        case (.gtin, 2):
            guard let serial = value(.serial), !GTIN.isRestricted(key.value) else { return nil }
            return Self.uri("id:sgtin", digits.dropFirst().dropLast(), first: digits.first, serial, companyPrefixes)
        case (.sscc, 1): return Self.uri("id:sscc", digits.dropFirst().dropLast(), first: digits.first, nil, companyPrefixes)
        case (.locationGLN, 1): return Self.uri("id:sgln", digits.dropLast(), "0", companyPrefixes)
        case (.locationGLN, 2):
            return value(.glnExtension).flatMap { Self.uri("id:sgln", digits.dropLast(), $0, companyPrefixes) }
        // A filler 0, twelve digits, a check digit, the serial number.
        case (.grai, 1) where digits.count > 14:
            return Self.uri("id:grai", digits[1..<13], String(decoding: digits[14...], as: UTF8.self), companyPrefixes)
        case (.gdti, 1) where digits.count > 13:
            return Self.uri("id:gdti", digits[0..<12], String(decoding: digits[13...], as: UTF8.self), companyPrefixes)
        case (.gsrnRecipient, 1): return Self.uri("id:gsrn", digits.dropLast(), nil, companyPrefixes)
        case (.giai, 1):
            guard let length = Self.prefixLength(digits[...], companyPrefixes), digits.count > length else { return nil }
            let reference = String(decoding: digits[length...], as: UTF8.self)
            return "urn:epc:id:giai:\(String(decoding: digits[..<length], as: UTF8.self)).\(EPCURIText.escaped(reference))"
        default: return nil
        }
    }

    /// The URI of a class, as `quantityList` of EPCIS has it: `urn:epc:class:lgtin:…` of a lot, `urn:epc:idpat:sgtin:….*` of a trade
    /// item (EPCIS 2.0 section 7.3.3, TDS 2.3 sections 6.3.1 and 8).
    /// - Parameter companyPrefixes: as for ``epcURI(companyPrefixes:)``.
    public func epcClassURI(companyPrefixes: some Collection<String>) -> String? {
        guard let key = elements.first, key.ai == .gtin, !GTIN.isRestricted(key.value) else { return nil }
        let digits = Array(key.value.utf8)
        switch elements.count {
        case 1:
            return Self.uri("idpat:sgtin", digits.dropFirst().dropLast(), first: digits.first, nil, companyPrefixes).map { "\($0).*" }
        case 2:
            return value(.lot).flatMap { lot in
                Self.uri("class:lgtin", digits.dropFirst().dropLast(), first: digits.first, lot, companyPrefixes)
            }
        default: return nil
        }
    }

    /// - Parameters:
    ///   - digits: of the key from its company prefix on, without its check digit.
    ///   - first: the indicator or extension digit, which moves to the front of the reference.
    private static func uri(
        _ scheme: String, _ digits: ArraySlice<UInt8>, first: UInt8? = nil, _ serial: String?, _ prefixes: some Collection<String>
    ) -> String? {
        guard let length = prefixLength(digits, prefixes), digits.count >= length else { return nil }
        let prefix = String(decoding: digits.prefix(length), as: UTF8.self)
        let reference = String(decoding: (first.map { [$0] } ?? []) + digits.dropFirst(length), as: UTF8.self)
        return "urn:epc:\(scheme):\(prefix).\(reference)" + (serial.map { ".\(EPCURIText.escaped($0))" } ?? "")
    }

    /// Of the longest prefix that the digits begin with.
    private static func prefixLength(_ digits: ArraySlice<UInt8>, _ prefixes: some Collection<String>) -> Int? {
        prefixes.filter { digits.starts(with: $0.utf8) }.map { max(6, $0.utf8.count) }.max()
    }
}
