import Glibc
import HTTPClient
import Ledger
import Readings
import SiteConfiguration

/// Tells people by mail what is due: `loan.reminded` becomes one mail for each address that it is for. Other events mean nothing here.
///
/// The receipt is the server's 250 to the end of the mail. What it never will take is a dead letter, for one address; everything else
/// stays in the queue. One event at a time: when the power goes between a 250 and the cursor, its mails go out once more, with the same
/// `Message-ID`.
public final class MailDestination: Destination {
    /// How long mails to one address are refused for the time being before they are given up, in milliseconds: one full mailbox must not
    /// keep reminders from everybody else for longer.
    static let delayPatience: Int64 = 86_400_000
    /// Mails refused for good in a row before the server, or how it is used, is taken to be wrong.
    static let refusalsInARow = BatchSizer.refusalsInARow

    private let configuration: Site.Destination.Mail
    private let writer: MailWriter
    private let reminders: ReminderBoard
    private let connection: MailConnection
    private let url: String
    private let progress = Guarded(Progress())
    private let clock: @Sendable () -> Int64

    /// What became of the mails of the event that is being delivered.
    private struct Progress: Sendable {
        var sequence: Int64 = 0
        /// Their identifiers.
        var settled: Set<String> = []
        var accepted = 0
        var refusals: [String] = []
        /// Since when mails to an address are refused for the time being, on the monotonic clock; over all events, so that an address that is
        /// wrong holds up everybody else for a day altogether, not for a day each time.
        var delayedSince: [String: Int64] = [:]
        var refusedInARow = 0

        mutating func begin(_ next: Int64) {
            guard sequence != next else { return }
            self = Progress(sequence: next, delayedSince: delayedSince, refusedInARow: refusedInARow)
        }
    }

    /// - Parameters:
    ///   - reminders: whom and what reminders are about, and what is still true.
    ///   - clock: monotonic, in milliseconds.
    /// - Throws: `DeliveryError` when the connection cannot be set up.
    public init(
        _ configuration: Site.Destination.Mail, gateway: Site.Gateway, reminders: ReminderBoard, stopSignal: StopSignal,
        clock: @escaping @Sendable () -> Int64 = MailDestination.monotonic
    ) throws(DeliveryError) {
        self.configuration = configuration
        self.reminders = reminders
        self.clock = clock
        writer = MailWriter(configuration, gateway: gateway, reminders: reminders)
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        url = "\(configuration.encryption == .implicit ? "smtps" : "smtp")://\(host):\(configuration.port)"
        do {
            connection = try MailConnection(tls: configuration.tls.files)
        } catch {
            throw .retryable(error.description)
        }
        stopSignal.onRequest { [weak connection] in connection?.cancel() }
    }

    public var tellsPeople: Bool { true }

    public static let monotonic: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    public func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
        guard let event = batch.first else { return Receipt(upTo: 0) }
        var receipt = Receipt(upTo: event.sequence)
        guard let reminder = event.reminder else {
            receipt.passedOver = 1
            return receipt
        }
        let items = reminders.itemsStillOut(of: reminder)
        guard !items.isEmpty else {
            receipt.outdated = 1
            return receipt
        }
        let mails: MailWriter.Mails
        do throws(MailTemplateError) {
            mails = try writer.mails(for: reminder, items: items, eventID: event.id, date: wallMilliseconds())
        } catch {
            throw .refused(error.description)
        }
        progress.update { $0.begin(event.sequence) }
        let waiting = mails.messages.filter { message in !progress.read { $0.settled.contains(message.identifier) } }
        var putOff: String?
        for (index, message) in waiting.enumerated() {
            let reason = try send(message, keepsConnection: batch.count > 1 || index + 1 < waiting.count)
            putOff = putOff ?? reason
        }
        // Whom one full mailbox is nothing to were told.
        if let putOff { throw .retryable(putOff) }
        let result = progress.read { $0 }
        receipt.withoutAddress = mails.withoutAddress.isEmpty ? 0 : 1
        if result.refusals.isEmpty {
            if result.accepted > 0 { receipt.delivered = 1 } else { receipt.passedOver = 1 }
        } else {
            receipt.rejections = [.init(sequence: event.sequence, reason: result.refusals.joined(separator: "; "))]
        }
        return receipt
    }

    /// - Returns: why this one mail must wait; nil: its fate is settled.
    /// - Throws: what keeps all mails in the queue.
    private func send(_ message: MailMessage, keepsConnection: Bool) throws(DeliveryError) -> String? {
        var transfer = MailTransfer(
            url: url, requiresTLS: configuration.encryption != .none, user: configuration.user, from: configuration.from.description,
            to: message.to.description, content: message.bytes, connectTimeout: min(configuration.timeoutSeconds, 10) * 1_000,
            totalTimeout: configuration.timeoutSeconds * 1_000, keepsConnection: keepsConnection)
        // Read for every mail, so that a new password needs no restart.
        if let file = configuration.passwordFile { transfer.password = try SecretFile.word(in: file, what: "password") }
        let part = message.identifier.split(separator: ".").last.map(String.init) ?? ""
        let isTaken: Bool
        do throws(MailError) {
            let isPlain = message.to.isASCII && configuration.from.isASCII
            isTaken = isPlain ? true : try connection.takesUTF8(transfer)
            if isTaken { try connection.send(transfer) }
        } catch {
            return try judge(error, message, part)
        }
        guard isTaken else {
            let which = message.to.isASCII ? "the sender's address" : "the address"
            try refuse(message, "to the \(part): \(which) has letters beyond ASCII, and the server offers no SMTPUTF8")
            return nil
        }
        progress.update { progress in
            progress.settled.insert(message.identifier)
            progress.accepted += 1
            progress.refusedInARow = 0
            progress.delayedSince[message.to.folded] = nil
        }
        return nil
    }

    /// - Returns: why this one mail must wait; nil: it is given up.
    private func judge(_ error: MailError, _ message: MailMessage, _ part: String) throws(DeliveryError) -> String? {
        switch MailVerdict(error, place: url, to: message.to) {
        case .stopped: throw .stopped
        case .wait(let reason):
            // A server that nobody reaches refuses nothing: whose patience is not used up begins anew.
            let now = clock()
            progress.update { $0.delayedSince = $0.delayedSince.filter { now - $0.value >= Self.delayPatience } }
            throw .retryable(reason)
        case .needsPerson(let reason): throw .refused(reason)
        case .never(let reason): try refuse(message, "to the \(part): \(reason)")
        case .notNow(let reason):
            let now = clock()
            let since = progress.update { progress in
                let since = progress.delayedSince[message.to.folded] ?? now
                progress.delayedSince[message.to.folded] = since
                return since
            }
            let text = "to the \(part): \(reason)"
            guard now - since >= Self.delayPatience else { return text }
            try refuse(message, "given up after a day, \(text)")
        }
        return nil
    }

    private func refuse(_ message: MailMessage, _ reason: String) throws(DeliveryError) {
        let isTooMuch = progress.update { progress in
            guard progress.refusedInARow < Self.refusalsInARow else { return true }
            progress.refusedInARow += 1
            progress.settled.insert(message.identifier)
            progress.refusals.append(reason)
            return false
        }
        if isTooMuch { throw .refused("the server refused the last \(Self.refusalsInARow) mails, now \(reason)") }
    }
}
