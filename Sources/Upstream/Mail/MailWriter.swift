import Ledger
import Readings
import SiteConfiguration

/// Makes the mails of one reminder, from what is known of people and things when it is sent.
struct MailWriter: Sendable {
    private let gateway: Site.Gateway
    private let from: MailAddress
    private let storekeepers: [MailAddress]
    private let language: Site.Language
    private let templates: MailTemplates
    private let reminders: ReminderBoard

    init(_ configuration: Site.Destination.Mail, gateway: Site.Gateway, reminders: ReminderBoard) {
        self.gateway = gateway
        from = configuration.from
        storekeepers = configuration.storekeepers
        language = configuration.language ?? gateway.language
        templates = MailTemplates(folder: configuration.templates)
        self.reminders = reminders
    }

    /// Somebody to be told.
    private struct Addressee {
        var recipient: ReminderRecipient
        var address: MailAddress
        var name: String?
        var language: Site.Language
        /// `borrower`, `storekeeper-2`.
        var part: String
        /// In whose place, where that is another.
        var inPlaceOf: [ReminderRecipient] = []
    }

    /// What is to be sent for one event.
    struct Mails: Sendable {
        /// One for each address.
        var messages: [MailMessage] = []
        /// Nobody knows where to reach them.
        var withoutAddress: [ReminderRecipient] = []
    }

    /// - Parameters:
    ///   - items: those of the reminder that are still out; one or more.
    ///   - date: of sending, milliseconds since 1970.
    /// - Throws: `MailTemplateError`.
    func mails(
        for reminder: Event.Reminder, items: [ItemKey], eventID: String, date milliseconds: Int64
    ) throws(MailTemplateError) -> Mails {
        var mails = Mails()
        let borrower = reminders.person(reminder.borrower)
        for addressee in addressees(of: reminder, borrower: borrower, &mails.withoutAddress) {
            let language = addressee.language
            let names = items.map { item in
                reminders.name(of: item).map { $0 == item.text ? $0 : "\($0) (\(item.text))" } ?? item.text
            }
            let first = items.first.map { reminders.name(of: $0) ?? $0.text } ?? ""
            let values: [MailTemplate.Name: String] = [
                .recipient: addressee.name ?? MailTemplates.words(addressee.recipient, language),
                .borrower: borrower?.name ?? reminder.borrower.text,
                .items: names.map { "  - \($0)" }.joined(separator: "\n"),
                .summary: MailTemplates.summary(first: first, more: items.count - 1, language),
                .count: "\(items.count)", .loan: reminder.loan.description, .due: Self.minute(reminder.due),
                .step: MailTemplates.words(reminder.step, language), .site: gateway.site, .gateway: gateway.code,
            ].mapValues { Self.flat($0) }
            var (subject, body) = try templates.template(reminder.step, addressee.recipient, language).filled(values)
            let notes = addressee.inPlaceOf.map { MailTemplates.note(unreachable: $0, language) }
            body = ([Self.trimmed(body)] + notes + [MailTemplates.footer(gateway: gateway.code, language)]).joined(separator: "\n\n") + "\n"
            subject = subject.split(whereSeparator: \.isNewline).joined(separator: ", ")
            mails.messages.append(
                MailMessage(
                    from: from, fromName: gateway.site, to: addressee.address, toName: addressee.name, subject: subject, body: body,
                    language: language,
                    date: WallTime(milliseconds: milliseconds, offsetMinutes: reminder.due.offsetMinutes, quality: .synchronised),
                    identifier: "\(eventID).\(addressee.part)"))
        }
        return mails
    }

    /// One for each address; a storekeeper stands in for whom nobody can reach.
    private func addressees(
        of reminder: Event.Reminder, borrower: Person?, _ missing: inout [ReminderRecipient]
    ) -> [Addressee] {
        var result: [Addressee] = []
        func add(_ addressee: Addressee) {
            guard let known = result.firstIndex(where: { $0.address.folded == addressee.address.folded }) else {
                return result.append(addressee)
            }
            result[known].inPlaceOf += addressee.inPlaceOf
        }
        func addStorekeepers(inPlaceOf others: [ReminderRecipient]) {
            for (index, address) in storekeepers.enumerated() {
                add(
                    Addressee(
                        recipient: .storekeeper, address: address, language: language, part: "storekeeper-\(index + 1)", inPlaceOf: others))
            }
        }
        for recipient in ReminderRecipient.allCases where reminder.to.contains(recipient) {
            switch recipient {
            case .borrower, .supervisor:
                let person = recipient == .borrower ? borrower : borrower?.supervisor.flatMap { reminders.person($0) }
                guard let person, let address = person.email else {
                    missing.append(recipient)
                    continue
                }
                add(
                    Addressee(
                        recipient: recipient, address: address, name: person.name, language: person.language ?? language,
                        part: recipient.rawValue))
            case .storekeeper:
                if storekeepers.isEmpty { missing.append(recipient) }
                addStorekeepers(inPlaceOf: [])
            }
        }
        let unreachable = missing.filter { $0 != .storekeeper }
        if !unreachable.isEmpty { addStorekeepers(inPlaceOf: unreachable) }
        return result
    }

    /// A value that is a list keeps its lines; a name has none.
    private static func flat(_ text: String) -> String { MailHeader.plain(text, keepsLines: true) }

    private static func trimmed(_ text: String) -> String {
        String(text.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// `2026-11-28 18:00`, at the site.
    private static func minute(_ time: WallTime) -> String {
        let text = time.rfc3339
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
    }
}
