import Glibc
import Readings

/// Writes a capture: a header, the start state, then lines, buffered and bounded in size.
///
/// Confined to the engine loop. A recording that cannot be written any more ends; it never stops the gateway.
final class CaptureWriter {
    let path: String
    let start: Instant
    private(set) var bytesWritten: Int64 = 0
    private(set) var lines: Int64 = 0
    /// Why it ended early.
    private(set) var failure: String?
    /// It ended because of its bound.
    private(set) var isFull = false
    private let maximumBytes: Int64
    private var descriptor: Int32
    private var buffer: [UInt8] = []

    private static let bufferSize = 32_768

    /// - Throws: `CaptureWriterError` when the file exists already or cannot be made.
    init(path: String, header: Capture.Header, state: [JSON], startingAt start: Instant, maximumBytes: Int64) throws(CaptureWriterError) {
        self.path = path
        self.start = start
        self.maximumBytes = maximumBytes
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw CaptureWriterError(path: path, errno: errno) }
        append(header.json.canonicalBytes)
        for row in state { append(Capture.Line(time: .zero, content: .state(row)).json.canonicalBytes) }
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Adds one input.
    func write(_ content: Capture.Content, device: String? = nil, at now: Instant) {
        guard descriptor >= 0 else { return }
        let line = Capture.Line(time: Instant(nanoseconds: (now - start).nanoseconds), device: device, content: content).json.canonicalBytes
        guard bytesWritten + Int64(buffer.count + line.count) < maximumBytes else {
            isFull = true
            return end(because: "the recording reached its bound of \(maximumBytes >> 10) KiB")
        }
        append(line)
    }

    func flush() {
        var offset = 0
        while offset < buffer.count, descriptor >= 0 {
            let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset) }
            if count > 0 {
                offset += count
                bytesWritten += Int64(count)
            } else if errno != EINTR {
                failure = "\(path): \(String(cString: strerror(errno)))"
                Glibc.close(descriptor)
                descriptor = -1
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    func end(because reason: String? = nil) {
        flush()
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
        failure = failure ?? reason
    }

    private func append(_ line: [UInt8]) {
        buffer += line
        buffer.append(0x0A)
        lines += 1
        if buffer.count >= Self.bufferSize { flush() }
    }
}

/// Why a recording could not begin.
struct CaptureWriterError: Error, CustomStringConvertible {
    var path: String
    var errno: Int32

    var description: String { "\(path): \(String(cString: strerror(errno)))" }
}
