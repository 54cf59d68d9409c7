import Identifiers
import Ledger
import Readings

/// Makes rows of master data of a file's rows. A badge in a row of people becomes a row of credentials, an EPC in a row of items or
/// locations a row of tags: people keep one list, not three.
struct RowBuilder {
    private let file: String
    private var reader: CellReader
    private var imported = ImportedMaster()

    init(file: String, rows: [ImportedRow]) {
        self.file = file
        reader = CellReader(file: file, rows: rows)
    }

    mutating func take(_ row: ImportedRow) {
        var body: [String: JSON] = [:]
        var credentials: [String] = []
        var tags: [String] = []
        var id: String?
        var isDeleted = false
        let before = reader.problems.count
        for cell in row.cells {
            switch cell.column.member {
            case "id": id = reader.text(of: cell, in: row)
            case "deleted": isDeleted = reader.value(of: cell, in: row) == true
            case "badge": credentials = reader.texts(of: cell, in: row)
            case "epc" where row.set == .items || row.set == .locations: tags = reader.texts(of: cell, in: row)
            default: body[cell.column.member] = reader.value(of: cell, in: row)
            }
        }
        guard reader.problems.count == before else { return }
        guard let id else {
            let header = row.cells.first { $0.column.member == "id" }?.header ?? "id"
            return reader.add(ImportProblem(file: file, line: row.line, column: header, .missingValue))
        }
        if isDeleted {
            imported.add(MasterRow(set: row.set, id: id, isDeleted: true), file: file, line: row.line)
            return
        }
        imported.add(MasterRow(set: row.set, id: id, body: body), file: file, line: row.line)
        for badge in credentials {
            imported.add(MasterRow(set: .credentials, id: badge, body: ["person": .string(id)]), file: file, line: row.line)
        }
        let member = row.set == .items ? "item" : "location"
        for epc in tags { imported.add(MasterRow(set: .tags, id: epc, body: [member: .string(id)]), file: file, line: row.line) }
    }

    consuming func finish() throws(ImportRefusal) -> ImportedMaster {
        guard reader.problems.isEmpty else { throw ImportRefusal(reader.problems) }
        return imported
    }
}
