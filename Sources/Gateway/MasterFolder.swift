import CNIOLinux
import Glibc
import Ledger
import MasterImport
import Readings

/// A folder into which files of master data are put; each is taken in once and then moved away.
///
/// A file is looked at when neither its size nor its time has changed from one look to the next, so that one that is still being copied is
/// left alone. What begins with a dot is never looked at.
struct MasterFolder {
    let path: String
    private var seen: [String: Stamp] = [:]
    /// Dealt with, but still where they were, because they could not be moved: they are not read again.
    private var unmoved: [String: Dealt] = [:]

    /// Where files go that were taken in, and those that were not; the latter with a text beside them that says why.
    static let done = "done"
    static let refused = "refused"
    /// Files that are kept of each sort; the oldest go first.
    static let kept = 100
    private static let suffixes = [".ndjson", ".json", ".csv"]

    init(path: String) {
        self.path = path
    }

    private struct Dealt {
        var stamp: Stamp
        var reasons: [String]?
    }

    private struct Stamp: Hashable {
        var size: Int
        var seconds: Int
        var nanoseconds: Int
        var inode: UInt

        init?(path: String) {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            size = Int(status.st_size)
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
            inode = UInt(status.st_ino)
        }
    }

    /// The names of the files that are ready, in the order of their names.
    /// - Throws: `MasterFolderError` when the folder cannot be looked into.
    mutating func look() throws(MasterFolderError) -> [String] {
        let names = try Self.names(in: path)
        var now: [String: Stamp] = [:]
        for name in names where Self.suffixes.contains(where: name.lowercased().hasSuffix) && !name.hasPrefix(".") {
            now[name] = Stamp(path: "\(path)/\(name)")
        }
        unmoved = unmoved.filter { now[$0.key] == $0.value.stamp }
        let ready = now.filter { seen[$0.key] == $0.value && unmoved[$0.key] == nil }.keys.sorted()
        seen = now
        return ready
    }

    /// Tries once more to move what could not be moved.
    /// - Throws: `MasterFolderError` while it still cannot.
    mutating func settleUnmoved() throws(MasterFolderError) {
        for (name, dealt) in unmoved { try settle(name, reasons: dealt.reasons) }
    }

    /// Reads a file: a batch with head and end, or rows as `stockgate import` takes them, which change what they name.
    static func read(_ file: String) throws(MasterFolderError) -> MasterBatch {
        if let batch = try batch(in: file) { return batch }
        do throws(ImportRefusal) {
            return MasterBatch(rows: try MasterImport.read(path: file).rows, cursor: "")
        } catch {
            throw MasterFolderError(reasons: error.problems.map(\.description))
        }
    }

    /// nil: the file has no head.
    private static func batch(in file: String) throws(MasterFolderError) -> MasterBatch? {
        guard file.lowercased().hasSuffix(".ndjson"), let stream = fopen(file, "re") else { return nil }
        defer { fclose(stream) }
        var reader = MasterBatchReader()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var isFirst = true
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            if count == 0 { break }
            if isFirst {
                let head = buffer[..<count].prefix { $0 != 0x0A }
                guard (try? JSON(parsing: Array(head)))?["master"] != nil else { return nil }
            }
            isFirst = false
            guard reader.take(buffer[..<count]) else { break }
        }
        guard !isFirst else { return nil }
        do throws(MasterBatchError) { return try reader.finish() } catch {
            switch error {
            case .incomplete: throw MasterFolderError(reasons: [error.description])
            case .malformed(let problems): throw MasterFolderError(reasons: problems)
            }
        }
    }

    /// Moves a file away. A name that is there already gets a number.
    /// - Parameter reasons: why it was refused; nil: it was taken in.
    /// - Throws: `MasterFolderError` when it cannot be moved; as long as it does not change it is not read again all the same.
    mutating func settle(_ name: String, reasons: [String]?) throws(MasterFolderError) {
        if let stamp = seen[name] { unmoved[name] = Dealt(stamp: stamp, reasons: reasons) }
        let folder = "\(path)/\(reasons == nil ? Self.done : Self.refused)"
        guard mkdir(folder, 0o750) == 0 || errno == EEXIST else { throw MasterFolderError(call: "make \(folder)") }
        var target = "\(folder)/\(name)"
        var number = 1
        while access(target, F_OK) == 0 {
            number += 1
            target = "\(folder)/\(number)-\(name)"
        }
        guard rename("\(path)/\(name)", target) == 0 else { throw MasterFolderError(call: "move \(path)/\(name)") }
        seen[name] = nil
        unmoved[name] = nil
        if let reasons {
            let text = reasons.joined(separator: "\n") + "\n"
            if let file = fopen("\(target).reasons.txt", "we") {
                fputs(text, file)
                fclose(file)
            }
        }
        try Self.thin(folder)
    }

    private static func thin(_ folder: String) throws(MasterFolderError) {
        let files = try names(in: folder).compactMap { name in Stamp(path: "\(folder)/\(name)").map { (name, $0) } }
        let oldest = files.sorted { ($0.1.seconds, $0.1.nanoseconds, $0.0) < ($1.1.seconds, $1.1.nanoseconds, $1.0) }
        for (name, _) in oldest.dropLast(2 * kept) { unlink("\(folder)/\(name)") }
    }

    private static func names(in folder: String) throws(MasterFolderError) -> [String] {
        guard let directory = opendir(folder) else { throw MasterFolderError(call: "open \(folder)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// Why a folder or a file in it could not be used.
struct MasterFolderError: Error, Hashable, Sendable, CustomStringConvertible {
    /// At most 100, each of one line.
    var reasons: [String]

    init(reasons: [String]) {
        self.reasons = Array(reasons.prefix(100))
    }

    init(call: String) {
        self.init(reasons: ["\(call): \(String(cString: strerror(errno))) (errno \(errno))"])
    }

    var description: String { reasons.joined(separator: "; ") }
}
