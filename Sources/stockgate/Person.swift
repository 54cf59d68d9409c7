import ArgumentParser
import Ledger
import OperatorText
import Readings
import SiteConfiguration

struct Person: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpPerson), subcommands: [Erase.self])

    struct Erase: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpPersonErase))

        @Argument(help: ArgumentHelp(.helpPersonReference))
        var person: String

        @Flag(name: .long, help: ArgumentHelp(.helpDryRun))
        var dryRun = false

        @Flag(name: .long, help: ArgumentHelp(.helpEraseYes))
        var yes = false

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let language = connection.language
            func ask(dryRun: Bool) throws -> JSON {
                try connection.send("POST", ["people", "erase"], body: ["person": .string(person), "dry_run": .bool(dryRun)])
            }
            if dryRun || !yes {
                let preview = try ask(dryRun: true)
                if dryRun, daemon.json { return Terminal.output.write(json: preview) }
                let terminal = daemon.json ? Terminal.errors : Terminal.output
                terminal.write(summary(preview, language))
                if dryRun { return }
                terminal.write(Text.eraseAsk(language))
                guard let answer = readLine(), ["y", "yes", "j", "是"].contains(answer.lowercased()) else {
                    throw CommandFailure.usage(Text.eraseKept(language))
                }
            }
            let answer = try ask(dryRun: false)
            if daemon.json { return Terminal.output.write(json: answer) }
            Terminal.output.write(
                Text.doneErased(language, ["person": Printable(escaping: answer["person"]?.string ?? "", limit: 128)]), .good)
            for file in answer["remaining"]?.array ?? [] {
                Terminal.output.write(
                    Text.eraseRemaining(language, ["file": Printable(escaping: file.string ?? "", limit: 400)]), .bad)
            }
        }

        private func summary(_ outcome: JSON, _ language: Site.Language) -> Printable {
            let rows = outcome["rows"]?.object?.values.reduce(0) { $0 + ($1.integer ?? 0) } ?? 0
            return Text.eraseSummary(
                language,
                [
                    "person": Printable(escaping: outcome["person"]?.string ?? "", limit: 128), "rows": Printable(rows),
                    "files": Printable(outcome["files"]?.integer ?? 0),
                ])
        }
    }
}
