import ArgumentParser
import OperatorText
import Readings
import SiteConfiguration

struct PermitVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "permit", abstract: help(.helpPermit),
        subcommands: [List.self, Show.self, Request.self, Approve.self, Reject.self, Withdraw.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpPermitList))

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let answer = try connection.get(["permits"])
            if daemon.json { return Terminal.output.write(json: answer) }
            let language = connection.language
            let naming = Naming(language)
            let permits = (answer["requests"]?.array ?? []) + (answer["permits"]?.array ?? [])
            guard !permits.isEmpty else { return Terminal.output.write(LoanText.emptyPermits(language)) }
            var table = Table(
                headings: [
                    LoanText.headPermit(language), Text.headState(language), Text.headPerson(language), Text.headWhat(language),
                    LoanText.headUsed(language), LoanText.headFrom(language), LoanText.headUntil(language), LoanText.headPurpose(language),
                ])
            for permit in permits {
                func text(_ member: String) -> Printable { Printable(escaping: permit[member]?.string ?? "", limit: 64) }
                table.add([
                    .init(text("permit")), .init(PermitVerb.state(of: permit, language), permit["status"] == "pending" ? .warning : .plain),
                    .init(naming.person(permit["person"], name: permit["name"])), .init(naming.subject(ofRequest: permit)),
                    .init(PermitVerb.use(of: permit, language)), .init(text("from")), .init(text("until")), .init(text("purpose")),
                ])
            }
            table.print()
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpPermitShow))

        @Argument(help: ArgumentHelp(.helpPermitKey))
        var permit: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let language = connection.language
            let answer = try connection.get(["permits"])
            let permits = (answer["requests"]?.array ?? []) + (answer["permits"]?.array ?? [])
            let key = Printable(escaping: permit, limit: 64)
            guard let found = permits.first(where: { $0["permit"]?.string == permit }) else {
                throw CommandFailure(.negative, code: "not_found", [LoanText.errorNoPermit(language, ["permit": key])])
            }
            if daemon.json { return Terminal.output.write(json: found) }
            let naming = Naming(language)
            func text(_ member: String) -> Printable { Printable(escaping: found[member]?.string ?? "", limit: 128) }
            func list(_ member: String) -> Printable {
                naming.list(found[member], names: nil) { name, _ in Printable(escaping: name.string ?? "", limit: 64) }
            }
            Terminal.output.write(key, .heading)
            var lines = LabelledLines()
            lines.add(LoanText.labelState(language), PermitVerb.state(of: found, language))
            lines.add(Text.labelWho(language), naming.person(found["person"], name: found["name"]))
            lines.add(LoanText.labelWhat(language), naming.subject(ofRequest: found))
            lines.add(LoanText.labelUsed(language), PermitVerb.use(of: found, language))
            lines.add(LoanText.labelPurpose(language), text("purpose"))
            lines.add(LoanText.labelFrom(language), text("from"))
            lines.add(LoanText.labelUntil(language), text("until"))
            lines.add(LoanText.labelDue(language), text("due"))
            lines.add(LoanText.labelRequestedBy(language), text("requested_by"))
            lines.add(LoanText.labelApprovals(language), list("approvals"))
            lines.add(LoanText.labelApprovers(language), list("approvers"))
            lines.print()
            if found["status"] == "pending" { Terminal.output.write(LoanText.hintPermit(language, ["permit": key]), .faint) }
        }
    }

    struct Request: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpPermitRequest))

        @Argument(help: ArgumentHelp(.helpPersonReference))
        var person: String

        @Option(name: .long, help: ArgumentHelp(.helpRequestItem, value: "key"))
        var item: [String] = []

        @Option(name: .customLong("class"), help: ArgumentHelp(.helpRequestClass, value: "name"))
        var classes: [String] = []

        @Option(name: .long, help: ArgumentHelp(.helpRequestQuantity))
        var quantity: Int64?

        @Option(name: .long, help: ArgumentHelp(.helpRequestPurpose, value: "text"))
        var purpose: String?

        @Option(name: .customLong("from"), help: ArgumentHelp(.helpRequestFrom, value: "day"))
        var from: String?

        @Option(name: .long, help: ArgumentHelp(.helpRequestUntil, value: "day"))
        var until: String?

        @Option(name: .long, help: ArgumentHelp(.helpRequestDue, value: "day"))
        var due: String?

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            guard !item.isEmpty || !classes.isEmpty else {
                throw CommandFailure.usage(LoanText.errorNothingAsked(daemon.output.language))
            }
            try daemon.connect().change(
                ["permits"],
                [
                    "person": .string(person), "items": item.isEmpty ? nil : .array(item.map(JSON.string)),
                    "classes": classes.isEmpty ? nil : .array(classes.map(JSON.string)), "quantity": quantity.map(JSON.integer),
                    "purpose": purpose.map(JSON.string), "from": from.map(JSON.string), "until": until.map(JSON.string),
                    "due": due.map(JSON.string),
                ], json: daemon.json)
        }
    }

    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpPermitApprove))

        @Argument(help: ArgumentHelp(.helpPermitKey))
        var permit: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws { try daemon.connect().change(["permits", permit, "approve"], json: daemon.json) }
    }

    struct Reject: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpPermitReject))
        @OptionGroup var closing: Closing
        func run() throws { try closing.run("reject") }
    }

    struct Withdraw: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpPermitWithdraw))
        @OptionGroup var closing: Closing
        func run() throws { try closing.run("withdraw") }
    }

    struct Closing: ParsableArguments {
        @Argument(help: ArgumentHelp(.helpPermitKey))
        var permit: String

        @Option(name: .long, help: ArgumentHelp(LoanText.helpRemark, value: "text"))
        var note: String = ""

        @OptionGroup var daemon: DaemonOptions

        func run(_ word: String) throws {
            try daemon.connect().change(["permits", permit, word], ["note": .string(note)], json: daemon.json)
        }
    }

    /// Whether it waits, and for how many approvals. What upstream sends is approved.
    static func state(of permit: JSON, _ language: Site.Language) -> Printable {
        LoanText.code(
            permit["status"]?.string ?? "master", of: "request", language,
            ["approvals": Printable(permit["approvals"]?.array?.count ?? 0), "levels": Printable(permit["levels"]?.integer ?? 1)])
    }

    static func use(of permit: JSON, _ language: Site.Language) -> Printable {
        LoanText.used(
            language, ["used": Printable(permit["used"]?.integer ?? 0), "quantity": Printable(permit["quantity"]?.integer ?? 1)])
    }
}
