/// Fields in lines, as spreadsheets write them (RFC 4180, with `;` and tab as well): quotation marks around a field that holds
/// separators, line ends or quotation marks, which are then written twice.
struct DelimitedText {
    struct Record {
        /// The line on which it begins, from 1.
        var line: Int
        var fields: [String]
    }

    struct Failure: Error {
        var code: ImportProblem.Code
        var line: Int
        var details: [String] = []
    }

    static let maximumFieldBytes = 4_096
    static let maximumRecords = 1_000_000

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private(set) var separator: UInt8

    /// - Parameter bytes: UTF-8.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        separator = 0x2C
        // Excel's own way to name the separator: a first line `sep=;`.
        if bytes.count >= 5, bytes.starts(with: "sep=".utf8), bytes.count == 5 || bytes[5] == 0x0A || bytes[5] == 0x0D {
            separator = bytes[4]
            while index < bytes.count, bytes[index] != 0x0A { index += 1 }
            index = min(index + 1, bytes.count)
            line = 2
        } else {
            separator = Self.separator(of: bytes)
        }
    }

    /// The character of `,` `;` and tab that stands most often in the first line outside of quotation marks.
    private static func separator(of bytes: [UInt8]) -> UInt8 {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in bytes {
            if byte == 0x22 { isQuoted.toggle() }
            if !isQuoted, byte == 0x0A || byte == 0x0D { break }
            if !isQuoted, [0x2C, 0x3B, 0x09].contains(byte) { counts[byte, default: 0] += 1 }
        }
        return [0x2C, 0x3B, 0x09].max { counts[$0, default: 0] < counts[$1, default: 0] } ?? 0x2C
    }

    /// Every record that has something in it.
    static func records(of bytes: [UInt8]) throws(Failure) -> [Record] {
        var text = DelimitedText(bytes)
        var records: [Record] = []
        while let record = try text.next() {
            guard record.fields.contains(where: { !$0.isEmpty }) else { continue }
            // The header is one more.
            guard records.count <= maximumRecords else {
                throw Failure(code: .tooManyRows, line: record.line, details: ["\(maximumRecords)"])
            }
            records.append(record)
        }
        return records
    }

    private mutating func next() throws(Failure) -> Record? {
        guard index < bytes.count else { return nil }
        var record = Record(line: line, fields: [])
        while true {
            record.fields.append(try field())
            guard index < bytes.count else { return record }
            if bytes[index] == separator {
                index += 1
                continue
            }
            skipLineEnd()
            return record
        }
    }

    private mutating func skipLineEnd() {
        if bytes[index] == 0x0D {
            index += 1
            if index < bytes.count, bytes[index] == 0x0A { index += 1 }
        } else {
            index += 1
        }
        line += 1
    }

    private func endsField(_ byte: UInt8) -> Bool { byte == separator || byte == 0x0A || byte == 0x0D }

    private mutating func field() throws(Failure) -> String {
        while index < bytes.count, bytes[index] == 0x20 { index += 1 }
        if index < bytes.count, bytes[index] == 0x22 { return try quotedField() }
        let start = index
        while index < bytes.count, !endsField(bytes[index]) { index += 1 }
        return try text(bytes[start..<index], line)
    }

    private mutating func quotedField() throws(Failure) -> String {
        let firstLine = line
        index += 1
        var content: [UInt8] = []
        while true {
            guard index < bytes.count else { throw Failure(code: .openQuote, line: firstLine) }
            let byte = bytes[index]
            index += 1
            if byte == 0x22 {
                guard index < bytes.count, bytes[index] == 0x22 else { break }
                index += 1
            } else if byte == 0x0A || byte == 0x0D && !(index < bytes.count && bytes[index] == 0x0A) {
                line += 1
            }
            content.append(byte)
            if content.count > Self.maximumFieldBytes {
                throw Failure(code: .fieldTooLong, line: firstLine, details: ["\(Self.maximumFieldBytes)"])
            }
        }
        while index < bytes.count, bytes[index] == 0x20 { index += 1 }
        guard index == bytes.count || endsField(bytes[index]) else { throw Failure(code: .textAfterQuote, line: line) }
        return try text(content[...], firstLine)
    }

    private func text(_ content: ArraySlice<UInt8>, _ line: Int) throws(Failure) -> String {
        guard content.count <= Self.maximumFieldBytes else {
            throw Failure(code: .fieldTooLong, line: line, details: ["\(Self.maximumFieldBytes)"])
        }
        var text = Substring(String(decoding: content, as: UTF8.self))
        // A formula that yields a text is the way to keep leading zeros in a CSV file: ="00123".
        if text.hasPrefix("=\""), text.hasSuffix("\""), text.count >= 3 { text = text.dropFirst(2).dropLast() }
        // White space of every width, the ideographic space and the no-break space too.
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
