import Foundation
import Ledger
import Readings
import SiteConfiguration
import Testing

@testable import Upstream

/// What is wrong with TLS or a login is said in words, nothing is sent, and the reminder stays in the queue.
@Suite struct MailSecurityTests {
    private func scene() throws -> ReminderScene { try ReminderScene([("TOOL-1", 1, "p-1")]) }

    private func event() throws -> [OutgoingEvent] {
        try SampleEvents.outgoing([ReminderScene.reminder(7, loan: 1, ["TOOL-1"], borrower: "p-1")])
    }

    private func deliver(_ configuration: Site.Destination.Mail) throws -> Receipt {
        try MailDestination(configuration, gateway: ReminderScene.gateway, reminders: scene().board, stopSignal: StopSignal())
            .deliver(event())
    }

    private func refusal(_ configuration: Site.Destination.Mail) throws -> (isRefused: Bool, reason: String) {
        let error = try #require(throws: DeliveryError.self) { try deliver(configuration) }
        if case .refused(let reason) = error { return (true, reason) }
        return (false, error.description)
    }

    @Test(arguments: [Site.Destination.Mail.Encryption.startTLS, .implicit])
    func encryptedOrNotAtAll(encryption: Site.Destination.Mail.Encryption) throws {
        let (authority, other) = (try CertificateAuthority(), try CertificateAuthority("other"))
        let extra = encryption == .implicit ? ["--implicit"] : []
        let server = try MailServer([:], ["--tls", authority.issue("mail").both] + extra)
        func configuration(_ file: String?) throws -> Site.Destination.Mail {
            try server.configuration(encryption: encryption, tls: .init(authorityFile: file))
        }
        #expect(try deliver(configuration(authority.certificate)) == Receipt(upTo: 7, delivered: 1))
        #expect(try server.count("encrypted") == 1)
        for (file, part) in [
            (other.certificate, "was not issued by an authority in \(other.certificate)"),
            (nil, "was not issued by an authority in the system's authorities"), ("/nowhere/ca.pem", "/nowhere/ca.pem cannot be read"),
        ] as [(String?, String)] {
            let (isRefused, reason) = try refusal(configuration(file))
            #expect(isRefused && reason.contains(part), "\(reason)")
        }
        for (subject, validity, names, part, mustBeRefused) in [
            ("old", .past, "IP:127.0.0.1", "has expired", true), ("new", .future, "IP:127.0.0.1", "not valid yet", false),
            ("elsewhere", .now, "DNS:elsewhere.example", "not made out to 127.0.0.1", true),
        ] as [(String, CertificateAuthority.Validity, String, String, Bool)] {
            let wrong = try MailServer([:], ["--tls", authority.issue(subject, names: names, validity).both] + extra)
            let (isRefused, reason) = try refusal(
                wrong.configuration(encryption: encryption, tls: .init(authorityFile: authority.certificate)))
            #expect(isRefused == mustBeRefused && reason.contains(part), "\(reason)")
            #expect(try wrong.count("mails") == 0)
        }
        #expect(try server.count("mails") == 1)
    }

    @Test func withoutSTARTTLSNothingIsSentNorIsThePassword() throws {
        let folder = try TemporaryFolder()
        let password = folder.path + "/password"
        try "secret\n".write(toFile: password, atomically: true, encoding: .utf8)
        let server = try MailServer([:], ["--user", "crib", "--password", "secret"])
        let (isRefused, reason) = try refusal(server.configuration(encryption: .startTLS, user: "crib", passwordFile: password))
        #expect(isRefused && reason.contains("the server offers no STARTTLS, and nothing is sent without TLS"), "\(reason)")
        #expect(try server.count("logins") == 0 && server.count("mails") == 0)
    }

    @Test func revocationIsNoticedWhenTheListChanges() throws {
        let authority = try CertificateAuthority()
        let issued = try authority.issue("mail")
        try authority.publishList()
        let server = try MailServer([:], ["--tls", issued.both])
        let configuration = try server.configuration(
            encryption: .startTLS, tls: .init(authorityFile: authority.certificate, revocationFile: authority.list))
        let destination = try MailDestination(
            configuration, gateway: ReminderScene.gateway, reminders: scene().board, stopSignal: StopSignal())
        #expect(try destination.deliver(event()).delivered == 1)
        try authority.revoke(issued)
        try authority.publishList()
        let later = try SampleEvents.outgoing([ReminderScene.reminder(8, loan: 1, ["TOOL-1"], borrower: "p-1")])
        let error = #expect(throws: DeliveryError.self) { try destination.deliver(later) }
        #expect(error?.description.contains("was revoked by its authority (\(authority.list))") == true, "\(String(describing: error))")
        #expect(try server.count("mails") == 1)
    }

    @Test func loginWithAPasswordThatIsRenewed() throws {
        let authority = try CertificateAuthority()
        let password = authority.file("password")
        let server = try MailServer([:], ["--tls", authority.issue("mail").both, "--user", "crib", "--password", "secret"])
        func configuration(user: String? = "crib") throws -> Site.Destination.Mail {
            try server.configuration(
                encryption: .startTLS, user: user, passwordFile: user.map { _ in password },
                tls: .init(authorityFile: authority.certificate))
        }
        let without = try refusal(configuration(user: nil))
        #expect(without.isRefused && without.reason.contains("530"), "\(without.reason)")
        let missing = try refusal(configuration())
        #expect(missing.isRefused && missing.reason.contains("password file \(password)"), "\(missing.reason)")
        try "wrong\n".write(toFile: password, atomically: true, encoding: .utf8)
        let destination = try MailDestination(
            configuration(), gateway: ReminderScene.gateway, reminders: scene().board, stopSignal: StopSignal())
        let wrong = #expect(throws: DeliveryError.self) { try destination.deliver(event()) }
        guard case .refused(let reason)? = wrong else { return #expect(Bool(false), "\(String(describing: wrong))") }
        #expect(reason.contains("the server refused the login: 535") && !reason.contains("wrong"), "\(reason)")
        try "secret\n".write(toFile: password, atomically: true, encoding: .utf8)
        #expect(try destination.deliver(event()).delivered == 1)
        #expect(try server.count("logins") == 1)
    }

    /// A server that has no way to log in.
    @Test func noWayToLogIn() throws {
        let authority = try CertificateAuthority()
        let password = authority.file("password")
        try "secret".write(toFile: password, atomically: true, encoding: .utf8)
        let server = try MailServer([:], ["--tls", authority.issue("mail").both, "--no-login"])
        let (isRefused, reason) = try refusal(
            server.configuration(
                encryption: .startTLS, user: "crib", passwordFile: password, tls: .init(authorityFile: authority.certificate)))
        #expect(isRefused && reason.contains("no way to log in"), "\(reason)")
    }
}
