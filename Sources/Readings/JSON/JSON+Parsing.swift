/// Why a text is not JSON.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Bytes from the start of the text.
    public var offset: Int
    public var reason: String

    public var description: String { "byte \(offset): \(reason)" }
}

extension JSON {
    /// The deepest nesting accepted; deeper texts would exhaust the stack.
    public static let maximumDepth = 64

    /// Parses one JSON text (RFC 8259).
    /// - Throws: `JSONError` for anything else, also for a duplicate key, nesting deeper than `maximumDepth`, and bytes that follow.
    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }

    /// Parses one JSON text in UTF-8 (RFC 8259).
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var index = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw failure("something follows the value") }
        return value
    }

    private func failure(_ reason: String) -> JSONError { JSONError(offset: index, reason: reason) }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth < JSON.maximumDepth else { throw failure("nested too deeply") }
        skipSpace()
        guard index < bytes.count else { throw failure("a value is missing") }
        switch bytes[index] {
        case 0x7B: return try object(depth: depth)
        case 0x5B: return try array(depth: depth)
        case 0x22: return .string(try string())
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6E: return try word("null", .null)
        case 0x2D, 0x30...0x39: return try number()
        default: throw failure("no value starts with this character")
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        guard bytes.count - index >= text.utf8CodeUnitCount else { throw failure("unknown word") }
        for offset in 0..<text.utf8CodeUnitCount where bytes[index + offset] != text.utf8Start[offset] {
            throw failure("unknown word")
        }
        index += text.utf8CodeUnitCount
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        index += 1
        var elements: [JSON] = []
        skipSpace()
        if take(0x5D) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(0x5D) { return .array(elements) }
            guard take(0x2C) else { throw failure("expected , or ]") }
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        index += 1
        var members: [String: JSON] = [:]
        skipSpace()
        if take(0x7D) { return .object(members) }
        while true {
            skipSpace()
            guard index < bytes.count, bytes[index] == 0x22 else { throw failure("expected a key") }
            let key = try string()
            skipSpace()
            guard take(0x3A) else { throw failure("expected :") }
            guard members.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
                throw failure("the key \"\(key)\" stands twice")
            }
            skipSpace()
            if take(0x7D) { return .object(members) }
            guard take(0x2C) else { throw failure("expected , or }") }
        }
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = index
        _ = take(0x2D)
        let firstDigit = index
        skipDigits()
        guard index > firstDigit, index - firstDigit == 1 || bytes[firstDigit] != 0x30 else { throw failure("not a number") }
        var isInteger = true
        if take(0x2E) {
            isInteger = false
            let first = index
            skipDigits()
            guard index > first else { throw failure("not a number") }
        }
        if index < bytes.count, bytes[index] | 0x20 == 0x65 {
            isInteger = false
            index += 1
            if index < bytes.count, bytes[index] == 0x2B || bytes[index] == 0x2D { index += 1 }
            let first = index
            skipDigits()
            guard index > first else { throw failure("not a number") }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("the number is out of range") }
        return .number(value)
    }

    private mutating func skipDigits() {
        while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 { index += 1 }
    }

    private mutating func string() throws(JSONError) -> String {
        index += 1
        let start = index
        while index < bytes.count, bytes[index] != 0x22, bytes[index] != 0x5C, bytes[index] >= 0x20 { index += 1 }
        guard index < bytes.count else { throw failure("the string does not end") }
        if bytes[index] == 0x22 {
            guard let text = String(validating: bytes[start..<index], as: UTF8.self) else { throw failure("not UTF-8") }
            index += 1
            return text
        }
        var unescaped = Array(bytes[start..<index])
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 0x22:
                guard let text = String(validating: unescaped, as: UTF8.self) else { throw failure("not UTF-8") }
                return text
            case 0x5C: unescaped.append(contentsOf: try escape())
            case 0..<0x20: throw failure("a control character must be escaped")
            default: unescaped.append(byte)
            }
        }
        throw failure("the string does not end")
    }

    private mutating func escape() throws(JSONError) -> [UInt8] {
        guard index < bytes.count else { throw failure("the string does not end") }
        let byte = bytes[index]
        index += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: return [byte]
        case 0x62: return [0x08]
        case 0x66: return [0x0C]
        case 0x6E: return [0x0A]
        case 0x72: return [0x0D]
        case 0x74: return [0x09]
        case 0x75:
            var value = try hexadecimal()
            if value >> 10 == 0x36, take(0x5C), take(0x75) {
                let low = try hexadecimal()
                guard low >> 10 == 0x37 else { throw failure("a lone surrogate") }
                value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
            }
            guard let scalar = Unicode.Scalar(value) else { throw failure("a lone surrogate") }
            return Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw failure("unknown escape")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard index + 4 <= bytes.count else { throw failure("the string does not end") }
        var value: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
            default: throw failure("not a hexadecimal digit")
            }
        }
        index += 4
        return value
    }
}
