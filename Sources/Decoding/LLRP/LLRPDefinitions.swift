/// The messages, parameters and enumerations of LLRP and of the vendors known here, read from their tables at first use.
public enum LLRPDefinitions {
    /// The vendor number of Impinj among IANA's private enterprise numbers.
    public static let impinj: UInt32 = 25_882
    /// The vendor number of Zebra, formerly Motorola.
    public static let zebra: UInt32 = 161

    static let tables = LLRPTables(text: standard + "\n" + vendors + "\n" + words)

    /// The standard's definition of anything of a vendor that has no row of its own.
    static let customMessage = tables.messages.named["CUSTOM_MESSAGE"]
    static let customParameter = tables.parameters.named["Custom"]

    /// All messages, the standard's first.
    public static var messages: [LLRPDefinition] { tables.messages.all }
    /// All parameters, the standard's first.
    public static var parameters: [LLRPDefinition] { tables.parameters.all }

    public static func message(named name: String) -> LLRPDefinition? { tables.messages.named[name] }

    public static func parameter(named name: String) -> LLRPDefinition? { tables.parameters.named[name] }

    /// The values and words of an enumeration.
    public static func enumeration(_ name: String) -> [(value: Int, word: String)] { tables.enumerations[name] ?? [] }

    static func word(_ number: Int128, of enumeration: String) -> String? {
        tables.enumerations[enumeration]?.first { Int128($0.value) == number }?.word
    }

    static func number(_ word: String, of enumeration: String) -> Int? {
        tables.enumerations[enumeration]?.first { $0.word == word }?.value
    }

    static func message(_ kind: LLRPKind) -> LLRPDefinition? { tables.messages.definition(kind) ?? (kind.isCustom ? customMessage : nil) }

    static func parameter(_ kind: LLRPKind) -> LLRPDefinition? {
        tables.parameters.definition(kind) ?? (kind.isCustom ? customParameter : nil)
    }
}

/// The layout of one message or parameter.
public final class LLRPDefinition: Sendable {
    public let name: String
    public let kind: LLRPKind
    /// The fields without the reserved bits.
    public let fields: [LLRPField]
    /// Which parameters follow the fields, in the order of the standard.
    public let slots: [LLRPSlot]
    /// Fields and reserved bits as they stand.
    let layout: [Item]
    /// The bytes of all fields, where none is of variable length.
    let fixedLength: Int?

    enum Item: Hashable, Sendable {
        case field(LLRPField)
        case reserved(bits: Int)
    }

    init(name: String, kind: LLRPKind, layout: [Item], slots: [LLRPSlot]) {
        self.name = name
        self.kind = kind
        self.layout = layout
        self.slots = slots
        fields = layout.compactMap { if case .field(let field) = $0 { field } else { nil } }
        let bits = layout.reduce(Int?.some(0)) { sum, item in
            switch item {
            case .reserved(let bits): sum.map { $0 + bits }
            case .field(let field): sum.flatMap { sum in field.form.bits.map { sum + $0 } }
            }
        }
        fixedLength = bits.map { $0 / 8 }
    }
}

extension LLRPDefinition: Hashable {
    public static func == (left: LLRPDefinition, right: LLRPDefinition) -> Bool { left === right }

    public func hash(into hasher: inout Hasher) { hasher.combine(kind) }
}

/// One field.
public struct LLRPField: Hashable, Sendable {
    public let name: String
    public let form: LLRPForm
    /// The name of the enumeration that gives words to its numbers.
    public let enumeration: String?
}

/// How a field is written.
public enum LLRPForm: Hashable, Sendable {
    case unsigned(bits: Int)
    case signed(bits: Int)
    /// 96 bits.
    case epc96
    /// A number of bits, of bytes, of 16-bit or of 32-bit integers, or of UTF-8 bytes, after their 16-bit count.
    case bitVector
    case byteVector
    case wordVector
    case doubleWordVector
    case text
    /// Everything to the end.
    case rest

    init?(_ code: some StringProtocol) {
        switch code {
        case "u1", "u2", "u8", "u16", "u32", "u64": self = .unsigned(bits: Int(code.dropFirst()) ?? 0)
        case "s8", "s16", "s32": self = .signed(bits: Int(code.dropFirst()) ?? 0)
        case "u96": self = .epc96
        case "u1v": self = .bitVector
        case "u8v": self = .byteVector
        case "u16v": self = .wordVector
        case "u32v": self = .doubleWordVector
        case "utf8v": self = .text
        case "rest": self = .rest
        default: return nil
        }
    }

    /// The number of bits; nil where it varies.
    var bits: Int? {
        switch self {
        case .unsigned(let bits), .signed(let bits): bits
        case .epc96: 96
        default: nil
        }
    }
}

/// A place for parameters: which, and how many.
public struct LLRPSlot: Hashable, Sendable {
    /// The names of the parameters that may stand there; `Custom` stands for any vendor's.
    public let names: [String]
    public let minimum: Int
    public let maximum: Int
}

/// The definitions by number and by name.
struct LLRPIndex: Sendable {
    private(set) var all: [LLRPDefinition] = []
    private(set) var named: [String: LLRPDefinition] = [:]
    private var standard: [LLRPDefinition?] = Array(repeating: nil, count: 1_024)
    private var custom: [LLRPKind: LLRPDefinition] = [:]

    /// false when the name or the number is taken.
    mutating func add(_ definition: LLRPDefinition) -> Bool {
        guard named[definition.name] == nil, self.definition(definition.kind) == nil else { return false }
        named[definition.name] = definition
        all.append(definition)
        switch definition.kind {
        case .standard(let number): standard[Int(number & 1_023)] = definition
        case .custom: custom[definition.kind] = definition
        }
        return true
    }

    func definition(_ kind: LLRPKind) -> LLRPDefinition? {
        switch kind {
        case .standard(let number): number < 1_023 ? standard[Int(number)] : nil
        case .custom: custom[kind]
        }
    }
}
