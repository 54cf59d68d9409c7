import Readings
import Testing

/// A real HTTP server that takes EPCIS events: `Tests/counterparts/epcis_server.py`, written apart from the gateway's code.
final class CaptureServer: Sendable {
    let url: String
    private let server: ServerOnTheSide

    static func start(at place: Workplace) async throws -> CaptureServer {
        CaptureServer(try await ServerOnTheSide("epcis_server.py", at: place))
    }

    private init(_ server: ServerOnTheSide) {
        self.server = server
        url = "http://127.0.0.1:\(server.ports[0])"
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

    func control(_ changes: JSON) throws { try server.control(changes) }

    func report() throws -> Report { Report(json: try server.state()) }

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
