import Ledger
import Readings

/// The rows of a JSON file with the lines on which they stand: a list, one object on each line, or lists by the name of their set.
struct JSONRecords {
    struct Record {
        var line: Int
        /// The set that the list around it is named after.
        var set: MasterRow.Set?
        var members: [String: JSON]
    }

    struct Failure: Error {
        var code: ImportProblem.Code
        var line: Int
        var details: [String] = []
    }

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    static func records(of bytes: [UInt8]) throws(Failure) -> [Record] {
        var text = JSONRecords(bytes)
        text.skipSpace()
        guard text.index < bytes.count else { return [] }
        if bytes[text.index] == 0x5B {
            let records = try text.list(set: nil)
            text.skipSpace()
            guard text.index == bytes.count else {
                throw Failure(code: .jsonSyntax, line: text.line, details: ["something follows the list"])
            }
            return records
        }
        return try text.lines()
    }

    /// Objects one after the other; a single one may be lists by set.
    private mutating func lines() throws(Failure) -> [Record] {
        var records: [Record] = []
        while index < bytes.count {
            let start = (index: index, line: line)
            let record = try object(set: nil)
            skipSpace()
            if records.isEmpty, index == bytes.count, record.members["id"] == nil, !record.members.isEmpty,
                record.members.allSatisfy({ $0.value.array != nil })
            {
                (index, line) = start
                return try wrapper()
            }
            records.append(record)
            try bound(records.count)
        }
        return records
    }

    private func bound(_ count: Int) throws(Failure) {
        guard count <= DelimitedText.maximumRecords else {
            throw Failure(code: .tooManyRows, line: line, details: ["\(DelimitedText.maximumRecords)"])
        }
    }

    /// `{"items":[…],"people":[…]}`, known to be sound JSON.
    private mutating func wrapper() throws(Failure) -> [Record] {
        var records: [Record] = []
        index += 1
        while index < bytes.count {
            skipSpace()
            let nameLine = line
            guard let name = try value().string else { break }
            guard let set = ImportColumn.set(named: name) else {
                throw Failure(code: .unknownSet, line: nameLine, details: [MasterRow.Set.allCases.map(\.rawValue).joined(separator: "|")])
            }
            skipSpace()
            index += 1
            skipSpace()
            records += try list(set: set)
            skipSpace()
            guard index < bytes.count, bytes[index] == 0x2C else { break }
            index += 1
        }
        return records
    }

    private mutating func list(set: MasterRow.Set?) throws(Failure) -> [Record] {
        var records: [Record] = []
        index += 1
        skipSpace()
        if index < bytes.count, bytes[index] == 0x5D {
            index += 1
            return records
        }
        while true {
            skipSpace()
            records.append(try object(set: set))
            try bound(records.count)
            skipSpace()
            guard index < bytes.count else { throw Failure(code: .jsonSyntax, line: line, details: ["the list does not end"]) }
            index += 1
            if bytes[index - 1] == 0x5D { return records }
            guard bytes[index - 1] == 0x2C else { throw Failure(code: .jsonSyntax, line: line, details: ["expected , or ]"]) }
        }
    }

    private mutating func object(set: MasterRow.Set?) throws(Failure) -> Record {
        let first = line
        guard let members = try value().object else { throw Failure(code: .jsonShape, line: first) }
        return Record(line: first, set: set, members: members)
    }

    /// Finds where the value ends and parses that much.
    private mutating func value() throws(Failure) -> JSON {
        let start = index
        let firstLine = line
        var depth = 0
        scan: while index < bytes.count {
            switch bytes[index] {
            case 0x22: skipString()
            case 0x5B, 0x7B: depth += 1
            case 0x5D, 0x7D:
                if depth == 0 { break scan }
                depth -= 1
            case 0x2C, 0x3A, 0x20, 0x09, 0x0D, 0x0A: if depth == 0 { break scan }
            default: break
            }
            if index < bytes.count, bytes[index] == 0x0A { line += 1 }
            index += 1
            if depth == 0, index < bytes.count, [0x22, 0x5D, 0x7D].contains(bytes[index - 1]) { break }
        }
        index = min(index, bytes.count)
        do {
            return try JSON(parsing: Array(bytes[start..<index]))
        } catch {
            let before = bytes[start..<min(index, start + error.offset)].count { $0 == 0x0A }
            throw Failure(code: .jsonSyntax, line: firstLine + before, details: [error.reason])
        }
    }

    /// From a quotation mark to the one that closes it.
    private mutating func skipString() {
        index += 1
        while index < bytes.count, bytes[index] != 0x22 {
            if bytes[index] == 0x5C { index += 1 }
            if index < bytes.count, bytes[index] == 0x0A { line += 1 }
            index += 1
        }
    }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x09, 0x0D, 0x0A].contains(bytes[index]) {
            if bytes[index] == 0x0A { line += 1 }
            index += 1
        }
    }
}
