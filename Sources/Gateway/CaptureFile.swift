import Glibc
import Readings

/// Reads a capture line by line, without holding it in memory.
public struct CaptureFile: ~Copyable {
    public let header: Capture.Header
    private var lines: LineReader
    /// The number of the line that was read last.
    public private(set) var lineNumber = 0
    /// A `state` line is read ahead of the first input.
    private var pending: Capture.Line?

    /// The longest line accepted: master data may be in one.
    static let maximumLineLength = 64 << 20

    /// - Throws: `ReplayError` when the file cannot be read or does not begin with a header.
    public init(path: String) throws(ReplayError) {
        var lines = try LineReader(path: path)
        guard let first = try lines.next(limit: Self.maximumLineLength) else { throw ReplayError(line: 1, reason: "\(path) is empty") }
        lineNumber = 1
        header = try Self.wrapped(line: 1) { () throws(CaptureError) in
            guard let json = try? JSON(parsing: first) else { throw CaptureError("not a capture: the first line is not JSON") }
            return try Capture.Header(json: json)
        }
        self.lines = lines
    }

    /// The rows that the capture starts with.
    public mutating func startState() throws(ReplayError) -> [JSON] {
        var rows: [JSON] = []
        while let line = try next() {
            guard case .state(let row) = line.content else {
                pending = line
                break
            }
            rows.append(row)
        }
        return rows
    }

    /// The next line; nil at the end. Empty lines are passed over.
    public mutating func next() throws(ReplayError) -> Capture.Line? {
        if let line = pending {
            pending = nil
            return line
        }
        while let bytes = try lines.next(limit: Self.maximumLineLength) {
            lineNumber += 1
            if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) { continue }
            let number = lineNumber
            // A recording that was cut off, by a kill or a full disk, ends with half a line.
            if lines.isUnfinished, (try? JSON(parsing: bytes)) == nil { return nil }
            return try Self.wrapped(line: number) { () throws(CaptureError) in
                do { return try Capture.Line(json: JSON(parsing: bytes)) } catch let error as JSONError {
                    throw CaptureError(error.description)
                } catch {
                    throw (error as? CaptureError) ?? CaptureError("\(error)")
                }
            }
        }
        return nil
    }

    private static func wrapped<Value>(line: Int, _ body: () throws(CaptureError) -> Value) throws(ReplayError) -> Value {
        do { return try body() } catch { throw ReplayError(line: line, reason: error.reason) }
    }
}

/// Lines of a file, without their ends.
struct LineReader {
    private let path: String
    private let descriptor: Descriptor
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    /// The line returned last has no end.
    private(set) var isUnfinished = false

    private final class Descriptor {
        let value: Int32
        init(_ value: Int32) { self.value = value }
        deinit { close(value) }
    }

    init(path: String) throws(ReplayError) {
        self.path = path
        let opened = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { throw ReplayError(line: nil, reason: "\(path): \(String(cString: strerror(errno)))") }
        descriptor = Descriptor(opened)
    }

    mutating func next(limit: Int) throws(ReplayError) -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            if isAtEnd {
                defer { start = buffer.count }
                isUnfinished = true
                return start < buffer.count ? Array(buffer[start...]) : nil
            }
            searched = buffer.count
            guard searched - start <= limit else {
                throw ReplayError(line: nil, reason: "\(path): a line is longer than \(limit >> 20) MiB")
            }
            if start > 0 {
                searched -= start
                buffer.removeFirst(start)
                start = 0
            }
            try fill()
        }
    }

    private mutating func fill() throws(ReplayError) {
        let old = buffer.count
        let size = 262_144
        buffer.append(contentsOf: repeatElement(0, count: size))
        let count = buffer.withUnsafeMutableBytes { read(descriptor.value, $0.baseAddress.map { $0 + old }, size) }
        guard count >= 0 else { throw ReplayError(line: nil, reason: "\(path): \(String(cString: strerror(errno)))") }
        buffer.removeLast(size - count)
        if count == 0 { isAtEnd = true }
    }
}
