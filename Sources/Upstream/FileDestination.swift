import Glibc
import Readings

/// Appends events to a file, one canonical JSON text a line.
///
/// A receipt is given after `fsync`. The file itself remembers what it has: after a crash the unfinished last line is cut off and the
/// last whole one tells where to go on. Another program may rename the file away; the next delivery starts a new one.
public final class FileDestination: Destination {
    private let path: String
    private let file: Guarded<OpenFile?>

    /// No line of ours comes near this; a longer one was not written by a gateway.
    static let longestLine = 1 << 20

    public init(path: String) {
        self.path = path
        file = Guarded(nil)
    }

    deinit {
        if let file = file.read({ $0 }) { close(file.descriptor) }
    }

    public func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
        guard let last = batch.last else { return Receipt(upTo: 0) }
        let result = file.update { file in
            Result { () throws(DeliveryError) in try append(batch, upTo: last.sequence, to: &file) }
        }
        return try result.get()
    }

    private struct OpenFile: Sendable {
        var descriptor: Int32
        var length: Int64
        /// The event in the last line.
        var last: Position?
    }

    private struct Position: Hashable, Sendable {
        /// What the ids of all events of one gateway and epoch begin with. After a restore the numbers begin anew under another one.
        var origin: Substring
        var sequence: Int64

        /// An id holds the origin in its upper 64 bits: 16 digits and two hyphens.
        init(id: String, sequence: Int64) {
            origin = id.prefix(18)
            self.sequence = sequence
        }
    }

    private func append(_ batch: [OutgoingEvent], upTo sequence: Int64, to file: inout OpenFile?) throws(DeliveryError) -> Receipt {
        if let open = file, !isStillThere(open.descriptor) {
            close(open.descriptor)
            file = nil
        }
        var open: OpenFile
        if let known = file { open = known } else { open = try openFile() }
        file = open

        var receipt = Receipt(upTo: sequence)
        var lines: [UInt8] = []
        var last = open.last
        for event in batch {
            let position = Position(id: event.id, sequence: event.sequence)
            if let last, last.origin == position.origin, last.sequence >= position.sequence {
                receipt.duplicates += 1
                continue
            }
            if event.bytes.contains(0x0A) || event.bytes.count >= Self.longestLine {
                receipt.rejections.append(.init(sequence: event.sequence, reason: "the event is not one line of less than 1 MiB"))
                continue
            }
            lines.append(contentsOf: event.bytes)
            lines.append(0x0A)
            receipt.delivered += 1
            last = position
        }
        guard !lines.isEmpty else { return receipt }
        do throws(DeliveryError) {
            try write(lines, to: open.descriptor)
            guard fsync(open.descriptor) == 0 else { throw failure("fsync") }
        } catch {
            // Half a batch must not stand there, and after a failed fsync nobody knows what does: look again before the next attempt.
            ftruncate(open.descriptor, off_t(open.length))
            close(open.descriptor)
            file = nil
            throw error
        }
        open.length += Int64(lines.count)
        open.last = last
        file = open
        return receipt
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(DeliveryError) {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: start), bytes.count - start) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write")
            }
            start += count
        }
    }

    private func failure(_ call: String, path: String? = nil) -> DeliveryError {
        let code = errno
        return .retryable("\(call) \(path ?? self.path): \(String(cString: strerror(code))) (errno \(code))")
    }

    /// Whether the path still leads to the open file.
    private func isStillThere(_ descriptor: Int32) -> Bool {
        var mine = stat()
        var named = stat()
        return fstat(descriptor, &mine) == 0 && stat(path, &named) == 0 && mine.st_dev == named.st_dev && mine.st_ino == named.st_ino
    }

    private func openFile() throws(DeliveryError) -> OpenFile {
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o640)
        guard descriptor >= 0 else { throw failure("open") }
        do throws(DeliveryError) {
            return try prepare(descriptor)
        } catch {
            close(descriptor)
            throw error
        }
    }

    private func prepare(_ descriptor: Int32) throws(DeliveryError) -> OpenFile {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("fstat") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .refused("\(path) is not a regular file") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw failure("lock") }
        try syncFolder()
        let tail = try Tail(descriptor, length: Int64(status.st_size), path: path)
        let end = tail.endOfLastLine
        if end < Int64(status.st_size) {
            guard ftruncate(descriptor, off_t(end)) == 0 else { throw failure("ftruncate") }
        }
        guard let line = tail.lastLine else { return OpenFile(descriptor: descriptor, length: end) }
        guard let json = try? JSON(parsing: line), let sequence = json["seq"]?.integer, let id = json["id"]?.string else {
            throw .refused("the last line of \(path) is not an event: this file is not appended to")
        }
        return OpenFile(descriptor: descriptor, length: end, last: Position(id: id, sequence: sequence))
    }

    /// A new file is only there after a power cut when its folder was written too.
    private func syncFolder() throws(DeliveryError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path: folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("fsync", path: folder) }
    }

    /// The last whole line of a file, read from its end.
    private struct Tail {
        /// Just after the last line end; what follows was never finished.
        var endOfLastLine: Int64 = 0
        /// Without its line end; nil: there is no whole line.
        var lastLine: [UInt8]?

        init(_ descriptor: Int32, length: Int64, path: String) throws(DeliveryError) {
            // One line and the beginning of the next fit into twice the longest line.
            var block: [UInt8] = []
            var start = length
            while true {
                if let end = block.lastIndex(of: 0x0A) {
                    if let before = block[..<end].lastIndex(of: 0x0A) {
                        (endOfLastLine, lastLine) = (start + Int64(end) + 1, Array(block[(before + 1)..<end]))
                        return
                    }
                    if start == 0 {
                        (endOfLastLine, lastLine) = (Int64(end) + 1, Array(block[..<end]))
                        return
                    }
                }
                if start == 0 {
                    guard block.isEmpty || block.first == 0x7B else {
                        throw .refused("\(path) holds something that is not an event: this file is not appended to")
                    }
                    return
                }
                guard block.count <= 2 * FileDestination.longestLine else {
                    throw .refused("\(path) has lines that are not events: this file is not appended to")
                }
                let count = Int(min(65_536, start))
                start -= Int64(count)
                var piece = [UInt8](repeating: 0, count: count)
                let read = piece.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, count, off_t(start)) }
                guard read == count else {
                    throw .retryable("read \(path): \(read < 0 ? String(cString: strerror(errno)) : "the file shrank")")
                }
                block = piece + block
            }
        }
    }
}
