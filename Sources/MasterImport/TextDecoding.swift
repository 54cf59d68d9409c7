import Glibc

/// Makes UTF-8 of the bytes of a file as people make them.
enum TextDecoding {
    struct Failure: Error {
        var code: ImportProblem.Code
        var line: Int
        var details: [String] = []
    }

    /// UTF-8 without byte order mark. With a mark the file is what the mark says; without one it is UTF-8 if it is valid UTF-8, else
    /// GB18030, the only other encoding that Chinese editions of Excel write.
    static func decode(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        // A zip archive: what .xlsx is inside; and the compound file of .xls.
        if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) {
            throw Failure(code: .workbook, line: 0)
        }
        let text: [UInt8]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            text = Array(bytes.dropFirst(3))
            guard isUTF8(text) else { throw Failure(code: .notText, line: 0) }
        } else if bytes.starts(with: [0xFF, 0xFE]) {
            text = try utf16(bytes.dropFirst(2), bigEndian: false)
        } else if bytes.starts(with: [0xFE, 0xFF]) {
            text = try utf16(bytes.dropFirst(2), bigEndian: true)
        } else if let zero = bytes.firstIndex(of: 0) {
            throw Failure(code: .nulByte, line: line(of: zero, in: bytes))
        } else {
            text = isUTF8(bytes) ? bytes : try gb18030(bytes)
        }
        try inspect(text)
        return text
    }

    /// The line, from 1, on which a byte stands.
    static func line(of offset: Int, in bytes: [UInt8]) -> Int {
        1 + bytes.prefix(offset).count { $0 == 0x0A }
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    private static func inspect(_ text: [UInt8]) throws(Failure) {
        var line = 1
        for (offset, byte) in text.enumerated() {
            switch byte {
            case 0x0A: line += 1
            case 0x00: throw Failure(code: .nulByte, line: line)
            case 0x09, 0x0D: break
            case 0..<0x20, 0x7F:
                throw Failure(
                    code: .controlCharacter, line: line,
                    details: ["U+00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)])
            case 0xEF where offset + 2 < text.count && text[offset + 1] == 0xBB && text[offset + 2] == 0xBF:
                throw Failure(code: .innerByteOrderMark, line: line)
            default: break
            }
        }
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, bigEndian: Bool) throws(Failure) -> [UInt8] {
        guard bytes.count.isMultiple(of: 2) else { throw Failure(code: .notText, line: 0) }
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            units.append(bigEndian ? first << 8 | second : second << 8 | first)
            index += 2
        }
        guard let text = String(validating: units, as: UTF16.self) else { throw Failure(code: .notText, line: 0) }
        return Array(text.utf8)
    }

    private static func gb18030(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        let converter = iconv_open("UTF-8", "GB18030")
        // iconv_open answers (iconv_t)-1 when the system has no such converter.
        guard Int(bitPattern: converter) != -1 else { throw Failure(code: .notText, line: 0) }
        defer { iconv_close(converter) }
        var output = [UInt8](repeating: 0, count: bytes.count * 2 + 16)
        var input = bytes
        let (status, unread, unused) = input.withUnsafeMutableBytes { source in
            output.withUnsafeMutableBytes { target in
                var from = source.baseAddress?.assumingMemoryBound(to: CChar.self)
                var to = target.baseAddress?.assumingMemoryBound(to: CChar.self)
                var unread = source.count
                var unused = target.count
                let status = iconv(converter, &from, &unread, &to, &unused)
                return (status, unread, unused)
            }
        }
        guard status == 0, unread == 0 else {
            throw Failure(code: .notText, line: line(of: bytes.count - unread, in: bytes))
        }
        output.removeLast(unused)
        return output
    }
}
