import CCrypto

/// The key with which a gateway signs what it takes out of its log: Ed25519 (RFC 8032), made by libcrypto.
///
/// It stands in `gateway.key` in the state directory, readable by the daemon's user only, as 64 hexadecimal digits of the private key.
struct GatewayKey: Sendable {
    private let seed: [UInt8]
    /// 64 lower-case hexadecimal digits.
    let publicHex: String

    /// Reads the key, or makes it when there is none and never was.
    /// - Parameter hasSigned: whether there are checkpoints that a key has signed.
    /// - Throws: `.keyMissing` when it has, and is gone: what another one signs does not belong to what is there.
    init(directory: String, hasSigned: Bool = false) throws(StoreError) {
        let path = "\(directory)/gateway.key"
        if StoreFiles.exists(path) {
            let text = String(decoding: try StoreFiles.read(path), as: UTF8.self).filter { !$0.isWhitespace }
            guard let seed = SHA256Digest(hex: text)?.bytes, let publicHex = Self.publicHex(of: seed) else {
                throw StoreError(.corrupt, "\(path) is no key; put it back from a backup")
            }
            (self.seed, self.publicHex) = (seed, publicHex)
        } else {
            guard !hasSigned else {
                throw StoreError(
                    .keyMissing,
                    "\(path), with which the archive was signed, is gone: put it back from a backup, every one holds it")
            }
            // The system's generator is fit for keys: on Linux it reads getrandom(2).
            var generator = SystemRandomNumberGenerator()
            let seed = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            guard let publicHex = Self.publicHex(of: seed) else { throw StoreError(.inputOutput, "make a key") }
            (self.seed, self.publicHex) = (seed, publicHex)
            try StoreFiles.write(Array(SHA256Digest(bytes: seed).hex.utf8) + [0x0A], to: path, mode: 0o600)
        }
    }

    /// The public key of the gateway; nil when there is none that can be read.
    static func publicHex(directory: String) -> String? {
        guard StoreFiles.exists("\(directory)/gateway.key") else { return nil }
        return try? GatewayKey(directory: directory).publicHex
    }

    /// 128 lower-case hexadecimal digits.
    func signature(of bytes: [UInt8]) throws(StoreError) -> String {
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            throw StoreError(.inputOutput, "use the key")
        }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { throw StoreError(.inputOutput, "use the key") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            EVP_DigestSign(context, &signature, &count, bytes, bytes.count) == 1, count == 64
        else { throw StoreError(.inputOutput, "sign") }
        return SHA256Digest(bytes: Array(signature[..<32])).hex + SHA256Digest(bytes: Array(signature[32...])).hex
    }

    /// Whether the holder of the key `signer` (64 hexadecimal digits) signed these bytes.
    static func isGenuine(_ signature: String, of bytes: [UInt8], signer: String) -> Bool {
        guard let raw = SHA256Digest(hex: signer)?.bytes, signature.utf8.count == 128,
            let first = SHA256Digest(hex: String(signature.prefix(64)))?.bytes,
            let second = SHA256Digest(hex: String(signature.suffix(64)))?.bytes,
            let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count)
        else { return false }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        let whole = first + second
        return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, whole, whole.count, bytes, bytes.count) == 1
    }

    private static func publicHex(of seed: [UInt8]) -> String? {
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else { return nil }
        defer { EVP_PKEY_free(key) }
        var raw = [UInt8](repeating: 0, count: 32)
        var count = raw.count
        guard EVP_PKEY_get_raw_public_key(key, &raw, &count) == 1, count == 32 else { return nil }
        return SHA256Digest(bytes: raw).hex
    }
}
