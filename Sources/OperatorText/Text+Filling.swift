import SiteConfiguration

/// A sentence in English and in Chinese, with the same `{placeholders}`.
public protocol OperatorSentence {
    var forms: (english: String, chinese: String) { get }
}

extension OperatorSentence {
    /// The words in one language, with `{placeholders}` filled in.
    /// - Parameter values: by placeholder; one without a value is left out.
    public func callAsFunction(_ language: Site.Language, _ values: [String: Printable] = [:]) -> Printable {
        let form = language == .chinese ? forms.chinese : forms.english
        guard form.utf8.contains(0x7B) else { return .literal(form) }
        var result = ""
        for piece in Self.pieces(of: form) {
            switch piece {
            case .words(let words): result += words
            case .placeholder(let name): result += values[name]?.text ?? ""
            }
        }
        return .literal(result)
    }

    /// The names of the placeholders of one language's form, sorted: both languages must have the same.
    public func placeholders(_ language: Site.Language) -> [String] {
        Self.pieces(of: language == .chinese ? forms.chinese : forms.english).compactMap { piece in
            if case .placeholder(let name) = piece { name } else { nil }
        }.sorted()
    }

    private static func pieces(of form: String) -> [SentencePiece] {
        var pieces: [SentencePiece] = []
        var rest = form[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            pieces.append(.words(rest[..<open]))
            pieces.append(.placeholder(String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
        }
        pieces.append(.words(rest))
        return pieces
    }
}

private enum SentencePiece {
    case words(Substring)
    case placeholder(String)
}

extension Text {
    /// The text for a code that an answer carries, for example `exception` and `no_badge`; the code itself, escaped, when this program is
    /// older than the daemon.
    public static func code(_ code: String?, of family: StaticString, _ language: Site.Language) -> Printable {
        guard let code else { return "" }
        guard let text = Text(rawValue: "\(family).\(code)") else { return Printable(escaping: code, limit: 64) }
        return text(language)
    }
}
