import ArgumentParser
import Control
import OperatorText
import Readings
import Reports
import SiteConfiguration

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpReport), subcommands: [Loans.self])

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table, csv, json, html
    }

    struct Loans: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpReportLoans), discussion: help(.helpReportLoansMore))

        @Option(name: .long, help: ArgumentHelp(.helpMonth, value: "yyyy-mm"))
        var month: String?

        @Option(name: .long, help: ArgumentHelp(.helpFormat, value: "format"))
        var format: Format = .table

        @Option(name: .long, help: ArgumentHelp(.helpDeadMonths, value: "count"))
        var deadMonths: Int = LoanReportQuery.usualDeadMonths

        @OptionGroup var daemon: DaemonOptions

        /// Rows of a table on a terminal.
        private static let longestTable = 10

        func run() throws {
            try check()
            let connection = try daemon.connect()
            var query = [("dead_months", String(deadMonths))]
            if let month { query.append(("month", month)) }
            let answer = try connection.get(["reports", "loans"], query)
            if daemon.json { return Terminal.output.write(json: answer) }
            let report = answer["report"] ?? .null
            switch format {
            case .json: Terminal.output.write(json: answer)
            case .csv: Terminal.output.write(sheet: ReportSheet.text(of: report))
            case .html: Terminal.output.write(document: ReportPage.html(of: report, connection.language))
            case .table: print(report, connection.language)
            }
        }

        private func check() throws {
            let language = daemon.output.language
            if let month, LoanReportQuery.month(month) == nil {
                throw CommandFailure.usage(ReportText.badMonth(language, ["value": Printable(escaping: month, limit: 32)]))
            }
            guard LoanReportQuery.deadMonths.contains(deadMonths) else { throw CommandFailure.usage(ReportText.badDeadMonths(language)) }
        }

        private func print(_ report: JSON, _ language: Site.Language) {
            let output = Terminal.output
            let month = Printable(escaping: report["month"]?.string ?? "", limit: 16)
            output.write(ReportText.title(language, ["month": month]), .heading)
            let times = ["from", "until", "as_of"].map { ($0, TimeText.minute(report[$0]?.string)) }
            output.write(ReportText.span(language, Dictionary(times) { $1 }), .faint)
            if let count = report["untimed"]?.integer, count > 0 {
                output.write(ReportText.untimed(language, ["count": Printable(count)]), .warning)
            }
            let sections = ReportSection.all(of: report, limit: Self.longestTable, language)
            if !sections.contains(where: { ![.totals, .classes, .idle].contains($0.subject) }) {
                output.write(ReportText.empty(language, ["month": month]))
            }
            for section in sections {
                output.write("")
                output.write(section.title, .heading)
                let headings = section.headings.map { Printable(escaping: $0.text.uppercased(), limit: 64) }
                var table = Table(headings: headings, numeric: section.numeric)
                for row in section.rows { table.add(row.map { .init($0) }) }
                table.print()
                if section.hidden > 0 { output.write(ReportText.more(language, ["count": Printable(section.hidden)]), .faint) }
            }
        }
    }
}
