import ArgumentParser
import OperatorText
import Readings

struct ToolVerb: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tool", abstract: help(.helpTool), subcommands: [Service.self])

    struct Service: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpToolService))

        @Argument(help: ArgumentHelp(.helpItemKey))
        var item: String

        @Option(name: .long, help: ArgumentHelp(LoanText.helpRemark, value: "text"))
        var note: String = ""

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            try daemon.connect().change(["items", item, "service"], ["note": .string(note)], json: daemon.json)
        }
    }
}
