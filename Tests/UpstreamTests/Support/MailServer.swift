import Foundation
import HTTPClient
import Readings
import SiteConfiguration
import Testing

/// Runs `Tests/counterparts/smtp_server.py`: aiosmtpd, with Python's email package to read what came.
final class MailServer {
    private let counterpart: Counterpart
    private let connection: HTTPConnection
    private let control: String
    let port: UInt16

    init(_ behaviour: JSON = [:], _ arguments: [String] = [], port: UInt16 = 0) throws {
        counterpart = try Counterpart("smtp_server.py", ["--behaviour", behaviour.canonicalText, "--port", "\(port)"] + arguments)
        let ports = counterpart.firstLine.split(separator: " ").compactMap { UInt16($0) }
        try #require(ports.count == 2, "the counterpart did not start: see its message above")
        self.port = ports[0]
        control = "http://127.0.0.1:\(ports[1])/"
        connection = try HTTPConnection()
    }

    func stop() { counterpart.stop() }

    func control(_ changes: JSON) throws {
        #expect(try connection.perform(HTTPRequest("POST", control, body: changes.canonicalBytes)).status == 200)
    }

    func report() throws -> JSON { try JSON(parsing: connection.perform(HTTPRequest("GET", control)).body) }

    func mails() throws -> [JSON] { try report()["mails"]?.array ?? [] }

    func recipients() throws -> [String] { try mails().compactMap { $0["recipients"]?.array?.first?.string } }

    func count(_ name: String) throws -> Int64 { try report()["counts"]?[name]?.integer ?? -1 }

    /// As the site file would name it.
    func configuration(
        encryption: Site.Destination.Mail.Encryption = .none, user: String? = nil, passwordFile: String? = nil,
        tls: Site.Destination.TLS = .init(), storekeepers: [String] = ["crib@example.com"], language: Site.Language? = .english,
        templates: String? = nil, timeoutSeconds: Int = 10
    ) throws -> Site.Destination.Mail {
        Site.Destination.Mail(
            host: "127.0.0.1", port: port, encryption: encryption, user: user, passwordFile: passwordFile, tls: tls,
            from: try #require(MailAddress("stockgate@example.com")), storekeepers: storekeepers.compactMap(MailAddress.init),
            language: language, templates: templates, timeoutSeconds: timeoutSeconds)
    }
}
