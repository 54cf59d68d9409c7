import Glibc
import Readings
import SiteConfiguration

/// Appends events to a file, one canonical JSON text a line.
///
/// A receipt is given after `fsync`. The file itself remembers what it has: after a crash the unfinished last line is cut off and the
/// last whole ones tell where to go on; a new file asks the newest that was set aside. Another program may rename the file away; the next
/// delivery starts a new one.
public final class FileDestination: Destination {
    private let path: String
    private let rotation: Site.Destination.Rotation?
    private let file: Guarded<OpenFile?>

    /// No line of ours comes near this; a longer one was not written by a gateway.
    static let longestLine = 1 << 20

    /// - Parameter rotation: nil: the file grows for ever. A batch is not divided, so a file may be larger by one.
    public init(path: String, rotation: Site.Destination.Rotation? = nil) {
        self.path = path
        self.rotation = rotation
        file = Guarded(nil)
    }

    deinit {
        if let file = file.read({ $0 }) { Self.letGo(file.descriptor) }
    }

    /// Closes the file and gives up the lock, which a child that is just being started would keep until it becomes another program.
    private static func letGo(_ descriptor: Int32) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
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
        /// The highest number by origin; what is missing was not looked for yet, or is none.
        var known: [Substring: Int64] = [:]
    }

    private func append(_ batch: [OutgoingEvent], upTo sequence: Int64, to file: inout OpenFile?) throws(DeliveryError) -> Receipt {
        var known: [Substring: Int64] = [:]
        if let open = file, !isStillThere(open.descriptor) {
            known = open.known
            Self.letGo(open.descriptor)
            file = nil
        }
        var open: OpenFile
        if let there = file { open = there } else { open = try openFile() }
        open.known.merge(known) { max($0, $1) }
        file = open

        var receipt = Receipt(upTo: sequence)
        var lines: [UInt8] = []
        known = open.known
        for event in batch {
            let position = Position(id: event.id, sequence: event.sequence)
            let highest = known[position.origin] ?? look(for: position.origin, in: open)
            known[position.origin] = highest
            if highest >= position.sequence {
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
            known[position.origin] = position.sequence
        }
        guard !lines.isEmpty else {
            open.known = known
            file = open
            return receipt
        }
        if let rotation, open.length > 0, open.length + Int64(lines.count) > rotation.bytes {
            Self.letGo(open.descriptor)
            file = nil
            try setAside(keeping: rotation.keep)
            open = try openFile()
            file = open
        }
        do throws(DeliveryError) {
            try write(lines, to: open.descriptor)
            guard fsync(open.descriptor) == 0 else { throw failure("fsync") }
        } catch {
            // Half a batch must not stand there, and after a failed fsync nobody knows what does: look again before the next attempt.
            ftruncate(open.descriptor, off_t(open.length))
            Self.letGo(open.descriptor)
            file = nil
            throw error
        }
        open.length += Int64(lines.count)
        open.known = known
        file = open
        return receipt
    }

    /// Moves every file one number up, the oldest away. Stopped half way it leaves a gap in the numbers and nothing else; the next time
    /// files move no further than into that gap, so that none is lost for it.
    private func setAside(keeping count: Int) throws(DeliveryError) {
        let target = (1...max(1, count)).first { access("\(path).\($0)", F_OK) != 0 } ?? count
        for number in stride(from: target - 1, through: 0, by: -1) {
            let old = number == 0 ? path : "\(path).\(number)"
            guard rename(old, "\(path).\(number + 1)") == 0 || errno == ENOENT else { throw failure("rename", path: old) }
        }
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
            Self.letGo(descriptor)
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
        // A process that ended before its fsync leaves lines that only the kernel has; whoever is told that they are there believes it.
        guard fsync(descriptor) == 0 else { throw failure("fsync") }
        guard let line = tail.lastLine else { return OpenFile(descriptor: descriptor, length: end) }
        guard let last = Position(line: line) else {
            throw .refused("the last line of \(path) is not an event: this file is not appended to")
        }
        return OpenFile(descriptor: descriptor, length: end, known: [last.origin: last.sequence])
    }

    /// The highest number of an origin in the file, else in the newest file set aside, by whomever; 0: there is none.
    private func look(for origin: Substring, in open: OpenFile) -> Int64 {
        var budget = Self.lookBack
        if let found = Self.highest(of: origin, in: open.descriptor, length: open.length, budget: &budget) { return found }
        let descriptor = Glibc.open("\(path).1", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return 0 }
        return Self.highest(of: origin, in: descriptor, length: Int64(status.st_size), budget: &budget) ?? 0
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
