import CCrypto

/// A SHA-256 digest (FIPS 180-4), made by libcrypto.
public struct SHA256Digest: Hashable, Sendable {
    /// 32 bytes.
    public let bytes: [UInt8]

    public init(of data: [UInt8]) {
        bytes = [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { target, count in
            _ = data.withUnsafeBufferPointer { SHA256($0.baseAddress, $0.count, target.baseAddress) }
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }

    /// 32 bytes that are a digest, or as many of a key, already.
    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// nil unless it is 64 hexadecimal digits.
    init?(hex: String) {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map(UInt8.init) }
        guard digits.count == 64, hex.utf8.count == 64 else { return nil }
        bytes = stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { target in
            for (position, byte) in bytes.enumerated() {
                target[position * 2] = Self.digit(byte >> 4)
                target[position * 2 + 1] = Self.digit(byte & 15)
            }
            return bytes.count * 2
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
