/// Which event types a destination gets.
public struct EventFilter: Hashable, Sendable {
    /// What a destination gets when its configuration names no types.
    public static let standardTypes = ["loan.*", "stock.*", "exception.*"]

    private let exact: Set<String>
    private let prefixes: [String]

    /// - Parameter types: event types, `*` as the last character as a wildcard; empty: `standardTypes`.
    public init(types: [String]) {
        let types = types.isEmpty ? Self.standardTypes : types
        exact = Set(types.filter { !$0.hasSuffix("*") })
        prefixes = types.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
    }

    public func passes(type: String) -> Bool {
        exact.contains(type) || prefixes.contains { type.hasPrefix($0) }
    }
}
