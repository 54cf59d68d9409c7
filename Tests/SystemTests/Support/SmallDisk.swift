import Foundation

/// A file system of a few megabytes, in memory.
struct SmallDisk {
    let path: String

    /// MNT_DETACH of sys/mount.h.
    private static let detach: Int32 = 2

    static let isPossible: Bool = {
        guard getuid() == 0, let place = try? Workplace(), let disk = try? SmallDisk(at: place.file("disk"), megabytes: 1) else {
            return false
        }
        disk.unmount()
        return true
    }()

    init(at path: String, megabytes: Int) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("stockgate-test", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            throw StoryFailure(description: "mount: \(String(cString: strerror(errno)))")
        }
        self.path = path
    }

    func unmount() { umount2(path, Self.detach) }

    /// Writes until there is no space left.
    static func fill(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoryFailure(description: "\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        for size in [65_536, 4_096] {
            let block = [UInt8](repeating: 0xA5, count: size)
            while write(descriptor, block, size) > 0 {}
        }
    }
}
