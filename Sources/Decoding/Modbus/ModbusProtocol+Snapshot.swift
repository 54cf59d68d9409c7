import Readings

extension ModbusProtocol {
    /// Levels, counters, identifiers, and how the unit answered.
    public func snapshot(at now: Instant) -> JSON? {
        let clock = SnapshotClock(now: now)
        return .compact([
            "silences": .integer(Int64(silences)), "failing": .places(failing), "known": .places(known),
            "lines": lines.isEmpty ? nil : .array(lines.map { $0.snapshot(clock) }),
            "identifiers": identifiers.isEmpty
                ? nil
                : .array(identifiers.map { .compact(["present": .bytes($0.present), "waits": .flag($0.awaitsConfirmation)]) }),
        ])
    }

    public mutating func restore(_ snapshot: JSON, at now: Instant) {
        let clock = SnapshotClock(now: now)
        silences = min(snapshot.count("silences"), Self.silenceLimit)
        failing = snapshot["failing"]?.places(below: configuration.polls.count) ?? []
        known = snapshot["known"]?.places(below: configuration.polls.count) ?? []
        for (index, json) in (snapshot["lines"]?.array ?? []).enumerated() where lines.indices.contains(index) {
            lines[index].restore(json, clock)
        }
        for (index, json) in (snapshot["identifiers"]?.array ?? []).enumerated() where identifiers.indices.contains(index) {
            identifiers[index] = IdentifierState(present: json["present"]?.bytes ?? [], awaitsConfirmation: json.isSet("waits"))
        }
        findDeadline()
    }
}

extension ModbusProtocol.Line {
    fileprivate func snapshot(_ clock: SnapshotClock) -> JSON {
        .compact([
            "level": level.map(JSON.bool), "candidate": candidate.map { .bool($0.level) }, "due": clock.json(candidate?.due),
            "counter": counter.map { .integer(Int64($0)) }, "unseen": unseen == 0 ? nil : .integer(unseen),
        ])
    }

    fileprivate mutating func restore(_ snapshot: JSON, _ clock: SnapshotClock) {
        level = snapshot["level"]?.bool
        candidate = snapshot["candidate"]?.bool.map { ($0, clock.instant(snapshot["due"]) ?? clock.now) }
        counter = snapshot["counter"]?.integer.map(UInt32.init(clamping:))
        unseen = min(max(snapshot["unseen"]?.integer ?? 0, -(1 << 30)), 1 << 30)
    }
}

extension JSON {
    fileprivate static func places(_ places: Set<Int>) -> JSON? {
        places.isEmpty ? nil : .array(places.sorted().map { .integer(Int64($0)) })
    }

    fileprivate func places(below count: Int) -> Set<Int> {
        Set((array ?? []).compactMap { $0.integer.flatMap(Int.init(exactly:)) }.filter { (0..<count).contains($0) })
    }
}
