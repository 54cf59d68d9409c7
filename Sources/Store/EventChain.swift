import Ledger
import Readings

/// Turns events into the bytes that are stored, each carrying the hash of the one before it.
///
/// The store and a replay use the same chain, so they write the same bytes.
public struct EventChain: Hashable, Sendable {
    public let identities: EventIdentities
    /// SHA-256 over the stored bytes of the newest event, 64 lower-case hexadecimal digits.
    public private(set) var lastHash: String

    /// What the first event of a log names as the hash before it.
    public static let origin = String(repeating: "0", count: 64)

    public init(identity: EventIdentity, lastHash: String = EventChain.origin) {
        self.init(identities: EventIdentities(identity), lastHash: lastHash)
    }

    /// Of a log with several epochs; the chain runs on over their borders.
    public init(identities: EventIdentities, lastHash: String = EventChain.origin) {
        self.identities = identities
        self.lastHash = lastHash
    }

    public mutating func seal(_ event: Event) -> StoredEvent {
        seal(event.unsealed(identity: identities.identity(of: event.sequence)))
    }

    mutating func seal(_ event: UnsealedEvent) -> StoredEvent {
        let stored = event.sealed(previousHash: lastHash)
        lastHash = SHA256Digest(of: stored.bytes).hex
        return stored
    }

    /// Takes a stored event as the newest one, if it continues the chain.
    /// - Returns: what is wrong with it; nil when nothing is.
    mutating func follow(_ stored: StoredEvent) -> String? {
        guard let json = try? stored.json() else { return "event \(stored.sequence) is not JSON" }
        defer { lastHash = SHA256Digest(of: stored.bytes).hex }
        if json["seq"]?.integer != stored.sequence { return "event \(stored.sequence) carries another number" }
        if json["id"]?.string != identities.identity(of: stored.sequence).id(sequence: stored.sequence) {
            return "event \(stored.sequence) carries another id"
        }
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
