import Glibc
import Readings

/// Numbers the connections of a destination, and goes on where the last start ended.
///
/// Sparkplug B 3.0 wants `bdSeq` to begin at zero and to grow by one with every CONNECT (its requirement topics-nbirth-bdseq-increment): it tells the death of one
/// connection from the birth of the next.
struct MQTTConnectionCounter: Sendable {
    /// nil: not kept; it begins with the time then, which differs between starts.
    private let path: String?
    private var last: UInt64?

    /// - Parameter directory: of the state; nil: the number is not kept.
    init(directory: String?, destination: String) {
        path = directory.map { "\($0)/mqtt-\(PercentEncoding.encoded(destination)).connections" }
        last = path == nil ? UInt64(clamping: time(nil)) : path.flatMap(Self.read)
    }

    /// A number that cannot be written goes on until the next start.
    mutating func next() -> UInt64 {
        let number = last.map { $0 &+ 1 } ?? 0
        last = number
        if let path { Self.write(number, path) }
        return number
    }

    private static func read(_ path: String) -> UInt64? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        return UInt64(String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }

    /// Through another file, so that a power cut leaves the old number or the new one.
    private static func write(_ number: UInt64, _ path: String) {
        let new = path + ".new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let bytes = Array("\(number)\n".utf8)
        let isWritten = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        if isWritten { rename(new, path) } else { unlink(new) }
    }
}
