import ArgumentParser
import Control
import Ledger
import OperatorText
import Readings

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpExplain))

    @Argument(help: ArgumentHelp(.helpExplainReference))
    var event: String

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        if let loan = LoanNumber(event) { return try explain(loan) }
        guard EventReference(event) != nil else {
            throw CommandFailure.usage(LoanText.errorReference(daemon.output.language, ["text": Printable(escaping: event, limit: 64)]))
        }
        let connection = try daemon.connect()
        let answer = try connection.get(["events", event])
        if daemon.json { return Terminal.output.write(json: answer) }
        let story = EventStory(answer, connection.language)
        Terminal.output.write(story.title, .heading)
        var lines = LabelledLines()
        lines.add(story.lines)
        lines.print()
    }

    private func explain(_ loan: LoanNumber) throws {
        let connection = try daemon.connect()
        let answer = try connection.get(["loans", loan.description])
        if daemon.json { return Terminal.output.write(json: answer) }
        LoanTable.print(answer, tellsReasons: true, connection.language)
    }
}
