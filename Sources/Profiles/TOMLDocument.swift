import Readings
import TOMLKit

/// A step on the way to a value in a TOML document.
public enum TOMLPathStep: Hashable, Sendable {
    case key(String)
    /// Counted from 0.
    case index(Int)
}

/// A TOML file as a value, and the lines where its keys stand: the parser gives none after it has succeeded.
public struct TOMLDocument: Sendable {
    /// The largest file that is read, in bytes.
    public static let maximumLength = 262_144

    public let file: String
    public let root: JSON
    private let lines: [[TOMLPathStep]: Int]

    /// - Throws: `TOMLProblem` when the text is no TOML, too long, or nested more than `JSON.maximumDepth` deep.
    public init(file: String, text: String) throws(TOMLProblem) {
        guard text.utf8.count <= Self.maximumLength else {
            throw TOMLProblem(file: file, line: nil, key: "", reason: "longer than \(Self.maximumLength) bytes")
        }
        // The parser is in C and takes a NUL for the end: what follows would be passed over without a word.
        if let position = text.utf8.firstIndex(of: 0) {
            let line = text.utf8[..<position].count(where: { $0 == 0x0A }) + 1
            throw TOMLProblem(file: file, line: line, key: "", reason: "a NUL character")
        }
        var scanner = TOMLLineScanner(Array(text.utf8))
        scanner.scan()
        if let trap = scanner.trap { throw TOMLProblem(file: file, line: trap.line, key: "", reason: trap.reason) }
        self.file = file
        lines = scanner.lines
        let converted: String
        do {
            converted = try TOMLTable(string: text).convert(
                to: .json, options: [.quoteDateAndTimes, .quoteInfinitesAndNaNs, .allowUnicodeStrings])
        } catch let error as TOMLParseError {
            throw TOMLProblem(file: file, line: error.source.begin.line, key: "", reason: error.description)
        } catch {
            throw TOMLProblem(file: file, line: nil, key: "", reason: "\(error)")
        }
        do throws(JSONError) {
            root = try JSON(parsing: converted)
        } catch {
            throw TOMLProblem(file: file, line: nil, key: "", reason: "cannot be represented: \(error.reason)")
        }
    }

    /// The line of a key, or of the nearest table around it.
    public func line(of path: [TOMLPathStep]) -> Int? {
        var path = path[...]
        while !path.isEmpty {
            if let line = lines[Array(path)] { return line }
            path.removeLast()
        }
        return nil
    }

    public func problem(_ path: [TOMLPathStep], _ reason: String) -> TOMLProblem {
        TOMLProblem(file: file, line: line(of: path), key: Self.text(path), reason: reason)
    }

    /// `session.step[2].send`, elements counted from 1 as people do.
    public static func text(_ path: [TOMLPathStep]) -> String {
        path.reduce(into: "") { text, step in
            switch step {
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .index(let index): text += "[\(index + 1)]"
            }
        }
    }
}
