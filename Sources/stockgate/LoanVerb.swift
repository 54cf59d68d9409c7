import ArgumentParser
import Ledger
import OperatorText
import Readings
import SiteConfiguration

struct LoanVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loan", abstract: help(.helpLoan),
        subcommands: [Show.self, Renew.self, Return.self, Void.self, Transfer.self, Lost.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpLoanShow))

        @OptionGroup var loan: LoanArgument
        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let number = try loan.number(daemon.output.language)
            let connection = try daemon.connect()
            let answer = try connection.get(["loans", number])
            if daemon.json { return Terminal.output.write(json: answer) }
            LoanTable.print(answer, tellsReasons: false, connection.language)
        }
    }

    struct Renew: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpLoanRenew))

        @OptionGroup var loan: LoanArgument

        @Option(name: .long, help: ArgumentHelp(.helpLoanItem, value: "key"))
        var item: String?

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let number = try loan.number(daemon.output.language)
            try daemon.connect().change(["loans", number, "renew"], ["item": item.map(JSON.string)], json: daemon.json)
        }
    }

    struct Return: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpLoanReturn))

        @OptionGroup var loan: LoanArgument

        @Option(name: .long, help: ArgumentHelp(.helpLoanItem, value: "key"))
        var item: String?

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let number = try loan.number(daemon.output.language)
            try daemon.connect().change(["loans", number, "return"], ["item": item.map(JSON.string)], json: daemon.json)
        }
    }

    struct Void: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpLoanVoid))

        @OptionGroup var loan: LoanArgument

        @Option(name: .long, help: ArgumentHelp(.helpLoanItem, value: "key"))
        var item: String?

        @Option(name: .long, help: ArgumentHelp(.helpNoteWhy, value: "text"))
        var note: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let number = try loan.number(daemon.output.language)
            try daemon.connect().change(
                ["loans", number, "void"], ["item": item.map(JSON.string), "note": .string(note)], json: daemon.json)
        }
    }

    struct Transfer: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpLoanTransfer))

        @Argument(help: ArgumentHelp(.helpItemKey))
        var item: String

        @Option(name: .long, help: ArgumentHelp(.helpTransferTo, value: "person"))
        var to: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            try daemon.connect().change(["items", item, "transfer"], ["person": .string(to)], json: daemon.json)
        }
    }

    struct Lost: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpLoanLost))

        @Argument(help: ArgumentHelp(.helpItemKey))
        var item: String

        @Option(name: .long, help: ArgumentHelp(LoanText.helpRemark, value: "text"))
        var note: String = ""

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            try daemon.connect().change(["items", item, "lost"], ["note": .string(note)], json: daemon.json)
        }
    }
}

/// The number of a loan on the command line: a mistyped one is found before anybody is asked.
struct LoanArgument: ParsableArguments {
    @Argument(help: ArgumentHelp(.helpLoanNumber))
    var loan: String

    func number(_ language: Site.Language) throws -> String {
        guard let number = LoanNumber(loan) else {
            throw CommandFailure.usage(LoanText.errorLoan(language, ["text": Printable(escaping: loan, limit: 64)]))
        }
        return number.description
    }
}

/// One loan: what is still out, and its story.
enum LoanTable {
    /// - Parameters:
    ///   - answer: of `GET /v1/loans/{loan}`.
    ///   - tellsReasons: also on what ground it was lent, and which rules were let pass.
    static func print(_ answer: JSON, tellsReasons: Bool, _ language: Site.Language) {
        let story = LoanStory(answer, language)
        let now = answer["time"]?.string
        Terminal.output.write(story.title, .heading)
        for line in story.lines {
            Terminal.output.write([("  ", .plain), (line.text, TimeText.isPast(line.due, now: now) ? .bad : .plain)])
        }
        let blank: Printable = ""
        for entry in story.entries {
            let number = Printable(entry.number)
            Terminal.output.write([
                (blank.padded(to: max(0, 6 - number.width)) + number + "  " + entry.time + "  ", .faint),
                (entry.sentence, EventLine.style(of: entry.event)),
            ])
            guard tellsReasons else { continue }
            for reason in entry.reasons { Terminal.output.write([(blank.padded(to: 26), .plain), (reason, .faint)]) }
        }
    }
}
