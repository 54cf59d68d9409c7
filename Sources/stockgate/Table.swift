import OperatorText
import SiteConfiguration

/// Aligned columns; Chinese characters count as two.
struct Table {
    struct Cell {
        var text: Printable
        var style: Terminal.Style

        init(_ text: Printable, _ style: Terminal.Style = .plain) {
            self.text = text
            self.style = style
        }

        static func number(_ value: Int64?) -> Cell { Cell(value.map { Printable($0) } ?? "") }
    }

    private let headings: [Printable]
    private let numeric: Set<Int>
    private var rows: [[Cell]] = []

    /// The widest a column gets; the last one has no bound.
    private static let widest = 48

    /// - Parameter numeric: columns that are aligned to the right.
    init(_ headings: [Text], numeric: Set<Int> = [], _ language: Site.Language) {
        self.init(headings: headings.map { $0(language) }, numeric: numeric)
    }

    init(headings: [Printable], numeric: Set<Int> = []) {
        self.headings = headings
        self.numeric = numeric
    }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// Columns that are empty in all rows are left out.
    func print() {
        let columns = headings.indices.filter { column in rows.contains { column < $0.count && !$0[column].text.isEmpty } }
        let widths = columns.map { column in
            min(Self.widest, max(headings[column].width, rows.map { column < $0.count ? $0[column].text.width : 0 }.max() ?? 0))
        }
        line(columns.map { Cell(headings[$0], .heading) }, columns, widths)
        for row in rows { line(columns.map { $0 < row.count ? row[$0] : Cell("") }, columns, widths) }
    }

    private func line(_ cells: [Cell], _ columns: [Int], _ widths: [Int]) {
        // No blanks at the end of a line.
        let cells = cells.prefix((cells.lastIndex { !$0.text.isEmpty } ?? -1) + 1)
        var pieces: [(Printable, Terminal.Style)] = []
        for (position, cell) in cells.enumerated() {
            let isLast = position == cells.count - 1
            let text = isLast ? cell.text : cell.text.cut(to: widths[position])
            let blanks: Printable = ""
            let gap = blanks.padded(to: max(0, widths[position] - text.width))
            if numeric.contains(columns[position]) {
                pieces += [(gap, .plain), (text, cell.style)]
            } else {
                pieces += isLast ? [(text, cell.style)] : [(text, cell.style), (gap, .plain)]
            }
            if !isLast { pieces.append(("  ", .plain)) }
        }
        Terminal.output.write(pieces)
    }
}

/// Lines with a label, such as an explanation.
struct LabelledLines {
    private var lines: [(label: Printable, text: Printable)] = []

    mutating func add(_ label: Printable, _ text: Printable) {
        if !text.isEmpty { lines.append((label, text)) }
    }

    mutating func add(_ more: [(label: Printable, text: Printable)]) { lines += more }

    func print() {
        let width = lines.map(\.label.width).max() ?? 0
        for line in lines {
            Terminal.output.write([("  ", .plain), (line.label.padded(to: width), .faint), ("  ", .plain), (line.text, .plain)])
        }
    }
}
