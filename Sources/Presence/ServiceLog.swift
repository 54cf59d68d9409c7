import Readings

/// Which antennas were shown to be served, step by step, over the last four minutes: any tag's read shows it.
///
/// A miss is evidence only where its antenna was served. A ring of fixed size; late reads find their place in it.
struct ServiceLog: Sendable {
    private struct Slot: Sendable {
        var step = Int.min
        var antennas: UInt64 = 0
    }

    static let size = 2_048
    private var ring = Array(repeating: Slot(), count: Self.size)

    /// Antennas that heard something ever: a reader that reads comes round to all of these.
    private(set) var known: UInt64 = 0

    @inline(__always)
    mutating func note(antenna: Int, at time: Instant) {
        let step = GateStep.of(time)
        known |= 1 << UInt64(antenna & 63)
        let place = step & (Self.size - 1)
        if ring[place].step == step {
            ring[place].antennas |= 1 << UInt64(antenna & 63)
        } else if ring[place].step < step {
            ring[place] = Slot(step: step, antennas: 1 << UInt64(antenna & 63))
        }
    }

    /// The antennas shown to be served during a step, as bits; none when that is too long ago.
    func antennas(at step: Int) -> UInt64 {
        let slot = ring[step & (Self.size - 1)]
        return slot.step == step ? slot.antennas : 0
    }
}

/// When no reader of the gate was shown to be reading, as far back as a visit may need it.
struct Outages: Sendable {
    private(set) var past: [(from: Instant, until: Instant)] = []
    private(set) var since: Instant?

    private static let remembered = 32

    /// - Parameter isReading: at first. Else nobody has looked for as long as can be known: when the gateway was started says nothing.
    init(isReading: Bool) { since = isReading ? nil : Instant(nanoseconds: .min / 2) }

    mutating func begin(at now: Instant) { if since == nil { since = now } }

    mutating func end(at now: Instant) {
        guard let from = since else { return }
        since = nil
        past.append((from, max(from, now)))
        if past.count > Self.remembered { past.removeFirst() }
    }

    func contains(_ time: Instant) -> Bool {
        if let since, time >= since { return true }
        return past.contains { $0.from <= time && time < $0.until }
    }

    /// The step at which a tag first read at `first` may have begun to move unseen: at most 3 s into the outage that ended within the
    /// second before; nil when there was none.
    func start(before first: Int) -> Int? {
        for outage in past.reversed() {
            let (from, until) = (GateStep.of(outage.from), GateStep.of(outage.until))
            if from < first, until + 8 > first { return max(from, min(first, until) - 23) }
        }
        return nil
    }
}
