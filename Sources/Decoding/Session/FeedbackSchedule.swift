import Readings

/// Transmissions of feedback that wait for their time: pulses are an "on" and, after a pause, an "off".
struct FeedbackSchedule: Hashable, Sendable {
    /// Transmissions that may be waiting.
    static let limit = 64

    private struct Waiting: Hashable, Sendable {
        var due: Instant
        var bytes: [UInt8]
        /// The pause before what follows it.
        var pauseAfter: Instant.Span?
    }

    private var waiting: [Waiting] = []

    var nextDeadline: Instant? { waiting.first?.due }

    /// A feedback that is still going on is cut short: what is left of it (mostly "off") becomes due at once, so that no lamp stays lit.
    /// - Returns: false when too much is waiting already.
    mutating func add(_ transmissions: [SessionPlan.Transmission], at now: Instant) -> Bool {
        guard !transmissions.isEmpty, waiting.count + transmissions.count <= Self.limit else { return false }
        for index in waiting.indices {
            waiting[index].due = min(waiting[index].due, now)
            waiting[index].pauseAfter = nil
        }
        var due = now
        for (index, transmission) in transmissions.enumerated() {
            due = due + transmission.pause
            let next = index + 1 < transmissions.count ? transmissions[index + 1].pause : nil
            waiting.append(Waiting(due: due, bytes: transmission.bytes, pauseAfter: next))
        }
        return true
    }

    /// What is due, in order.
    mutating func takeDue(at now: Instant) -> [[UInt8]] {
        var taken: [[UInt8]] = []
        while let first = waiting.first, first.due <= now {
            waiting.removeFirst()
            taken.append(first.bytes)
            // A pause counts from what was really sent before: a pulse must not become shorter because its start was late.
            if let pause = first.pauseAfter, let next = waiting.first, next.due < now + pause { waiting[0].due = now + pause }
        }
        return taken
    }

    /// Everything that waits, whether due or not: before the device is let go.
    mutating func takeAll() -> [[UInt8]] {
        defer { waiting = [] }
        return waiting.map(\.bytes)
    }

    mutating func removeAll() { waiting = [] }
}
