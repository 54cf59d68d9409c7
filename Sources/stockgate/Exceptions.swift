import ArgumentParser
import OperatorText
import Readings

struct Exceptions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: help(.helpExceptions), subcommands: [List.self, Show.self, Resolve.self, Assign.self, Correct.self, Dismiss.self],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpExceptionsList))

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let answer = try connection.get(["exceptions"])
            if daemon.json { return Terminal.output.write(json: answer) }
            let language = connection.language
            let now = answer["time"]?.string
            let exceptions = answer["exceptions"]?.array ?? []
            guard !exceptions.isEmpty else { return Terminal.output.write(Text.emptyExceptions(language)) }
            var table = Table(
                [.headNumber, .headSince, .headKind, .headStation, .headOwner, .headDeadline, .headWhat], numeric: [0], language)
            for exception in exceptions {
                func text(_ member: String) -> Printable { Printable(escaping: exception[member]?.string ?? "", limit: 128) }
                table.add([
                    .number(exception["number"]?.integer), .init(TimeText.relative(exception["since"]?.string, now: now, language)),
                    .init(Text.code(exception["kind"]?.string, of: "exception", language), .warning), .init(text("station")),
                    .init(text("owner")),
                    .init(
                        TimeText.relative(exception["deadline"]?.string, now: now, language),
                        TimeText.isPast(exception["deadline"]?.string, now: now) ? .bad : .plain),
                    .init(Naming(language).subject(ofException: exception)),
                ])
            }
            table.print()
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpExceptionsShow))

        @Argument(help: ArgumentHelp(.helpException))
        var number: Int64

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let answer = try connection.get(["exceptions", String(number)])
            if daemon.json { return Terminal.output.write(json: answer) }
            let language = connection.language
            let naming = Naming(language)
            let exception = answer["exception"] ?? .null
            let now = answer["time"]?.string
            func text(_ member: String) -> Printable { Printable(escaping: exception[member]?.string ?? "", limit: 128) }
            func when(_ member: String) -> Printable {
                Text.whenAgo(
                    language,
                    [
                        "time": TimeText.local(exception[member]?.string),
                        "ago": TimeText.relative(exception[member]?.string, now: now, language),
                    ])
            }
            Terminal.output.write(Text.code(exception["kind"]?.string, of: "exception", language), .heading)
            var lines = LabelledLines()
            lines.add(
                Text.labelItems(language), naming.list(exception["items"], names: exception["item_names"]) { naming.thing($0, name: $1) })
            lines.add(
                Text.labelTags(language),
                naming.list(exception["epcs"], names: nil) { epc, _ in Printable(escaping: epc.string ?? "", limit: 124) })
            lines.add(Text.labelCode(language), text("code"))
            lines.add(
                Text.labelCandidates(language),
                naming.list(exception["candidates"], names: exception["candidate_names"]) { naming.person($0, name: $1) })
            lines.add(Text.labelLoan(language), text("loan"))
            lines.add(Text.labelDirection(language), Text.code(exception["direction"]?.string, of: "direction", language))
            lines.add(Text.labelWhen(language), when("since"))
            lines.add(Text.labelWhere(language), text("station"))
            lines.add(Text.labelOwner(language), text("owner"))
            lines.add(Text.labelDeadline(language), when("deadline"))
            lines.print()
            Terminal.output.write(Text.hintException(language, ["number": Printable(number)]), .faint)
        }
    }

    struct Resolve: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpExceptionsResolve))

        @Argument(help: ArgumentHelp(.helpException))
        var number: Int64

        @Option(name: .customLong("as"), help: ArgumentHelp(.helpAs))
        var resolution: String

        @Option(name: .long, help: ArgumentHelp(Text.helpNote))
        var note: String = ""

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let answer = try connection.send(
                "POST", ["exceptions", String(number), "resolve"], body: ["resolution": .string(resolution), "note": .string(note)])
            if daemon.json { return Terminal.output.write(json: answer) }
            Terminal.output.write(Text.doneExceptionResolved(connection.language, ["number": Printable(number)]), .good)
        }
    }

    struct Assign: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpExceptionsAssign))

        @Argument(help: ArgumentHelp(.helpException))
        var number: Int64

        @Option(name: .customLong("to"), help: ArgumentHelp(.helpTo))
        var owner: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let answer = try connection.send("POST", ["exceptions", String(number), "assign"], body: ["owner": .string(owner)])
            if daemon.json { return Terminal.output.write(json: answer) }
            Terminal.output.write(
                Text.doneExceptionAssigned(
                    connection.language, ["number": Printable(number), "owner": Printable(escaping: owner, limit: 128)]), .good)
        }
    }

    struct Correct: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpCorrect))

        @Argument(help: ArgumentHelp(.helpException))
        var number: Int64

        @Option(name: .long, help: ArgumentHelp(.helpCorrectPerson))
        var person: String

        @Option(name: .long, help: ArgumentHelp(LoanText.helpRemark, value: "text"))
        var note: String = ""

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            try daemon.connect().change(
                ["exceptions", String(number), "correct"], ["person": .string(person), "note": .string(note)], json: daemon.json)
        }
    }

    struct Dismiss: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpDismiss))

        @Argument(help: ArgumentHelp(.helpException))
        var number: Int64

        @Option(name: .long, help: ArgumentHelp(.helpNoteWhy, value: "text"))
        var note: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            try daemon.connect().change(["exceptions", String(number), "dismiss"], ["note": .string(note)], json: daemon.json)
        }
    }
}
