import Decoding
import TestSupport

/// Messages with any values that their definitions allow.
struct LLRPGenerator {
    var generator: SeededGenerator
    /// Every optional parameter once, every repeated one at least once, every choice in turn.
    var isThorough = false
    private var choice = 0

    init(seed: UInt64, isThorough: Bool = false) {
        generator = SeededGenerator(seed: seed)
        self.isThorough = isThorough
    }

    mutating func message(_ definition: LLRPDefinition, version: UInt8) throws -> LLRPMessage {
        let id = UInt32.random(in: 0 ... .max, using: &generator)
        return try LLRPMessage(
            definition.name, id: id, fields: fields(definition), parameters: parameters(definition, depth: 0), version: version)
    }

    mutating func parameter(_ definition: LLRPDefinition, depth: Int) throws -> LLRPParameter {
        try LLRPParameter(definition.name, fields: fields(definition), parameters: parameters(definition, depth: depth))
    }

    private mutating func parameters(_ definition: LLRPDefinition, depth: Int) throws -> [LLRPParameter] {
        var parameters: [LLRPParameter] = []
        for slot in definition.slots {
            let optional = depth < 7 && (isThorough ? depth < 6 : Bool.random(using: &generator)) ? 1 : 0
            var count = max(slot.minimum, optional)
            if slot.maximum > 1, count > 0, slot.names.count > 1, isThorough { count = slot.names.count }
            if slot.maximum > 1, count > 0, !isThorough { count += Int.random(in: 0...2, using: &generator) }
            for index in 0..<count {
                choice += 1
                let turn = isThorough ? (slot.maximum > 1 ? index : choice) : Int.random(in: 0..<100, using: &generator)
                var name = slot.names[turn % slot.names.count]
                if name == "Custom", !isThorough, Bool.random(using: &generator) { name = "ImpinjPeakRSSI" }
                guard let inner = LLRPDefinitions.parameter(named: name) else { continue }
                // An error within an error, and so on, must end.
                if inner === definition, depth > 2 { continue }
                parameters.append(try parameter(inner, depth: depth + 1))
            }
        }
        return parameters
    }

    private mutating func fields(_ definition: LLRPDefinition) -> LLRPFields {
        var fields: [(name: String, value: LLRPValue)] = []
        for field in definition.fields {
            // A vendor that nobody knows: a known one's would be read by its own row.
            let isVendor = field.name == "VendorIdentifier"
            fields.append((field.name, isVendor ? 0x00BA_DBAD : value(field.form, enumeration: field.enumeration)))
        }
        return LLRPFields(fields)
    }

    private mutating func value(_ form: LLRPForm, enumeration: String?) -> LLRPValue {
        if isThorough, form != .byteVector, let name = enumeration {
            return LLRPValue(LLRPDefinitions.enumeration(name).randomElement(using: &generator)?.value ?? 0)
        }
        let count = Int.random(in: 0...5, using: &generator)
        switch form {
        case .unsigned(let bits): return LLRPValue(UInt64.random(in: 0 ... .max, using: &generator) >> UInt64(64 - bits))
        case .signed(let bits): return LLRPValue(Int64.random(in: -1 << Int64(bits - 1)..<1 << Int64(bits - 1), using: &generator))
        case .epc96: return LLRPValue(bytes(12))
        case .bitVector:
            let bits = isThorough ? count * 16 : Int.random(in: 0...70, using: &generator)
            return .bits(LLRPBits(count: bits, bytes: bytes((bits + 7) / 8)) ?? .none)
        case .byteVector, .rest: return LLRPValue(isThorough ? Array(repeating: 1, count: count) : bytes(count))
        case .text: return isThorough ? "text" : LLRPValue(bytes(count))
        case .wordVector: return LLRPValue((0..<count).map { _ in UInt16.random(in: 0 ... .max, using: &generator) })
        case .doubleWordVector: return LLRPValue((0..<count).map { _ in UInt32.random(in: 0 ... .max, using: &generator) })
        }
    }

    private mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255, using: &generator) } }
}
