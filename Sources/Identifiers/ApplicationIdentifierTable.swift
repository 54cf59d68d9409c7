/// What the General Specifications say about one application identifier.
public struct ApplicationIdentifierFacts: Hashable, Sendable {
    /// The characters that a component may hold.
    public enum CharacterSet: UInt8, Hashable, Sendable {
        case digits, set82, set39, base64
    }

    /// One part of a value.
    public struct Component: Hashable, Sendable {
        public let characters: CharacterSet
        /// The least length in characters.
        public let minimum: Int
        /// The greatest length in characters.
        public let maximum: Int
        public let isOptional: Bool
        /// Checks of the content, in order. Names that this version does not know are left out.
        public let checks: [GS1Check]
    }

    public let components: [Component]
    /// Whether the length is predefined by the first two digits, so that no separator follows.
    public let isPredefinedLength: Bool
    /// Whether the AI may stand in the query of a Digital Link.
    public let isLinkAttribute: Bool
    /// Groups of which each must be met by one alternative; an alternative is met when all its patterns are present.
    let needs: [[[ApplicationIdentifierPattern]]]
    let excludes: [ApplicationIdentifierPattern]
    /// Permitted orders of the qualifiers, if this is a primary key of a Digital Link; nil if it is not.
    let keyQualifiers: [[ApplicationIdentifier]]?
    /// The GS1 data title.
    public let title: String

    /// Whether a Digital Link may begin with this AI.
    public var isLinkKey: Bool { keyQualifiers != nil }

    var predefinedLength: Int { components.reduce(0) { $0 + $1.maximum } }

    /// Whether these qualifiers may follow the key in this order.
    func permitsQualifiers(_ qualifiers: [ApplicationIdentifier]) -> Bool {
        guard let keyQualifiers else { return false }
        return keyQualifiers.contains { sequence in
            var rest = sequence[...]
            for qualifier in qualifiers {
                guard let index = rest.firstIndex(of: qualifier) else { return false }
                rest = rest[(index + 1)...]
            }
            return true
        }
    }
}

/// Identifiers whose last digits may be any, written with the letter n, such as 31nn.
struct ApplicationIdentifierPattern: Hashable, Sendable, CustomStringConvertible {
    let description: String
    private let digitCount: UInt8
    /// The digits before the first n as a number, and what the digits after them divide by.
    private let prefix: UInt16
    private let scale: UInt16

    init?(_ text: some StringProtocol) {
        let units = Array(text.utf8)
        let known = units.prefix(while: \.isASCIIDigit)
        guard (2...4).contains(units.count), !known.isEmpty, units[known.count...].allSatisfy({ $0 == 0x6E }),
            let number = Int(digits: known)
        else { return nil }
        description = String(text)
        digitCount = UInt8(units.count)
        prefix = UInt16(number)
        scale = units[known.count...].reduce(1) { scale, _ in scale * 10 }
    }

    func matches(_ ai: ApplicationIdentifier) -> Bool {
        ai.digitCount == digitCount && ai.number / scale == prefix
    }
}

/// The application identifiers of the General Specifications, read once from the rows of ``data``.
public enum ApplicationIdentifierTable {
    private static let parsed = parse(data)

    /// The facts of an identifier; nil for one that is not assigned.
    public static func facts(_ ai: ApplicationIdentifier) -> ApplicationIdentifierFacts? {
        parsed.facts[ai]
    }

    /// All assigned identifiers.
    public static var identifiers: [ApplicationIdentifier] { parsed.facts.keys.sorted() }

    /// Rows of the data that could not be read; a test holds this empty.
    static var unreadableRows: [String] { parsed.unreadable }

    /// The identifier at the start of bytes with its facts: no identifier is the start of another.
    static func match(_ bytes: ArraySlice<UInt8>) -> (ApplicationIdentifier, ApplicationIdentifierFacts)? {
        for count in 2...4 where bytes.count >= count {
            guard let ai = ApplicationIdentifier(digits: bytes.prefix(count)) else { return nil }
            if let facts = parsed.facts[ai] { return (ai, facts) }
        }
        return nil
    }

    private struct Parsed {
        var facts: [ApplicationIdentifier: ApplicationIdentifierFacts] = [:]
        var unreadable: [String] = []
    }

    private static func parse(_ text: String) -> Parsed {
        var result = Parsed()
        for line in text.split(separator: "\n") {
            if let (identifiers, facts) = parseRow(line) {
                for ai in identifiers { result.facts[ai] = facts }
            } else {
                result.unreadable.append(String(line))
            }
        }
        return result
    }

    private static func parseRow(_ line: Substring) -> ([ApplicationIdentifier], ApplicationIdentifierFacts)? {
        let columns = line.split(separator: "|", maxSplits: 4, omittingEmptySubsequences: false).map(trimmed)
        guard columns.count == 5, let identifiers = parseIdentifiers(columns[0]) else { return nil }
        let use = columns[1].split(separator: "+")
        guard let length = use.first, length == "fixed" || length == "open" else { return nil }
        var components: [ApplicationIdentifierFacts.Component] = []
        for word in columns[2].split(separator: " ") {
            guard let component = parseComponent(word) else { return nil }
            components.append(component)
        }
        var needs: [[[ApplicationIdentifierPattern]]] = []
        var excludes: [ApplicationIdentifierPattern] = []
        var keyQualifiers: [[ApplicationIdentifier]]?
        for rule in columns[3].split(separator: ";").map(trimmed) {
            let parts = rule.split(separator: "(", maxSplits: 1)
            let list = parts.count == 2 ? parts[1].dropLast() : ""
            switch parts.first {
            case "needs":
                needs.append(list.split(separator: " ").map { $0.split(separator: "+").compactMap { ApplicationIdentifierPattern($0) } })
            case "not": excludes += list.split(separator: " ").compactMap { ApplicationIdentifierPattern($0) }
            case "key":
                keyQualifiers = list.split(separator: "/", omittingEmptySubsequences: false).map { alternative in
                    alternative.split(separator: " ").compactMap { ApplicationIdentifier(String($0)) }
                }
            default: return nil
            }
        }
        guard !components.isEmpty else { return nil }
        return (
            identifiers,
            ApplicationIdentifierFacts(
                components: components, isPredefinedLength: length == "fixed", isLinkAttribute: use.contains("query"),
                needs: needs, excludes: excludes, keyQualifiers: keyQualifiers, title: String(columns[4]))
        )
    }

    /// One identifier, or a range such as `3100-3105`.
    private static func parseIdentifiers(_ text: Substring) -> [ApplicationIdentifier]? {
        let ends = text.split(separator: "-").compactMap { ApplicationIdentifier(String($0)) }
        guard let first = ends.first, let last = ends.last, first.digitCount == last.digitCount, first.number <= last.number else {
            return nil
        }
        return (first.number...last.number).map { ApplicationIdentifier(digitCount: first.digitCount, number: $0) }
    }

    private static func parseComponent(_ word: Substring) -> ApplicationIdentifierFacts.Component? {
        let parts = word.split(separator: ":")
        guard var size = parts.first, let letter = size.popFirst() else { return nil }
        let set: ApplicationIdentifierFacts.CharacterSet
        switch letter {
        case "n": set = .digits
        case "x": set = .set82
        case "y": set = .set39
        case "z": set = .base64
        default: return nil
        }
        let isVariable = size.first == "<"
        if isVariable { size = size.dropFirst() }
        let isOptional = size.last == "?"
        if isOptional { size = size.dropLast() }
        guard let maximum = Int(size), (1...99).contains(maximum) else { return nil }
        return .init(
            characters: set, minimum: isVariable ? 1 : maximum, maximum: maximum, isOptional: isOptional,
            checks: parts.dropFirst().compactMap { GS1Check(rawValue: String($0)) })
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return text
    }
}
