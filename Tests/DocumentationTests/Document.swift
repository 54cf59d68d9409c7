import Foundation

/// A Markdown document of the project, as the tests read it: headings, the tables and the code blocks under them.
struct Document {
    struct Section {
        /// The heading without its `#`.
        var title: String
        /// Without their headers, cell by cell.
        var tables: [[[String]]] = []
        var blocks: [Block] = []

        /// The rows of the first table.
        var rows: [[String]] { tables.first ?? [] }

        /// The words of the title that stand in backticks.
        var codes: [String] { Document.codes(in: title) }
    }

    struct Block {
        /// What stands after the opening fence.
        var language: String
        var text: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    let text: String
    private(set) var sections: [Section] = [Section(title: "")]

    /// - Parameter path: from the root of the project.
    init(_ path: String) throws {
        text = try Self.contents(path)
        var block: Block?
        var isInTable = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let last = sections.count - 1
            if var open = block {
                if line.hasPrefix("```") {
                    sections[last].blocks.append(open)
                    block = nil
                } else {
                    open.text += line + "\n"
                    block = open
                }
            } else if line.hasPrefix("```") {
                block = Block(language: String(line.dropFirst(3)), text: "")
            } else if line.hasPrefix("#") {
                sections.append(Section(title: line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)))
            } else if line.hasPrefix("|---") {
                sections[last].tables.append([])
            } else if line.hasPrefix("|"), isInTable {
                sections[last].tables[sections[last].tables.count - 1].append(Self.cells(of: line))
            }
            isInTable = line.hasPrefix("|---") || isInTable && line.hasPrefix("|")
        }
    }

    static func contents(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }

    func section(_ title: String) -> Section? { sections.first { $0.title == title } }

    private static func cells(of line: Substring) -> [String] {
        line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// What stands in backticks, in order.
    static func codes(in text: String) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated().compactMap {
            $0.offset % 2 == 1 ? String($0.element) : nil
        }
    }
}
