import ArgumentParser
import Control
import OperatorText
import Readings

struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpEvents))

    @Flag(name: [.customShort("f"), .long], help: ArgumentHelp(.helpFollow))
    var follow = false

    @Option(name: .long, help: ArgumentHelp(.helpType))
    var type: String?

    @Option(name: .long, help: ArgumentHelp(.helpStationOption, value: "name"))
    var station: String?

    @Option(name: .long, help: ArgumentHelp(.helpItem, value: "key"))
    var item: String?

    @Option(name: .long, help: ArgumentHelp(.helpAfter, value: "number"))
    var after: Int64?

    @Option(name: .long, help: ArgumentHelp(.helpLimit, value: "count"))
    var limit: Int = 20

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let bounds = EventQuery.limits
        guard bounds.contains(limit) else {
            throw CommandFailure.usage(
                Text.errorPositive(
                    daemon.output.language,
                    ["option": "--limit", "lower": Printable(bounds.lowerBound), "upper": Printable(bounds.upperBound)]))
        }
        let connection = try daemon.connect()
        var query = [("limit", String(limit))]
        if let after { query.append(("after", String(after))) }
        if let type { query.append(("type", type)) }
        if let station { query.append(("station", station)) }
        if let item { query.append(("subject", item)) }
        if follow {
            return try connection.lines(["events"], query + [("follow", "true")]) { event in
                daemon.json ? Terminal.output.write(json: event) : EventLine.print(event, connection.language)
                return true
            }
        }
        let events = try connection.get(["events"], query)["events"]?.array ?? []
        if !daemon.json, events.isEmpty {
            let isFiltered = type != nil || station != nil || item != nil
            return Terminal.output.write((isFiltered ? Text.emptyEventsFiltered : .emptyEvents)(connection.language))
        }
        for event in events { daemon.json ? Terminal.output.write(json: event) : EventLine.print(event, connection.language) }
    }
}
