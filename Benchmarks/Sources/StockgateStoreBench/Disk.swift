import Foundation

/// The disk under a directory, as the kernel counts what is written to it (Documentation/admin-guide/iostats.rst).
struct Disk {
    let name: String
    private let device: String

    /// nil where the kernel does not show one: a file system in memory, or one of another machine.
    init?(holding path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let number = UInt64(status.st_dev)
        device = "\((number >> 8 & 0xFFF) | (number >> 32 & ~0xFFF)) \((number & 0xFF) | (number >> 12 & ~0xFF))"
        guard let line = Self.line(of: device) else { return nil }
        name = line[2]
    }

    /// Bytes written since the machine started, after everything that waits was.
    func bytesWritten() -> Int64 {
        sync()
        // The tenth column counts sectors of 512 bytes.
        return Self.line(of: device).flatMap { $0.count > 9 ? Int64($0[9]) : nil }.map { $0 * 512 } ?? 0
    }

    private static func line(of device: String) -> [String]? {
        guard let text = try? String(contentsOfFile: "/proc/diskstats", encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        return lines.first { $0.count > 2 && "\($0[0]) \($0[1])" == device }
    }
}
