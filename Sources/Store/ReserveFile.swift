import Glibc

/// Space kept back for the moment when the disk is full.
protocol SpaceReserve: Sendable {
    /// - Returns: whether space was given back.
    func remove() -> Bool
    /// Makes it if there is room.
    /// - Returns: whether it is there now.
    func create() -> Bool
}

/// The space kept back, as a file.
///
/// A full disk stops SQLite in WAL mode altogether: it can neither delete nor checkpoint. Giving this file back to the file system gets
/// the store writing again at once, and leaves time to make room.
struct ReserveFile: SpaceReserve {
    let path: String
    /// Bytes.
    let size: Int64

    var exists: Bool {
        var status = stat()
        return stat(path, &status) == 0 && Int64(status.st_size) >= size && Int64(status.st_blocks) * 512 >= size
    }

    /// - Returns: whether space was given back.
    func remove() -> Bool { unlink(path) == 0 }

    /// Makes the file if there is room for it and as much again several times over, so that it never takes the last space.
    /// - Returns: whether it is there now.
    func create() -> Bool {
        if exists { return true }
        var space = statvfs()
        guard statvfs(path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ".", &space) == 0 else { return false }
        let (free, overflow) = UInt64(space.f_bavail).multipliedReportingOverflow(by: UInt64(space.f_frsize))
        guard overflow || free / 4 >= UInt64(size) else { return false }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if posix_fallocate(descriptor, 0, off_t(size)) == 0, fsync(descriptor) == 0 { return true }
        unlink(path)
        return false
    }
}
