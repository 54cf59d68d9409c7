/// Reads the rows of the definition tables. Rows that cannot be read are listed, and a test finds the list empty.
struct LLRPTables: Sendable {
    private(set) var messages = LLRPIndex()
    private(set) var parameters = LLRPIndex()
    private(set) var enumerations: [String: [(value: Int, word: String)]] = [:]
    private(set) var faults: [String] = []
    private var choices: [String: [String]] = [:]

    init(text: String) {
        let rows = text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }.filter { $0.count == 2 }
        for row in rows where row[0] == "choice" {
            let parts = row[1].split(separator: " ").map(String.init)
            if let name = parts.first { choices[name] = Array(parts.dropFirst()) }
        }
        for row in rows {
            let isGood =
                switch row[0] {
                case "message": definition(row[1]).map { messages.add($0) } ?? false
                case "parameter": definition(row[1]).map { parameters.add($0) } ?? false
                case "words": takeWords(row[1])
                case "choice": true
                default: false
                }
            if !isGood { faults.append(row.joined(separator: " ")) }
        }
        checkNames()
    }

    /// `177 ROSpec | u32 ROSpecID, u8 Priority | ROBoundarySpec Spec+`
    private func definition(_ row: String) -> LLRPDefinition? {
        let parts = row.split(separator: "|", omittingEmptySubsequences: false)
        let head = parts[0].split(separator: " ")
        guard parts.count == 3, head.count == 2, let kind = kind(String(head[0])) else { return nil }
        var layout: [LLRPDefinition.Item] = []
        for field in parts[1].split(separator: ",") where field.contains(where: { $0 != " " }) {
            let words = field.split(separator: " ")
            if words.count == 1, words[0].first == "r", let bits = Int(words[0].dropFirst()), (1...32).contains(bits) {
                layout.append(.reserved(bits: bits))
            } else if words.count == 2, let form = LLRPForm(words[0]) {
                let name = words[1].split(separator: ":").map(String.init)
                layout.append(.field(LLRPField(name: name[0], form: form, enumeration: name.count > 1 ? name[1] : nil)))
            } else {
                return nil
            }
        }
        let slots = parts[2].split(separator: " ").map { slot(String($0)) }
        return LLRPDefinition(name: String(head[1]), kind: kind, layout: layout, slots: slots)
    }

    private func kind(_ number: String) -> LLRPKind? {
        let parts = number.split(separator: ":")
        if parts.count == 2, let vendor = UInt32(parts[0]), let subtype = UInt32(parts[1]) {
            return .custom(vendor: vendor, subtype: subtype)
        }
        return UInt16(number).flatMap { $0 <= 1_023 ? .standard($0) : nil }
    }

    private func slot(_ text: String) -> LLRPSlot {
        let name = String(text.prefix { $0 != "?" && $0 != "*" && $0 != "+" })
        return LLRPSlot(
            names: choices[name] ?? [name], minimum: text.last == "?" || text.last == "*" ? 0 : 1,
            maximum: text.last == "*" || text.last == "+" ? .max : 1)
    }

    private mutating func takeWords(_ row: String) -> Bool {
        let parts = row.split(separator: " ").map(String.init)
        guard let name = parts.first, parts.count >= 3, parts.count % 2 == 1, enumerations[name] == nil else { return false }
        var entries: [(value: Int, word: String)] = []
        for index in stride(from: 1, to: parts.count, by: 2) {
            guard let value = Int(parts[index]) else { return false }
            entries.append((value, parts[index + 1]))
        }
        enumerations[name] = entries
        return true
    }

    /// Everything that a row names exists.
    private mutating func checkNames() {
        for definition in messages.all + parameters.all {
            for field in definition.fields {
                guard let enumeration = field.enumeration, enumerations[enumeration] == nil else { continue }
                faults.append("\(definition.name): \(enumeration)")
            }
            for name in definition.slots.flatMap(\.names) where parameters.named[name] == nil {
                faults.append("\(definition.name): \(name)")
            }
        }
    }
}
