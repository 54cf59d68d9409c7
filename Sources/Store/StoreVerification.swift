import Readings

/// One thing that is wrong with a store.
public struct StoreFinding: Hashable, Sendable, CustomStringConvertible {
    /// The event that it is about.
    public var event: Int64?
    /// The file in the state directory.
    public var file: String
    public var problem: String
    /// What to do about it.
    public var nextStep: String

    public var description: String { problem }
}

/// What a walk over the whole store found.
public struct StoreVerification: Hashable, Sendable {
    /// Events walked over, those in the archive included.
    public var events: Int64 = 0
    /// Of these, in files of the archive.
    public var archived: Int64 = 0
    /// Signed checkpoints looked at.
    public var checkpoints = 0
    public var rows: Int = 0
    /// The number and hash of the newest event.
    public var last: Int64 = 0
    public var lastHash = EventChain.origin
    /// What is wrong, in the order in which it was met, at most `problemLimit`; empty when all is well.
    public internal(set) var findings: [StoreFinding] = []

    public static let problemLimit = 100
    public var isIntact: Bool { findings.isEmpty }
    public var problems: [String] { findings.map(\.problem) }

    /// The schema `Verification` of `docs/api.yaml`.
    public var json: JSON {
        [
            "intact": .bool(isIntact), "events": .integer(events), "archived": .integer(archived),
            "checkpoints": .integer(Int64(checkpoints)),
            "rows": .integer(Int64(rows)), "last": .integer(last), "hash": .string(lastHash),
            "findings": .array(
                findings.map {
                    .compact([
                        "event": $0.event.map(JSON.integer), "file": .string($0.file), "problem": .string($0.problem),
                        "next": .string($0.nextStep),
                    ])
                }),
        ]
    }

    mutating func add(_ problem: String, event: Int64? = nil, file: String = "events.db", nextStep: NextStep = .recover) {
        guard findings.count < Self.problemLimit else { return }
        findings.append(StoreFinding(event: event, file: file, problem: problem, nextStep: nextStep.rawValue))
    }

    /// With a finding where checkpoints were signed with a key that is gone.
    func notingKey(isThere: Bool) -> StoreVerification {
        guard checkpoints > 0, !isThere else { return self }
        var noted = self
        noted.add("the key with which the archive was signed is gone", file: "gateway.key", nextStep: .putKeyBack)
        return noted
    }

    enum NextStep: String {
        case recover =
            "keep a copy of the state directory; then restore the newest good backup (stockgate restore), or write to whoever supports you"
        case putBack = "put the file back from a backup; its folder archive holds every file of the archive"
        case putKeyBack = "put gateway.key back from a backup, every one holds it; until then there are no backups and nothing is archived"
        case askWhoSigned = "find out who made this store: the key gateway.key is another one, or somebody changed the checkpoint"
        case restoreState = "the events are whole, the state beside them is not: restore the newest good backup (stockgate restore)"
    }
}
