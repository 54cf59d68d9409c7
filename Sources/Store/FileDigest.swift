import CCrypto
import Glibc

/// How long a file is, and the SHA-256 over it.
struct FileDigest: Hashable, Sendable {
    var bytes: Int64
    /// 64 lower-case hexadecimal digits.
    var hex: String

    init(bytes: Int64, hex: String) {
        self.bytes = bytes
        self.hex = hex
    }

    /// - Parameter piece: gets the file's bytes in order; false ends the reading.
    init(of path: String, piece: (ArraySlice<UInt8>) -> Bool = { _ in true }) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreFiles.failure("read", path) }
        defer { close(descriptor) }
        guard let context = EVP_MD_CTX_new() else { throw StoreError(.inputOutput, "SHA-256 is not there") }
        defer { EVP_MD_CTX_free(context) }
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        bytes = 0
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StoreFiles.failure("read", path) }
            if count == 0 { break }
            bytes += Int64(count)
            EVP_DigestUpdate(context, buffer, count)
            guard piece(buffer[..<count]) else { break }
        }
        let digest = [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { target, count in
            _ = EVP_DigestFinal_ex(context, target.baseAddress, nil)
            count = Int(SHA256_DIGEST_LENGTH)
        }
        hex = SHA256Digest(bytes: digest).hex
    }
}
