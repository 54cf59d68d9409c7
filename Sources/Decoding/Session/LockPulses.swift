import Readings

/// Pulses that open locks, apart from lamps and beeps: a signal does not cut one short, and none of them is late or comes twice.
///
/// Whoever was let in stands there now. A pulse that could not be begun at once is forgotten, and one that may have been begun is never
/// begun again: a device that comes back after an hour must not open a door for nobody. What ends a pulse is always sent.
struct LockPulses: Hashable, Sendable {
    /// A pulse that could not be begun for this long is forgotten.
    static let patience = Instant.Span.seconds(2)

    private struct Pulse: Hashable, Sendable {
        var kind: Feedback
        /// What is still to be sent, the next first, each with the pause before it.
        var rest: [SessionPlan.Transmission]
        /// When the first of them is due.
        var due: Instant
        var hasBegun = false
    }

    private var pulses: [Pulse] = []
    private struct Taken: Hashable, Sendable {
        var kind: Feedback
        var bytes: [UInt8]
        var wasFirst: Bool
    }

    /// What was taken last, until something else was.
    private var taken: Taken?

    var nextDeadline: Instant? { pulses.map(\.due).min() }

    /// One of the same kind that is going on is lengthened: its end is that of the new one.
    mutating func add(_ kind: Feedback, _ transmissions: [SessionPlan.Transmission], at now: Instant) {
        pulses.removeAll { $0.kind == kind }
        pulses.append(Pulse(kind: kind, rest: transmissions, due: now + (transmissions.first?.pause ?? .zero)))
    }

    /// The first of what is due; nil: nothing is.
    mutating func takeNext(at now: Instant, delay: Instant.Span) -> [UInt8]? {
        pulses.removeAll { !$0.hasBegun && $0.due + Self.patience < now }
        guard let place = pulses.indices.filter({ pulses[$0].due + delay <= now }).min(by: { pulses[$0].due < pulses[$1].due }) else {
            return nil
        }
        let transmission = pulses[place].rest.removeFirst()
        taken = Taken(kind: pulses[place].kind, bytes: transmission.bytes, wasFirst: !pulses[place].hasBegun)
        pulses[place].hasBegun = true
        // The pause counts from what was really sent.
        if let next = pulses[place].rest.first { pulses[place].due = now + next.pause } else { pulses.remove(at: place) }
        return transmission.bytes
    }

    /// Something else was sent.
    mutating func otherTaken() { taken = nil }

    /// A command that was taken last was not answered. - Returns: whether it was of a pulse: what began it is not sent again.
    mutating func putBack(_ bytes: [UInt8], at now: Instant) -> Bool {
        guard let taken, taken.bytes == bytes else { return false }
        self.taken = nil
        guard !taken.wasFirst else { return true }
        if let place = pulses.firstIndex(where: { $0.kind == taken.kind }) {
            pulses[place].rest.insert(.init(bytes: bytes), at: 0)
            pulses[place].due = now
        } else {
            pulses.append(Pulse(kind: taken.kind, rest: [.init(bytes: bytes)], due: now, hasBegun: true))
        }
        return true
    }

    /// The device went away: what ends a pulse that was begun is due as soon as it is back, and nothing else.
    mutating func keepRest(at now: Instant) {
        pulses.removeAll { !$0.hasBegun }
        for place in pulses.indices {
            pulses[place].due = min(pulses[place].due, now)
            for index in pulses[place].rest.indices { pulses[place].rest[index].pause = .zero }
        }
    }

    /// What ends the pulses that were begun, whether due or not.
    mutating func takeRest() -> [[UInt8]] {
        defer { removeAll() }
        return pulses.filter(\.hasBegun).flatMap { $0.rest.map(\.bytes) }
    }

    mutating func removeAll() { (pulses, taken) = ([], nil) }

    init() {}

    func snapshot(_ clock: SnapshotClock) -> JSON? {
        guard !pulses.isEmpty else { return nil }
        return .array(
            pulses.map { pulse in
                .compact([
                    "kind": .string(pulse.kind.rawValue), "due": clock.json(pulse.due), "begun": .flag(pulse.hasBegun),
                    "rest": .array(pulse.rest.map { ["pause": .integer($0.pause.nanoseconds), "bytes": .bytes($0.bytes)] }),
                ])
            })
    }

    init(_ snapshot: JSON?, _ clock: SnapshotClock) {
        for json in (snapshot?.array ?? []).prefix(Feedback.pulses.count) {
            guard let kind = json["kind"]?.string.flatMap(Feedback.init), kind.isPulse else { continue }
            let rest = (json["rest"]?.array ?? []).prefix(16).map {
                SessionPlan.Transmission(pause: Instant.Span(nanoseconds: $0["pause"]?.integer ?? 0), bytes: $0["bytes"]?.bytes ?? [])
            }
            guard !rest.isEmpty else { continue }
            pulses.append(Pulse(kind: kind, rest: rest, due: clock.instant(json["due"]) ?? clock.now, hasBegun: json.isSet("begun")))
        }
    }
}
