extension JSON {
    /// The canonical form as UTF-8.
    public var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        write(into: &bytes)
        return bytes
    }

    /// Writes the canonical form behind what is there.
    public func appendCanonical(to bytes: inout [UInt8]) { write(into: &bytes) }

    /// Writes a string in canonical form, with its quotation marks, behind what is there.
    public static func appendCanonical(_ string: String, to bytes: inout [UInt8]) { write(string: string, into: &bytes) }

    /// The canonical form as text.
    public var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }

    /// The same, indented by two spaces for people. Not canonical, never hashed.
    public var prettyText: String {
        var bytes: [UInt8] = []
        write(into: &bytes, indentation: 0)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(into bytes: inout [UInt8], indentation: Int? = nil) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        // JSON has no infinities; null is what other writers give too.
        case .number(let value): bytes.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
        case .string(let value): Self.write(string: value, into: &bytes)
        case .array(let elements):
            write(elements, brackets: (0x5B, 0x5D), into: &bytes, indentation: indentation) { element, bytes, inner in
                element.write(into: &bytes, indentation: inner)
            }
        case .object(let members):
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            write(sorted, brackets: (0x7B, 0x7D), into: &bytes, indentation: indentation) { member, bytes, inner in
                Self.write(string: member.key, into: &bytes)
                bytes.append(0x3A)
                if inner != nil { bytes.append(0x20) }
                member.value.write(into: &bytes, indentation: inner)
            }
        }
    }

    private func write<Element>(
        _ elements: [Element], brackets: (UInt8, UInt8), into bytes: inout [UInt8], indentation: Int?,
        each: (Element, inout [UInt8], Int?) -> Void
    ) {
        bytes.append(brackets.0)
        let inner = indentation.map { $0 + 2 }
        for (position, element) in elements.enumerated() {
            if position > 0 { bytes.append(0x2C) }
            if let inner { bytes.append(contentsOf: ("\n" + String(repeating: " ", count: inner)).utf8) }
            each(element, &bytes, inner)
        }
        if let indentation, !elements.isEmpty { bytes.append(contentsOf: ("\n" + String(repeating: " ", count: indentation)).utf8) }
        bytes.append(brackets.1)
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Escapes what RFC 8259 section 7 demands, and DEL and the C1 controls besides: text from a barcode ends up in terminals.
    static func write(string: String, into bytes: inout [UInt8]) {
        bytes.append(0x22)
        defer { bytes.append(0x22) }
        // Nearly every text is plain.
        var text = string
        let isPlain = text.withUTF8 { units in
            guard units.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else { return false }
            bytes.append(contentsOf: units)
            return true
        }
        if isPlain { return }
        for scalar in string.unicodeScalars {
            switch scalar.value {
            case 0x22: bytes.append(contentsOf: [0x5C, 0x22])
            case 0x5C: bytes.append(contentsOf: [0x5C, 0x5C])
            case 0x0A: bytes.append(contentsOf: [0x5C, 0x6E])
            case 0x0D: bytes.append(contentsOf: [0x5C, 0x72])
            case 0x09: bytes.append(contentsOf: [0x5C, 0x74])
            case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069:
                bytes.append(contentsOf: [0x5C, 0x75])
                for shift in [12, 8, 4, 0] { bytes.append(hexDigits[Int(scalar.value >> UInt32(shift)) & 15]) }
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }
}
