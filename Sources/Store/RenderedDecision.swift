import Ledger
import Readings

/// A decision as it will stand in the store, but for the hashes.
struct RenderedDecision: Sendable {
    struct Row: Sendable {
        var key: String
        /// Canonical JSON; nil: the row is removed.
        var value: [UInt8]?
    }

    var events: [UnsealedEvent]
    var rows: [Row]

    init(_ decision: Decision, identity: EventIdentity) {
        events = decision.events.map { $0.unsealed(identity: identity) }
        rows = decision.rows.map { Row(key: $0.key, value: $0.value?.canonicalBytes) }
    }
}
