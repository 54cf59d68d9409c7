extension LLRPDefinition {
    /// The values of all fields in their order: those given in the form of their field, the others 0 or empty.
    func values(_ given: LLRPFields) throws(LLRPError) -> [LLRPValue] {
        var values = fields.map(\.form.empty)
        var isGiven = Array(repeating: false, count: fields.count)
        for (name, value) in given.pairs {
            guard let index = fields.firstIndex(where: { $0.name == name }), !isGiven[index] else {
                throw LLRPError(.unknownField(name), path: self.name)
            }
            guard let fitting = fields[index].fitting(value) else { throw LLRPError(.value(field: name), path: self.name) }
            values[index] = fitting
            isGiven[index] = true
        }
        return values
    }

    /// What the standard's own rows for anything of a vendor say with their first two fields; else the row's own kind.
    func kind(with values: [LLRPValue]) -> LLRPKind {
        guard kind.number == 1_023, !kind.isCustom, values.count == 3, case .integer(let vendor) = values[0],
            case .integer(let subtype) = values[1]
        else { return kind }
        return .custom(vendor: UInt32(clamping: vendor), subtype: UInt32(clamping: subtype))
    }
}

extension LLRPForm {
    /// What stands in a field that is left out.
    var empty: LLRPValue {
        switch self {
        case .unsigned, .signed: 0
        case .epc96: .bytes(Array(repeating: 0, count: 12))
        case .bitVector: .bits(.none)
        case .byteVector, .text, .rest: .bytes([])
        case .wordVector, .doubleWordVector: .integers([])
        }
    }
}

extension LLRPField {
    /// The value in the form of this field; nil when it is of another form, out of range, or no word of the field's enumeration.
    func fitting(_ value: LLRPValue) -> LLRPValue? {
        switch (form, value) {
        case (.unsigned(let bits), .integer(let number)): number >= 0 && number >> Int128(bits) == 0 ? value : nil
        case (.signed(let bits), .integer(let number)):
            number >= -(Int128(1) << Int128(bits - 1)) && number < Int128(1) << Int128(bits - 1) ? value : nil
        case (.unsigned, .bytes(let word)), (.signed, .bytes(let word)):
            enumeration.flatMap { LLRPDefinitions.number(String(decoding: word, as: UTF8.self), of: $0) }.flatMap {
                fitting(.integer(Int128($0)))
            }
        case (.epc96, .bytes(let bytes)): bytes.count == 12 ? value : nil
        case (.bitVector, .bits): value
        case (.bitVector, .bytes(let bytes)): LLRPBits(bytes).map { .bits($0) }
        case (.byteVector, .bytes(let bytes)), (.text, .bytes(let bytes)): bytes.count <= 65_535 ? value : nil
        case (.rest, .bytes): value
        case (.byteVector, .integers(let numbers)), (.rest, .integers(let numbers)), (.epc96, .integers(let numbers)),
            (.bitVector, .integers(let numbers)):
            numbers.allSatisfy { $0 <= 255 } ? fitting(.bytes(numbers.map { UInt8(truncatingIfNeeded: $0) })) : nil
        case (.wordVector, .integers(let numbers)): numbers.count <= 65_535 && numbers.allSatisfy { $0 <= 65_535 } ? value : nil
        case (.doubleWordVector, .integers(let numbers)): numbers.count <= 65_535 ? value : nil
        default: nil
        }
    }
}

extension LLRPElement {
    /// What the definition of this element and of those below it does not allow: parameters missing, too many, or not meant for the
    /// place; each with the names down to it. Readers refuse such messages; decoding accepts them.
    public var violations: [String] {
        guard let definition else { return [] }
        var counts = Array(repeating: 0, count: definition.slots.count)
        var found: [String] = []
        for parameter in parameters {
            let place = parameter.name
            found += parameter.violations.map { "\(name)/\($0)" }
            let slot = definition.slots.firstIndex { slot in
                slot.names.contains(place) || (parameter.kind.isCustom && slot.names.contains("Custom"))
            }
            if let slot { counts[slot] += 1 } else { found.append("\(name): \(place) has no place") }
        }
        for (slot, count) in zip(definition.slots, counts) where count < slot.minimum || count > slot.maximum {
            found.append("\(name): \(count) of \(slot.names.joined(separator: " or "))")
        }
        return found
    }
}
