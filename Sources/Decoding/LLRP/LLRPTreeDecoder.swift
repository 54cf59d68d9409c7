/// What a message or parameter holds behind its header.
struct LLRPContent {
    var values: [LLRPValue] = []
    var reserved: [UInt64] = []
    var parameters: [LLRPParameter] = []
    var rest: [UInt8] = []
}

/// Reads the tree of parameters out of the bytes of one message. All positions are byte offsets in the message.
struct LLRPTreeDecoder {
    let bytes: [UInt8]
    let limits: LLRPLimits
    private var parameterCount = 0

    init(bytes: [UInt8], limits: LLRPLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The content of an element by its definition. A vendor's element, whose content begins with `prefix` bytes that are part of its
    /// kind, is read by its own row; when that does not fit, it is kept whole by the standard's row `custom`.
    mutating func content(
        of definition: LLRPDefinition?, from start: Int, to end: Int, custom: LLRPDefinition?, prefix: Int, depth: Int
    ) throws(LLRPError) -> (definition: LLRPDefinition?, content: LLRPContent) {
        guard let definition, definition.kind.isCustom else {
            return (definition, try content(of: definition, from: start, to: end, depth))
        }
        do {
            return (definition, try content(of: definition, from: start + prefix, to: end, depth))
        } catch {
            if error.reason == .tooManyParameters || error.reason == .tooDeep { throw error }
            return (custom, try content(of: custom, from: start, to: end, depth))
        }
    }

    private mutating func content(
        of definition: LLRPDefinition?, from start: Int, to end: Int, _ depth: Int
    ) throws(LLRPError) -> LLRPContent {
        var content = LLRPContent()
        var position = start
        do {
            if let definition {
                try takeFields(of: definition, at: &position, end: end, into: &content)
                if !definition.slots.isEmpty { try takeParameters(at: &position, end: end, depth: depth + 1, into: &content) }
            }
        } catch {
            throw error.below(definition?.name ?? "")
        }
        if position < end { content.rest = Array(bytes[position..<end]) }
        return content
    }

    private mutating func takeParameters(at position: inout Int, end: Int, depth: Int, into content: inout LLRPContent) throws(LLRPError) {
        while position < end {
            guard depth <= limits.depth else { throw LLRPError(.tooDeep, path: "", offset: position) }
            parameterCount += 1
            guard parameterCount <= limits.parameters else { throw LLRPError(.tooManyParameters, path: "", offset: position) }
            if bytes[position] & 0x80 != 0 {
                // A TV parameter states no length: behind an unknown one, nothing of this element can be told apart.
                let kind = LLRPKind.standard(UInt16(bytes[position] & 0x7F))
                guard let definition = LLRPDefinitions.parameter(kind), let length = definition.fixedLength else { return }
                let next = position + 1 + length
                guard next <= end else {
                    let reason = LLRPError.Reason.parameterLength(stated: 1 + length, available: end - position)
                    throw LLRPError(reason, path: definition.name, offset: position)
                }
                let fields = try self.content(of: definition, from: position + 1, to: next, depth)
                content.parameters.append(LLRPParameter(definition: definition, kind: kind, content: fields))
                position = next
            } else {
                content.parameters.append(try takeTLV(at: &position, end: end, depth: depth))
            }
        }
    }

    private mutating func takeTLV(at position: inout Int, end: Int, depth: Int) throws(LLRPError) -> LLRPParameter {
        guard end - position >= 4 else {
            throw LLRPError(.parameterLength(stated: 4, available: end - position), path: "", offset: position)
        }
        // Six reserved bits come before the number; with one of them set it is a number that nobody knows, and is kept.
        let number = UInt16(truncatingIfNeeded: bytes.bigEndian(at: position, count: 2))
        let length = Int(bytes.bigEndian(at: position + 2, count: 2))
        let next = position + length
        guard length >= 4, next <= end else {
            throw LLRPError(.parameterLength(stated: length, available: end - position), path: "parameter \(number)", offset: position)
        }
        // Numbers below 128 are for TV parameters only.
        guard number >= 128 else { throw LLRPError(.header, path: "parameter \(number)", offset: position) }
        var kind = LLRPKind.standard(number)
        if number == 1_023, length >= 12 {
            kind = .custom(vendor: bytes.bigEndian(at: position + 4, count: 4), subtype: bytes.bigEndian(at: position + 8, count: 4))
        }
        let result = try content(
            of: LLRPDefinitions.parameter(kind), from: position + 4, to: next, custom: LLRPDefinitions.customParameter, prefix: 8,
            depth: depth)
        position = next
        return LLRPParameter(definition: result.definition, kind: kind, content: result.content)
    }

    private func takeFields(
        of definition: LLRPDefinition, at position: inout Int, end: Int, into content: inout LLRPContent
    ) throws(LLRPError) {
        content.values.reserveCapacity(definition.fields.count)
        var reader = LLRPBitReader(bytes: bytes, position: position, end: end)
        var isReservedSet = false
        for item in definition.layout {
            switch item {
            case .reserved(let bits):
                guard let value = reader.take(bits: bits) else {
                    throw LLRPError(.shortField("reserved"), path: "", offset: reader.position)
                }
                isReservedSet = isReservedSet || value != 0
                content.reserved.append(value)
            case .field(let field):
                guard let value = reader.value(of: field.form) else {
                    throw LLRPError(.shortField(field.name), path: "", offset: reader.position)
                }
                content.values.append(value)
            }
        }
        if !isReservedSet { content.reserved = [] }
        position = reader.position
    }
}

/// Reads fields, some of them narrower than a byte.
private struct LLRPBitReader {
    let bytes: [UInt8]
    private(set) var position: Int
    let end: Int
    /// Bits of the byte at `position` that are read.
    private var usedBits = 0

    init(bytes: [UInt8], position: Int, end: Int) {
        self.bytes = bytes
        self.position = position
        self.end = end
    }

    /// nil when there are not that many left; at most 64.
    mutating func take(bits: Int) -> UInt64? {
        guard (end - position) * 8 - usedBits >= bits else { return nil }
        var value: UInt64 = 0
        if usedBits == 0, bits % 8 == 0 {
            for _ in 0..<bits / 8 {
                value = value << 8 | UInt64(bytes[position])
                position += 1
            }
            return value
        }
        for _ in 0..<bits {
            value = value << 1 | UInt64(bytes[position] >> UInt8(7 - usedBits) & 1)
            usedBits += 1
            if usedBits == 8 {
                usedBits = 0
                position += 1
            }
        }
        return value
    }

    mutating func take(bytes count: Int) -> [UInt8]? {
        guard end - position >= count else { return nil }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    mutating func value(of form: LLRPForm) -> LLRPValue? {
        switch form {
        case .unsigned(let bits): return take(bits: bits).map { .integer(Int128($0)) }
        case .signed(let bits):
            guard let value = take(bits: bits) else { return nil }
            return .integer(Int128(Int64(bitPattern: value << UInt64(64 - bits)) >> Int64(64 - bits)))
        case .epc96: return take(bytes: 12).map { .bytes($0) }
        case .rest: return take(bytes: end - position).map { .bytes($0) }
        case .bitVector:
            guard let count = take(bits: 16).map({ Int($0) }), let content = take(bytes: (count + 7) / 8) else { return nil }
            return LLRPBits(count: count, bytes: content).map { .bits($0) }
        case .byteVector, .text: return take(bits: 16).flatMap { take(bytes: Int($0)) }.map { .bytes($0) }
        case .wordVector: return integers(bytes: 2)
        case .doubleWordVector: return integers(bytes: 4)
        }
    }

    private mutating func integers(bytes width: Int) -> LLRPValue? {
        guard let count = take(bits: 16).map({ Int($0) }), end - position >= count * width else { return nil }
        var numbers: [UInt32] = []
        numbers.reserveCapacity(count)
        for _ in 0..<count {
            numbers.append(bytes.bigEndian(at: position, count: width))
            position += width
        }
        return .integers(numbers)
    }
}
