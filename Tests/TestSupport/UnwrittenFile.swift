import Glibc

/// What of a file only the kernel has.
public enum UnwrittenFile {
    /// Whether a file holds bytes that would be gone after a power cut, told by extents without a place on the disk (ioctl FS_IOC_FIEMAP,
    /// linux/fiemap.h). Only what was added to a file shows.
    /// - Returns: nil where the file system does not tell.
    public static func holdsUnwritten(_ path: String) -> Bool? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let (head, extent, count) = (32, 56, 512)
        var request = [UInt8](repeating: 0, count: head + count * extent)
        return request.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt64.max, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: UInt32(count), toByteOffset: 24, as: UInt32.self)
            guard let start = bytes.baseAddress, ioctl(descriptor, 0xC020_660B, start) == 0 else { return nil }
            let found = Int(bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self))
            // FIEMAP_EXTENT_DELALLOC
            return (0..<min(found, count)).contains {
                bytes.loadUnaligned(fromByteOffset: head + $0 * extent + 40, as: UInt32.self) & 4 != 0
            }
        }
    }
}
