import Identifiers
import Ledger
import Readings

/// What a command brought.
public struct CommandOutcome: Hashable, Sendable {
    /// The events that record it; empty when everything was so already.
    public var events: [Int64]
    /// The request that was made.
    public var permit: PermitKey?

    public init(events: [Int64], permit: PermitKey? = nil) {
        self.events = events
        self.permit = permit
    }

    var json: JSON { .compact(["events": .array(events.map(JSON.integer)), "permit": permit.map { .string($0.text) }]) }
}

/// What an import changed, or would change.
public struct ImportOutcome: Hashable, Sendable {
    public var isDryRun: Bool
    /// The version now in force.
    public var version: Int64
    public var counts: [MasterRow.Set: Counts]
    /// The first changes, at most `maximumChanges`.
    public var changes: [MasterChange]

    public static let maximumChanges = 200

    public struct Counts: Hashable, Sendable {
        public var added: Int
        public var changed: Int
        public var removed: Int
        public var unchanged: Int

        public init(added: Int = 0, changed: Int = 0, removed: Int = 0, unchanged: Int = 0) {
            self.added = added
            self.changed = changed
            self.removed = removed
            self.unchanged = unchanged
        }
    }

    public init(isDryRun: Bool, version: Int64, counts: [MasterRow.Set: Counts], changes: [MasterChange]) {
        self.isDryRun = isDryRun
        self.version = version
        self.counts = counts
        self.changes = changes
    }

    var json: JSON {
        let sets = MasterRow.Set.allCases.compactMap { set -> JSON? in
            guard let counts = counts[set] else { return nil }
            return [
                "set": .string(set.rawValue), "added": .integer(Int64(counts.added)), "changed": .integer(Int64(counts.changed)),
                "removed": .integer(Int64(counts.removed)), "unchanged": .integer(Int64(counts.unchanged)),
            ]
        }
        let listed = changes.prefix(Self.maximumChanges).map { change -> JSON in
            .compact([
                "set": .string(change.set.rawValue), "id": .string(change.id), "change": .string(change.kind.rawValue),
                "members": .array(
                    change.members.map { .compact(["name": .string($0.name), "old": $0.old, "new": $0.new]) }),
            ])
        }
        return ["dry_run": .bool(isDryRun), "version": .integer(version), "sets": .array(sets), "changes": .array(listed)]
    }
}

/// What was forgotten of a person, or would be.
public struct ErasureOutcome: Hashable, Sendable {
    public var isDryRun: Bool
    /// What stands for them in events, and leads nowhere from now on.
    public var person: PersonKey
    /// Rows of master data, deleted ones included.
    public var rows: [MasterRow.Set: Int] = [:]
    /// Recordings, and files that master data were taken from.
    public var files = 0
    /// Files that could not be cleaned, each with the reason: they still hold what was to be erased, and somebody must remove them.
    public var remaining: [String] = []
    /// Of the master data, now in force.
    public var version: Int64

    public init(isDryRun: Bool, person: PersonKey, version: Int64) {
        self.isDryRun = isDryRun
        self.person = person
        self.version = version
    }

    var json: JSON {
        [
            "dry_run": .bool(isDryRun), "person": .string(person.text), "files": .integer(Int64(files)), "version": .integer(version),
            "rows": .object(Dictionary(uniqueKeysWithValues: rows.map { ($0.key.rawValue, .integer(Int64($0.value))) })),
            "remaining": .array(remaining.map(JSON.string)),
        ]
    }
}

/// What a tag is bound to.
public struct TagReport: Hashable, Sendable {
    public var epc: EPC
    public var bearer: Bearer
    /// The bearer's name.
    public var name: String?
    public var source: Source

    public enum Source: String, Hashable, Sendable, CaseIterable {
        /// Bound at this gateway.
        case local
        case master
    }

    public init(epc: EPC, bearer: Bearer, name: String? = nil, source: Source) {
        self.epc = epc
        self.bearer = bearer
        self.name = name
        self.source = source
    }

    var json: JSON {
        var named = bearer.json.object ?? [:]
        named["name"] = name.map(JSON.string)
        return [
            "epc": .string(epc.hex), "bearer": .object(named), "source": .string(source.rawValue),
            "uri": .string(epc.identity().canonicalURI),
        ]
    }
}

/// Which profile a device has, and why no other.
public struct ProfileReport: Hashable, Sendable {
    public var device: String
    /// nil: none, or more than one.
    public var profile: String?
    /// In one sentence: bound in the site file, matched by so many properties, ambiguous.
    public var reason: String
    public var candidates: [Candidate]

    public struct Candidate: Hashable, Sendable {
        public var profile: String
        public var result: Result

        public enum Result: Hashable, Sendable {
            case matched(properties: Int)
            case failed(property: String, expected: String, found: String?)
            /// Without rules: must be named in the site file.
            case bindOnly
        }

        public init(profile: String, result: Result) {
            self.profile = profile
            self.result = result
        }

        var json: JSON {
            switch result {
            case .matched(let count): ["profile": .string(profile), "result": "matched", "properties": .integer(Int64(count))]
            case .failed(let property, let expected, let found):
                .compact([
                    "profile": .string(profile), "result": "failed", "property": .string(property), "expected": .string(expected),
                    "found": found.map(JSON.string),
                ])
            case .bindOnly: ["profile": .string(profile), "result": "bind_only"]
            }
        }
    }

    public init(device: String, profile: String?, reason: String, candidates: [Candidate]) {
        self.device = device
        self.profile = profile
        self.reason = reason
        self.candidates = candidates
    }

    var json: JSON {
        .compact([
            "device": .string(device), "profile": profile.map(JSON.string), "reason": .string(reason),
            "candidates": .array(candidates.map(\.json)),
        ])
    }
}

/// What a reload changed.
public struct ReloadOutcome: Hashable, Sendable {
    /// Devices, stations and destinations that were added, changed or removed, for example `device gate-1`.
    public var changed: [String]

    public init(changed: [String]) {
        self.changed = changed
    }

    var json: JSON { ["changed": .array(changed.map(JSON.string))] }
}

/// A backup that was made.
public struct BackupOutcome: Hashable, Sendable {
    /// Its folder.
    public var path: String
    /// The newest event in it.
    public var last: Int64
    public var bytes: Int64
    /// Folders of older ones that made room.
    public var removed: [String]

    public init(path: String, last: Int64, bytes: Int64, removed: [String]) {
        self.path = path
        self.last = last
        self.bytes = bytes
        self.removed = removed
    }

    var json: JSON {
        [
            "path": .string(path), "last": .integer(last), "bytes": .integer(bytes), "removed": .array(removed.map(JSON.string)),
        ]
    }
}
