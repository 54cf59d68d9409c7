extension GS1Message {
    /// Parses element strings as a scanner transmits them, without the symbology identifier, FNC1 as GS (0x1D).
    ///
    /// A superfluous separator after an identifier of predefined length and one at the end are skipped. A missing separator cannot
    /// be seen: the value then runs into the next identifier (General Specifications section 7.8).
    /// - Throws: ``GS1Error`` with the identifier and the offset of the first fault.
    public init(elementStrings data: some Collection<UInt8>, options: Options) throws(GS1Error) {
        guard data.count <= Self.maximumLength else { throw GS1Error(.dataTooLong, offset: Self.maximumLength) }
        let data = Array(data)
        var position = 0
        if data.first == Self.separator {
            guard options.toleratesLeadingSeparator else { throw GS1Error(.leadingSeparator, offset: 0) }
            position = 1
        }
        guard position < data.count else { throw GS1Error(.empty, offset: position) }
        var elements: [GS1Element] = []
        while position < data.count {
            guard let (ai, facts) = ApplicationIdentifierTable.match(data[position...]) else {
                throw GS1Error(.unknownIdentifier, offset: position)
            }
            position += Int(ai.digitCount)
            let value: ArraySlice<UInt8>
            if facts.isPredefinedLength {
                value = data[position...].prefix(facts.predefinedLength)
            } else {
                value = data[position...].prefix { $0 != Self.separator }
            }
            try GS1Rules.checkContent(of: ai, facts, value, offset: position, options: options)
            elements.append(GS1Element(ai, String(decoding: value, as: UTF8.self)))
            position += value.count
            if position < data.count, data[position] == Self.separator { position += 1 }
        }
        try GS1Rules.checkSet(elements, options: options)
        self.init(unchecked: elements)
    }

    /// Parses element strings with bracketed identifiers, `(01)…(21)…`; `\(` is an opening bracket inside a value.
    /// - Throws: ``GS1Error`` with the identifier and the offset of the first fault.
    public init(bracketed text: String, options: Options) throws(GS1Error) {
        let data = Array(text.utf8)
        guard data.count <= Self.maximumLength else { throw GS1Error(.dataTooLong, offset: Self.maximumLength) }
        guard !data.isEmpty else { throw GS1Error(.empty, offset: 0) }
        var elements: [GS1Element] = []
        var position = 0
        while position < data.count {
            guard data[position] == 0x28, let close = data[position...].firstIndex(of: 0x29) else {
                throw GS1Error(.malformedBrackets, offset: position)
            }
            guard let ai = ApplicationIdentifier(digits: data[(position + 1)..<close]), let facts = ApplicationIdentifierTable.facts(ai)
            else { throw GS1Error(.unknownIdentifier, offset: position + 1) }
            position = close + 1
            let start = position
            var value: [UInt8] = []
            while position < data.count, data[position] != 0x28 {
                if data[position] == 0x5C, position + 1 < data.count, data[position + 1] == 0x28 { position += 1 }
                value.append(data[position])
                position += 1
            }
            try GS1Rules.checkContent(of: ai, facts, value[...], offset: start, options: options)
            elements.append(GS1Element(ai, String(decoding: value, as: UTF8.self)))
        }
        try GS1Rules.checkSet(elements, options: options)
        self.init(unchecked: elements)
    }
}
