/// Whether something may still be withdrawn.
public enum Certainty: String, Hashable, Sendable, CaseIterable {
    /// Said as soon as it was likely; confirmed, replaced or withdrawn a little later.
    case provisional
    case final
}
