/// A mail address that can stand in an envelope and in a header without being able to change either.
///
/// `local@domain` of RFC 5321 section 4.1.2, the local part as a dot-string: no quotation marks, comments, address literals or source
/// routes, none of which people have. Letters beyond ASCII are taken (RFC 6531) for servers that offer SMTPUTF8.
public struct MailAddress: Hashable, Sendable, CustomStringConvertible {
    public let local: String
    public let domain: String

    /// RFC 5321 section 4.5.3.1.3: a path has 256 bytes, two of which are its brackets.
    public static let maximumBytes = 254
    /// RFC 5321 section 4.5.3.1.1.
    static let maximumLocalBytes = 64
    /// RFC 1035 section 2.3.4.
    static let maximumLabelBytes = 63

    /// nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let local = parts.first, let domain = parts.last, Self.isLocal(local), Self.isDomain(domain) else {
            return nil
        }
        self.local = String(local)
        self.domain = String(domain)
    }

    public var description: String { "\(local)@\(domain)" }

    /// Whether every server takes it: others need SMTPUTF8.
    public var isASCII: Bool { description.utf8.allSatisfy { $0 < 0x80 } }

    /// RFC 5321 section 2.4: domains are compared without case; mailboxes that differ in case only are one in practice.
    public var folded: String { description.lowercased() }

    private static func isLocal(_ text: Substring) -> Bool {
        text.utf8.count <= maximumLocalBytes
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
                !atom.isEmpty && atom.unicodeScalars.allSatisfy(isAtomText)
            }
    }

    private static func isDomain(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.count <= maximumLabelBytes && label.first != "-" && label.last != "-"
                && label.unicodeScalars.allSatisfy { $0 == "-" || isLetterOrDigit($0) }
        }
    }

    /// `atext` of RFC 5322 section 3.2.3, and letters of RFC 6532.
    private static func isAtomText(_ scalar: Unicode.Scalar) -> Bool {
        isLetterOrDigit(scalar) || "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains(scalar)
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark, .spacingMark,
            .decimalNumber:
            return true
        default: return false
        }
    }
}
