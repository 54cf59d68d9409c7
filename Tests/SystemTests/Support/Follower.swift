import Control
import Foundation
import Readings
import Synchronization

/// Lines of one of the API's streams as they come: events, or what `stockgate watch` shows.
final class Follower: Sendable {
    private struct State {
        var lines: [JSON] = []
        var next = 0
    }

    private let state = Mutex(State())

    /// All events from the first one on.
    convenience init(eventsOf gateway: RunningGateway) throws {
        try self.init(gateway, ["events"], [("follow", "true"), ("after", "0"), ("limit", "1000")])
    }

    /// Everything that happens from now on.
    static func watching(_ gateway: RunningGateway) async throws -> Follower {
        let follower = try Follower(gateway, ["watch"], [])
        _ = try await follower.next("the watch begins") { $0["kind"] == "watching" }
        return follower
    }

    private init(_ gateway: RunningGateway, _ path: [String], _ query: [(String, String)]) throws {
        let client = try ControlClient(socket: gateway.client.socket)
        Thread.detachNewThread { [weak self] in
            // Ends with the daemon, or with whoever listens.
            try? client.lines(path, query) { line in
                guard let self else { return false }
                self.state.withLock { $0.lines.append(line) }
                return true
            }
        }
    }

    var lines: [JSON] { state.withLock { $0.lines } }

    /// Waits for a line behind the one that was awaited before.
    @discardableResult
    func next(_ what: String, within limit: Duration = .seconds(20), where isAwaited: (JSON) -> Bool) async throws -> JSON {
        do {
            return try await eventually(what, within: limit) {
                state.withLock { state in
                    guard let found = state.lines[state.next...].firstIndex(where: isAwaited) else { return nil }
                    state.next = found + 1
                    return state.lines[found]
                }
            }
        } catch {
            throw StoryFailure(description: "\(error); the stream said:\n\(lines.suffix(20).map(\.canonicalText).joined(separator: "\n"))")
        }
    }

    /// Waits for an event of a type.
    @discardableResult
    func next(type: String, within limit: Duration = .seconds(20)) async throws -> JSON {
        try await next("an event \(type)", within: limit) { $0["type"]?.string == type }
    }

    /// Waits for an exception of a kind.
    @discardableResult
    func next(exception kind: String) async throws -> JSON {
        try await next("an exception \(kind)") { $0["type"] == "exception.raised" && $0["data"]?["kind"]?.string == kind }
    }

    /// Waits for goods of a lot on a shelf.
    @discardableResult
    func next(lot: String) async throws -> JSON {
        try await next("lot \(lot) put away") { $0.lot == lot }
    }
}

extension JSON {
    /// The lot of an event of goods put away.
    var lot: String? { self["data"]?["stock"]?["lot"]?.string }
}
