extension GS1Message {
    /// The canonical Digital Link with all element strings: the key and its qualifiers in the path, the others in the query, those
    /// of predefined length first. The first key of the data is the key. Nil when there is none or an element may not stand in its link.
    public var digitalLink: String? {
        guard let (key, facts) = linkKey, let sequences = facts.keyQualifiers else { return nil }
        let qualifiers = sequences.map { sequence in sequence.filter { value($0) != nil } }.max { $0.count < $1.count } ?? []
        var seen: Set<ApplicationIdentifier> = [key.ai]
        seen.formUnion(qualifiers)
        var attributes: [GS1Element] = []
        for element in elements where seen.insert(element.ai).inserted {
            let belongsInPath = sequences.contains { $0.contains(element.ai) }
            guard !belongsInPath, ApplicationIdentifierTable.facts(element.ai)?.isLinkAttribute == true else { return nil }
            attributes.append(element)
        }
        let isPredefined = { (element: GS1Element) in
            ApplicationIdentifierTable.facts(element.ai)?.isPredefinedLength == true
        }
        let ordered = attributes.filter(isPredefined) + attributes.filter { !isPredefined($0) }
        let query = ordered.map { "\($0.ai)=\(DigitalLink.encoded($0.value))" }.joined(separator: "&")
        return link(key: key, qualifiers: qualifiers) + (query.isEmpty ? "" : "?" + query)
    }

    private func link(key: GS1Element, qualifiers: [ApplicationIdentifier]) -> String {
        var result = "\(DigitalLink.canonicalBase)/\(key.ai)/\(DigitalLink.encoded(key.value))"
        for ai in qualifiers {
            if let value = value(ai) { result += "/\(ai)/\(DigitalLink.encoded(value))" }
        }
        return result
    }

    /// The canonical Digital Link of the object alone: the first key with the qualifier that makes it an instance or, failing that, a
    /// lot. Nil when there is no key.
    ///
    /// A tag and a label of the same object give the same, whatever lot, variant or date one of them adds.
    public var identityURI: String? {
        guard let (key, _) = linkKey else { return nil }
        let qualifier = (Self.identifyingQualifiers[key.ai] ?? []).first { ai in
            // The extension 0 says that the location has none (TDS section 6.3.3).
            value(ai) != nil && !(ai == .glnExtension && value(ai) == "0")
        }
        return link(key: key, qualifiers: qualifier.map { [$0] } ?? [])
    }

    /// The first primary key of a Digital Link among the elements.
    private var linkKey: (GS1Element, ApplicationIdentifierFacts)? {
        for element in elements {
            if let facts = ApplicationIdentifierTable.facts(element.ai), facts.isLinkKey { return (element, facts) }
        }
        return nil
    }

    /// Qualifiers that name an instance or a lot, the strongest first (Core Business Vocabulary section 8.2).
    private static let identifyingQualifiers: [ApplicationIdentifier: [ApplicationIdentifier]] = [
        .gtin: [.serial, .thirdPartySerial, .lot],
        .itip: [.serial, .lot],
        .locationGLN: [.glnExtension],
        .cpid: [.cpidSerial],
        .payTo: [.paymentReference],
    ]
}
