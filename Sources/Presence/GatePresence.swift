import Identifiers
import Readings

/// Turns the tag reads of a gate into visits: which tag was there, on which side it was first and last seen, and whether the reader
/// was able to see it go.
///
/// A visit begins with a tag's first read and is over when the tag was unread for `quiet` *while the reader was shown to be reading*.
/// While the reader is silent a visit ends as `unknown`, once both the silence and the tag's own are longer than `bridge`: of several
/// readers one may still see it.
/// This first method takes the sides of the first and the last read; a better one replaces this type behind the same calls.
public struct GatePresence: Sendable {
    public struct Settings: Hashable, Sendable {
        /// The unread time that ends a visit.
        public var quiet: Instant.Span
        /// The longest silence of the reader that a visit survives.
        public var bridge: Instant.Span
        /// The most visits open at once; further tags are counted in `overflow`.
        public var capacity: Int

        public init(quiet: Instant.Span = .seconds(2), bridge: Instant.Span = .seconds(3), capacity: Int = 65_536) {
            self.quiet = quiet
            self.bridge = bridge
            self.capacity = capacity
        }
    }

    fileprivate struct Visit {
        var first: Instant
        var last: Instant
        /// From when silence counts: the last read, or the end of an outage after it.
        var quietFrom: Instant
        var inside = Sighting.SideEvidence()
        var outside = Sighting.SideEvidence()
        var firstSide: GateSide
        var lastSide: GateSide
    }

    private let settings: Settings
    private var visits: TagTable<Visit>
    /// No visit can be over before this; a lower bound, so that most reads cost no look at other tags.
    private var earliestEnd: Instant?
    private var silentSince: Instant?
    /// Reads of tags for which there was no room.
    public private(set) var overflow: UInt64 = 0

    /// - Parameter isReading: whether the gate's reader is shown to be reading at the start.
    public init(settings: Settings = Settings(), startingAt start: Instant, isReading: Bool = false) {
        self.settings = settings
        silentSince = isReading ? nil : start
        visits = TagTable(capacity: settings.capacity)
    }

    public var openVisits: Int { visits.entries.count }

    /// Takes one read. Reads arrive in the order of time; one that is earlier than the last does not move the visit's end back.
    public mutating func observe(_ read: TagRead, side: GateSide, at now: Instant) {
        let hadRoom = visits.update(read.epc) {
            var visit = Visit(first: now, last: now, quietFrom: now, firstSide: side, lastSide: side)
            visit.count(rssi: read.rssi, side: side)
            return visit
        } _: { visit in
            visit.last = max(visit.last, now)
            visit.quietFrom = max(visit.quietFrom, now)
            visit.lastSide = side
            visit.count(rssi: read.rssi, side: side)
        }
        if !hadRoom { overflow &+= 1 }
        if earliestEnd == nil { earliestEnd = now + (silentSince == nil ? settings.quiet : settings.bridge) }
    }

    /// The reader is, or is no longer, shown to be reading.
    public mutating func readerChanged(isReading: Bool, at now: Instant) {
        switch (isReading, silentSince) {
        case (true, let since?):
            silentSince = nil
            let outage = now - since
            // A visit that an outage interrupts goes on only when the outage was short.
            if outage <= settings.bridge { visits.updateAll { $0.quietFrom = max($0.quietFrom, now) } }
            earliestEnd = visits.entries.isEmpty ? nil : now + settings.quiet
        case (false, nil):
            silentSince = now
            earliestEnd = visits.entries.isEmpty ? nil : now + settings.bridge
        default: break
        }
    }

    /// The time at which `advance` will have something to say, or at least to look at.
    public var nextDeadline: Instant? { earliestEnd }

    /// Ends what is over at `now`; sorted by first read, then EPC.
    public mutating func advance(to now: Instant) -> [Sighting] {
        guard let deadline = nextDeadline, now >= deadline else { return [] }
        let (silentSince, settings) = (silentSince, settings)
        func end(of visit: Visit) -> Instant {
            silentSince.map { max($0, visit.quietFrom) + settings.bridge } ?? visit.quietFrom + settings.quiet
        }
        let over = visits.remove { end(of: $0) <= now }
        var earliest: Instant?
        visits.updateAll { visit in earliest = min(earliest ?? end(of: visit), end(of: visit)) }
        earliestEnd = earliest
        return sorted(over.map { $0.value.sighting(epc: $0.epc, kind: silentSince == nil ? $0.value.kind : .unknown) })
    }

    /// Ends every visit now, as unknown: nobody will look any more.
    public mutating func finish() -> [Sighting] {
        earliestEnd = nil
        return sorted(visits.remove { _ in true }.map { $0.value.sighting(epc: $0.epc, kind: .unknown) })
    }

    /// Forgets everything, for a station that was paused.
    public mutating func reset(at now: Instant) {
        _ = visits.remove { _ in true }
        earliestEnd = nil
    }

    private func sorted(_ sightings: [Sighting]) -> [Sighting] {
        sightings.sorted { ($0.first, $0.epc) < ($1.first, $1.epc) }
    }
}

extension GatePresence.Visit {
    @inline(__always)
    fileprivate mutating func count(rssi: Int16, side: GateSide) {
        switch side {
        case .inside:
            inside.reads &+= 1
            inside.strongest = max(inside.strongest, rssi)
        case .outside:
            outside.reads &+= 1
            outside.strongest = max(outside.strongest, rssi)
        }
    }

    fileprivate var kind: Sighting.Kind {
        switch (firstSide, lastSide) {
        case (.inside, .outside): .passed(.out)
        case (.outside, .inside): .passed(.in)
        default: .stayed
        }
    }

    fileprivate func sighting(epc: EPC, kind: Sighting.Kind) -> Sighting {
        Sighting(
            epc: epc, kind: kind, first: first, last: last, inside: inside, outside: outside, firstSide: firstSide, lastSide: lastSide)
    }
}
