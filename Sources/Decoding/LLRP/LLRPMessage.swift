/// One message of the Low Level Reader Protocol: an element of the standard's (or a vendor's) definition table with its values.
///
/// Building one for a reader; fields that are left out are 0 or empty, enumerated fields take the standard's word or its number:
///
///     let start = try LLRPMessage("START_ROSPEC", id: 7, fields: ["ROSpecID": 123])
///     let add = try LLRPMessage("ADD_ROSPEC", id: 6, parameters: [
///         LLRPParameter("ROSpec", fields: ["ROSpecID": 123, "CurrentState": "Disabled"], parameters: [
///             LLRPParameter("ROBoundarySpec", parameters: [
///                 LLRPParameter("ROSpecStartTrigger", fields: ["ROSpecStartTriggerType": "Null"]),
///                 LLRPParameter("ROSpecStopTrigger", fields: ["ROSpecStopTriggerType": "Null"]),
///             ]),
///             …
///         ]),
///     ])
///     let bytes = try add.encoded()
///
/// Reading an answer:
///
///     let message = try LLRPMessage(frame)
///     if message.name == "ADD_ROSPEC_RESPONSE", let status = message.parameter("LLRPStatus"), status.integer("StatusCode") != 0 {
///         report(status.word("StatusCode"), status.text("ErrorDescription"))
///     }
///
/// The names of messages, parameters and fields stand in `LLRPDefinitions`. Sources: EPCglobal Low Level Reader Protocol 1.0.1 and 1.1.
public struct LLRPMessage: LLRPElement {
    /// The number of bytes before the body: reserved bits, version and type, length, message id (LLRP 1.1, section 8.1).
    public static let headerLength = 10

    /// 1: LLRP 1.0.1; 2: LLRP 1.1.
    public var version: UInt8
    public let definition: LLRPDefinition?
    public let kind: LLRPKind
    /// An answer carries the id of its question; reports and events carry ids of the reader's own.
    public var id: UInt32
    public internal(set) var values: [LLRPValue]
    public internal(set) var reserved: [UInt64] = []
    public var parameters: [LLRPParameter]
    public internal(set) var rest: [UInt8] = []

    /// A message by the name of its definition, for example `ADD_ROSPEC`.
    ///
    /// Throws when the table has no such message or field, or when a value does not fit its field.
    public init(
        _ name: String, id: UInt32, fields: LLRPFields = [:], parameters: [LLRPParameter] = [], version: UInt8 = 1
    ) throws(LLRPError) {
        guard let definition = LLRPDefinitions.message(named: name) else { throw LLRPError(.unknownName(name), path: name) }
        self.definition = definition
        self.version = version
        self.id = id
        values = try definition.values(fields)
        kind = definition.kind(with: values)
        self.parameters = parameters
    }

    init(version: UInt8, definition: LLRPDefinition?, kind: LLRPKind, id: UInt32, content: LLRPContent) {
        self.version = version
        self.definition = definition
        self.kind = kind
        self.id = id
        values = content.values
        reserved = content.reserved
        parameters = content.parameters
        rest = content.rest
    }

    /// The type number of the header, 0...1023; 1023 for a vendor's message.
    public var type: UInt16 { kind.number }
}

/// One parameter of a message, or of another parameter.
public struct LLRPParameter: LLRPElement {
    public let definition: LLRPDefinition?
    public let kind: LLRPKind
    public internal(set) var values: [LLRPValue]
    public internal(set) var reserved: [UInt64] = []
    public var parameters: [LLRPParameter]
    public internal(set) var rest: [UInt8] = []

    /// A parameter by the name of its definition, for example `ROSpec`; a vendor's parameter also has a name of its own there.
    ///
    /// Throws when the table has no such parameter or field, or when a value does not fit its field.
    public init(_ name: String, fields: LLRPFields = [:], parameters: [LLRPParameter] = []) throws(LLRPError) {
        guard let definition = LLRPDefinitions.parameter(named: name) else { throw LLRPError(.unknownName(name), path: name) }
        self.definition = definition
        values = try definition.values(fields)
        kind = definition.kind(with: values)
        self.parameters = parameters
    }

    init(definition: LLRPDefinition?, kind: LLRPKind, content: LLRPContent) {
        self.definition = definition
        self.kind = kind
        values = content.values
        reserved = content.reserved
        parameters = content.parameters
        rest = content.rest
    }
}

/// What a message or a parameter is.
public enum LLRPKind: Hashable, Sendable {
    /// A number of the standard, 0...1023. Parameters up to 127 are TV-encoded, without a length.
    case standard(UInt16)
    /// A vendor's own: IANA private enterprise number and the vendor's subtype (8 bits in messages, 32 bits in parameters).
    case custom(vendor: UInt32, subtype: UInt32)

    /// The type number on the wire; 1023 for a vendor's own.
    public var number: UInt16 {
        switch self {
        case .standard(let number): number
        case .custom: 1_023
        }
    }

    var isCustom: Bool { if case .custom = self { true } else { false } }
}

/// What messages and parameters have in common: values by name, parameters by name.
public protocol LLRPElement: Hashable, Sendable {
    var kind: LLRPKind { get }
    /// The definition; nil for a type number that the table does not know, whose bytes are all in `rest`. What is a vendor's own and has
    /// no row in the table has the definition `CUSTOM_MESSAGE` or `Custom`, with its bytes in the field `Data`.
    var definition: LLRPDefinition? { get }
    /// The values of the fields, in the order of the definition.
    var values: [LLRPValue] { get }
    /// The reserved bits in the order in which they stand, when one of them is not 0; empty when all are, as they should be.
    var reserved: [UInt64] { get }
    var parameters: [LLRPParameter] { get set }
    /// Bytes at the end that no definition describes: the body of something unknown, or what stands from an unknown TV parameter on.
    var rest: [UInt8] { get }
}

extension LLRPElement {
    /// The name in the definition table; `unknown 999` for a type number that is not there.
    public var name: String { definition?.name ?? "unknown \(kind.number)" }

    /// The value of a field; nil when there is no such field.
    public subscript(_ field: String) -> LLRPValue? {
        guard let index = definition?.fields.firstIndex(where: { $0.name == field }), index < values.count else { return nil }
        return values[index]
    }

    /// An integer field; nil when there is none of that name or it does not fit.
    public func integer(_ field: String) -> Int? {
        if case .integer(let number)? = self[field] { Int(exactly: number) } else { nil }
    }

    /// An integer field, for the unsigned 64-bit times; nil when there is none of that name or it is negative.
    public func unsigned(_ field: String) -> UInt64? {
        if case .integer(let number)? = self[field] { UInt64(exactly: number) } else { nil }
    }

    /// A field of one bit; false also when there is none of that name.
    public func isSet(_ field: String) -> Bool { integer(field) == 1 }

    /// The standard's word for the number in an enumerated field; the number in digits where it has no word.
    public func word(_ field: String) -> String? {
        guard case .integer(let number)? = self[field] else { return nil }
        let enumeration = definition?.fields.first { $0.name == field }?.enumeration
        return enumeration.flatMap { LLRPDefinitions.word(number, of: $0) } ?? String(number)
    }

    /// A byte vector, a 96-bit EPC, a text or opaque data, as bytes.
    public func bytes(_ field: String) -> [UInt8]? {
        switch self[field] {
        case .bytes(let bytes)?: bytes
        case .bits(let bits)?: bits.bytes
        default: nil
        }
    }

    /// A UTF-8 field as text; bytes that are not UTF-8 are replaced by U+FFFD. Text from a device: escape before printing.
    public func text(_ field: String) -> String? {
        if case .bytes(let bytes)? = self[field] { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    /// A vector of 16-bit or 32-bit integers.
    public func integers(_ field: String) -> [UInt32]? {
        if case .integers(let numbers)? = self[field] { numbers } else { nil }
    }

    /// A bit vector.
    public func bits(_ field: String) -> LLRPBits? {
        if case .bits(let bits)? = self[field] { bits } else { nil }
    }

    /// The first parameter of that name directly below this element.
    public func parameter(_ name: String) -> LLRPParameter? {
        guard let definition = LLRPDefinitions.parameter(named: name) else { return nil }
        return parameters.first { $0.definition === definition }
    }

    /// All parameters of that name directly below this element, in order.
    public func parameters(named name: String) -> [LLRPParameter] {
        guard let definition = LLRPDefinitions.parameter(named: name) else { return [] }
        return parameters.filter { $0.definition === definition }
    }

    /// The first parameter found by following names downward: `message.parameter(at: "ROSpec", "AISpec")`.
    public func parameter(at first: String, _ path: String...) -> LLRPParameter? {
        path.reduce(parameter(first)) { $0?.parameter($1) }
    }
}
