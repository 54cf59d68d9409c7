import Glibc
import Ledger
import Readings

/// Rows read from files, with the places that they stand at.
public struct ImportedMaster: Hashable, Sendable {
    public struct Origin: Hashable, Sendable {
        public var file: String
        public var line: Int
    }

    public private(set) var rows: [MasterRow] = []
    /// One for each row.
    public private(set) var origins: [Origin] = []

    public init() {}

    mutating func add(_ row: MasterRow, file: String, line: Int) {
        rows.append(row)
        origins.append(Origin(file: file, line: line))
    }

    /// Takes the rows of another file behind these, so that files that name each other are applied together.
    public mutating func append(_ other: ImportedMaster) {
        rows += other.rows
        origins += other.origins
    }

    /// What the ledger says against the rows, at the places where they stand.
    public func problems(of refusal: MasterRefusal) -> [ImportProblem] {
        refusal.problems.map { problem in
            let origin = origins.indices.contains(problem.row) ? origins[problem.row] : Origin(file: "", line: 0)
            return ImportProblem(
                file: origin.file, line: origin.line, column: problem.member, .badRow,
                "\(problem.set.rawValue) \(ImportProblem.shown(problem.id)): \(ImportProblem.shown(problem.message))")
        }
    }
}

/// Reads master data from files as people make them: JSON, and CSV in the encodings and with the separators that spreadsheets write.
///
/// A file with anything wrong in it is refused whole, with everything that is wrong and the lines.
public enum MasterImport {
    /// The largest file, in bytes.
    public static let maximumBytes = 256 << 20

    /// Reads a file from the disk.
    /// - Parameter set: what the rows are; nil: the file's name or its rows tell.
    public static func read(path: String, set: MasterRow.Set? = nil) throws(ImportRefusal) -> ImportedMaster {
        let name = String(path.split(separator: "/").last ?? "")
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ImportRefusal([ImportProblem(file: name, line: 0, .cannotRead, "errno \(errno)")]) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ImportRefusal([ImportProblem(file: name, line: 0, .cannotRead, "errno \(errno)")]) }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= maximumBytes else {
                throw ImportRefusal([ImportProblem(file: name, line: 0, .tooLarge, "\(maximumBytes)")])
            }
        }
        return try read(bytes, file: name, set: set)
    }

    /// Reads the bytes of a file.
    /// - Parameters:
    ///   - file: its name, for problems and to tell what the rows are.
    ///   - set: what the rows are; nil: the file's name or its rows tell.
    public static func read(_ bytes: [UInt8], file: String, set: MasterRow.Set? = nil) throws(ImportRefusal) -> ImportedMaster {
        guard bytes.count <= maximumBytes else { throw ImportRefusal([ImportProblem(file: file, line: 0, .tooLarge, "\(maximumBytes)")]) }
        let text: [UInt8]
        do {
            text = try TextDecoding.decode(bytes)
        } catch {
            throw refusal(file, error.code, error.line, error.details)
        }
        let expected = set ?? ImportColumn.set(fileName: file)
        guard let first = text.first(where: { ![0x20, 0x09, 0x0D, 0x0A].contains($0) }) else { throw refusal(file, .empty, 0) }
        var problems: [ImportProblem] = []
        let rows =
            first == 0x7B || first == 0x5B
            ? try jsonRows(text, file, expected, &problems) : try delimitedRows(text, file, expected, &problems)
        guard problems.isEmpty else { throw ImportRefusal(problems) }
        guard !rows.isEmpty else { throw refusal(file, .empty, 0) }
        var builder = RowBuilder(file: file, rows: rows)
        for row in rows { builder.take(row) }
        return try builder.finish()
    }

    private static func refusal(_ file: String, _ code: ImportProblem.Code, _ line: Int, _ details: [String] = []) -> ImportRefusal {
        var problem = ImportProblem(file: file, line: line, code)
        problem.details = details
        return ImportRefusal([problem])
    }

    private static func unknownSet(_ file: String, _ line: Int) -> ImportRefusal {
        refusal(file, .unknownSet, line, [MasterRow.Set.allCases.map(\.rawValue).joined(separator: "|")])
    }

    private static func delimitedRows(
        _ text: [UInt8], _ file: String, _ set: MasterRow.Set?, _ problems: inout [ImportProblem]
    ) throws(ImportRefusal) -> [ImportedRow] {
        guard let set else { throw unknownSet(file, 0) }
        let records: [DelimitedText.Record]
        do {
            records = try DelimitedText.records(of: text)
        } catch {
            throw refusal(file, error.code, error.line, error.details)
        }
        guard let header = records.first else { throw refusal(file, .empty, 0) }
        let columns = header.fields.map { ImportColumn.column(named: $0, of: set) }
        checkHeader(header, columns, records.dropFirst(), file, set, &problems)
        var rows: [ImportedRow] = []
        for record in records.dropFirst() {
            guard record.fields.count == header.fields.count else {
                problems.append(
                    ImportProblem(file: file, line: record.line, .raggedRow, "\(record.fields.count)", "\(header.fields.count)"))
                continue
            }
            var row = ImportedRow(line: record.line, set: set, cells: [], isTyped: false)
            for (position, column) in columns.enumerated() {
                if let column {
                    row.cells.append(.init(column: column, header: header.fields[position], value: .string(record.fields[position])))
                }
            }
            rows.append(row)
        }
        return rows
    }

    private static func checkHeader(
        _ header: DelimitedText.Record, _ columns: [ImportColumn?], _ records: ArraySlice<DelimitedText.Record>, _ file: String,
        _ set: MasterRow.Set, _ problems: inout [ImportProblem]
    ) {
        var seen: [String: String] = [:]
        for (position, name) in header.fields.enumerated() {
            // Excel adds empty columns at the right.
            if name.isEmpty, records.allSatisfy({ position >= $0.fields.count || $0.fields[position].isEmpty }) { continue }
            guard let column = columns[position] else {
                problems.append(unknownColumn(name, file, header.line, set))
                continue
            }
            if let other = seen.updateValue(name, forKey: column.member) {
                problems.append(ImportProblem(file: file, line: header.line, column: name, .duplicateColumn, ImportProblem.shown(other)))
            }
        }
        if seen["id"] == nil {
            let names = ImportColumn.columns(of: set).first { $0.member == "id" }.map { [$0.member] + $0.aliases } ?? []
            problems.append(ImportProblem(file: file, line: header.line, .missingColumn, names.joined(separator: " / ")))
        }
    }

    private static func unknownColumn(_ name: String, _ file: String, _ line: Int, _ set: MasterRow.Set) -> ImportProblem {
        ImportProblem(
            file: file, line: line, column: name, .unknownColumn, set.rawValue,
            ImportColumn.columns(of: set).map(\.member).joined(separator: ", "))
    }

    private static func jsonRows(
        _ text: [UInt8], _ file: String, _ expected: MasterRow.Set?, _ problems: inout [ImportProblem]
    ) throws(ImportRefusal) -> [ImportedRow] {
        let records: [JSONRecords.Record]
        do {
            records = try JSONRecords.records(of: text)
        } catch {
            throw refusal(file, error.code, error.line, error.details)
        }
        var rows: [ImportedRow] = []
        for record in records {
            let own = record.members["set"].map { $0.string.flatMap(MasterRow.Set.init) }
            guard let set = own ?? record.set ?? expected else {
                problems += unknownSet(file, record.line).problems
                continue
            }
            var row = ImportedRow(line: record.line, set: set, cells: [], isTyped: true)
            var seen: [String: String] = [:]
            for (name, value) in record.members.sorted(by: { $0.key < $1.key }) where name != "set" {
                guard let column = ImportColumn.column(named: name, of: set) else {
                    problems.append(unknownColumn(name, file, record.line, set))
                    continue
                }
                if let other = seen.updateValue(name, forKey: column.member) {
                    problems.append(
                        ImportProblem(file: file, line: record.line, column: name, .duplicateColumn, ImportProblem.shown(other)))
                }
                row.cells.append(.init(column: column, header: name, value: value))
            }
            rows.append(row)
        }
        return rows
    }
}
