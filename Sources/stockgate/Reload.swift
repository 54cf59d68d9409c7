import ArgumentParser
import OperatorText
import Readings

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpReload))

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let connection = try daemon.connect()
        let answer = try connection.send("POST", ["reload"])
        if daemon.json { return Terminal.output.write(json: answer) }
        let changed = (answer["changed"]?.array ?? []).compactMap(\.string)
        Terminal.output.write((changed.isEmpty ? Text.doneReloadSame : .doneReload)(connection.language), .good)
        for name in changed { Terminal.output.write("  " + Printable(escaping: name)) }
    }
}
