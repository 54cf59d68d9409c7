import OperatorText
import Readings

/// A report as comma-separated values (RFC 4180): one table, its columns in every language the same, for a spreadsheet or a program.
public enum ReportSheet {
    private enum Cell {
        case text(JSON?)
        case number(JSON?)
    }

    private static let figures = [
        "loans", "items", "returned", "on_time", "late", "mean_days", "transferred", "renewed", "overdue", "damaged", "incomplete", "lost",
        "found", "refused", "hours_out", "utilisation", "tools", "received",
    ]

    /// The columns; `docs/cli.md` tells them.
    public static let columns = ["section", "key", "name", "class"] + figures + ["last"]

    /// - Parameter report: schema `LoanReport` of `docs/api.yaml`, with names.
    public static func text(of report: JSON) -> String {
        // Spreadsheets take a file without this mark for one in the code page of the machine.
        var text = "\u{FEFF}" + columns.joined(separator: ",") + "\r\n"
        func add(_ section: String, key: JSON?, name: JSON?, class itemClass: JSON?, _ entry: JSON, last: JSON? = nil) {
            var cells: [Cell] = [.text(.string(section)), .text(key), .text(name), .text(itemClass)]
            cells += figures.map { .number(entry[$0]) }
            cells.append(.text(last))
            text += cells.map(field).joined(separator: ",") + "\r\n"
        }
        func list(_ member: String, _ body: (JSON) -> Void) { (report[member]?.array ?? []).forEach(body) }
        add("total", key: report["month"], name: nil, class: nil, report["totals"] ?? .null)
        list("people") { add("person", key: $0["person"], name: $0["name"], class: nil, $0) }
        list("classes") { add("class", key: $0["class"], name: $0["class_name"], class: nil, $0) }
        list("stations") { add("station", key: $0["station"], name: nil, class: nil, $0) }
        list("items") { add("item", key: $0["item"], name: $0["item_name"], class: $0["class"], $0) }
        for item in report["dead_stock"]?["items"]?.array ?? [] {
            add("dead", key: item["item"], name: item["item_name"], class: item["class"], .null, last: item["last"])
        }
        return text
    }

    /// Text always stands in quotation marks: whatever separates columns in somebody's country, it stays one cell.
    private static func field(_ cell: Cell) -> String {
        switch cell {
        case .number(let value): return value.flatMap { $0.double == nil ? nil : $0.canonicalText } ?? ""
        case .text(let value):
            guard let text = value?.string, !text.isEmpty else { return "" }
            var field = "\""
            // By scalars: with a mark behind it a quotation mark would be another character.
            for scalar in harmless(Printable(escaping: text, limit: 300).text).unicodeScalars {
                if scalar == "\"" { field += "\"" }
                field.unicodeScalars.append(scalar)
            }
            return field + "\""
        }
    }

    /// What begins like a formula is reckoned by spreadsheets, on the machine of whoever opens the file: an apostrophe makes it text. The wide
    /// forms count too where such are typed.
    private static func harmless(_ text: String) -> String {
        guard let first = text.unicodeScalars.first, formulaStarts.contains(first) else { return text }
        return "'" + text
    }

    private static let formulaStarts: Set<Unicode.Scalar> = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]
}
