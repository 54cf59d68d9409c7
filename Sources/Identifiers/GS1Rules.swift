/// The rules for one value and for the values of one message.
enum GS1Rules {
    /// Checks length, characters and content of a value. `offset` is where the value begins in the input.
    static func checkContent(
        of ai: ApplicationIdentifier, _ facts: ApplicationIdentifierFacts, _ value: ArraySlice<UInt8>, offset: Int,
        options: GS1Message.Options
    ) throws(GS1Error) {
        try checkLength(of: ai, facts, value, offset: offset)
        var rest = value
        for component in facts.components where !(component.isOptional && rest.isEmpty) {
            let part = rest.prefix(component.maximum)
            rest = rest.dropFirst(part.count)
            let start = offset + part.startIndex - value.startIndex
            if let bad = badCharacter(part, component.characters) {
                throw GS1Error(.content(bad.fault), ai: ai, offset: start + bad.offset)
            }
            for check in component.checks {
                if let bad = check.fault(in: part, referenceYear: options.referenceYear) {
                    throw GS1Error(.content(bad.fault), ai: ai, offset: start + bad.offset)
                }
            }
        }
    }

    private static func checkLength(
        of ai: ApplicationIdentifier, _ facts: ApplicationIdentifierFacts, _ value: ArraySlice<UInt8>, offset: Int
    ) throws(GS1Error) {
        var left = value.count
        for component in facts.components {
            if component.isOptional, left == 0 { break }
            guard left >= component.minimum else { throw GS1Error(.wrongLength, ai: ai, offset: offset + value.count) }
            left -= min(left, component.maximum)
        }
        guard left == 0 else { throw GS1Error(.wrongLength, ai: ai, offset: offset + value.count - left) }
    }

    static func badCharacter(_ part: ArraySlice<UInt8>, _ set: ApplicationIdentifierFacts.CharacterSet) -> GS1FaultPosition? {
        let found: Int?
        switch set {
        case .digits: found = part.firstIndex { !$0.isASCIIDigit }
        case .set82: found = part.firstIndex { !CharacterSet82.contains($0) }
        case .set39: found = part.firstIndex { !CharacterSet39.contains($0) }
        case .base64: return badBase64(part)
        }
        guard let found else { return nil }
        return GS1FaultPosition(set == .digits ? .nonDigitCharacter : .invalidCharacter, at: found - part.startIndex)
    }

    /// base64url of any length without padding. With padding, the reference check of GS1 wants one or two characters and a
    /// whole length divisible by three (where RFC 4648 has four); it is followed, as verifiers follow it.
    private static func badBase64(_ part: ArraySlice<UInt8>) -> GS1FaultPosition? {
        let padding = part.reversed().prefix { $0 == 0x3D }.count
        let body = part.dropLast(padding)
        if let bad = body.firstIndex(where: { !CharacterSet64.contains($0) }) {
            return GS1FaultPosition(.invalidCharacter, at: bad - part.startIndex)
        }
        guard padding > 0 else { return nil }
        return padding <= 2 && part.count % 3 == 0 ? nil : GS1FaultPosition(.invalidPadding, at: body.count)
    }

    /// Checks what concerns several element strings: repetition and pairing. The offset of such errors is 0.
    static func checkSet(_ elements: [GS1Element], options: GS1Message.Options) throws(GS1Error) {
        var values: [ApplicationIdentifier: String] = [:]
        var present: [ApplicationIdentifier] = []
        for element in elements {
            if let other = values.updateValue(element.value, forKey: element.ai) {
                guard other == element.value else { throw GS1Error(.duplicate, ai: element.ai, offset: 0) }
            } else {
                present.append(element.ai)
            }
        }
        guard options.checksPairs else { return }
        for ai in present {
            guard let facts = ApplicationIdentifierTable.facts(ai) else { continue }
            if let other = present.first(where: { other in other != ai && facts.excludes.contains { $0.matches(other) } }) {
                throw GS1Error(.excluded(by: other), ai: ai, offset: 0)
            }
            for alternatives in facts.needs {
                let isMet = alternatives.contains { all in all.allSatisfy { present.contains(where: $0.matches) } }
                guard isMet else {
                    let text = alternatives.map { $0.map(\.description).joined(separator: "+") }.joined(separator: ", ")
                    throw GS1Error(.missingCompanion(text), ai: ai, offset: 0)
                }
            }
        }
    }
}
