import Foundation
import HTTPClient
import Readings
import Testing

/// Runs `Tests/counterparts/epcis_server.py`, the independent receiver.
final class EPCISServer {
    let port: Int
    private let counterpart: Counterpart
    private let connection: HTTPConnection

    static let vectors = ProcessInfo.processInfo.environment["STOCKGATE_VECTORS"]

    let url: String

    /// - Parameter tls: where it speaks HTTPS, what a client needs.
    init(
        port: Int = 0, behaviour: JSON = [:], arguments: [String] = [], tls: TLSFiles = TLSFiles(), host: String = "127.0.0.1"
    ) throws {
        counterpart = try Counterpart(
            "epcis_server.py", ["--port", "\(port)", "--host", host, "--behaviour", behaviour.canonicalText] + arguments)
        self.port = try #require(Int(counterpart.firstLine), "the counterpart did not start: see its message above")
        url = "\(tls.isEmpty ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(self.port)"
        connection = try HTTPConnection(tls: tls)
    }

    func stop() { counterpart.stop() }

    func control(_ changes: JSON) throws {
        let response = try connection.perform(
            HTTPRequest("POST", "\(url)/control", headers: [.init("Content-Type", "application/json")], body: changes.canonicalBytes))
        #expect(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
    }

    /// What the server counted and stored.
    func report() throws -> Report {
        let response = try connection.perform(HTTPRequest("GET", "\(url)/control"))
        return Report(json: try JSON(parsing: response.body))
    }

    struct Report {
        var json: JSON

        /// Ids of the stored events, in the order of arrival.
        var events: [String] { (json["events"]?.array ?? []).compactMap(\.string) }
        var problems: [String] { (json["problems"]?.array ?? []).compactMap(\.string) }
        var isValidating: Bool { json["validating"]?.bool ?? false }

        func count(_ name: String) -> Int64 { json["counts"]?[name]?.integer ?? -1 }
    }
}
