import CCrypto

/// Signs requests by the Standard Webhooks scheme: HMAC-SHA256 over "ID.TIMESTAMP.BODY", as `v1,BASE64`.
struct WebhookSignature: Sendable {
    private let keys: [[UInt8]]

    /// - Parameter secretFile: one secret a line, `whsec_` and the base64 form of 24 to 64 random bytes. Several are there while one is
    ///   being replaced: then every request is signed with each.
    /// - Throws: `DeliveryError.refused` when it holds no such secret.
    init(secretFile: String) throws(DeliveryError) {
        var keys: [[UInt8]] = []
        for line in try SecretFile.lines(of: secretFile, what: "secret") {
            guard line.hasPrefix("whsec_"), let key = Self.bytes(ofBase64: line.dropFirst(6)), (24...64).contains(key.count) else {
                throw .refused("secret file \(secretFile): a line that is not whsec_ and 24 to 64 bytes in base64")
            }
            keys.append(key)
        }
        guard !keys.isEmpty, keys.count <= 8 else { throw .refused("secret file \(secretFile): no secret in it, or more than 8") }
        self.keys = keys
    }

    /// The value of the header `webhook-signature`.
    func value(id: String, timestamp: Int64, body: [UInt8]) -> String {
        let message = Array("\(id).\(timestamp).".utf8) + body
        return keys.map { "v1,\(Self.base64(Self.authenticationCode(of: message, key: $0)))" }.joined(separator: " ")
    }

    /// HMAC-SHA256 (RFC 2104).
    private static func authenticationCode(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        var count: UInt32 = 0
        _ = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, &count)
        return code
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        // Four characters for three bytes, and a zero at the end.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }

    private static func bytes(ofBase64 text: Substring) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0, characters.count <= 1_024 else { return nil }
        var bytes = [UInt8](repeating: 0, count: characters.count / 4 * 3 + 1)
        let count = EVP_DecodeBlock(&bytes, characters, Int32(characters.count))
        guard count >= 0 else { return nil }
        // libcrypto counts the padding as zero bytes.
        let padding = characters.suffix(2).count { $0 == 0x3D }
        return Array(bytes.prefix(max(0, Int(count) - padding)))
    }
}
