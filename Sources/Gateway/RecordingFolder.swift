import CNIOLinux
import Glibc

/// Makes a folder and those above it.
/// - Throws: `CaptureWriterError` with the folder that could not be made.
func makeFolder(_ path: String) throws(CaptureWriterError) {
    var prefix = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
        prefix += prefix.isEmpty || prefix.hasSuffix("/") ? part : "/" + part
        if mkdir(prefix, 0o750) != 0, errno != EEXIST { throw CaptureWriterError(path: prefix, errno: errno) }
    }
}

/// Removes the oldest recordings until all of them together are no larger than `bytes`. Their names begin with the time.
func pruneRecordings(in folder: String, to bytes: Int64) throws(CaptureWriterError) {
    var files: [(path: String, size: Int64)] = []
    for name in try folderEntries(folder) where name.hasSuffix(".capture") {
        var status = stat()
        guard stat("\(folder)/\(name)", &status) == 0 else { continue }
        files.append(("\(folder)/\(name)", Int64(status.st_size)))
    }
    var total = files.reduce(0) { $0 + $1.size }
    for file in files.sorted(by: { $0.path < $1.path }) where total > bytes {
        guard unlink(file.path) == 0 else { throw CaptureWriterError(path: file.path, errno: errno) }
        total -= file.size
    }
}

/// The names in a folder, in no order.
func folderEntries(_ path: String) throws(CaptureWriterError) -> [String] {
    guard let directory = opendir(path) else { throw CaptureWriterError(path: path, errno: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        names.append(
            withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } })
    }
    return names
}
