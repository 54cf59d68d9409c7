/// Text that may be shown on a terminal or a page: it holds no control, format, bidirectional or unassigned character.
///
/// A barcode, a tag, a name from a file, even an answer of the daemon is data from a stranger. Everything that prints takes this type,
/// so that nothing is shown which was not escaped here.
public struct Printable: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// The characters kept of one value where the caller sets no other bound.
    public static let usualLimit = 200

    /// Escapes text of any origin. Control and other invisible characters become `\n`, `\t`, `\x1D` or `\u{202E}`, a backslash becomes
    /// two, more than four combining marks in a row are left out, and what is longer than `limit` characters ends in `…(+COUNT)`.
    public init(escaping raw: some StringProtocol, limit: Int = Printable.usualLimit) {
        var result = ""
        var shown = 0
        var marks = 0
        var rest = raw.unicodeScalars.startIndex
        let scalars = raw.unicodeScalars
        while rest < scalars.endIndex, shown < limit {
            let scalar = scalars[rest]
            rest = scalars.index(after: rest)
            if Self.isCombining(scalar) {
                marks += 1
                // A mark at the very start would attach itself to what stands before this text.
                if marks <= 4, !result.isEmpty { result.unicodeScalars.append(scalar) }
                continue
            }
            marks = 0
            shown += 1
            Self.append(scalar, to: &result)
        }
        let left = scalars[rest...].count
        text = left > 0 ? "\(result)…(+\(left))" : result
    }

    private init(safe text: String) {
        self.text = text
    }

    /// Numbers need no escaping.
    public init(_ number: some BinaryInteger) {
        text = String(number)
    }

    /// A text of the operator table, or of a literal in the source.
    static func literal(_ text: String) -> Printable { Printable(safe: text) }

    public var description: String { text }
    public var isEmpty: Bool { text.isEmpty }

    /// The columns that it takes on a terminal.
    public var width: Int { DisplayWidth.of(text) }

    /// This text in a field of at least `width` columns, padded with blanks.
    public func padded(to width: Int) -> Printable {
        Printable(safe: text + String(repeating: " ", count: max(0, width - self.width)))
    }

    /// At most `width` columns of it; what is cut ends in `…`.
    public func cut(to width: Int) -> Printable {
        guard self.width > width else { return self }
        var result = ""
        var used = 0
        for character in text {
            let columns = DisplayWidth.of(String(character))
            guard used + columns <= max(0, width - 1) else { break }
            result.append(character)
            used += columns
        }
        return Printable(safe: result + "…")
    }

    public static func + (left: Printable, right: Printable) -> Printable { Printable(safe: left.text + right.text) }

    private static func isCombining(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: true
        default: false
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
        switch scalar {
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        // The blank, and the wide blank that Chinese names are set with.
        case " ", "\u{3000}": result.unicodeScalars.append(scalar)
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                if scalar.value < 0x100 {
                    result += "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
                } else {
                    result += "\\u{\(digits)}"
                }
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}

extension Printable: ExpressibleByStringLiteral {
    /// Only what stands in the source; it may hold new lines and colours of ours.
    public init(stringLiteral value: StaticString) {
        text = value.description
    }
}

extension Sequence<Printable> {
    public func joined(separator: Printable) -> Printable {
        var result: Printable = ""
        for (position, element) in enumerated() { result = position == 0 ? element : result + separator + element }
        return result
    }
}
