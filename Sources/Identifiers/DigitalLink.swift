/// Percent encoding and the parts of a GS1 Digital Link address.
enum DigitalLink {
    /// The resolver of canonical links (GS1 Digital Link: URI Syntax, section 6).
    static let canonicalBase = "https://id.gs1.org"

    /// Everything but letters, digits and `-._~` as percent sequences.
    static func encoded(_ value: String) -> String {
        var result: [UInt8] = []
        for unit in value.utf8 {
            switch unit {
            case 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A, 0x7E: result.append(unit)
            default: result += [0x25, HexDigits.upperCase(unit >> 4), HexDigits.upperCase(unit)]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Resolves percent sequences; anything that only looks like one stays. In a query a plus sign is a blank.
    static func decoded(_ text: ArraySlice<UInt8>, isQuery: Bool) -> [UInt8] {
        var result: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            let unit = text[index]
            if unit == 0x25, index + 2 < text.endIndex, let high = HexDigits.value(of: text[index + 1]),
                let low = HexDigits.value(of: text[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(isQuery && unit == 0x2B ? 0x20 : unit)
                index += 1
            }
        }
        return result
    }

    /// RFC 3986 appendix A: unreserved and reserved characters and the percent sign.
    static func isAddressCharacter(_ unit: UInt8) -> Bool {
        switch unit {
        case 0x21, 0x23...0x3B, 0x3D, 0x3F...0x5B, 0x5D, 0x5F, 0x61...0x7A, 0x7E: true
        default: false
        }
    }

    static func isDomainCharacter(_ unit: UInt8) -> Bool {
        switch unit {
        case 0x2D, 0x2E, 0x30...0x3A, 0x41...0x5B, 0x5D, 0x61...0x7A: true
        default: false
        }
    }

    /// Bytes after `http://` or `https://`, all small or all capital; nil for another start.
    static func afterScheme(_ data: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        for scheme in ["https://", "http://", "HTTPS://", "HTTP://"] where data.starts(with: scheme.utf8) {
            return data.dropFirst(scheme.utf8.count)
        }
        return nil
    }
}

extension GS1Message {
    /// Parses an uncompressed Digital Link URI of any domain.
    ///
    /// The key is sought from the end of the path, so that a path of the owner may stand before it. Parts of the query whose name
    /// is not numeric are ignored.
    /// - Throws: ``GS1Error``; ``GS1Error/Reason/notAnAddress``, ``GS1Error/Reason/noDomainOrPath`` and
    ///   ``GS1Error/Reason/noKey`` mean that it is some other text or address.
    public init(digitalLink data: some Collection<UInt8>, options: Options) throws(GS1Error) {
        guard data.count <= Self.maximumLength else { throw GS1Error(.dataTooLong, offset: Self.maximumLength) }
        let data = Array(data)
        if let bad = data.firstIndex(where: { !DigitalLink.isAddressCharacter($0) }) {
            throw GS1Error(.illegalAddressCharacter, offset: bad)
        }
        guard let address = DigitalLink.afterScheme(data[...]) else { throw GS1Error(.notAnAddress, offset: 0) }
        let withoutFragment = address.prefix { $0 != 0x23 }
        let pathStart = withoutFragment.firstIndex(of: 0x2F)
        guard let pathStart, pathStart > withoutFragment.startIndex else { throw GS1Error(.noDomainOrPath, offset: address.startIndex) }
        if let bad = withoutFragment[..<pathStart].firstIndex(where: { !DigitalLink.isDomainCharacter($0) }) {
            throw GS1Error(.illegalAddressCharacter, offset: bad)
        }
        let path = withoutFragment[pathStart...].prefix { $0 != 0x3F }
        let query = withoutFragment[path.endIndex...].dropFirst()
        let inPath = try Self.pathElements(path, options: options)
        let inQuery = try Self.queryElements(query, options: options)
        try Self.checkLink(path: inPath, query: inQuery)
        try GS1Rules.checkSet(inPath + inQuery, options: options)
        self.init(unchecked: inPath + inQuery)
    }

    public init(digitalLink text: String, options: Options) throws(GS1Error) {
        try self.init(digitalLink: Array(text.utf8), options: options)
    }

    private static func element(
        _ ai: ApplicationIdentifier, _ facts: ApplicationIdentifierFacts, _ text: ArraySlice<UInt8>, isQuery: Bool, options: Options
    ) throws(GS1Error) -> GS1Element {
        let value = DigitalLink.decoded(text, isQuery: isQuery)
        guard !value.isEmpty else { throw GS1Error(.emptyValue, ai: ai, offset: text.startIndex) }
        guard !value.contains(0) else { throw GS1Error(.nullCharacter, ai: ai, offset: text.startIndex) }
        try GS1Rules.checkContent(of: ai, facts, value[...], offset: text.startIndex, options: options)
        return GS1Element(ai, String(decoding: value, as: UTF8.self))
    }

    private static func pathElements(_ path: ArraySlice<UInt8>, options: Options) throws(GS1Error) -> [GS1Element] {
        let segments = path.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
        var start = segments.count - 2
        while start >= 0 {
            let ai = ApplicationIdentifier(digits: segments[start])
            if let ai, let facts = ApplicationIdentifierTable.facts(ai), facts.isLinkKey { break }
            start -= 2
        }
        guard start >= 0 else { throw GS1Error(.noKey, offset: path.startIndex) }
        var elements: [GS1Element] = []
        for index in stride(from: start, to: segments.count - 1, by: 2) {
            let ai = ApplicationIdentifier(digits: segments[index])
            guard let ai, let facts = ApplicationIdentifierTable.facts(ai) else {
                throw GS1Error(.unknownIdentifier, offset: segments[index].startIndex)
            }
            elements.append(try element(ai, facts, segments[index + 1], isQuery: false, options: options))
        }
        return elements
    }

    private static func queryElements(_ query: ArraySlice<UInt8>, options: Options) throws(GS1Error) -> [GS1Element] {
        var elements: [GS1Element] = []
        for part in query.split(separator: 0x26) {
            let name = part.prefix { $0 != 0x3D }
            guard name.count < part.count, !name.isEmpty, name.allSatisfy(\.isASCIIDigit) else { continue }
            guard let ai = ApplicationIdentifier(digits: name), let facts = ApplicationIdentifierTable.facts(ai) else {
                throw GS1Error(.unknownIdentifier, offset: name.startIndex)
            }
            guard facts.isLinkAttribute else { throw GS1Error(.notAnAttribute, ai: ai, offset: name.startIndex) }
            elements.append(try element(ai, facts, part.dropFirst(name.count + 1), isQuery: true, options: options))
        }
        return elements
    }

    /// Order of the qualifiers, repetition, and attributes that could stand in the path.
    private static func checkLink(path: [GS1Element], query: [GS1Element]) throws(GS1Error) {
        var seen: Set<ApplicationIdentifier> = []
        for element in path + query where !seen.insert(element.ai).inserted {
            throw GS1Error(.duplicate, ai: element.ai, offset: 0)
        }
        guard let key = path.first, let facts = ApplicationIdentifierTable.facts(key.ai) else { throw GS1Error(.noKey, offset: 0) }
        let qualifiers = path.dropFirst().map(\.ai)
        guard facts.permitsQualifiers(qualifiers) else { throw GS1Error(.qualifierOrder, ai: key.ai, offset: 0) }
        for attribute in query {
            for position in 0...qualifiers.count {
                var longer = qualifiers
                longer.insert(attribute.ai, at: position)
                if facts.permitsQualifiers(longer) { throw GS1Error(.belongsInPath, ai: attribute.ai, offset: 0) }
            }
        }
    }
}
