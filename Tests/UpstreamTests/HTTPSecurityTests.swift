import Foundation
import HTTPClient
import Ledger
import SiteConfiguration
import Testing
import Upstream

/// TLS as a technician meets it: what is wrong is refused, said in words, and costs no event.
@Suite struct HTTPSecurityTests {
    private func destination(
        _ url: String, _ tls: Site.Destination.TLS = .init(), proxy: String? = nil
    ) throws -> EPCISDestination {
        try EPCISDestination(
            .init(url: url, tls: tls, proxy: proxy),
            mapping: EPCISMapping(uriPrefix: "https://x.example", gatewayCode: "C1", usesOnlyCBV: false), batch: 10,
            stopSignal: StopSignal())
    }

    private func checkouts(_ numbers: ClosedRange<Int64>) throws -> [OutgoingEvent] {
        try SampleEvents.outgoing(numbers.map { SampleEvents.checkout($0) })
    }

    private func refusal(_ destination: EPCISDestination) throws -> (isRefused: Bool, reason: String) {
        let error = try #require(throws: DeliveryError.self) { try destination.deliver(checkouts(1...3)) }
        if case .refused(let reason) = error { return (true, reason) }
        return (false, error.description)
    }

    private func server(_ issued: CertificateAuthority.Issued, _ authority: CertificateAuthority, client: String? = nil) throws
        -> EPCISServer
    {
        try EPCISServer(
            arguments: ["--tls", issued.both] + (client.map { ["--client-authority", $0] } ?? []),
            tls: .init(authority: authority.certificate))
    }

    @Test func wrongAuthorityExpiredAndNameMismatch() throws {
        let authority = try CertificateAuthority()
        let other = try CertificateAuthority("other")
        let good = try server(authority.issue("good"), authority)
        #expect(
            try destination(good.url, .init(authorityFile: authority.certificate)).deliver(checkouts(1...3))
                == Receipt(upTo: 3, delivered: 3))
        for (url, file, part) in [
            (good.url, other.certificate, "was not issued by an authority in \(other.certificate)"),
            (good.url, nil, "was not issued by an authority in the system's authorities"),
            (good.url, "/nowhere/ca.pem", "/nowhere/ca.pem cannot be read"),

        ] as [(String, String?, String)] {
            let (isRefused, reason) = try refusal(destination(url, .init(authorityFile: file)))
            #expect(isRefused && reason.contains(part), "\(reason)")
        }
        #expect(try good.report().events.count == 3)
    }

    @Test(arguments: [
        ("old", CertificateAuthority.Validity.past, "IP:127.0.0.1", "has expired", true),
        ("new", .future, "IP:127.0.0.1", "not valid yet", false),
        ("elsewhere", .now, "DNS:elsewhere.example", "not made out to 127.0.0.1", true),
    ])
    func certificates(_ subject: String, _ validity: CertificateAuthority.Validity, _ names: String, _ part: String, _ refused: Bool) throws
    {
        let authority = try CertificateAuthority()
        let server = try EPCISServer(arguments: ["--tls", authority.issue(subject, names: names, validity).both])
        let (isRefused, reason) = try refusal(destination(server.url.https, .init(authorityFile: authority.certificate)))
        #expect(isRefused == refused)
        #expect(reason.contains(part), "\(reason)")
    }

    /// Revoked while the connection is open: the list is read again because its file has changed, without a restart.
    @Test func revocationIsNoticedWhenTheListChanges() throws {
        let authority = try CertificateAuthority()
        let issued = try authority.issue("server")
        try authority.publishList()
        let server = try server(issued, authority)
        let destination = try destination(server.url, .init(authorityFile: authority.certificate, revocationFile: authority.list))
        #expect(try destination.deliver(checkouts(1...3)).delivered == 3)
        try authority.revoke(issued)
        try authority.publishList()
        let (isRefused, reason) = try refusal(destination)
        #expect(isRefused)
        #expect(reason.contains("was revoked by its authority (\(authority.list))"), "\(reason)")
        #expect(try server.report().events.count == 3)
    }

    @Test func aListThatCannotBeUsedIsRefused() throws {
        let (authority, other) = (try CertificateAuthority(), try CertificateAuthority("other"))
        try other.publishList()
        let server = try server(authority.issue("server"), authority)
        for (list, part) in [
            (other.list, "holds no list of the authority"), ("/nowhere/crl.pem", "cannot be read"),
            (authority.certificate, "cannot be read"),
        ] {
            let (isRefused, reason) = try refusal(
                destination(server.url, .init(authorityFile: authority.certificate, revocationFile: list)))
            #expect(isRefused && reason.contains(part), "\(reason)")
        }
    }

    @Test func clientCertificateIsAskedForShownAndRenewed() throws {
        let authority = try CertificateAuthority()
        let stranger = try CertificateAuthority("stranger")
        let (mine, foreign) = (try authority.issue("gateway"), try stranger.issue("gateway"))
        // The server's own clients must show one too, so it is asked through the destination only.
        let server = try EPCISServer(
            arguments: ["--tls", authority.issue("server").both, "--client-authority", authority.certificate],
            tls: .init(authority: authority.certificate, certificate: mine.both))
        let without = try refusal(destination(server.url, .init(authorityFile: authority.certificate)))
        #expect(without.isRefused && without.reason.contains("certificate_file and key_file are not set"), "\(without.reason)")
        // One that the server does not know is put in the place of the right one, and the right one back.
        let shown = authority.file("shown.pem")
        try FileManager.default.copyItem(atPath: foreign.both, toPath: shown)
        let destination = try destination(server.url, .init(authorityFile: authority.certificate, certificateFile: shown))
        let wrong = try refusal(destination)
        #expect(wrong.isRefused && wrong.reason.contains("does not know the authority that issued \(shown)"), "\(wrong.reason)")
        try FileManager.default.removeItem(atPath: shown)
        try FileManager.default.copyItem(atPath: mine.both, toPath: shown)
        #expect(try destination.deliver(checkouts(1...3)).delivered == 3)
        try Data("nothing".utf8).write(to: URL(fileURLWithPath: shown))
        let broken = try refusal(destination)
        #expect(broken.isRefused && broken.reason.contains("cannot be used as our certificate"), "\(broken.reason)")
    }

    /// In TLS 1.3 what the server says of our certificate can be lost in the reset that our request causes; it is asked for once more.
    @Test(arguments: [true, false], 1...3) func aRefusalThatWasLostIsExplainedAllTheSame(isForeign: Bool, attempt: Int) throws {
        let (authority, stranger) = (try CertificateAuthority(), try CertificateAuthority("stranger"))
        let foreign = try stranger.issue("gateway").both
        let mine = try authority.issue("gateway")
        let server = try EPCISServer(
            arguments: ["--tls", authority.issue("server").both, "--client-authority", authority.certificate],
            tls: .init(authority: authority.certificate, certificate: mine.both))
        let relay = try ResettingRelay(to: server.port)
        let (isRefused, reason) = try refusal(
            destination(
                "https://127.0.0.1:\(relay.port)",
                .init(authorityFile: authority.certificate, certificateFile: isForeign ? foreign : nil)))
        #expect(isRefused)
        #expect(
            reason.contains(
                isForeign ? "does not know the authority that issued \(foreign)" : "certificate_file and key_file are not set"), "\(reason)"
        )
    }

    @Test func throughAProxy() throws {
        let proxy = try ScriptedServer { _ in [.send("HTTP/1.1 204 No Content\r\n\r\n")] }
        let destination = try destination("http://epcis.invalid/v2", proxy: "http://127.0.0.1:\(proxy.port)")
        #expect(try destination.deliver(checkouts(1...3)).delivered == 3)
        #expect(proxy.requests.first?.head.hasPrefix("POST http://epcis.invalid/v2/capture HTTP/1.1\r\n") == true)
    }

    @Test func overIPv6() throws {
        let authority = try CertificateAuthority()
        let tls = Site.Destination.TLS(authorityFile: authority.certificate)
        let server = try EPCISServer(
            arguments: ["--tls", authority.issue("server").both], tls: .init(authority: authority.certificate), host: "::1")
        #expect(try destination(server.url, tls).deliver(checkouts(1...3)).delivered == 3)
    }
}

extension String {
    fileprivate var https: String { replacingOccurrences(of: "http://", with: "https://") }
}
