import ArgumentParser
import OperatorText
import Readings

struct Devices: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpDevices))

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let connection = try daemon.connect()
        let answer = try connection.get(["devices"])
        if daemon.json { return Terminal.output.write(json: answer) }
        let language = connection.language
        let devices = answer["devices"]?.array ?? []
        guard !devices.isEmpty else { return Terminal.output.write(Text.emptyDevices(language)) }
        var table = Table(
            [.headDevice, .headState, .headSince, .headLastReading, .headReadings, .headRejected, .headPort, .headProfile, .headReason],
            numeric: [4, 5], language)
        for device in devices {
            func text(_ member: String) -> Printable { Printable(escaping: device[member]?.string ?? "", limit: 200) }
            func age(_ member: String) -> Printable { TimeText.relative(device[member]?.string, now: answer["time"]?.string, language) }
            let rejects = (device["rejects"]?.object ?? [:]).values.reduce(Int64(0)) { $0 &+ ($1.integer ?? 0) }
            let state = device["state"]?.string
            let style: Terminal.Style = state == "reading" ? .good : state == "silent" ? .warning : .bad
            table.add([
                .init(text("name")), .init(Text.code(state, of: "device", language), style), .init(age("since")),
                .init(age("last_reading")),
                .number(device["readings"]?.integer), .number(rejects), .init(text("port")), .init(text("profile")), .init(text("reason")),
            ])
        }
        table.print()
    }
}
