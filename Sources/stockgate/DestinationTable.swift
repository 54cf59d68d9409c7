import OperatorText
import Readings
import SiteConfiguration

/// Destinations and how far each got.
enum DestinationTable {
    static func print(_ answer: JSON, _ language: Site.Language) {
        let destinations = answer["destinations"]?.array ?? []
        guard !destinations.isEmpty else { return Terminal.output.write(Text.emptyDestinations(language)) }
        var table = Table(
            [.headDestination, .headKind, .headState, .headDelivered, .headWaiting, .headSince, .headProblem], numeric: [3, 4], language)
        for destination in destinations {
            func text(_ member: String) -> Printable { Printable(escaping: destination[member]?.string ?? "", limit: 200) }
            let state = destination["state"]?.string
            let style: Terminal.Style =
                switch state {
                case "idle", "sending": .good
                case "backing_off", "holding": .warning
                default: .bad
                }
            table.add([
                .init(text("name")), .init(text("kind")), .init(Text.code(state, of: "destination", language), style),
                .number(destination["cursor"]?.integer), .number(destination["waiting"]?.integer),
                .init(TimeText.relative(destination["oldest"]?.string, now: answer["time"]?.string, language)), .init(text("problem")),
            ])
        }
        table.print()
        for destination in destinations {
            let (outdated, unreachable) = (destination["outdated"]?.integer ?? 0, destination["without_address"]?.integer ?? 0)
            guard outdated + unreachable > 0 else { continue }
            let name = Printable(escaping: destination["name"]?.string ?? "", limit: 64)
            let values = ["name": name, "outdated": Printable(outdated), "unreachable": Printable(unreachable)]
            Terminal.output.write(Text.destinationReminders(language, values), unreachable > 0 ? .warning : .plain)
        }
    }
}
