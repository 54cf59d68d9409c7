import Profiles
import SiteConfiguration
import Testing

@testable import Gateway

/// `[[source]]`: what is read, and what is said of mistakes.
@Suite("Sources in the site file")
struct SourceFileTests {
    private func parse(_ kind: String, _ lines: [String]) -> Result<Site, SiteProblems> {
        let text = (["[[source]]", "name = \"erp\"", "kind = \"\(kind)\""] + lines).joined(separator: "\n")
        return SiteFile.parse(SiteFileTests.head + text + "\n", file: "site.toml")
    }

    private func source(_ kind: String, _ lines: [String]) throws -> Site.Source {
        try #require(try parse(kind, lines).get().sources.first)
    }

    @Test("Everything that is written is read")
    func everything() throws {
        let tls = [
            "authority_file = \"/ca.pem\"", "certificate_file = \"/own.pem\"", "key_file = \"/own.key\"", "revocation_file = \"/ca.crl\"",
        ]
        let expected = Site.Destination.TLS(
            authorityFile: "/ca.pem", certificateFile: "/own.pem", keyFile: "/own.key", revocationFile: "/ca.crl")
        let lines = [
            "url = \"mqtts://[2001:db8::1]:8884\"", "version = \"5\"", "client_id = \"c\"", "user = \"u\"", "password_file = \"/p\"",
            "timeout_s = 9",
        ]
        let broker = Site.Broker(
            host: "2001:db8::1", port: 8_884, tls: expected, version: .v5, clientID: "c", user: "u", passwordFile: "/p", timeoutSeconds: 9)
        let source = try source("mqtt", lines + tls)
        #expect(source == Site.Source(name: "erp", kind: .mqtt(broker)) && source.kind.name == "mqtt")
        #expect(try self.source("mqtt", ["url = \"mqtt://broker\""]).kind == .mqtt(.init(host: "broker", port: 1_883)))
        #expect(
            try self.source("pull", ["url = \"https://x/v2/\"", "interval_s = 5", "proxy = \"http://p:1\""] + tls).kind
                == .pull(.init(url: "https://x/v2", tls: expected, proxy: "http://p:1", intervalSeconds: 5)))
        #expect(try self.source("folder", ["path = \"/in\""]).kind == .folder(path: "/in"))
    }

    @Test(
        "Mistakes are named, with their line",
        arguments: [
            ("mqtt", ["url = \"mqtt://u:p@x\""], "url", "must be mqtt://HOST:PORT"),
            ("mqtt", ["url = \"https://x\""], "url", "must be mqtt://HOST:PORT"),
            ("mqtt", ["url = \"mqtt://x\"", "revocation_file = \"/l\""], "revocation_file", "cannot be checked"),
            ("mqtt", ["url = \"mqtts://x\"", "key_file = \"/k\""], "key_file", "needs certificate_file"),
            ("mqtt", ["url = \"mqtt://x\"", "password_file = \"/p\""], "password_file", "needs user"),
            ("mqtt", ["url = \"mqtt://x\"", "version = \"4\""], "version", "must be one of \"3.1.1\", \"5\""),
            ("mqtt", ["url = \"mqtt://x\"", "receipt = \"broker\""], "receipt", "unknown key"),
            ("mqtt", ["url = \"mqtt://x\"", "interval_s = 5"], "interval_s", "unknown key"),
            ("pull", ["url = \"https://u:p@x\""], "url", "may hold no user or password"),
            ("pull", ["url = \"http://x\"", "authority_file = \"/l\""], "authority_file", "cannot be checked"),
            ("pull", ["url = \"http://x\"", "revocation_file = \"/l\""], "revocation_file", "cannot be checked"),
            ("pull", ["url = \"http://x\"", "certificate_file = \"/c\""], "certificate_file", "is never shown"),
            ("pull", ["url = \"https://x\"", "key_file = \"/k\""], "key_file", "needs certificate_file"),
            ("pull", ["url = \"https://x\"", "proxy = \"http://u:p@x\""], "proxy", "may hold no user or password"),
            ("pull", ["url = \"https://x\"", "proxy = \"socks5://x\""], "proxy", "must begin with"),
            ("push", [], "kind", "must be one of \"pull\", \"folder\", \"mqtt\""),
        ])
    func mistakes(_ kind: String, _ lines: [String], _ key: String, _ part: String) throws {
        guard case .failure(let failure) = parse(kind, lines) else {
            Issue.record("nothing is wrong")
            return
        }
        let problem = try #require(failure.problems.first)
        #expect(failure.problems.count == 1 && problem.key.hasSuffix(key) && problem.reason.contains(part), "\(failure.problems)")
        let head = SiteFileTests.head.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        #expect(problem.line == head + 3 + lines.count, "\(problem)")
    }

    @Test("A broker is among what the unit must let through")
    func network() throws {
        let text = "[[source]]\nname = \"erp\"\nkind = \"mqtt\"\nurl = \"mqtts://[2001:db8::1]\"\n"
        let site = try SiteFile.parse(SiteFileTests.head + text, file: "site.toml").get()
        let needs = ServiceNetwork.needs(of: site, resolve: { _ in [] }, nameServers: [])
        #expect(needs == [.init(what: "source erp", host: "2001:db8::1", addresses: ["2001:db8::1"])])
    }
}
