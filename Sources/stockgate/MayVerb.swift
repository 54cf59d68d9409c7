import ArgumentParser
import OperatorText
import Readings
import SiteConfiguration

struct MayVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "may", abstract: help(.helpMay), discussion: help(.helpMayMore))

    @Argument(help: ArgumentHelp(.helpPersonReference))
    var person: String

    @Argument(help: ArgumentHelp(.helpMayItem))
    var item: String?

    @Option(name: .long, help: ArgumentHelp(.helpMayStation, value: "name"))
    var station: String?

    @Option(name: .long, help: ArgumentHelp(.helpMayWith, value: "person"))
    var with: String?

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let connection = try daemon.connect()
        let query =
            [("person", person)]
            + [("item", item), ("station", station), ("with", with)].compactMap { name, value in
                value.map { (name, $0) }
            }
        let answer = try connection.get(["may"], query)
        let language = connection.language
        let title = Self.title(answer, language)
        let isRefused = answer["verdict"] == "refuse"
        if daemon.json {
            Terminal.output.write(json: answer)
        } else {
            if !isRefused { Terminal.output.write(title, answer["verdict"] == "flag" ? .warning : .good) }
            Self.printRules(answer, language)
        }
        if isRefused { throw CommandFailure(.negative, code: "refused_by_rule", [title]) }
    }

    /// The answer in one sentence, with the rule that decided.
    private static func title(_ answer: JSON, _ language: Site.Language) -> Printable {
        let naming = Naming(language)
        let rules = answer["rules"]?.array ?? []
        let deciding = rules.first { $0["rule"] == answer["reason"] && $0["rule"] != nil }
        let reason = deciding.map { rule in
            Text.labelled(
                language,
                ["label": LoanText.code(rule["rule"]?.string, of: "rule", language), "text": RuleText.reason(rule, in: answer, language)])
        }
        let values: [String: Printable] = [
            "person": naming.person(answer["person"], name: answer["name"]), "item": naming.item(of: answer),
            "due": TimeText.minute(answer["due"]?.string), "reason": reason ?? "",
        ]
        let verdict = answer["verdict"]?.string ?? ""
        return LoanText.code(answer["item"] == nil ? "person.\(verdict)" : verdict, of: "answer", language, values)
    }

    private static func printRules(_ answer: JSON, _ language: Site.Language) {
        let naming = Naming(language)
        if let loan = answer["loan"] {
            let values: [String: Printable] = [
                "person": naming.person(loan["person"], name: loan["name"]),
                "loan": Printable(escaping: loan["loan"]?.string ?? "", limit: 40),
                "due": TimeText.minute(loan["due"]?.string),
            ]
            Terminal.output.write(LoanText.isOut(language, values), .warning)
        }
        var table = Table(headings: [LoanText.headVerdict(language), LoanText.headRule(language), LoanText.headFigures(language)])
        for rule in answer["rules"]?.array ?? [] {
            let style: Terminal.Style =
                switch rule["response"]?.string {
                case "refuse": .bad
                case "flag": .warning
                case "allow": .faint
                default: .plain
                }
            table.add([
                .init(RuleText.verdict(rule, language), style), .init(LoanText.code(rule["rule"]?.string, of: "rule", language)),
                .init(RuleText.reason(rule, in: answer, language)),
            ])
        }
        table.print()
        let standing = answer["standing"] ?? .null
        func number(_ member: String) -> Printable { standing[member]?.integer.map { Printable($0) } ?? "—" }
        Terminal.output.write(
            LoanText.standing(
                language,
                [
                    "credit": number("credit"), "open": number("open"), "value": number("value"), "overdue": number("overdue"),
                    "month": number("month"),
                ]), .faint)
    }
}
