import Control
import Foundation
import HTTPClient
import Ledger
import Readings
import Testing

/// The daemon at a workplace, as `stockgated --config` starts it.
final class RunningGateway: Sendable {
    let place: Workplace
    /// nil: somebody else started it.
    private let own: Child?
    let client: ControlClient
    private let logPath: String

    /// Starts it and returns at once.
    init(at place: Workplace, site: String = "site.toml", arguments: [String] = [], environment: [String: String] = [:]) throws {
        self.place = place
        logPath = place.newLog()
        own = try Child(
            Setting.program("stockgated"), ["--config", place.file(site)] + arguments, environment: environment, errors: logPath)
        client = try ControlClient(socket: place.file("control.sock"))
    }

    /// One that somebody else starts, with its log in a file.
    init(startedElsewhereAt place: Workplace, log: String) throws {
        self.place = place
        (logPath, own) = (log, nil)
        client = try ControlClient(socket: place.file("control.sock"))
    }

    var child: Child {
        guard let own else { preconditionFailure("not started here") }
        return own
    }

    /// Starts it and waits until its API answers.
    static func start(at place: Workplace, arguments: [String] = [], environment: [String: String] = [:]) async throws -> RunningGateway {
        let gateway = try RunningGateway(at: place, arguments: arguments, environment: environment)
        try await gateway.logs("ready")
        return gateway
    }

    var log: String { String(decoding: FileManager.default.contents(atPath: logPath) ?? Data(), as: UTF8.self) }

    /// Waits for a line of the log with this text.
    func logs(_ text: String, times: Int = 1, within limit: Duration = .seconds(30)) async throws {
        try await eventually("the daemon logs \"\(text)\"", within: limit) {
            let lines = log.split(separator: "\n").count { $0.contains(text) }
            if lines < times, let status = own?.status { throw StoryFailure(description: "the daemon ended with \(status)") }
            return lines >= times ? true : nil
        }
    }

    /// Waits until a device was opened at a node, for the nth time.
    func opens(_ device: String, at node: String, times: Int = 1) async throws {
        try await logs("device opened device=\(device) path=\(node) ", times: times)
    }

    /// Waits for a text in the recording of what devices send.
    func records(_ text: String) async throws {
        try await eventually("\(text) is recorded") { () -> Bool? in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: place.file("recordings"))) ?? []
            return names.contains { place.read("recordings/\($0)").contains(text) } ? true : nil
        }
    }

    /// SIGTERM, and the exit code.
    @discardableResult
    func stop() async throws -> Int32 {
        child.send(SIGTERM)
        return try await child.end()
    }

    func get(_ path: String..., query: [(String, String)] = []) throws -> JSON { try client.get(path, query) }

    func importMaster(_ rows: some Sequence<JSON>) throws {
        _ = try client.importMaster(rows.map { try MasterRow(json: $0) }, dryRun: false)
    }

    /// Waits until a device is shown to be reading.
    func reads(_ device: String, within limit: Duration = .seconds(20)) async throws {
        try await eventually("\(device) is reading", within: limit) {
            try get("devices")["devices"]?.array?.first { $0["name"]?.string == device && $0["state"] == "reading" }
        }
    }

    func device(_ name: String) throws -> JSON {
        try #require(try get("devices")["devices"]?.array?.first { $0["name"]?.string == name })
    }

    /// How many frames, keys or bytes of a device were not understood.
    func rejects(of device: String) throws -> Int64 {
        (try self.device(device)["rejects"]?.object ?? [:]).values.reduce(0) { $0 + ($1.integer ?? 0) }
    }

    var residentKilobytes: Int {
        let status = (try? String(contentsOfFile: "/proc/\(child.identifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } } ?? 0
    }
}

extension RunningGateway {
    /// The bytes of an answer, as they came.
    func raw(_ path: String) throws -> [UInt8] {
        try HTTPConnection(unixSocket: place.file("control.sock")).perform(HTTPRequest("GET", "http://stockgate\(path)")).body
    }

    /// Waits until nothing of a device is worked on any more: neither readings nor rejects grow.
    func isIdle(_ device: String) async throws {
        var last: (JSON?, JSON?) = (nil, nil)
        var since = ContinuousClock.now
        try await eventually("\(device) is idle") { () -> Bool? in
            let shown = try self.device(device)
            let now = (shown["readings"], shown["rejects"])
            if now.0 != last.0 || now.1 != last.1 { (last, since) = (now, .now) }
            return ContinuousClock.now - since > .milliseconds(700) ? true : nil
        }
    }
}
