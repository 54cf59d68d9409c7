/// Finds the lines of keys in a text. It need not judge, only keep count: what it does not understand it passes over, because the
/// TOML parser will say what is wrong there.
struct TOMLLineScanner {
    private(set) var lines: [[TOMLPathStep]: Int] = [:]
    /// The first place where something is missing that the parser takes for granted: it stops a debug build there, and what a
    /// release build does is undefined. Such a text must not be handed to it.
    private(set) var trap: (line: Int, reason: String)?

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var arrayCounts: [[TOMLPathStep]: Int] = [:]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A byte order mark is no part of the first key.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func step() {
        if current == 0x0A { line += 1 }
        index += 1
    }

    mutating func scan() {
        var table: [TOMLPathStep] = []
        while true {
            skip(newLines: true)
            guard let byte = current else { return }
            if byte == 0x5B {
                table = header()
            } else {
                keyValue(in: table, depth: 0)
            }
            // Whatever is left of the line.
            while current != nil, current != 0x0A { step() }
        }
    }

    /// Blanks and comments.
    private mutating func skip(newLines: Bool) {
        while let byte = current {
            switch byte {
            case 0x20, 0x09, 0x0D: step()
            case 0x0A where newLines: step()
            case 0x23: while current != nil, current != 0x0A { step() }
            default: return
            }
        }
    }

    private mutating func skipBlanks() {
        while current == 0x20 || current == 0x09 { step() }
    }

    private mutating func header() -> [TOMLPathStep] {
        let start = line
        step()
        skipBlanks()
        let isArray = current == 0x5B
        if isArray { step() }
        skipBlanks()
        let begins = current.map { $0.isBareKey || $0 == 0x22 || $0 == 0x27 } ?? false
        if !begins, trap == nil { trap = (start, "a table header without a name") }
        let names = key()
        // A name on the way that is an array of tables means its last element.
        var path: [TOMLPathStep] = []
        for (position, name) in names.enumerated() {
            path.append(.key(name))
            // A table may exist by a longer name alone.
            note(path, start)
            if position == names.count - 1, isArray {
                let count = arrayCounts[path, default: 0]
                arrayCounts[path] = count + 1
                path.append(.index(count))
            } else if let count = arrayCounts[path] {
                path.append(.index(count - 1))
            }
        }
        note(path, start)
        return path
    }

    private mutating func note(_ path: [TOMLPathStep], _ line: Int) {
        if lines[path] == nil { lines[path] = line }
    }

    /// A dotted key with bare and quoted parts.
    private mutating func key() -> [String] {
        var names: [String] = []
        while true {
            skip(newLines: false)
            if current == 0x22 || current == 0x27 {
                names.append(string())
            } else {
                var name: [UInt8] = []
                while let byte = current, byte.isBareKey {
                    name.append(byte)
                    step()
                }
                names.append(String(decoding: name, as: UTF8.self))
            }
            skip(newLines: false)
            guard current == 0x2E else { return names }
            step()
        }
    }

    private mutating func keyValue(in table: [TOMLPathStep], depth: Int) {
        let start = line
        var path = table
        for name in key() {
            path.append(.key(name))
            note(path, start)
        }
        guard current == 0x3D else { return }
        step()
        skip(newLines: false)
        value(path, depth: depth)
    }

    private mutating func value(_ path: [TOMLPathStep], depth: Int) {
        note(path, line)
        // A closing bracket of the other kind, or one of Unicode's blanks: no value begins like that.
        if let byte = current, byte == 0x7D || byte >= 0x80, trap == nil { trap = (line, "a character that begins no value") }
        guard depth < 64 else { return }
        switch current {
        case 0x22, 0x27: _ = string()
        case 0x5B:
            step()
            var element = 0
            while true {
                skip(newLines: true)
                guard let byte = current, byte != 0x5D else { break }
                if byte == 0x2C {
                    step()
                } else {
                    let before = index
                    value(path + [.index(element)], depth: depth + 1)
                    element += 1
                    if index == before { step() }
                }
            }
            step()
        case 0x7B:
            step()
            while true {
                skip(newLines: true)
                guard let byte = current, byte != 0x7D else { break }
                let before = index
                if byte == 0x2C { step() } else { keyValue(in: path, depth: depth + 1) }
                if index == before { step() }
            }
            step()
        default:
            while let byte = current, ![0x2C, 0x5D, 0x7D, 0x0A, 0x23].contains(byte) { step() }
        }
    }

    /// Any of the four kinds of strings; escapes are kept as they are except a quote, because keys hardly have any.
    private mutating func string() -> String {
        guard let quote = current else { return "" }
        let isLong = index + 2 < bytes.count && bytes[index + 1] == quote && bytes[index + 2] == quote
        for _ in 0..<(isLong ? 3 : 1) { step() }
        var text: [UInt8] = []
        while let byte = current {
            if byte == 0x5C, quote == 0x22 {
                step()
                if let escaped = current { text.append(escaped) }
                step()
            } else if byte == quote {
                if !isLong {
                    step()
                    break
                }
                var run = 0
                while current == quote { step(); run += 1 }
                if run >= 3 { break }
            } else {
                text.append(byte)
                step()
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension UInt8 {
    /// A letter, a digit, `_` or `-`.
    fileprivate var isBareKey: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == 0x5F || self == 0x2D
    }
}
