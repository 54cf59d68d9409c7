import Identifiers
import Ledger
import Readings

/// Reads the values of one file's rows by the kind of their column, and notes each that a spreadsheet has spoilt.
struct CellReader {
    let file: String
    private(set) var problems: [ImportProblem] = []
    private var widths: [String: ColumnWidths] = [:]

    /// Looks over the whole file first, because a column tells how wide its numbers are.
    init(file: String, rows: [ImportedRow]) {
        self.file = file
        for row in rows {
            for cell in row.cells where [.number, .numbers, .epc].contains(cell.column.kind) {
                for text in Self.parts(of: cell) { widths[Self.place(row, cell), default: ColumnWidths()].add(text) }
            }
        }
    }

    private static func place(_ row: ImportedRow, _ cell: ImportedRow.Cell) -> String { "\(row.set.rawValue)/\(cell.column.member)" }

    mutating func add(_ row: ImportedRow, _ cell: ImportedRow.Cell, _ code: ImportProblem.Code, _ details: String...) {
        var problem = ImportProblem(file: file, line: row.line, column: cell.header, code)
        problem.details = details
        problems.append(problem)
    }

    mutating func add(_ problem: ImportProblem) { problems.append(problem) }

    /// The value as the row carries it; nil when it is empty or was refused.
    mutating func value(of cell: ImportedRow.Cell, in row: ImportedRow) -> JSON? {
        switch cell.column.kind {
        case .numbers, .codes, .epcs, .list:
            let texts = texts(of: cell, in: row)
            return texts.isEmpty ? nil : .array(texts.map(JSON.string))
        case .held:
            // From JSON as the row carries it; a certificate without a day holds for ever.
            if cell.value.object != nil { return cell.value }
            let texts = texts(of: cell, in: row)
            let entries = texts.map { text in
                let parts = text.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
                return (parts[0], parts.count > 1 ? date(parts[1], cell, row).map(JSON.string) ?? .null : JSON.null)
            }
            return texts.isEmpty ? nil : .object(Dictionary(entries) { $1 })
        case .integer: return integer(cell, row)
        case .boolean: return boolean(cell, row)
        default: return text(of: cell, in: row).map(JSON.string)
        }
    }

    /// The one text of a cell.
    mutating func text(of cell: ImportedRow.Cell, in row: ImportedRow) -> String? {
        switch cell.value {
        case .null: return nil
        case .string(let text): return text.isEmpty ? nil : checked(text, cell, row)
        case .integer, .number:
            add(row, cell, .numberInsteadOfText, cell.value.canonicalText)
            return nil
        default:
            add(row, cell, .wrongType, ImportProblem.shown(cell.value.canonicalText))
            return nil
        }
    }

    /// The texts of a cell that may hold several.
    mutating func texts(of cell: ImportedRow.Cell, in row: ImportedRow) -> [String] {
        if let elements = cell.value.array {
            return elements.compactMap { text(of: .init(column: cell.column, header: cell.header, value: $0), in: row) }
        }
        guard cell.value.string != nil else { return text(of: cell, in: row).map { [$0] } ?? [] }
        return Self.parts(of: cell).compactMap { checked($0, cell, row) }
    }

    /// A list in one field is separated by `|`, `;`, `、` or line ends.
    private static func parts(of cell: ImportedRow.Cell) -> [String] {
        if let elements = cell.value.array { return elements.compactMap(\.string) }
        guard let text = cell.value.string else { return [] }
        guard [.numbers, .codes, .epcs, .list, .held].contains(cell.column.kind) else { return [text] }
        return text.split { "|;；、\n\r\r\n".contains($0) }.map { String($0).trimmed }.filter { !$0.isEmpty && $0 != "=" }
    }

    private mutating func checked(_ text: String, _ cell: ImportedRow.Cell, _ row: ImportedRow) -> String? {
        let shown = ImportProblem.shown(text)
        if SpreadsheetDamage.isError(text) {
            add(row, cell, .excelError, shown)
            return nil
        }
        if cell.column.kind == .text {
            // A line end inside a name is one blank.
            return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        if SpreadsheetDamage.isScientific(text) {
            add(row, cell, .scientificNotation, shown)
            return nil
        }
        switch cell.column.kind {
        case .number, .numbers:
            guard widths[Self.place(row, cell)]?.hasLostZeros(text) != true else {
                add(row, cell, .lostLeadingZeros, shown)
                return nil
            }
        case .epc, .epcs: return epc(text, cell, row)
        case .gtin: return gtin(text, [8, 12, 13, 14], cell, row)
        case .gln: return gtin(text, [13], cell, row)
        case .date: return date(text, cell, row)
        case .language: return Self.languages[text.lowercased()] ?? text
        default: break
        }
        return text
    }

    private static let languages = [
        "english": "en", "英文": "en", "英语": "en", "chinese": "zh", "中文": "zh", "汉语": "zh", "zh-cn": "zh", "en-us": "en", "en-gb": "en",
    ]

    private mutating func epc(_ text: String, _ cell: ImportedRow.Cell, _ row: ImportedRow) -> String? {
        let digits = text.filter { !$0.isWhitespace && $0 != "-" }
        guard !digits.isEmpty, digits.utf8.count <= EPC.maximumByteCount * 2, digits.allSatisfy(\.isHexDigit),
            digits.utf8.count == digits.count
        else {
            add(row, cell, .badEPC, ImportProblem.shown(text))
            return nil
        }
        // An EPC is whole words of 16 bits (Gen2, StoredPC); shorter than two is no EPC, and a number shorter than its column lost zeros.
        let isShort =
            digits.count < 8 || widths[Self.place(row, cell)]?.common.map { digits.count < $0 && digits.allSatisfy(\.isNumber) } == true
        guard digits.count.isMultiple(of: 4), !isShort else {
            add(row, cell, .lostLeadingZeros, ImportProblem.shown(text))
            return nil
        }
        return digits.uppercased()
    }

    /// Leading zeros do not change the check digit: a number of a wrong width whose check digit is right has lost some.
    private mutating func gtin(_ text: String, _ widths: [Int], _ cell: ImportedRow.Cell, _ row: ImportedRow) -> String? {
        let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let isRight = isNumber && CheckDigit.isValid(text)
        let fits = widths.contains(text.utf8.count)
        if isRight, fits { return text }
        let shown = ImportProblem.shown(text)
        if isRight, text.utf8.count < (widths.max() ?? 0), text.utf8.count > 1 {
            add(row, cell, .lostLeadingZeros, shown)
        } else if isNumber, fits {
            add(row, cell, .wrongCheckDigit, shown)
        } else {
            add(row, cell, .wrongLength, shown, widths.map(String.init).joined(separator: "/"))
        }
        return nil
    }

    /// `YYYY-MM-DD`; also with `/` or `.` and without leading zeros, and `YYYY年M月D日`: the year first leaves no doubt.
    private mutating func date(_ text: String, _ cell: ImportedRow.Cell, _ row: ImportedRow) -> String? {
        let parts = text.split(omittingEmptySubsequences: false) { "-/.年月".contains($0) }
            .map { $0.last == "日" ? $0.dropLast() : $0 }
        if parts.count == 3, parts[0].utf8.count == 4, (1...2).contains(parts[1].utf8.count), (1...2).contains(parts[2].utf8.count),
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            let date = CivilDate(year: year, month: month, day: day)
        {
            return date.description
        }
        // Days since 1899-12-30; 20,000 is in 1954 and 80,000 in 2119.
        let isSerial = Double(text).map { (20_000...80_000).contains($0) } == true
        add(row, cell, isSerial ? .excelDate : .badDate, ImportProblem.shown(text))
        return nil
    }

    private mutating func integer(_ cell: ImportedRow.Cell, _ row: ImportedRow) -> JSON? {
        switch cell.value {
        case .null, "": return nil
        case .integer: return cell.value
        case .string(let text) where !row.isTyped:
            if SpreadsheetDamage.isError(text) {
                add(row, cell, .excelError, ImportProblem.shown(text))
            } else if SpreadsheetDamage.isScientific(text) {
                add(row, cell, .scientificNotation, ImportProblem.shown(text))
            } else if let number = Int64(text), !text.hasPrefix("+") {
                return .integer(number)
            } else {
                add(row, cell, .notWholeNumber, ImportProblem.shown(text))
            }
            return nil
        default:
            add(row, cell, .notWholeNumber, ImportProblem.shown(cell.value.canonicalText))
            return nil
        }
    }

    private mutating func boolean(_ cell: ImportedRow.Cell, _ row: ImportedRow) -> JSON? {
        switch cell.value {
        case .null, "": return nil
        case .bool: return cell.value
        case .string(let text) where !row.isTyped:
            switch text.lowercased() {
            case "yes", "y", "true", "1", "x", "是", "√": return true
            case "no", "n", "false", "0", "否": return false
            default: break
            }
            add(row, cell, .notYesOrNo, ImportProblem.shown(text))
            return nil
        default:
            add(row, cell, .notYesOrNo, ImportProblem.shown(cell.value.canonicalText))
            return nil
        }
    }
}

/// What a spreadsheet leaves of a value that it took for a number.
enum SpreadsheetDamage {
    /// `1.23E+11`, with a sign as spreadsheets write it: `12E5` can be the number of a tool.
    static func isScientific(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var index = bytes.first == 0x2D ? 1 : 0
        func skipDigits() -> Int {
            let start = index
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
            return index - start
        }
        guard skipDigits() == 1 else { return false }
        if index < bytes.count, bytes[index] == 0x2E || bytes[index] == 0x2C {
            index += 1
            guard skipDigits() > 0 else { return false }
        }
        guard index + 2 < bytes.count, bytes[index] | 0x20 == 0x65, bytes[index + 1] == 0x2B || bytes[index + 1] == 0x2D else {
            return false
        }
        index += 2
        return (1...3).contains(skipDigits()) && index == bytes.count
    }

    static func isError(_ text: String) -> Bool {
        ["#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"].contains(text)
            || text.utf8.count >= 2 && text.allSatisfy { $0 == "#" }
    }
}

extension String {
    /// Without white space at its ends.
    fileprivate var trimmed: String { String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }
}
