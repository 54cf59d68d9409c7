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
    private let decisionsBefore: UInt64
    private var descriptor: Int32
    private var buffer: [UInt8] = []

    private static let bufferSize = 32_768

    /// - Parameter decisionsBefore: decisions of the run before this recording; a capture counts its own from 1.
    /// - Throws: `CaptureWriterError` when the file exists already or cannot be made.
    init(
        path: String, header: Capture.Header, state: [JSON], startingAt start: Instant, decisionsBefore: UInt64 = 0, maximumBytes: Int64
    ) throws(CaptureWriterError) {
        self.decisionsBefore = decisionsBefore
        self.path = path
        self.start = start
        self.maximumBytes = maximumBytes
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw CaptureWriterError(path: path, errno: errno) }
        append(header.json)
        for row in state { append(Capture.Line(time: .zero, content: .state(row)).json) }
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Adds one input.
    func write(_ content: Capture.Content, device: String? = nil, at now: Instant) {
        guard descriptor >= 0 else { return }
        var content = content
        switch content {
        case .committed(let ticket): content = .committed(ticket: ticket &- decisionsBefore)
        case .commitFailed(let ticket): content = .commitFailed(ticket: ticket &- decisionsBefore)
        default: break
        }
        append(Capture.Line(time: Instant(nanoseconds: (now - start).nanoseconds), device: device, content: content).json)
        if bytesWritten + Int64(buffer.count) > maximumBytes {
            isFull = true
            end(because: "the recording reached its bound of \(maximumBytes >> 20) MiB")
        }
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

    private func append(_ json: JSON) {
        buffer += json.canonicalBytes
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
