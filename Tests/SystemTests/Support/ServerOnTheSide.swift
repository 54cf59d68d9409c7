import Foundation
import HTTPClient
import Readings

/// A server of `Tests/counterparts`, written apart from the gateway's code, that is steered and asked over HTTP.
final class ServerOnTheSide: Sendable {
    /// What it printed when it was ready; the last is the one that it is steered by.
    let ports: [Int]
    private let child: Child
    private let connection: HTTPConnection

    init(_ script: String, _ arguments: [String] = [], at place: Workplace) async throws {
        let name = place.file("\(script)-\(UUID().uuidString)")
        let child = try Child(
            Setting.python, ["-B", Setting.counterpart(script)] + arguments, output: name + ".ports", errors: name + ".log")
        ports = try await eventually("\(script) listens") { () -> [Int]? in
            func text(_ path: String) -> String { String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self) }
            if child.status != nil { throw StoryFailure(description: text(name + ".log")) }
            let line = text(name + ".ports")
            return line.hasSuffix("\n") ? line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) } : nil
        }
        self.child = child
        connection = try HTTPConnection()
    }

    /// Asks it to do something.
    func post(_ path: String, _ body: JSON) throws { _ = try connection.perform(HTTPRequest("POST", url(path), body: body.canonicalBytes)) }

    func control(_ changes: JSON) throws { try post("control", changes) }

    func state() throws -> JSON { try JSON(parsing: connection.perform(HTTPRequest("GET", url("control"))).body) }

    private func url(_ path: String) -> String { "http://127.0.0.1:\(ports.last ?? 0)/\(path)" }

    /// Ends it, so that its port is free for the next.
    func stop() async throws {
        child.closeInput()
        _ = try await child.end()
    }
}
