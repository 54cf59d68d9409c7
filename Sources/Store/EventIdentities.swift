import Ledger

/// The ids of a log's events, by their numbers: each epoch has its own, from its first event on.
public struct EventIdentities: Hashable, Sendable {
    private struct Epoch: Hashable, Sendable {
        var first: Int64
        var identity: EventIdentity
    }

    /// By first number; never empty.
    private var epochs: [Epoch]

    /// Of a log that has one epoch only.
    public init(_ identity: EventIdentity) {
        epochs = [Epoch(first: 1, identity: identity)]
    }

    init?(gateway: String, epochs: [StoreEpoch.Entry]) {
        guard !epochs.isEmpty else { return nil }
        self.epochs = epochs.map { Epoch(first: $0.first, identity: EventIdentity(gateway: gateway, epoch: $0.epoch)) }
            .sorted { $0.first < $1.first }
    }

    public func identity(of sequence: Int64) -> EventIdentity {
        (epochs.last { $0.first <= sequence } ?? epochs[0]).identity
    }

    /// The number of the event with this id; nil for an id of another log, or of an epoch that ended before it.
    public func sequence(of id: String) -> Int64? {
        for epoch in epochs {
            if let sequence = epoch.identity.sequence(of: id), identity(of: sequence) == epoch.identity { return sequence }
        }
        return nil
    }

    /// Of the events to come.
    public var newest: EventIdentity { epochs[epochs.count - 1].identity }

    /// Whether this number begins an epoch after the first: what stood open when the one before ended was dropped.
    func beginsEpoch(_ sequence: Int64) -> Bool { epochs.dropFirst().contains { $0.first == sequence } }
}
