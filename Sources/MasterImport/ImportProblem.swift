import Readings

/// What is wrong with one place of a file.
public struct ImportProblem: Hashable, Sendable, CustomStringConvertible {
    public var file: String
    /// From 1, where the record begins; 0 for the file as a whole.
    public var line: Int
    /// The column or member as the file writes it.
    public var column: String?
    public var code: Code
    /// What the texts speak of: values, escaped and cut, or numbers.
    public var details: [String]

    public init(file: String, line: Int, column: String? = nil, _ code: Code, _ details: String...) {
        self.file = file
        self.line = line
        self.column = column.map(Self.shown)
        self.code = code
        self.details = details
    }

    /// `people.csv:3: badge: 1.23E+11 is in scientific notation`
    public var description: String { text(in: .english) }

    public func text(in language: ImportLanguage) -> String {
        let place = line > 0 ? "\(file):\(line): " : "\(file): "
        return place + (column.map { "\($0): " } ?? "") + message(in: language)
    }

    public func message(in language: ImportLanguage) -> String { filled(code.texts(in: language).message) }

    /// What the person can do; nil where the message says it.
    public func hint(in language: ImportLanguage) -> String? { code.texts(in: language).hint.map(filled) }

    private func filled(_ template: String) -> String {
        var text = ""
        var pieces = template.split(separator: "%", omittingEmptySubsequences: false)[...]
        if let first = pieces.popFirst() { text += first }
        for piece in pieces {
            let position = piece.first?.wholeNumberValue ?? 0
            text += details.indices.contains(position - 1) ? details[position - 1] : ""
            text += piece.dropFirst()
        }
        return text
    }

    /// A value of a file as it may be shown: quoted, control characters escaped, at most 64 characters.
    static func shown(_ value: String) -> String {
        let cut = value.count > 64 ? String(value.prefix(64)) + "…" : value
        return String(JSON.string(cut).canonicalText.dropFirst().dropLast())
    }
}

public enum ImportLanguage: String, Hashable, Sendable, CaseIterable {
    case english = "en"
    case chinese = "zh"
}

/// A file that was refused: none of it was taken.
public struct ImportRefusal: Error, Hashable, Sendable {
    /// In the order of the lines; at most `limit`.
    public var problems: [ImportProblem]
    public static let limit = 1_000

    public init(_ problems: [ImportProblem]) {
        self.problems = Array(problems.sorted { $0.line < $1.line }.prefix(Self.limit))
    }
}
