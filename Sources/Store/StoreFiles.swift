import Glibc

/// Files that are written once and must be there after a power cut.
enum StoreFiles {
    /// Bytes; 0 for a file that is not there.
    static func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Bytes that are free, for the files of whoever asks, where a folder lies.
    static func free(at folder: String) throws(StoreError) -> Int64 {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw failure("look at the free space of", folder) }
        let (bytes, isTooMuch) = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return isTooMuch ? .max : bytes
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func failure(_ action: String, _ path: String) -> StoreError {
        let number = errno
        return StoreError(number == ENOSPC || number == EDQUOT ? .diskFull : .inputOutput, "\(action) \(path)", errorNumber: number)
    }

    /// Whether it is a folder itself; a link to one is none.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes a folder that only its owner sees into, unless it is there, so that it is there after a power cut.
    static func makeFolder(_ path: String) throws(StoreError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make", path) }
        try DatabaseFile.synchroniseDirectory(of: path)
    }

    /// Gives a file, or a folder and the files in it, to whom a directory belongs: what root made there, the daemon must be able to open.
    static func give(_ path: String, toOwnerOf directory: String) throws(StoreError) {
        guard geteuid() == 0 else { return }
        var owner = stat()
        guard stat(directory, &owner) == 0 else { throw failure("look at", directory) }
        for file in [path] + (isFolder(path) ? names(in: path).map { "\(path)/\($0)" } : []) where exists(file) {
            guard lchown(file, owner.st_uid, owner.st_gid) == 0 else { throw failure("change the owner of", file) }
        }
    }

    /// Writes a file under another name, brings it to the disk, and only then gives it its name.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o640) throws(StoreError) {
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        let isWritten = writeAll(bytes[...], descriptor) && fsync(descriptor) == 0
        let problem = failure("write", temporary)
        close(descriptor)
        guard isWritten else {
            unlink(temporary)
            throw problem
        }
        try rename(temporary, to: path)
    }

    /// - Throws: `.inputOutput`; nothing is changed then.
    static func rename(_ path: String, to new: String) throws(StoreError) {
        guard Glibc.rename(path, new) == 0 else { throw failure("rename \(path) to", new) }
        try DatabaseFile.synchroniseDirectory(of: new)
    }

    static func read(_ path: String) throws(StoreError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("read", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Copies a file in steps and brings the copy to the disk.
    /// - Returns: the digest of what was copied.
    @discardableResult
    static func copy(_ path: String, to new: String, mode: mode_t = 0o600) throws(StoreError) -> FileDigest {
        let target = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard target >= 0 else { throw failure("write", new) }
        defer { close(target) }
        var problem: StoreError?
        let digest = try FileDigest(of: path) { piece in
            if !writeAll(piece, target) { problem = failure("write", new) }
            return problem == nil
        }
        if let problem { throw problem }
        guard fsync(target) == 0 else { throw failure("fsync", new) }
        return digest
    }

    static func synchronise(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
    }

    /// Writes a file once more as it is read, and flushes it. Does nothing for a file that is not there.
    static func writeAgain(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure("open", path) }
            return
        }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var offset: off_t = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, offset)
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            guard pwrite(descriptor, buffer, count, offset) == count else { throw failure("write", path) }
            offset += off_t(count)
        }
        guard fsync(descriptor) == 0 else { throw failure("flush", path) }
    }

    enum Lengthening: Hashable, Sendable {
        /// It has the length.
        case done
        /// A piece was appended.
        case more
        /// It is not there, or the disk has no room to spare, or failed.
        case refused
    }

    /// Appends a piece of zeros to a file that is to have so many bytes, from the first block on that lies behind all that it holds, and
    /// brings it to the disk.
    ///
    /// What a refusal leaves is as long as before, or ends in zeros. It never takes the last space: four times as much as is missing must
    /// be free.
    static func lengthen(_ path: String, to length: Int64, by piece: Int64 = 1 << 19) -> Lengthening {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return .refused }
        defer { close(descriptor) }
        var (status, space) = (stat(), statvfs())
        guard fstat(descriptor, &status) == 0, fstatvfs(descriptor, &space) == 0 else { return .refused }
        let (old, block) = (Int64(status.st_size), Int64(max(4_096, status.st_blksize)))
        let start = (old + block - 1) / block * block
        guard start < length else { return .done }
        let (free, isMuch) = Int64(clamping: space.f_bavail).multipliedReportingOverflow(by: Int64(clamping: space.f_frsize))
        guard isMuch || free / 4 >= length - start else { return .refused }
        let count = Int(min(piece, length - start))
        let zeros = [UInt8](repeating: 0, count: count)
        guard pwrite(descriptor, zeros, count, off_t(start)) == count else {
            ftruncate(descriptor, off_t(old))
            return .refused
        }
        guard fdatasync(descriptor) == 0 else { return .refused }
        return start + Int64(count) < length ? .more : .done
    }

    /// The names in a folder, sorted; none when it cannot be read.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Removes a folder and the files in it; folders in it are left, and then it stays. A link to a folder is left too.
    static func removeFolder(_ path: String) {
        guard isFolder(path) else { return }
        for name in names(in: path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    private static func writeAll(_ bytes: ArraySlice<UInt8>, _ descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
