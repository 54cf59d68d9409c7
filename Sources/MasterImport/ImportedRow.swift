import Ledger
import Readings

/// One record of a file, its columns known and its values not yet looked at.
struct ImportedRow {
    struct Cell {
        var column: ImportColumn
        /// As the file writes it.
        var header: String
        var value: JSON
    }

    var line: Int
    var set: MasterRow.Set
    var cells: [Cell]
    /// Whether the file has types of its own, as JSON has: then texts are not read as numbers.
    var isTyped: Bool
}

/// How wide the numbers of a column are: what tells that one has lost its leading zeros.
struct ColumnWidths {
    private var counts: [Int: Int] = [:]
    /// Widths at which a value with a leading zero stands.
    private var zeroWidths: Set<Int> = []

    mutating func add(_ value: String) {
        guard !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return }
        counts[value.utf8.count, default: 0] += 1
        if value.utf8.first == 0x30 { zeroWidths.insert(value.utf8.count) }
    }

    /// The most common width; of two, the larger.
    var common: Int? { counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key }

    /// Whether a value is short of the common width, in a column where leading zeros are in use.
    func hasLostZeros(_ value: String) -> Bool {
        guard let common, !zeroWidths.isEmpty, value.utf8.count < common, value.utf8.first != 0x30 else { return false }
        return value.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
