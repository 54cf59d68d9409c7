import Glibc

/// Why a file cannot be read or written.
struct FileFailure: Error, CustomStringConvertible {
    var errno: Int32

    var description: String { String(cString: strerror(errno)) }

    /// The largest file that is read whole.
    private static let maximumBytes = 256 << 20

    /// The whole of a file.
    static func contents(of path: String) throws(FileFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(errno: Glibc.errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, Glibc.errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure(errno: Glibc.errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= maximumBytes else { throw FileFailure(errno: EFBIG) }
        }
    }
}

/// A file that output is written to; `-` is standard output.
final class OutputFile {
    private let descriptor: Int32

    init(_ path: String) throws(FileFailure) {
        descriptor = path == "-" ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw FileFailure(errno: Glibc.errno) }
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(FileFailure) {
        var offset = 0
        while offset < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if count > 0 {
                offset += count
            } else if Glibc.errno != EINTR {
                throw FileFailure(errno: Glibc.errno)
            }
        }
    }
}
