import ArgumentParser
import OperatorText
import Readings

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpBackup))

    @Option(name: .long, help: ArgumentHelp(.helpBackupTo, value: "folder"))
    var to: String?

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let connection = try daemon.connect()
        let answer = try connection.send("POST", ["backup"], body: .compact(["directory": to.map(JSON.string)]))
        if daemon.json { return Terminal.output.write(json: answer) }
        Terminal.output.write(
            Text.doneBackup(
                connection.language,
                [
                    "path": Printable(escaping: answer["path"]?.string ?? "", limit: 400), "last": Printable(answer["last"]?.integer ?? 0),
                    "bytes": Printable(answer["bytes"]?.integer ?? 0),
                ]), .good)
    }
}
