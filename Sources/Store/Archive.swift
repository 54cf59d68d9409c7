import Glibc
import Ledger
import Readings
import Synchronization

/// The files with events that are no longer in the log: `archive/FIRST-LAST.ndjson`, one event on a line, the bytes that were hashed.
final class Archive: Sendable {
    let directory: String
    private let known: Mutex<[ArchiveCheckpoint]>
    /// The file that was read last: events are mostly asked for in a row.
    private let recent = Mutex<(file: String, events: [StoredEvent])?>(nil)

    /// - Parameter checkpoints: by number.
    init(directory: String, checkpoints: [ArchiveCheckpoint]) {
        self.directory = directory
        known = Mutex(checkpoints)
    }

    var checkpoints: [ArchiveCheckpoint] { known.withLock { $0 } }
    /// The number of the newest event that is in a file; 0: none.
    var last: Int64 { known.withLock { $0.last?.last ?? 0 } }
    /// Its hash.
    var lastHash: String { known.withLock { $0.last?.hash ?? EventChain.origin } }

    func path(of checkpoint: ArchiveCheckpoint) -> String { "\(directory)/\(checkpoint.fileName)" }

    func add(_ checkpoint: ArchiveCheckpoint) { known.withLock { $0.append(checkpoint) } }

    func forgetNewest() { known.withLock { _ = $0.popLast() } }

    /// Writes a range, so that it is there after a power cut.
    /// - Returns: the SHA-256 of the file.
    func write(_ events: [StoredEvent], to name: String) throws(StoreError) -> String {
        try StoreFiles.makeFolder(directory)
        let bytes = Self.bytes(of: events)
        let (path, digest) = ("\(directory)/\(name)", SHA256Digest(of: bytes).hex)
        if StoreFiles.exists(path) {
            // Written before, and the program ended before its checkpoint was there: perhaps before the folder was on the disk.
            if try FileDigest(of: path).hex == digest {
                try DatabaseFile.synchroniseDirectory(of: path)
                return digest
            }
            // Of events that a recovery could not save: they may be all that is left of them.
            try StoreFiles.rename(path, to: StoreFiles.free("\(path).old"))
        }
        try StoreFiles.write(bytes, to: path)
        return digest
    }

    /// The events of a file.
    /// - Throws: `.archiveMissing` when it is not there or not what the checkpoint says.
    func events(of checkpoint: ArchiveCheckpoint) throws(StoreError) -> [StoredEvent] {
        let path = path(of: checkpoint)
        if let events = recent.withLock({ $0.flatMap { $0.file == path ? $0.events : nil } }) { return events }
        let bytes: [UInt8]
        do throws(StoreError) { bytes = try StoreFiles.read(path) } catch {
            throw StoreError(
                .archiveMissing, "events \(checkpoint.first) to \(checkpoint.last) are in \(path), which cannot be read",
                errorNumber: error.errorNumber)
        }
        guard SHA256Digest(of: bytes).hex == checkpoint.file else {
            throw StoreError(.archiveMissing, "\(path) is not the file that was signed when events were moved to it")
        }
        let events = Self.events(in: bytes, first: checkpoint.first)
        recent.withLock { $0 = (path, events) }
        return events
    }

    /// Events after a number, as far as they are in the files.
    func events(after sequence: Int64, limit: Int) throws(StoreError) -> [StoredEvent] {
        var events: [StoredEvent] = []
        for checkpoint in checkpoints where checkpoint.last > sequence && events.count < limit {
            events += try self.events(of: checkpoint).drop { $0.sequence <= sequence }.prefix(limit - events.count)
        }
        return events
    }

    /// Events before a number, newest first, as far as they are in the files.
    func events(before sequence: Int64, limit: Int) throws(StoreError) -> [StoredEvent] {
        var events: [StoredEvent] = []
        for checkpoint in checkpoints.reversed() where checkpoint.first < sequence && events.count < limit {
            events += try self.events(of: checkpoint).prefix { $0.sequence < sequence }.suffix(limit - events.count).reversed()
        }
        return events
    }

    func event(_ sequence: Int64) throws(StoreError) -> StoredEvent? {
        guard let checkpoint = checkpoints.first(where: { $0.last >= sequence }), sequence >= checkpoint.first else { return nil }
        return try events(of: checkpoint).first { $0.sequence == sequence }
    }

    /// The fold of everything up to an event, from the rows kept beside the files.
    /// - Returns: nil when they are not there, cannot be read, or do not make the digest.
    static func keptState(in directory: String, last: Int64, digest: String) -> LedgerState? {
        guard let bytes = try? StoreFiles.read("\(directory)/\(keptStateName)") else { return nil }
        var rows: [StateRow] = []
        for line in bytes.split(separator: 0x0A) {
            guard let json = try? JSON(parsing: Array(line)), let key = json["key"]?.string else { return nil }
            rows.append(StateRow(key: key, value: json["value"]))
        }
        guard let state = try? LedgerState(nextSequence: last + 1, rows: rows), ArchiveCheckpoint.digest(of: state) == digest else {
            return nil
        }
        return state
    }

    /// Puts a file that is not what was signed back from the files beside the backups, as far as it is there.
    static func fetch(_ checkpoint: ArchiveCheckpoint, gateway: String, from backups: String, to directory: String) {
        let (source, target) = ("\(backups)/\(checkpoint.backupName(gateway: gateway))", "\(directory)/\(checkpoint.fileName)")
        func isSigned(_ path: String) -> Bool { (try? FileDigest(of: path).hex) == checkpoint.file }
        guard !isSigned(target), isSigned(source) else { return }
        _ = try? StoreFiles.makeFolder(directory)
        if StoreFiles.exists(target) { try? StoreFiles.rename(target, to: StoreFiles.free("\(target).old")) }
        guard (try? StoreFiles.copy(source, to: "\(target).new", mode: 0o640).hex) == checkpoint.file else {
            unlink("\(target).new")
            return
        }
        try? StoreFiles.rename("\(target).new", to: target)
    }

    static let keptStateName = "state.ndjson"

    static func bytes(of events: [StoredEvent]) -> [UInt8] {
        var bytes: [UInt8] = []
        for event in events {
            bytes += event.bytes
            bytes.append(0x0A)
        }
        return bytes
    }

    static func events(in bytes: [UInt8], first: Int64) -> [StoredEvent] {
        bytes.split(separator: 0x0A).enumerated().map { StoredEvent(sequence: first + Int64($0.offset), bytes: Array($0.element)) }
    }
}
