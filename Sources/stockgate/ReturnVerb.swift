import ArgumentParser
import Ledger
import OperatorText
import Readings

struct ReturnVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "return", abstract: help(.helpReturn), subcommands: [Inspect.self])

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpReturnInspect))

        @Argument(help: ArgumentHelp(.helpItemKey))
        var item: String

        @Option(name: .long, help: ArgumentHelp(.helpResult))
        var result: Event.Inspection.Result

        @Option(name: .long, help: ArgumentHelp(.helpMissing, value: "key"))
        var missing: [String] = []

        @Option(name: .long, help: ArgumentHelp(.helpPhoto, value: "name"))
        var photo: String?

        @Option(name: .long, help: ArgumentHelp(LoanText.helpRemark, value: "text"))
        var note: String?

        @Option(name: .long, help: ArgumentHelp(.helpResponsible, value: "person"))
        var responsible: String?

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            try daemon.connect().change(
                ["items", item, "inspect"],
                [
                    "result": .string(result.rawValue), "missing": missing.isEmpty ? nil : .array(missing.map(JSON.string)),
                    "photo": photo.map(JSON.string), "note": note.map(JSON.string), "responsible": responsible.map(JSON.string),
                ], json: daemon.json)
        }
    }
}

extension Event.Inspection.Result: ExpressibleByArgument {}
