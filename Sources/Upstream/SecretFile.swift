import Glibc

/// Reads secrets from files that only the gateway can read, such as those that systemd's `LoadCredential=` makes.
enum SecretFile {
    /// The lines of a file, without blanks at their ends and without empty ones; at most 16 KiB are read.
    static func lines(of path: String, what: String) throws(DeliveryError) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, what) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw failure(path, what) }
        return bytes[..<count].split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).compactMap { line in
            let text = line.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
            return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
        }
    }

    /// The one word in a file: printable ASCII without blanks.
    static func word(in path: String, what: String) throws(DeliveryError) -> String {
        let lines = try lines(of: path, what: what)
        guard lines.count == 1, let word = lines.first, word.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .refused("\(what) file \(path): no \(what) in it")
        }
        return word
    }

    private static func failure(_ path: String, _ what: String) -> DeliveryError {
        .refused("\(what) file \(path): \(String(cString: strerror(errno))) (errno \(errno))")
    }
}
