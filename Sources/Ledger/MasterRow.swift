import Readings

/// One upsert or delete of master data: what `stockgate import` makes of files, and what upstream sends as NDJSON.
///
/// `{"set":"items","id":"DRILL-01","name":"Drill 18 V","class":"power-tool"}`, `{"set":"items","id":"DRILL-01","deleted":true}`.
public struct MasterRow: Hashable, Sendable {
    public var set: Set
    public var id: String
    /// The members besides `set` and `id`; empty for a delete.
    public var body: [String: JSON]
    public var isDeleted: Bool

    public enum Set: String, Hashable, Sendable, CaseIterable {
        case people, credentials, classes, items, products, locations, permits, tags, codes, days
    }

    public init(set: Set, id: String, body: [String: JSON] = [:], isDeleted: Bool = false) {
        self.set = set
        self.id = id
        self.body = body
        self.isDeleted = isDeleted
    }
}
