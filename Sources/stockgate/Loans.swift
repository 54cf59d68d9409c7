import ArgumentParser
import OperatorText
import Readings

struct Loans: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpLoans))

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let connection = try daemon.connect()
        let answer = try connection.get(["loans"])
        if daemon.json { return Terminal.output.write(json: answer) }
        let language = connection.language
        let naming = Naming(language)
        let now = answer["time"]?.string
        let loans = answer["loans"]?.array ?? []
        guard !loans.isEmpty else { return Terminal.output.write(Text.emptyLoans(language)) }
        var table = Table(
            headings: [Text.headLoan, .headItem, .headPerson, .headSince, .headDue].map { $0(language) } + [
                LoanText.headRenewed(language), LoanText.headCondition(language), Text.headStation(language),
            ], numeric: [5])
        for loan in loans {
            func text(_ member: String) -> Printable { Printable(escaping: loan[member]?.string ?? "", limit: 64) }
            table.add([
                .init(text("loan")), .init(naming.item(of: loan)), .init(naming.person(loan["person"], name: loan["name"])),
                .init(TimeText.relative(loan["since"]?.string, now: now, language)),
                .init(
                    TimeText.relative(loan["due"]?.string, now: now, language),
                    TimeText.isPast(loan["due"]?.string, now: now) ? .bad : .plain),
                .number(loan["renewals"]?.integer), .init(LoanText.code(loan["condition"]?.string, of: "condition", language), .warning),
                .init(text("station")),
            ])
        }
        table.print()
    }
}
