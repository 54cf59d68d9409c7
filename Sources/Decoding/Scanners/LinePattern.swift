/// A line that a device sends, with `*` for any characters.
public struct LinePattern: Hashable, Sendable {
    public var text: String
    /// What must stand between the stars.
    private let pieces: [[UInt8]]

    public init(_ text: String) {
        self.text = text
        pieces = text.utf8.split(separator: 0x2A, omittingEmptySubsequences: false).map(Array.init)
    }

    public func matches(_ line: [UInt8]) -> Bool {
        guard let first = pieces.first, let last = pieces.last else { return false }
        guard pieces.count > 1 else { return line == first }
        guard line.count >= first.count + last.count, line.starts(with: first), line.suffix(last.count).elementsEqual(last) else {
            return false
        }
        var rest = line[first.count..<line.count - last.count]
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let place = Self.place(of: piece, in: rest) else { return false }
            rest = rest[(place + piece.count)...]
        }
        return true
    }

    /// Where a piece first stands; a line is bounded, so the plain search is good enough.
    private static func place(of piece: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard text.count >= piece.count else { return nil }
        return (text.startIndex...text.endIndex - piece.count).first { text[$0...].starts(with: piece) }
    }
}
