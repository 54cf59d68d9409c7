import Glibc

/// What the calling thread has written through the file interface, as the kernel counts it (proc(5), io, `wchar`).
enum ThreadOutput {
    /// Bytes; nil where the kernel does not count.
    static var bytes: Int64? {
        let descriptor = open("/proc/thread-self/io", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let text = String(unsafeUninitializedCapacity: 512) { max(0, read(descriptor, $0.baseAddress, $0.count)) }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.first == "wchar:", let count = parts.last { return Int64(count) }
        }
        return nil
    }
}
