import Readings

/// Which events a destination gets.
public struct EventFilter: Hashable, Sendable {
    /// What a destination gets when its configuration names no types.
    public static let standardTypes = ["loan.*", "tool.*", "permit.*", "crossing.*", "stock.*", "exception.*", "clock.*"]

    private let exact: Set<String>
    private let prefixes: [String]
    private let certainty: Certainty

    /// - Parameters:
    ///   - types: event types, `*` as the last character as a wildcard; empty: `standardTypes`.
    ///   - certainty: what an event must be at least.
    public init(types: [String], certainty: Certainty = .final) {
        self.certainty = certainty
        let types = types.isEmpty ? Self.standardTypes : types
        exact = Set(types.filter { !$0.hasSuffix("*") })
        prefixes = types.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
    }

    public func passes(type: String, isFinal: Bool = true) -> Bool {
        guard isFinal || certainty == .provisional else { return false }
        return exact.contains(type) || prefixes.contains { type.hasPrefix($0) }
    }
}
