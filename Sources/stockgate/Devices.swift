import ArgumentParser
import OperatorText
import Readings
import SiteConfiguration

struct Devices: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpDevices))

    @OptionGroup var daemon: DaemonOptions
    @Argument(help: "Only this device, with everything that is known of it.") var device: String?

    func run() throws {
        let connection = try daemon.connect()
        let answer = try connection.get(["devices"])
        let language = connection.language
        let devices = answer["devices"]?.array ?? []
        if let device {
            guard let report = devices.first(where: { $0["name"]?.string == device }) else {
                throw CommandFailure(
                    .negative, code: "no_such_device",
                    [
                        Text.errorNoDevice(language, ["device": Printable(escaping: device, limit: 64)]),
                        Text.hintDevices(language),
                    ])
            }
            if daemon.json { return Terminal.output.write(json: report) }
            return print(report, now: answer["time"]?.string, language)
        }
        if daemon.json { return Terminal.output.write(json: answer) }
        guard !devices.isEmpty else { return Terminal.output.write(Text.emptyDevices(language)) }
        var table = Table(
            [.headDevice, .headState, .headSince, .headLastReading, .headReadings, .headRejected, .headPort, .headProfile, .headReason],
            numeric: [4, 5], language)
        for device in devices {
            func text(_ member: String) -> Printable { Printable(escaping: device[member]?.string ?? "", limit: 200) }
            func age(_ member: String) -> Printable { TimeText.relative(device[member]?.string, now: answer["time"]?.string, language) }
            let rejects = (device["rejects"]?.object ?? [:]).values.reduce(Int64(0)) { $0 &+ ($1.integer ?? 0) }
            let state = device["state"]?.string
            var remarks = [text("reason")] + (device["notes"]?.array ?? []).map { Printable(escaping: $0.string ?? "", limit: 200) }
            if let failsafe = device["failsafe"]?.string { remarks.append(Text.code(failsafe, of: "failsafe", language)) }
            if let delay = device["grab_ms"]?.integer { remarks.append(Text.deviceGrabbed(language, ["ms": Printable(delay)])) }
            let style: Terminal.Style = state == "reading" ? .good : state == "silent" ? .warning : .bad
            table.add([
                .init(text("name")), .init(Text.code(state, of: "device", language), style), .init(age("since")),
                .init(age("last_reading")),
                .number(device["readings"]?.integer), .number(rejects), .init(text("port")), .init(text("profile")),
                .init(remarks.filter { !$0.isEmpty }.reduce("") { $0.isEmpty ? $1 : $0 + "; " + $1 }),
            ])
        }
        table.print()
        for device in devices {
            guard let advice = device["advice"]?.string else { continue }
            let name = Printable(escaping: device["name"]?.string ?? "", limit: 64)
            Terminal.output.write(
                Text.adviceLine(language, ["device": name, "advice": Text.code(advice, of: "advice", language)]), .warning)
        }
        // How a gate's antennas come round is seen by the station, and looked for here.
        for station in try connection.get(["stations"])["stations"]?.array ?? [] { StationTable.printHints(of: station, language) }
    }

    private func print(_ device: JSON, now: String?, _ language: Site.Language) {
        var lines = LabelledLines()
        func add(_ label: Text, _ member: String) {
            guard let text = device[member]?.string else { return }
            lines.add(label(language), Printable(escaping: text, limit: 400))
        }
        func addCounts(_ label: Text, _ member: String) {
            for (name, count) in (device[member]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
                lines.add(
                    label(language),
                    Text.deviceCount(language, ["what": Printable(escaping: name, limit: 200), "n": Printable(count.integer ?? 0)]))
            }
        }
        add(.headDevice, "name")
        lines.add(Text.headState(language), Text.code(device["state"]?.string, of: "device", language))
        add(.headReason, "reason")
        if let advice = device["advice"]?.string { lines.add(Text.labelAdvice(language), Text.code(advice, of: "advice", language)) }
        lines.add(Text.headSince(language), TimeText.relative(device["since"]?.string, now: now, language))
        if let last = device["last_reading"]?.string {
            lines.add(Text.headLastReading(language), TimeText.relative(last, now: now, language))
        }
        add(.headPort, "port")
        add(.headProfile, "profile")
        lines.add(Text.headReadings(language), Printable(device["readings"]?.integer ?? 0))
        for (label, member) in [(Text.labelNoReads, "no_reads"), (.labelLateReads, "late_reads")] {
            if let count = device[member]?.integer { lines.add(label(language), Printable(count)) }
        }
        addCounts(.headRejected, "rejects")
        addCounts(.labelFaults, "faults")
        for (step, answer) in (device["answers"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines.add(
                Text.labelAnswers(language),
                Text.deviceAnswer(
                    language,
                    ["step": Printable(escaping: step, limit: 64), "answer": Printable(escaping: answer.string ?? "", limit: 400)]))
        }
        for step in device["skipped"]?.array ?? [] {
            lines.add(Text.labelSkipped(language), Printable(escaping: step.string ?? "", limit: 200))
        }
        lines.print()
    }
}
