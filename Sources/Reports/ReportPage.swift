import OperatorText
import Readings
import SiteConfiguration

/// A report as one page that needs nothing else: no script, nothing from the network, plots as SVG. It is well-formed XML too.
public enum ReportPage {
    /// Rows of a table on the page.
    static let longestTable = 1_000
    private static let longestPlot = 15

    /// - Parameter report: schema `LoanReport` of `docs/api.yaml`, with names.
    public static func html(of report: JSON, _ language: Site.Language) -> String {
        let month = Printable(escaping: report["month"]?.string ?? "", limit: 16)
        let title = ReportText.title(language, ["month": month])
        var page = head(title, language) + "<h1>\(Markup.text(title))</h1>\n"
        let span = ReportText.span(
            language,
            [
                "from": TimeText.minute(report["from"]?.string), "until": TimeText.minute(report["until"]?.string),
                "as_of": TimeText.minute(report["as_of"]?.string),
            ])
        page += "<p class=\"faint\">\(Markup.text(span))</p>\n"
        if let count = report["untimed"]?.integer, count > 0 {
            page += "<p>\(Markup.text(ReportText.untimed(language, ["count": Printable(count)])))</p>\n"
        }
        page += tiles(report, language) + days(report, language)
        // The totals are there already.
        for section in ReportSection.all(of: report, limit: longestTable, language) where section.subject != .totals {
            page += "<section id=\"\(section.subject.rawValue)\">\n<h2>\(Markup.text(section.title))</h2>\n"
            page += plot(section, report, language) + table(section, language) + "</section>\n"
        }
        return page + "</body>\n</html>\n"
    }

    private static func head(_ title: Printable, _ language: Site.Language) -> String {
        """
        <!DOCTYPE html>
        <html lang="\(language == .chinese ? "zh-CN" : "en")" xmlns="http://www.w3.org/1999/xhtml">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
        <title>\(Markup.text(title))</title>
        <style>\(style)</style>
        </head>
        <body>

        """
    }

    /// The totals, large.
    private static func tiles(_ report: JSON, _ language: Site.Language) -> String {
        let totals = report["totals"] ?? .null
        func count(_ member: String) -> Printable { Printable(totals[member]?.integer ?? 0) }
        let tiles: [(ReportText, Printable)] = [
            (.loans, count("loans")), (.items, count("items")), (.returned, count("returned")), (.late, count("late")),
            (.meanDays, ReportNumber.decimal(totals["mean_days"])), (.overdueNow, count("overdue")), (.damaged, count("damaged")),
            (.incomplete, count("incomplete")), (.lostItems, count("lost")), (.refused, count("refused")),
            (.utilisation, ReportNumber.percent(totals["utilisation"], language)), (.tools, count("tools")),
        ]
        let list = tiles.filter { !$0.1.isEmpty }.map { "<div><dt>\(Markup.text($0.0(language)))</dt><dd>\(Markup.text($0.1))</dd></div>" }
        return "<dl>\(list.joined())</dl>\n"
    }

    private static func days(_ report: JSON, _ language: Site.Language) -> String {
        let days = (report["days"]?.array ?? []).prefix(31).map { day in
            (
                label: Printable(escaping: String((day["day"]?.string ?? "").suffix(2)), limit: 2),
                values: ["taken", "returned"].map { max(0, day[$0]?.integer ?? 0) }
            )
        }
        guard days.contains(where: { $0.values.contains { $0 > 0 } }) else { return "" }
        let title = ReportText.perDay(language)
        return "<section id=\"days\">\n<h2>\(Markup.text(title))</h2>\n"
            + ReportPlot.days(Array(days), title: title, legend: [ReportText.taken(language), ReportText.returned(language)])
            + "</section>\n"
    }

    private static func plot(_ section: ReportSection, _ report: JSON, _ language: Site.Language) -> String {
        func value(_ json: JSON, _ member: String) -> Double {
            let number = json[member]?.double ?? 0
            return number.isFinite ? max(0, min(Double(ReportPlot.largestCount), number)) : 0
        }
        func bars(_ member: String, _ parts: (JSON) -> [Double], _ text: (JSON) -> Printable) -> [ReportPlot.Bar] {
            // The rows of the section are those of the list, in its order.
            zip(section.rows, report[member]?.array ?? []).prefix(longestPlot).map {
                .init(label: $0.0.first ?? "", parts: parts($0.1), text: text($0.1))
            }
        }
        switch section.subject {
        case .people:
            let bars = bars(
                "people", { [value($0, "on_time"), value($0, "late"), value($0, "overdue")] },
                { Printable($0["items"]?.integer ?? 0) })
            return ReportPlot.bars(
                bars, title: section.title,
                legend: [ReportText.onTime(language), ReportText.late(language), ReportText.overdueNow(language)])
        case .classes:
            let bars = bars(
                "classes", { [value($0, "utilisation")] }, { ReportNumber.percent($0["utilisation"] ?? 0, language) })
            return ReportPlot.bars(bars, title: ReportText.utilisation(language), legend: [ReportText.utilisation(language)], scale: 1)
        case .wanted:
            let bars = bars(
                "items", { [value($0, "items"), value($0, "refused")] },
                { ReportNumber.count(.integer(($0["items"]?.integer ?? 0) &+ ($0["refused"]?.integer ?? 0))) })
            return ReportPlot.bars(bars, title: section.title, legend: [ReportText.taken(language), ReportText.refused(language)])
        default: return ""
        }
    }

    private static func table(_ section: ReportSection, _ language: Site.Language) -> String {
        func cells(_ name: String, _ row: [Printable]) -> String {
            row.enumerated().map { column, text in
                "<\(name)\(section.numeric.contains(column) ? " class=\"number\"" : "")>\(Markup.text(text))</\(name)>"
            }.joined()
        }
        var html = "<table>\n<thead><tr>\(cells("th", section.headings))</tr></thead>\n<tbody>\n"
        for row in section.rows { html += "<tr>\(cells("td", row))</tr>\n" }
        html += "</tbody>\n</table>\n"
        guard section.hidden > 0 else { return html }
        return html + "<p class=\"faint\">\(Markup.text(ReportText.more(language, ["count": Printable(section.hidden)])))</p>\n"
    }

    private static let style = """

        :root { color-scheme: light dark; --ink: #1d2329; --faint: #5c6670; --paper: #ffffff; --line: #d4d9de;
          --part0: #2f6f9f; --part1: #c98a1b; --part2: #b8442f; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --faint: #9aa4ad; --paper: #15191d; --line: #39424a;
          --part0: #6aa9d8; --part1: #e0ac4f; --part2: #e0765f; } }
        body { font: 15px/1.45 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; color: var(--ink);
          background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; } .faint { color: var(--faint); }
        dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .5rem; margin: 1.5rem 0; }
        dl div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .75rem; }
        dt { color: var(--faint); font-size: .85rem; } dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; margin-top: .75rem; }
        th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
        th { color: var(--faint); font-weight: 600; } .number { text-align: right; font-variant-numeric: tabular-nums; }
        svg { width: 100%; max-width: 60rem; height: auto; display: block; } svg text { font-size: 12px; fill: var(--ink); }
        .grid { stroke: var(--line); } .part0 { fill: var(--part0); } .part1 { fill: var(--part1); } .part2 { fill: var(--part2); }
        @media print { :root { --ink: #000; --faint: #444; --paper: #fff; --line: #bbb; --part0: #2f6f9f; --part1: #c98a1b; --part2: #b8442f; }
          body { margin: 0; max-width: none; font-size: 10pt; } rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          thead { display: table-header-group; } tr, svg { break-inside: avoid; } h2 { break-after: avoid; } }

        """
}
