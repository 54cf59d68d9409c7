import OperatorText
import Readings
import SiteConfiguration

/// One table of a report in a person's language, as the terminal and the page show it.
public struct ReportSection: Sendable {
    public enum Subject: String, Sendable, CaseIterable {
        case totals, people, classes, stations, wanted, used, overdue, damage, lost, idle
    }

    public var subject: Subject
    public var title: Printable
    public var headings: [Printable]
    /// Columns with numbers.
    public var numeric: Set<Int>
    public var rows: [[Printable]]
    /// Rows that were left out.
    public var hidden: Int64

    /// All of a report that have something to tell.
    /// - Parameters:
    ///   - report: schema `LoanReport` of `docs/api.yaml`, with names.
    ///   - limit: rows of each at most.
    public static func all(of report: JSON, limit: Int, _ language: Site.Language) -> [ReportSection] {
        let reader = SectionReader(report: report, limit: limit, language: language)
        return Subject.allCases.compactMap(reader.section)
    }
}

/// Figures as text.
enum ReportNumber {
    /// Nothing for 0, so that what there is stands out.
    static func count(_ json: JSON?) -> Printable {
        guard let count = json?.integer, count != 0 else { return "" }
        return Printable(count)
    }

    /// `3.5`
    static func decimal(_ json: JSON?) -> Printable {
        guard let number = json?.double, number.isFinite else { return "" }
        return Printable(escaping: "\(number)", limit: 32)
    }

    /// `12.5 %` of 0.125.
    static func percent(_ json: JSON?, _ language: Site.Language) -> Printable {
        guard let number = json?.double, number.isFinite, number.magnitude < 1_000 else { return "" }
        let tenths = (number * 1_000).rounded() / 10
        return ReportText.percent(language, ["value": Printable(escaping: "\(tenths)", limit: 32)])
    }
}

private struct SectionReader {
    let report: JSON
    let limit: Int
    let language: Site.Language

    private typealias Column = (heading: ReportText, isNumeric: Bool, cell: (JSON) -> Printable)

    func section(_ subject: ReportSection.Subject) -> ReportSection? {
        switch subject {
        case .totals:
            table(subject, .totals, report["totals"].map { [$0] } ?? [], [count(.items, "items"), count(.tools, "tools"), percent] + usual)
        case .people: table(subject, .people, list("people"), [name(.person) { person($0) }, count(.items, "items")] + usual)
        case .classes:
            table(
                subject, .classes, list("classes"),
                [name(.itemClass, itemClass), count(.tools, "tools"), count(.items, "items"), percent] + usual)
        case .stations:
            table(
                subject, .stations, list("stations"),
                [name(.station) { text($0["station"]) }, count(.items, "items"), count(.received, "received")] + usual)
        case .wanted:
            table(
                subject, .mostWanted, list("items").filter { Self.wanted($0) > 0 },
                [
                    name(.item) { naming.item(of: $0) }, name(.itemClass, itemClass), count(.items, "items"),
                    count(.refused, "refused"),
                ])
        case .used:
            table(
                subject, .useOfTools, list("items").filter { Self.hours($0) > 0 }.sorted { Self.hours($0) > Self.hours($1) },
                [
                    name(.item) { naming.item(of: $0) }, name(.itemClass, itemClass), percent,
                    (.hoursOut, true, { ReportNumber.decimal($0["hours_out"]) }),
                ])
        case .overdue: table(subject, .overdue, list("overdue"), lineColumns, of: total("overdue"))
        case .lost:
            table(
                subject, .lost, list("lost"), lineColumns + [(.ended, false, { TimeText.minute($0["ended"]?.string) })], of: total("lost"))
        case .damage:
            table(
                subject, .damage, list("damage"),
                [
                    name(.item) { naming.item(of: $0) }, (.result, false, result), (.person, false, person), plain(.loan, "loan"),
                    (.when, false, { TimeText.minute($0["time"]?.string) }),
                ], of: total("damaged") &+ total("incomplete"))
        case .idle: idle
        }
    }

    static func wanted(_ tool: JSON) -> Int64 { (tool["items"]?.integer ?? 0) &+ (tool["refused"]?.integer ?? 0) }
    static func hours(_ tool: JSON) -> Double { tool["hours_out"]?.double ?? 0 }

    private var naming: Naming { Naming(language) }

    private var idle: ReportSection? {
        let stock = report["dead_stock"] ?? .null
        var section = table(
            .idle, .deadStock, stock["items"]?.array ?? [],
            [
                name(.item) { naming.item(of: $0) }, name(.itemClass, itemClass),
                (.last, false, { $0["last"] == nil ? ReportText.never(language) : TimeText.minute($0["last"]?.string) }),
            ])
        section?.title = ReportText.deadStock(language, ["since": text(stock["since"])])
        return section
    }

    /// What is told of every group beside its own columns.
    private var usual: [Column] {
        [
            count(.loans, "loans"), count(.returned, "returned"), count(.onTime, "on_time"), count(.late, "late"),
            (.meanDays, true, { ReportNumber.decimal($0["mean_days"]) }), count(.overdueNow, "overdue"), count(.damaged, "damaged"),
            count(.incomplete, "incomplete"), count(.lostItems, "lost"), count(.found, "found"), count(.refused, "refused"),
            count(.transferred, "transferred"), count(.renewed, "renewed"),
        ]
    }

    private var lineColumns: [Column] {
        [
            (.person, false, person), name(.item) { naming.item(of: $0) }, plain(.loan, "loan"), plain(.station, "station"),
            (.since, false, { TimeText.minute($0["since"]?.string) }), (.due, false, { TimeText.minute($0["due"]?.string) }),
        ]
    }

    private var percent: Column { (.utilisation, true, { ReportNumber.percent($0["utilisation"], language) }) }

    private func count(_ heading: ReportText, _ member: String) -> Column { (heading, true, { ReportNumber.count($0[member]) }) }

    private func plain(_ heading: ReportText, _ member: String) -> Column { (heading, false, { text($0[member]) }) }

    /// A first column: what has no name is told apart from what is missing.
    private func name(_ heading: ReportText, _ cell: @escaping (JSON) -> Printable) -> Column {
        (
            heading, false,
            {
                let name = cell($0)
                return name.isEmpty ? ReportText.none(language) : name
            }
        )
    }

    private func person(_ json: JSON) -> Printable { naming.person(json["person"], name: json["name"]) }

    private func itemClass(_ json: JSON) -> Printable { naming.thing(json["class"], name: json["class_name"]) }

    private func result(_ json: JSON) -> Printable {
        switch json["result"]?.string {
        case "damaged": ReportText.damaged(language)
        case "incomplete": ReportText.incomplete(language)
        default: text(json["result"])
        }
    }

    private func text(_ json: JSON?) -> Printable { Printable(escaping: json?.string ?? "", limit: 64) }

    private func list(_ member: String) -> [JSON] { report[member]?.array ?? [] }

    private func total(_ member: String) -> Int64 { max(0, report["totals"]?[member]?.integer ?? 0) }

    private func table(
        _ subject: ReportSection.Subject, _ title: ReportText, _ entries: [JSON], _ columns: [Column], of count: Int64? = nil
    ) -> ReportSection? {
        let rows = entries.prefix(limit).map { entry in columns.map { $0.cell(entry) } }
        let filled = columns.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        guard !filled.isEmpty else { return nil }
        return ReportSection(
            subject: subject, title: title(language), headings: filled.map { columns[$0].heading(language) },
            numeric: Set(filled.indices.filter { columns[filled[$0]].isNumeric }), rows: rows.map { row in filled.map { row[$0] } },
            hidden: max(Int64(entries.count), count ?? 0) - Int64(rows.count))
    }
}
