import Glibc
import Readings

/// What a file of events says about those that it holds.
extension FileDestination {
    /// Which event of which gateway and epoch.
    struct Position: Hashable, Sendable {
        /// What the ids of all events of one gateway and epoch begin with. Numbers can be compared within it only: after a restore they go
        /// on from the end of the backup, under another epoch.
        var origin: Substring
        var sequence: Int64

        /// An id holds the origin in its upper 64 bits: 16 digits and two hyphens.
        init(id: String, sequence: Int64) {
            origin = id.prefix(18)
            self.sequence = sequence
        }

        /// nil for what is no event.
        init?(line: some Collection<UInt8>) {
            guard let json = try? JSON(parsing: Array(line)), let sequence = json["seq"]?.integer, let id = json["id"]?.string else {
                return nil
            }
            self.init(id: id, sequence: sequence)
        }
    }

    /// How far back a file is searched: what is offered again is what a crash has left without a cursor, a second's worth.
    static let lookBack: Int64 = 64 << 20

    /// The highest number of an origin in a file, which is in the last of its lines.
    /// - Parameter budget: bytes that may be read yet.
    /// - Returns: nil where the file holds none, or cannot be read.
    static func highest(of origin: Substring, in descriptor: Int32, length: Int64, budget: inout Int64) -> Int64? {
        let pattern = Array("\"id\":\"\(origin)".utf8)
        var end = length
        // What was read of a line whose beginning lies in the block before.
        var rest: [UInt8] = []
        while end > 0, budget > 0 {
            let count = Int(min(1 << 20, end))
            var block = [UInt8](repeating: 0, count: count)
            let read = block.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, count, off_t(end - Int64(count))) }
            guard read == count else { return nil }
            end -= Int64(count)
            budget -= Int64(count)
            block += rest
            let start = end == 0 ? 0 : block.firstIndex(of: 0x0A).map { $0 + 1 } ?? block.count
            var lines = block[start...]
            while let place = last(pattern, in: lines) {
                let begin = lines[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? lines.startIndex
                let line = lines[begin...].prefix { $0 != 0x0A }
                // The id of another event may stand within an event.
                if let found = Position(line: line), found.origin == origin { return found.sequence }
                lines = lines[..<begin]
            }
            rest = Array(block[..<start])
            guard rest.count <= longestLine else { return nil }
        }
        return nil
    }

    private static func last(_ pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = pattern.first, bytes.count >= pattern.count else { return nil }
        let place = bytes.withUnsafeBufferPointer { bytes -> Int? in
            var place = bytes.count - pattern.count
            while place >= 0 {
                if bytes[place] == first, bytes[place..<(place + pattern.count)].elementsEqual(pattern) { return place }
                place -= 1
            }
            return nil
        }
        return place.map { bytes.startIndex + $0 }
    }
}
