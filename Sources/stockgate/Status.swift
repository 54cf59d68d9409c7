import ArgumentParser
import OperatorText
import Readings

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpStatus))

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let connection = try daemon.connect()
        let status = try connection.get(["status"])
        let stations = try connection.get(["stations"])
        let destinations = try connection.get(["destinations"])
        if daemon.json {
            Terminal.output.write(json: [
                "status": status, "stations": stations["stations"] ?? .array([]),
                "destinations": destinations["destinations"] ?? .array([]),
            ])
            return
        }
        let language = connection.language
        let now = status["time"]?.string
        func text(_ member: String) -> Printable { Printable(escaping: status[member]?.string ?? "", limit: 64) }
        func number(_ group: String, _ member: String) -> Printable { Printable(status[group]?[member]?.integer ?? 0) }
        Terminal.output.write(
            Text.statusTitle(
                language,
                [
                    "gateway": text("gateway"), "site": text("site"), "version": text("version"),
                    "uptime": TimeText.duration(seconds: status["uptime_s"]?.integer ?? 0, language),
                ]), .heading)
        var lines = LabelledLines()
        lines.add(
            Text.labelOpen(language),
            Text.statusOpen(
                language,
                ["loans": number("open", "loans"), "overdue": number("open", "overdue"), "exceptions": number("open", "exceptions")]))
        lines.add(
            Text.labelDevices(language),
            Text.statusDevices(
                language,
                ["reading": number("devices", "reading"), "silent": number("devices", "silent"), "absent": number("devices", "absent")]))
        lines.add(Text.labelEvents(language), Printable(status["events"]?.integer ?? 0))
        let applied = TimeText.relative(status["master"]?["applied"]?.string, now: now, language)
        lines.add(
            Text.labelMaster(language),
            status["master"]?["version"]?.integer ?? 0 == 0
                ? Text.statusNoMaster(language) : Text.statusMaster(language, ["version": number("master", "version"), "ago": applied]))
        lines.add(Text.labelClock(language), Text.code(status["clock"]?.string, of: "clock", language))
        if let store = status["store"] {
            if store["reserve"] == false { lines.add(Text.labelDisk(language), Text.statusDiskFull(language)) }
            if let bytes = store["bytes_per_event"]?.integer {
                lines.add(Text.labelStore(language), Text.statusStore(language, ["bytes": Printable((bytes + 512) / 1_024)]))
            }
        }
        if status["lost"] != nil {
            lines.add(
                Text.labelLost(language),
                Text.statusLost(language, ["crossings": number("lost", "crossings"), "reads": number("lost", "late_reads")]))
        }
        if let recording = status["recording"] {
            lines.add(
                Text.labelRecording(language),
                Text.statusRecording(
                    language,
                    [
                        "file": Printable(escaping: recording["name"]?.string ?? "", limit: 80),
                        "bytes": Printable(recording["bytes"]?.integer ?? 0),
                        "ago": TimeText.relative(recording["since"]?.string, now: now, language),
                    ]))
        }
        lines.print()
        Terminal.output.write("")
        StationTable.print(stations, language)
        Terminal.output.write("")
        SourceTable.print(status, language)
        DestinationTable.print(destinations, language)
    }
}
