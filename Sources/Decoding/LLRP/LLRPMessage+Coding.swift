extension LLRPMessage {
    /// Decodes one whole message, header included.
    ///
    /// Survives any bytes: throws, saying where, when lengths do not agree, fields are cut off, or a limit is exceeded. What it does not
    /// know it keeps, so that `encoded()` gives the same bytes.
    public init(_ frame: [UInt8], limits: LLRPLimits = LLRPLimits()) throws(LLRPError) {
        guard frame.count >= Self.headerLength, let header = LLRPHeader(frame) else {
            throw LLRPError(frame.count < Self.headerLength ? .messageLength(stated: 0, actual: frame.count) : .header, path: "")
        }
        guard header.length == frame.count else {
            throw LLRPError(.messageLength(stated: header.length, actual: frame.count), path: "", offset: 2)
        }
        var kind = LLRPKind.standard(header.type)
        if header.type == 1_023, frame.count >= 15 {
            kind = .custom(vendor: frame.bigEndian(at: 10, count: 4), subtype: UInt32(frame[14]))
        }
        let definition = LLRPDefinitions.message(kind)
        var decoder = LLRPTreeDecoder(bytes: frame, limits: limits)
        let content = try decoder.content(
            of: definition, from: Self.headerLength, to: frame.count, custom: LLRPDefinitions.customMessage, prefix: 5, depth: 0)
        self.init(version: header.version, definition: content.definition, kind: kind, id: header.id, content: content.content)
    }

    /// Decodes one whole message, header included, from a frame that a framer hands out.
    public init(_ frame: UnsafeRawBufferPointer, limits: LLRPLimits = LLRPLimits()) throws(LLRPError) {
        try self.init(Array(frame), limits: limits)
    }

    /// The bytes of the message, header included. Throws when a length does not fit its field.
    public func encoded() throws(LLRPError) -> [UInt8] {
        guard version <= 7 else { throw LLRPError(.header, path: name) }
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt64(version) << 10 | UInt64(type & 1_023), count: 2)
        bytes.append(bigEndian: 0, count: 4)
        bytes.append(bigEndian: UInt64(id), count: 4)
        if case .custom(let vendor, let subtype) = kind, definition !== LLRPDefinitions.customMessage {
            bytes.append(bigEndian: UInt64(vendor), count: 4)
            bytes.append(UInt8(truncatingIfNeeded: subtype))
        }
        try encodeContent(into: &bytes)
        guard let length = UInt32(exactly: bytes.count) else { throw LLRPError(.tooLong, path: name) }
        bytes.set(bigEndian: UInt64(length), count: 4, at: 2)
        return bytes
    }
}

extension LLRPParameter {
    func encode(into bytes: inout [UInt8]) throws(LLRPError) {
        if case .standard(let number) = kind, number < 128 {
            bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
            return try encodeContent(into: &bytes)
        }
        let start = bytes.count
        bytes.append(bigEndian: UInt64(kind.number), count: 2)
        bytes.append(bigEndian: 0, count: 2)
        if case .custom(let vendor, let subtype) = kind, definition !== LLRPDefinitions.customParameter {
            bytes.append(bigEndian: UInt64(vendor), count: 4)
            bytes.append(bigEndian: UInt64(subtype), count: 4)
        }
        try encodeContent(into: &bytes)
        guard let length = UInt16(exactly: bytes.count - start) else { throw LLRPError(.tooLong, path: name) }
        bytes.set(bigEndian: UInt64(length), count: 2, at: start + 2)
    }
}

extension LLRPElement {
    func encodeContent(into bytes: inout [UInt8]) throws(LLRPError) {
        var writer = LLRPBitWriter()
        var value = values.makeIterator()
        var unused = reserved.makeIterator()
        for item in definition?.layout ?? [] {
            switch item {
            case .reserved(let bits): writer.write(unused.next() ?? 0, bits: bits, into: &bytes)
            case .field(let field): if let next = value.next() { writer.write(next, of: field.form, into: &bytes) }
            }
        }
        for parameter in parameters {
            do { try parameter.encode(into: &bytes) } catch { throw error.below(name) }
        }
        bytes += rest
    }
}

/// Writes fields, some of them narrower than a byte.
private struct LLRPBitWriter {
    /// Bits not yet written, and how many.
    private var open: UInt8 = 0
    private var openBits = 0

    mutating func write(_ value: UInt64, bits: Int, into bytes: inout [UInt8]) {
        if openBits == 0, bits % 8 == 0 { return bytes.append(bigEndian: value, count: bits / 8) }
        for position in (0..<bits).reversed() {
            open = open << 1 | UInt8(truncatingIfNeeded: value >> UInt64(position) & 1)
            openBits += 1
            if openBits == 8 {
                bytes.append(open)
                open = 0
                openBits = 0
            }
        }
    }

    mutating func write(_ value: LLRPValue, of form: LLRPForm, into bytes: inout [UInt8]) {
        switch value {
        case .integer(let number): write(UInt64(truncatingIfNeeded: number), bits: form.bits ?? 0, into: &bytes)
        case .bits(let bits):
            bytes.append(bigEndian: UInt64(bits.count), count: 2)
            bytes += bits.bytes
        case .bytes(let content):
            if form != .rest, form != .epc96 { bytes.append(bigEndian: UInt64(content.count), count: 2) }
            bytes += content
        case .integers(let numbers):
            bytes.append(bigEndian: UInt64(numbers.count), count: 2)
            for number in numbers { bytes.append(bigEndian: UInt64(number), count: form == .wordVector ? 2 : 4) }
        }
    }
}

/// The ten bytes before the body of a message: reserved bits (3), version (3), type (10), length (32), id (32).
struct LLRPHeader {
    let version: UInt8
    let type: UInt16
    /// Of the whole message, header included.
    let length: Int
    let id: UInt32

    /// nil when the reserved bits are set or the version is none of LLRP (1: 1.0.1, 2: 1.1, 3: 2.0). `bytes` holds ten at the least.
    init?(_ bytes: some RandomAccessCollection<UInt8>) {
        var word: (high: UInt64, low: UInt16) = (0, 0)
        for (index, byte) in bytes.prefix(10).enumerated() {
            if index < 8 { word.high = word.high << 8 | UInt64(byte) } else { word.low = word.low << 8 | UInt16(byte) }
        }
        version = UInt8(truncatingIfNeeded: word.high >> 58)
        guard (1...3).contains(version) else { return nil }
        type = UInt16(truncatingIfNeeded: word.high >> 48) & 1_023
        length = Int(UInt32(truncatingIfNeeded: word.high >> 16))
        id = UInt32(UInt16(truncatingIfNeeded: word.high)) << 16 | UInt32(word.low)
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: UInt64, count: Int) {
        for position in (0..<count).reversed() { append(UInt8(truncatingIfNeeded: value >> UInt64(position * 8))) }
    }

    fileprivate mutating func set(bigEndian value: UInt64, count: Int, at index: Int) {
        for position in 0..<count { self[index + position] = UInt8(truncatingIfNeeded: value >> UInt64((count - 1 - position) * 8)) }
    }

    /// The caller has checked that the bytes are there.
    func bigEndian(at index: Int, count: Int) -> UInt32 {
        self[index..<index + count].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
