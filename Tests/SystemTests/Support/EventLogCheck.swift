import Foundation
import Readings
import Testing

/// The event log of a gateway that has ended, read and checked by a program of another language (`Tests/counterparts/event_log.py`).
struct EventLogCheck {
    var problems: [String]
    /// The stored bytes of every event, in order.
    var bodies: [String]

    init(of place: Workplace, state: String = "state") async throws {
        let run = try await place.run(Setting.python, ["-B", Setting.counterpart("event_log.py"), place.file(state)])
        try #require(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n").map(String.init)
        let head = try JSON(parsing: Array(try #require(lines.first).utf8))
        problems = (head["problems"]?.array ?? []).compactMap(\.string)
        bodies = Array(lines.dropFirst())
    }

    var events: [JSON] { get throws { try bodies.map { try JSON(parsing: Array($0.utf8)) } } }

    /// The lots that were put away, in order.
    var lots: [String] { get throws { try events.compactMap(\.lot) } }
}
