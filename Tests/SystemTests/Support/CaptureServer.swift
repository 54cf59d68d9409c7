import Foundation
import HTTPClient
import Readings
import Testing

/// A real HTTP server that takes EPCIS events: `Tests/counterparts/epcis_server.py`, written apart from the gateway's code.
final class CaptureServer: Sendable {
    let url: String
    private let child: Child
    private let connection: HTTPConnection

    static func start(at place: Workplace) async throws -> CaptureServer {
        let output = place.file("epcis-server.port")
        let child = try Child(
            Setting.python, ["-B", Setting.counterpart("epcis_server.py")], output: output, errors: place.file("epcis-server.log"))
        let port = try await eventually("the EPCIS server listens") { () -> Int? in
            let text = place.read("epcis-server.port")
            if child.status != nil { throw StoryFailure(description: place.read("epcis-server.log")) }
            return text.hasSuffix("\n") ? Int(text.dropLast()) : nil
        }
        return try CaptureServer(child, port: port)
    }

    private init(_ child: Child, port: Int) throws {
        self.child = child
        url = "http://127.0.0.1:\(port)"
        connection = try HTTPConnection()
    }

    struct Report {
        var json: JSON

        /// The ids of the stored events, in the order in which they came.
        var events: [String] { (json["events"]?.array ?? []).compactMap(\.string) }
        var problems: [String] { (json["problems"]?.array ?? []).compactMap(\.string) }
        var isValidating: Bool { json["validating"]?.bool ?? false }
        /// Events that came again; the server keeps each once.
        var duplicates: Int64 { json["counts"]?["duplicates"]?.integer ?? -1 }
    }

    func control(_ changes: JSON) throws {
        _ = try connection.perform(
            HTTPRequest("POST", "\(url)/control", headers: [.init("Content-Type", "application/json")], body: changes.canonicalBytes))
    }

    func report() throws -> Report {
        Report(json: try JSON(parsing: connection.perform(HTTPRequest("GET", "\(url)/control")).body))
    }

    /// Waits until as many events are stored, and checks that they are those of the log which go upstream, each once and in order.
    func hasExactly(_ events: [JSON]) async throws {
        let expected = events.filter { $0.isForUpstream }.compactMap { $0["id"]?.string }.map { "urn:uuid:\($0)" }
        let report = try await eventually("\(expected.count) events are upstream", within: .seconds(30)) { () -> Report? in
            let report = try self.report()
            return report.events.count >= expected.count ? report : nil
        }
        try #require(report.events == expected)
        try #require(report.problems == [])
        // With the test data there, nothing passes unvalidated.
        try #require(report.isValidating || !Setting.hasVectors)
    }
}

extension JSON {
    /// What has a form in EPCIS (`docs/upstream.md`).
    var isForUpstream: Bool { ["loan.checked_out", "loan.returned", "stock.put_away"].contains(self["type"]?.string) }
}
