import Glibc

/// Files of templates as they are now.
enum MailTemplateFile {
    /// - Returns: nil when there is no such file.
    /// - Throws: `MailTemplateError` when it cannot be read or is larger than `limit` bytes.
    static func bytes(of path: String, limit: Int) throws(MailTemplateError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw MailTemplateError("\(path): \(String(cString: strerror(errno))) (errno \(errno))")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count) }
            guard more >= 0 else { throw MailTemplateError("\(path): \(String(cString: strerror(errno))) (errno \(errno))") }
            if more == 0 { break }
            count += more
        }
        guard count <= limit else { throw MailTemplateError("\(path): is larger than \(limit >> 10) KiB") }
        return Array(bytes.prefix(count))
    }

    /// The names in a folder; nil when it cannot be read.
    static func entries(of folder: String) -> [String]? {
        guard let handle = opendir(folder) else { return nil }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }
}
