import Readings

/// Reads one table of a document: every value is checked for type and range, every problem is kept with its place, and keys that
/// nobody asked for are problems too.
public final class TOMLTableReader {
    public let document: TOMLDocument
    public let path: [TOMLPathStep]
    private let members: [String: JSON]
    private var asked: Set<String> = []
    private let collected: Collected

    /// The problems of a document, shared by the readers of its tables.
    private final class Collected {
        var problems: [TOMLProblem] = []
    }

    /// A reader of the whole document.
    public init(_ document: TOMLDocument) {
        self.document = document
        path = []
        members = document.root.object ?? [:]
        collected = Collected()
    }

    private init(_ parent: TOMLTableReader, path: [TOMLPathStep], members: [String: JSON]) {
        document = parent.document
        self.path = path
        self.members = members
        collected = parent.collected
    }

    /// All problems of the document so far, in the order of the file.
    public var problems: [TOMLProblem] { collected.problems.sorted { ($0.line ?? 0, $0.key) < ($1.line ?? 0, $1.key) } }

    public var keys: [String] { members.keys.sorted() }

    public func has(_ key: String) -> Bool { members[key] != nil }

    public func isList(_ key: String) -> Bool { members[key]?.array != nil }

    /// Notes a problem with a key of this table, or with the table itself.
    public func problem(_ key: String?, _ reason: String) {
        collected.problems.append(document.problem(key.map { path + [.key($0)] } ?? path, reason))
    }

    public func problem(at path: [TOMLPathStep], _ reason: String) {
        collected.problems.append(document.problem(path, reason))
    }

    private func take(_ key: String) -> JSON? {
        asked.insert(key)
        return members[key]
    }

    private func missing(_ key: String) {
        collected.problems.append(
            TOMLProblem(
                file: document.file, line: document.line(of: path), key: TOMLDocument.text(path + [.key(key)]), reason: "is missing"))
    }

    /// A string of at most `maximum` bytes without control characters other than line ends.
    public func string(_ key: String, maximum: Int = 200, isRequired: Bool = false) -> String? {
        guard let value = take(key) else {
            if isRequired { missing(key) }
            return nil
        }
        guard let text = value.string else {
            problem(key, "must be a string")
            return nil
        }
        guard !text.isEmpty, text.utf8.count <= maximum else {
            problem(key, text.isEmpty ? "is empty" : "is longer than \(maximum) bytes")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0.value != 0x0A || $0.value == 0x7F }) else {
            problem(key, "holds a control character")
            return nil
        }
        return text
    }

    public func integer(_ key: String, in range: ClosedRange<Int64>, isRequired: Bool = false) -> Int64? {
        guard let value = take(key) else {
            if isRequired { missing(key) }
            return nil
        }
        guard let number = value.integer else {
            problem(key, "must be an integer")
            return nil
        }
        guard range.contains(number) else {
            problem(key, "must be between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A number with or without a fraction.
    public func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = take(key) else { return nil }
        guard let number = value.double else {
            problem(key, "must be a number")
            return nil
        }
        guard range.contains(number) else {
            problem(key, "must be between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return number
    }

    public func bool(_ key: String) -> Bool? {
        guard let value = take(key) else { return nil }
        guard let flag = value.bool else {
            problem(key, "must be true or false")
            return nil
        }
        return flag
    }

    /// One of the words of an enumeration.
    public func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, of type: Choice.Type = Choice.self, isRequired: Bool = false)
        -> Choice?
    where Choice.RawValue == String {
        guard let text = string(key, isRequired: isRequired) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            problem(key, "must be one of " + Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
            return nil
        }
        return choice
    }

    /// Bytes written as hexadecimal text, `"A0 03 01 72 EA"`.
    public func bytes(_ key: String, maximum: Int = 256, isRequired: Bool = false) -> [UInt8]? {
        guard let text = string(key, maximum: maximum * 3, isRequired: isRequired) else { return nil }
        guard let bytes = Hex.bytes(text), !bytes.isEmpty, bytes.count <= maximum else {
            problem(key, "must be 1 to \(maximum) bytes in hexadecimal")
            return nil
        }
        return bytes
    }

    /// A time in milliseconds.
    public func milliseconds(_ key: String, in range: ClosedRange<Int64>) -> Instant.Span? {
        integer(key, in: range).map(Instant.Span.milliseconds)
    }

    /// A list of strings.
    public func strings(_ key: String, maximumCount: Int = 100, maximum: Int = 200) -> [String]? {
        guard let value = take(key) else { return nil }
        guard let elements = value.array, elements.count <= maximumCount else {
            problem(key, "must be a list of at most \(maximumCount) strings")
            return nil
        }
        var strings: [String] = []
        for (index, element) in elements.enumerated() {
            if let text = element.string, text.utf8.count <= maximum {
                strings.append(text)
            } else {
                problem(at: path + [.key(key), .index(index)], "must be a string of at most \(maximum) bytes")
            }
        }
        return strings
    }

    /// A list of integers.
    public func integers(_ key: String, in range: ClosedRange<Int64>, maximumCount: Int = 100) -> [Int64]? {
        guard let value = take(key) else { return nil }
        guard let elements = value.array, elements.count <= maximumCount else {
            problem(key, "must be a list of at most \(maximumCount) integers")
            return nil
        }
        var integers: [Int64] = []
        for (index, element) in elements.enumerated() {
            if let number = element.integer, range.contains(number) {
                integers.append(number)
            } else {
                problem(at: path + [.key(key), .index(index)], "must be an integer between \(range.lowerBound) and \(range.upperBound)")
            }
        }
        return integers
    }

    /// A table; nil when it is not there.
    public func table(_ key: String, isRequired: Bool = false) -> TOMLTableReader? {
        guard let value = take(key) else {
            if isRequired { missing(key) }
            return nil
        }
        guard let members = value.object else {
            problem(key, "must be a table")
            return nil
        }
        return TOMLTableReader(self, path: path + [.key(key)], members: members)
    }

    /// An array of tables; empty when it is not there.
    public func tables(_ key: String, maximumCount: Int = 100) -> [TOMLTableReader] {
        guard let value = take(key) else { return [] }
        guard let elements = value.array, elements.count <= maximumCount else {
            problem(key, "must be a list of at most \(maximumCount) tables")
            return []
        }
        return elements.enumerated().compactMap { index, element in
            let place = path + [.key(key), .index(index)]
            guard let members = element.object else {
                problem(at: place, "must be a table")
                return nil
            }
            return TOMLTableReader(self, path: place, members: members)
        }
    }

    /// Call when everything has been asked for: what is left is unknown.
    public func finish() {
        for key in members.keys.sorted() where !asked.contains(key) {
            let near = asked.sorted().first { Self.distance(key, $0) <= 2 }
            problem(key, "unknown key" + (near.map { "; did you mean \"\($0)\"?" } ?? ""))
        }
    }

    /// Insertions, deletions and replacements between two short words.
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8.prefix(64)), Array(right.utf8.prefix(64)))
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (character == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
