import Ledger
import SiteConfiguration

/// The words of a mail with `{names}` to be filled in: a first line `Subject: …`, an empty line, and the text.
public struct MailTemplate: Hashable, Sendable {
    public static let maximumBytes = 64 << 10

    /// What may stand in braces.
    public enum Name: String, CaseIterable, Sendable {
        /// Whom the mail is for; of a storekeeper the word.
        case recipient
        case borrower
        /// The items, one a line.
        case items
        /// The first item, and how many more.
        case summary
        case count
        case loan
        case due
        /// How far it is, in words.
        case step
        case site
        case gateway
    }

    var subject: String
    var body: String

    /// - Throws: `MailTemplateError` for another form, or a name that nobody fills in.
    init(parsing text: String) throws(MailTemplateError) {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard let first = lines.first, first.hasPrefix("Subject:") else {
            throw MailTemplateError("the first line must be \"Subject: …\"")
        }
        subject = String(first.dropFirst("Subject:".count).drop { $0 == " " })
        guard lines.count > 2, lines[1].allSatisfy({ $0 == " " }), !subject.isEmpty else {
            throw MailTemplateError("after the subject an empty line and the text must follow")
        }
        body = lines[2...].joined(separator: "\n")
        for part in [subject, body] {
            for name in Self.names(in: part) where Name(rawValue: name) == nil {
                throw MailTemplateError(
                    "{\(printable(name))} is none of \(Name.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", "))")
            }
        }
    }

    /// Filled in once: what values hold in braces stays as it is.
    func filled(_ values: [Name: String]) -> (subject: String, body: String) {
        (Self.fill(subject, values), Self.fill(body, values))
    }

    private static func names(in text: String) -> [String] {
        pieces(of: text).compactMap { if case .name(let name) = $0 { String(name) } else { nil } }
    }

    private static func fill(_ text: String, _ values: [Name: String]) -> String {
        pieces(of: text).map { piece in
            switch piece {
            case .words(let words): String(words)
            case .name(let name): Name(rawValue: String(name)).flatMap { values[$0] } ?? ""
            }
        }.joined()
    }

    private enum Piece {
        case words(Substring)
        case name(Substring)
    }

    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            pieces.append(.words(rest[..<open]))
            pieces.append(.name(rest[rest.index(after: open)..<close]))
            rest = rest[rest.index(after: close)...]
        }
        return pieces + [.words(rest)]
    }
}

/// What is wrong with a template.
public struct MailTemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}

/// The templates of a destination: those of its folder, and the program's own where it has none.
public struct MailTemplates: Sendable {
    private let folder: String?

    /// - Parameter folder: read for every mail, so that a change needs no restart; nil: only the program's own.
    public init(folder: String?) {
        self.folder = folder
    }

    /// `overdue_2-supervisor.zh.txt`, `overdue-supervisor.zh.txt`: the first that is there.
    static func fileNames(_ step: ReminderStep, _ recipient: ReminderRecipient, _ language: Site.Language) -> [String] {
        let steps = step <= .dueToday ? [step.rawValue] : [step.rawValue, "overdue"]
        return steps.map { "\($0)-\(recipient.rawValue).\(language.rawValue).txt" }
    }

    /// - Throws: `MailTemplateError` naming the file that cannot be used.
    func template(
        _ step: ReminderStep, _ recipient: ReminderRecipient, _ language: Site.Language
    ) throws(MailTemplateError) -> MailTemplate {
        for name in folder == nil ? [] : Self.fileNames(step, recipient, language) {
            if let template = try read(name) { return template }
        }
        return try MailTemplate(parsing: Self.ownText(step, recipient, language))
    }

    /// nil: there is no such file.
    private func read(_ name: String) throws(MailTemplateError) -> MailTemplate? {
        let path = "\(folder ?? "")/\(name)"
        guard let bytes = try MailTemplateFile.bytes(of: path, limit: MailTemplate.maximumBytes) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw MailTemplateError("\(path): is not UTF-8") }
        do throws(MailTemplateError) { return try MailTemplate(parsing: text) } catch { throw MailTemplateError("\(path): \(error)") }
    }

    /// Everything that is wrong with the folder: files that would never be used, and those that cannot be.
    public var problems: [String] {
        guard let folder else { return [] }
        guard let names = MailTemplateFile.entries(of: folder) else { return ["\(folder): cannot be read"] }
        let known = Set(
            ReminderStep.allCases.flatMap { step in
                ReminderRecipient.allCases.flatMap { recipient in
                    Site.Language.allCases.flatMap { Self.fileNames(step, recipient, $0) }
                }
            })
        return names.filter { $0.hasSuffix(".txt") }.sorted().compactMap { name in
            guard known.contains(name) else {
                return "\(folder)/\(printable(name)): no mail has this name; STEP-RECIPIENT.LANGUAGE.txt, such as overdue-borrower.zh.txt"
            }
            do throws(MailTemplateError) {
                _ = try read(name)
                return nil
            } catch { return error.description }
        }
    }
}
