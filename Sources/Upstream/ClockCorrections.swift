import Ledger
import Readings

/// What the log says later about the clock by which its events were stamped.
///
/// Looks ahead in the log, but only when there is an event that needs it, and never twice at the same place.
struct ClockCorrections {
    private struct Correction {
        var number: Int64
        var body: Event.ClockCorrection
    }

    /// In the order of their numbers.
    private var found: [Correction] = []
    /// What the log was looked through for: numbers above the lower one, up to the other.
    private var seen: (above: Int64, upTo: Int64)?
    private static let page = 1_000

    /// - Returns: what to add to the event's times, in milliseconds; nil: nothing is known.
    mutating func shift(of event: OutgoingEvent, in log: any EventLog) throws(EventLogError) -> Int64? {
        guard let stamp = event.boot, let stamped = WallTime(rfc3339: event.time)?.milliseconds else { return nil }
        try scan(log, after: event.sequence)
        var place = event.sequence
        var offset: Int64?
        // A clock that was put right wrongly is put right once more.
        while let next = found.first(where: { $0.body.boot == stamp.boot && $0.body.first <= place && place < $0.number }) {
            offset = next.body.offset
            place = next.number
        }
        return offset.map { stamp.milliseconds &+ $0 &- stamped }
    }

    /// - Returns: the event that `event` withdraws, and what to add to its times, where that is known; nil: there is none, or
    ///   the log has it no more.
    mutating func corrected(by event: OutgoingEvent, in log: any EventLog) throws(EventLogError) -> OutgoingEvent.Corrected? {
        guard event.type == "crossing.retracted", let number = event.json["corrects"]?.integer, number > 0, number < event.sequence else {
            return nil
        }
        guard let stored = try log.events(after: number - 1, limit: 1).first, stored.sequence == number,
            let original = try? OutgoingEvent(stored)
        else { return nil }
        return .init(id: original.id, json: original.json, shift: original.isOfUnknownTime ? try shift(of: original, in: log) : 0)
    }

    private mutating func scan(_ log: any EventLog, after sequence: Int64) throws(EventLogError) {
        var seen = seen ?? (sequence, sequence)
        if sequence > seen.upTo {
            // Nothing asked for what lies between.
            seen = (sequence, sequence)
            found = []
        } else if sequence < seen.above {
            found = try Self.corrections(in: log, above: sequence, upTo: seen.above).found + found
            seen.above = sequence
        }
        let new = try Self.corrections(in: log, above: seen.upTo, upTo: .max)
        found += new.found
        seen.upTo = new.upTo
        self.seen = seen
    }

    private static func corrections(
        in log: any EventLog, above start: Int64, upTo end: Int64
    ) throws(EventLogError) -> (found: [Correction], upTo: Int64) {
        var found: [Correction] = []
        var place = start
        while place < end {
            let events = try log.events(after: place, limit: page)
            guard let last = events.last?.sequence else { break }
            for event in events where event.sequence <= end && event.isClockCorrection {
                guard let json = try? event.json(), let read = try? Event(json: json), case .clockCorrected(let body) = read.body else {
                    continue
                }
                found.append(Correction(number: event.sequence, body: body))
            }
            place = last
        }
        return (found, place)
    }
}

extension StoredEvent {
    /// Whether it may be one: a look at the bytes, for a log of a million events.
    fileprivate var isClockCorrection: Bool {
        let pattern = Array(#""type":"clock.corrected""#.utf8)
        // `type` is the last member but for `uptime`.
        return bytes.suffix(64).firstRange(of: pattern) != nil
    }
}
