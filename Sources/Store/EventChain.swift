import Ledger
import Readings

/// Turns events into the bytes that are stored, each carrying the hash of the one before it.
///
/// The store and a replay use the same chain, so they write the same bytes.
public struct EventChain: Hashable, Sendable {
    public let identity: EventIdentity
    /// SHA-256 over the stored bytes of the newest event, 64 lower-case hexadecimal digits.
    public private(set) var lastHash: String

    /// What the first event of a log names as the hash before it.
    public static let origin = String(repeating: "0", count: 64)

    public init(identity: EventIdentity, lastHash: String = EventChain.origin) {
        self.identity = identity
        self.lastHash = lastHash
    }

    public mutating func seal(_ event: Event) -> StoredEvent {
        let bytes = event.json(identity: identity, previousHash: lastHash).canonicalBytes
        lastHash = SHA256Digest(of: bytes).hex
        return StoredEvent(sequence: event.sequence, bytes: bytes)
    }

    /// Takes a stored event as the newest one, if it continues the chain.
    /// - Returns: what is wrong with it; nil when nothing is.
    mutating func follow(_ stored: StoredEvent) -> String? {
        guard let json = try? stored.json() else { return "event \(stored.sequence) is not JSON" }
        defer { lastHash = SHA256Digest(of: stored.bytes).hex }
        if json["seq"]?.integer != stored.sequence { return "event \(stored.sequence) carries another number" }
        if json["id"]?.string != identity.id(sequence: stored.sequence) { return "event \(stored.sequence) carries another id" }
        if json["prev"]?.string != lastHash { return "event \(stored.sequence) does not follow from the one before it" }
        return nil
    }
}

extension EventIdentity {
    /// The ids of a gateway's store: the first 60 bits of SHA-256 over `GATEWAY|EPOCH`, the epoch as 16 hexadecimal digits.
    public init(gateway: String, epoch: UInt64) {
        let digest = SHA256Digest(of: Array("\(gateway)|\(StoreEpoch.text(epoch))".utf8))
        self.init(prefix: digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } >> 4)
    }
}

/// The epoch of a store as text.
public enum StoreEpoch {
    /// 16 lower-case hexadecimal digits.
    public static func text(_ epoch: UInt64) -> String {
        let digits = String(epoch, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// nil unless it is 16 hexadecimal digits.
    public static func value(_ text: String) -> UInt64? {
        guard text.utf8.count == 16, text.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }) else { return nil }
        return UInt64(text, radix: 16)
    }
}
