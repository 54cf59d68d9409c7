import Readings

/// Writes the times in a session's snapshot as nanoseconds from the moment it is taken, before or after, and reads them again: a replay
/// counts time from another zero.
struct SnapshotClock {
    let now: Instant

    func json(_ instant: Instant?) -> JSON? { instant.map { .integer(($0 - now).nanoseconds) } }

    func instant(_ json: JSON?) -> Instant? { json?.integer.map { now + Instant.Span(nanoseconds: $0) } }
}

extension JSON {
    /// Only what is true is written.
    static func flag(_ isSet: Bool) -> JSON? { isSet ? .bool(true) : nil }

    static func bytes(_ bytes: [UInt8]) -> JSON { .string(Hex.text(bytes)) }

    var bytes: [UInt8]? { string.flatMap(Hex.bytes) }

    /// A count that stands in a snapshot, within bounds that no arithmetic leaves.
    func count(_ key: String) -> Int { Int(min(max(self[key]?.integer ?? 0, 0), 1 << 30)) }

    func isSet(_ key: String) -> Bool { self[key]?.bool == true }
}

extension DeviceState {
    var snapshot: JSON {
        switch self {
        case .reading: ["is": "reading"]
        case .silent(let reason): ["is": "silent", "reason": .string(reason)]
        case .absent(let reason): ["is": "absent", "reason": .string(reason)]
        }
    }

    init(snapshot: JSON?) {
        let reason = snapshot?["reason"]?.string ?? ""
        switch snapshot?["is"]?.string {
        case "silent": self = .silent(reason: reason)
        case "absent": self = .absent(reason: reason)
        default: self = .reading
        }
    }
}
