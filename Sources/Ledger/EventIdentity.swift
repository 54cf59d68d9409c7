/// Makes event ids: UUIDs of version 8 (RFC 9562 section 5.8) from gateway, epoch and number, so that an id is computed, not stored,
/// and the same event always has the same one.
public struct EventIdentity: Hashable, Sendable {
    /// The first 60 bits of SHA-256 over the gateway's code and the store's epoch, in the low bits.
    public let prefix: UInt64

    public init(prefix: UInt64) {
        self.prefix = prefix & 0xFFF_FFFF_FFFF_FFFF
    }

    /// The identity by which an id was made; nil for a text that is no id of ours.
    public init?(of id: String) {
        guard let high = UInt64(id.filter { $0 != "-" }.prefix(16), radix: 16) else { return nil }
        self.init(prefix: (high >> 16) << 12 | high & 0xFFF)
        guard sequence(of: id) != nil else { return nil }
    }

    /// 48 bits of the prefix, the version, 12 bits of the prefix, the variant, 62 bits of the number.
    public func id(sequence: Int64) -> String {
        let high = (prefix >> 12) << 16 | 0x8000 | prefix & 0xFFF
        let low = 0x8000_0000_0000_0000 | UInt64(bitPattern: sequence) & 0x3FFF_FFFF_FFFF_FFFF
        return String(unsafeUninitializedCapacity: 36) { target in
            var position = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    target[position] = 0x2D
                    position += 1
                }
                let value = UInt8((digit < 16 ? high : low) >> UInt64(60 - digit % 16 * 4) & 15)
                target[position] = value < 10 ? 0x30 + value : 0x57 + value
                position += 1
            }
            return position
        }
    }

    /// The number in an id of ours; nil for the id of another gateway or epoch.
    public func sequence(of id: String) -> Int64? {
        let digits = id.filter { $0 != "-" }
        guard digits.utf8.count == 32, let low = UInt64(digits.suffix(16), radix: 16) else { return nil }
        let sequence = Int64(bitPattern: low & 0x3FFF_FFFF_FFFF_FFFF)
        return self.id(sequence: sequence) == id.lowercased() ? sequence : nil
    }
}
