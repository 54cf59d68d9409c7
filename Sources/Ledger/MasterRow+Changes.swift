import Readings

/// What a batch would do to one row: for a dry run, and for the record.
public struct MasterChange: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case added, changed, removed
    }

    public struct Member: Hashable, Sendable {
        public var name: String
        public var old: JSON?
        public var new: JSON?
    }

    public var kind: Kind
    public var set: MasterRow.Set
    public var id: String
    /// Members that differ, sorted by name; all of them for a row that comes or goes.
    public var members: [Member]
}

extension MasterRow {
    /// What a batch changes in stored rows, sorted by set and id. Rows that it leaves as they are, are left out; stored rows that it does
    /// not name stay.
    public static func changes(from stored: [MasterRow], by batch: [MasterRow]) -> [MasterChange] {
        var before: [String: [String: JSON]] = [:]
        for row in stored where !row.isDeleted { before["\(row.set.rawValue)/\(row.id)"] = row.body }
        let changes: [MasterChange] = batch.compactMap { row in
            let old = before["\(row.set.rawValue)/\(row.id)"]
            if old == nil, row.isDeleted { return nil }
            let new = row.isDeleted ? [:] : row.body
            let names = Swift.Set((old ?? [:]).keys).union(new.keys)
            let members = names.sorted().compactMap { name in
                old?[name] == new[name] ? nil : MasterChange.Member(name: name, old: old?[name], new: new[name])
            }
            guard !members.isEmpty || old == nil || row.isDeleted else { return nil }
            return MasterChange(
                kind: row.isDeleted ? .removed : old == nil ? .added : .changed, set: row.set, id: row.id, members: members)
        }
        return changes.sorted { ($0.set.rawValue, $0.id) < ($1.set.rawValue, $1.id) }
    }
}
