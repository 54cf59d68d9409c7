import Readings

/// What a recovery from a damaged file did, and what it could not do.
public struct RecoveryReport: Hashable, Sendable {
    /// What was wrong.
    public var reason: String
    /// The folder with the damaged file, in the state directory.
    public var setAside: String
    /// The folder of the backup that was used; nil: none was there.
    public var backup: String?
    /// The number of the newest event in it.
    public var backupLast: Int64 = 0
    /// The number of the newest event that is there now.
    public var last: Int64 = 0
    /// The number up to which events are known to have existed: by what the damaged file, its cursors and the index still say.
    public var known: Int64 = 0
    /// Whether the end of the damaged log could be read. If not, events after `known` may have existed too.
    public var isEndKnown = true
    /// The newest event that each destination has acknowledged, by its name, as far as the damaged file could be read: what is gone here
    /// and not after it can be found there.
    public var acknowledged: [String: Int64] = [:]

    /// The numbers of events that existed and are gone; nil when none is known to be. They will be given anew, under another epoch.
    public var missing: ClosedRange<Int64>? { known > last ? last + 1...known : nil }

    /// The same in at most 41 characters: `1235-1300`; `1235-?` where nobody knows how many; `none` when there are none.
    public var code: String {
        guard isEndKnown else { return "\(last + 1)-?" }
        return missing.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "none"
    }

    public var json: JSON {
        .compact([
            "reason": .string(reason), "set_aside": .string(setAside), "backup": backup.map(JSON.string),
            "backup_last": .integer(backupLast), "last": .integer(last), "known": .integer(known), "end_known": .bool(isEndKnown),
            "acknowledged": .object(acknowledged.mapValues(JSON.integer)), "missing": .string(code),
        ])
    }

    init(reason: String, setAside: String) {
        self.reason = reason
        self.setAside = setAside
    }

    init?(json: JSON) {
        guard let reason = json["reason"]?.string, let setAside = json["set_aside"]?.string, let last = json["last"]?.integer,
            let known = json["known"]?.integer
        else { return nil }
        self.init(reason: reason, setAside: setAside)
        backup = json["backup"]?.string
        backupLast = json["backup_last"]?.integer ?? 0
        self.last = last
        self.known = known
        isEndKnown = json["end_known"]?.bool ?? true
        acknowledged = json["acknowledged"]?.object?.compactMapValues(\.integer) ?? [:]
    }
}
