/// The value of one field. Literals of numbers, truth values, texts and arrays of numbers may stand for it; when a message is built,
/// a value is brought into the form of its field (a word of the standard into its number, `[1, 2]` into bytes for a byte vector).
public enum LLRPValue: Hashable, Sendable {
    /// Any integer of the protocol, from single bits (0, 1) and signed 8 bits to unsigned 64 bits.
    case integer(Int128)
    /// A bit vector.
    case bits(LLRPBits)
    /// A byte vector, 96 bits, UTF-8 text or opaque data.
    case bytes([UInt8])
    /// A vector of unsigned 16-bit or 32-bit integers.
    case integers([UInt32])

    public init(_ number: some BinaryInteger) { self = .integer(Int128(clamping: number)) }

    public init(_ flag: Bool) { self = .integer(flag ? 1 : 0) }

    /// A text, or the standard's word for a value of an enumerated field.
    public init(_ text: String) { self = .bytes(Array(text.utf8)) }

    public init(_ bytes: [UInt8]) { self = .bytes(bytes) }

    public init(_ numbers: some Sequence<some BinaryInteger>) { self = .integers(numbers.map { UInt32(clamping: $0) }) }
}

extension LLRPValue: ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    public init(integerLiteral value: Int64) { self = .integer(Int128(value)) }

    public init(booleanLiteral value: Bool) { self.init(value) }

    public init(stringLiteral value: String) { self.init(value) }

    public init(arrayLiteral elements: UInt32...) { self = .integers(elements) }
}

/// Fields by name, in any order; a dictionary literal may stand for them.
public struct LLRPFields: ExpressibleByDictionaryLiteral, Sendable {
    let pairs: [(name: String, value: LLRPValue)]

    public init(_ pairs: [(name: String, value: LLRPValue)]) {
        self.pairs = pairs
    }

    public init(dictionaryLiteral elements: (String, LLRPValue)...) {
        pairs = elements.map { ($0, $1) }
    }
}

/// A vector of bits, the first bit in the highest bit of the first byte.
public struct LLRPBits: Hashable, Sendable {
    /// The number of bits, 0...65535.
    public let count: Int
    /// The bits; those beyond `count` in the last byte are kept as they came and are 0 in vectors built here.
    public let bytes: [UInt8]

    /// nil when the bytes do not hold exactly that many bits.
    public init?(count: Int, bytes: [UInt8]) {
        guard count >= 0, count <= 65_535, bytes.count == (count + 7) / 8 else { return nil }
        self.count = count
        self.bytes = bytes
    }

    /// No bits.
    public static let none = LLRPBits(unchecked: 0, [])

    private init(unchecked count: Int, _ bytes: [UInt8]) {
        self.count = count
        self.bytes = bytes
    }

    /// All bits of whole bytes; nil for more than 8,191 bytes.
    public init?(_ bytes: [UInt8]) {
        self.init(count: bytes.count.multipliedReportingOverflow(by: 8).partialValue, bytes: bytes)
    }
}

/// Why bytes are no message, or why a message cannot be built or encoded.
public struct LLRPError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// The bytes are not as many as the header says; or fewer than a header.
        case messageLength(stated: Int, actual: Int)
        /// The version or the reserved bits of the message's header are not those of LLRP; or the length form of a parameter's header has
        /// the number of one that is written without a length.
        case header
        /// The bytes end inside this field.
        case shortField(String)
        /// The length of a parameter is less than its header or more than what is left.
        case parameterLength(stated: Int, available: Int)
        /// Parameters inside parameters, more levels than `LLRPLimits.depth`.
        case tooDeep
        /// More parameters than `LLRPLimits.parameters`.
        case tooManyParameters
        /// The definition table has no such message or parameter.
        case unknownName(String)
        /// The definition has no such field, or a field was given twice.
        case unknownField(String)
        /// The value is not of the field's form, or out of its range.
        case value(field: String)
        /// The parameter is longer than its 16-bit length can say, or the message than its 32-bit length.
        case tooLong
    }

    public let reason: Reason
    /// The names from the message down to where it happened, separated by `/`.
    public let path: String
    /// The byte of the message where it was found; 0 when building.
    public let offset: Int

    init(_ reason: Reason, path: String, offset: Int = 0) {
        self.reason = reason
        self.path = path
        self.offset = offset
    }

    func below(_ name: String) -> LLRPError { LLRPError(reason, path: path.isEmpty ? name : "\(name)/\(path)", offset: offset) }

    public var description: String { "\(path), byte \(offset): \(reason)" }
}

/// What a decoder of untrusted messages allows.
public struct LLRPLimits: Hashable, Sendable {
    /// Levels of parameters inside parameters; the deepest of the standard is seven.
    public var depth: Int
    /// Parameters in a whole message.
    public var parameters: Int

    public init(depth: Int = 24, parameters: Int = 500_000) {
        self.depth = depth
        self.parameters = parameters
    }
}
