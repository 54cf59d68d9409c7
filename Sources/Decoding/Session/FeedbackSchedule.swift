import Readings

/// Transmissions of feedback that wait for their time: signals are an "on" and, after a pause, an "off".
struct FeedbackSchedule: Hashable, Sendable {
    /// Transmissions that may be waiting.
    static let limit = 64

    fileprivate struct Waiting: Hashable, Sendable {
        var due: Instant
        var bytes: [UInt8]
        /// The pause before what follows it.
        var pauseAfter: Instant.Span?
        /// It begins a feedback: nothing of it has been sent.
        var isFirst: Bool
        /// It began a feedback, and is sent again because the device may have lost it: where nothing more is begun it is forgotten, and
        /// what follows it is not.
        var isAgain = false
    }

    private var waiting: [Waiting] = []
    /// What was sent of the feedback that began last, until all of it was and the device has answered.
    private var sent: [Waiting] = []
    /// What was sent and has not been answered, by a device that answers commands.
    private var unanswered = 0
    private var pulses = LockPulses()

    var nextDeadline: Instant? {
        guard let pulse = pulses.nextDeadline else { return waiting.first?.due }
        return waiting.first.map { min($0.due, pulse) } ?? pulse
    }

    /// A feedback that is still going on is cut short: what is left of it (mostly "off") becomes due at once, so that no lamp stays lit.
    /// - Returns: false when too much is waiting already.
    mutating func add(_ kind: Feedback, _ transmissions: [SessionPlan.Transmission], at now: Instant) -> Bool {
        if kind.isPulse {
            if !transmissions.isEmpty { pulses.add(kind, transmissions, at: now) }
            return !transmissions.isEmpty
        }
        guard !transmissions.isEmpty, waiting.count + transmissions.count <= Self.limit else { return false }
        for index in waiting.indices {
            waiting[index].due = min(waiting[index].due, now)
            waiting[index].pauseAfter = nil
        }
        sent = []
        var due = now
        for (index, transmission) in transmissions.enumerated() {
            due = due + transmission.pause
            let next = index + 1 < transmissions.count ? transmissions[index + 1].pause : nil
            waiting.append(Waiting(due: due, bytes: transmission.bytes, pauseAfter: next, isFirst: index == 0))
        }
        return true
    }

    /// The first of what is due; nil: nothing is.
    /// - Parameter delay: how long what is due may still wait for a better moment.
    mutating func takeNext(at now: Instant, delay: Instant.Span = .zero) -> [UInt8]? {
        if let bytes = pulses.takeNext(at: now, delay: delay) {
            unanswered = min(unanswered + 1, Self.limit)
            return bytes
        }
        guard let first = waiting.first, first.due + delay <= now else { return nil }
        waiting.removeFirst()
        pulses.otherTaken()
        // A pause counts from what was really sent before: a pulse must not become shorter because its start was late.
        if let pause = first.pauseAfter, let next = waiting.first, next.due < now + pause { waiting[0].due = now + pause }
        if first.isFirst || first.isAgain { sent = [first] } else if !sent.isEmpty { sent.append(first) }
        unanswered = min(unanswered + 1, Self.limit)
        return first.bytes
    }

    /// The device answered a command.
    mutating func answered() {
        unanswered = max(0, unanswered - 1)
        // Of a feedback that is over nothing need be sent again.
        if unanswered == 0, waiting.first?.isFirst != false { sent = [] }
    }

    /// What was sent of the feedback that is going on is sent again, in the same time: the device is about to be initialised, which
    /// puts out its lamps.
    mutating func beginAgain(at now: Instant) {
        defer { (sent, unanswered) = ([], 0) }
        guard !sent.isEmpty, waiting.count + sent.count <= Self.limit else { return }
        for index in sent.indices {
            sent[index].due = now
            sent[index].isAgain = sent[index].isFirst || sent[index].isAgain
            sent[index].isFirst = false
        }
        waiting = sent + waiting
    }

    /// A command that was taken and not answered comes first again.
    mutating func putBack(_ bytes: [UInt8], at now: Instant) {
        if pulses.putBack(bytes, at: now) { return }
        var last = Waiting(due: now, bytes: bytes, pauseAfter: nil, isFirst: false)
        if let known = sent.last, known.bytes == bytes {
            sent.removeLast()
            last.pauseAfter = known.pauseAfter
            last.isAgain = known.isFirst || known.isAgain
        }
        waiting.insert(last, at: 0)
    }

    /// What is due, in order.
    mutating func takeDue(at now: Instant, delay: Instant.Span = .zero) -> [[UInt8]] {
        var taken: [[UInt8]] = []
        while let bytes = takeNext(at: now, delay: delay) { taken.append(bytes) }
        return taken
    }

    init() {}

    /// What waits; and where something was sent that may have to be sent again, that too.
    func snapshot(_ clock: SnapshotClock) -> JSON? {
        let list = JSON.array(waiting.map { $0.snapshot(clock) })
        let pulses = pulses.snapshot(clock)
        guard sent.isEmpty, pulses == nil else {
            return .compact([
                "waiting": list, "sent": .array(sent.map { $0.snapshot(clock) }), "unanswered": .integer(Int64(unanswered)),
                "pulses": pulses,
            ])
        }
        return waiting.isEmpty ? nil : list
    }

    init(_ snapshot: JSON?, _ clock: SnapshotClock) {
        func list(_ json: JSON?) -> [Waiting] { (json?.array ?? []).prefix(Self.limit).map { Waiting($0, clock) } }
        waiting = list(snapshot?["waiting"] ?? snapshot)
        sent = list(snapshot?["sent"])
        unanswered = snapshot?.count("unanswered") ?? 0
        pulses = LockPulses(snapshot?["pulses"], clock)
    }

    /// Forgets every feedback of which nothing was sent, and makes due what is left of the one that began: the device went away in the
    /// middle of it, and its lamp may still be lit when it comes back.
    mutating func keepRest(at now: Instant) {
        waiting = rest
        (sent, unanswered) = ([], 0)
        for index in waiting.indices {
            waiting[index].due = min(waiting[index].due, now)
            waiting[index].pauseAfter = nil
        }
        pulses.keepRest(at: now)
    }

    /// What is left of the feedback and of the pulses that began, whether due or not; the others are forgotten.
    mutating func takeRest() -> [[UInt8]] {
        defer { removeAll() }
        return pulses.takeRest() + rest.map(\.bytes)
    }

    private var rest: [Waiting] { waiting.prefix { !$0.isFirst }.filter { !$0.isAgain } }

    mutating func removeAll() { (waiting, sent, unanswered, pulses) = ([], [], 0, LockPulses()) }
}

extension FeedbackSchedule.Waiting {
    fileprivate func snapshot(_ clock: SnapshotClock) -> JSON {
        .compact([
            "due": clock.json(due), "bytes": .bytes(bytes), "pause": pauseAfter.map { .integer($0.nanoseconds) }, "first": .flag(isFirst),
            "again": .flag(isAgain),
        ])
    }

    fileprivate init(_ snapshot: JSON, _ clock: SnapshotClock) {
        self.init(
            due: clock.instant(snapshot["due"]) ?? clock.now, bytes: snapshot["bytes"]?.bytes ?? [],
            pauseAfter: snapshot["pause"]?.integer.map(Instant.Span.init(nanoseconds:)), isFirst: snapshot.isSet("first"),
            isAgain: snapshot.isSet("again"))
    }
}
