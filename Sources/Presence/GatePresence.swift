import Identifiers
import Readings

/// Turns the tag reads of a gate into sightings: which tag went through, in which direction, which stayed, and of which nobody can say.
///
/// A visit begins with a tag's first read. After 2 s without one it is decided provisionally, together with what moved with it, and
/// after 5 s finally; a read in between goes on with the visit, and what was said may be taken back. While the readers are silent
/// nobody is quiet: a visit that this interrupts for longer than `bridge` ends as `unknown`.
///
/// What is decided follows from the times of the reads, not from the order of their arrival.
public struct GatePresence: Sendable {
    public struct Settings: Hashable, Sendable {
        /// The unread time after which a visit is decided provisionally.
        public var quiet: Instant.Span
        /// The unread time after which it is decided finally and over.
        public var final: Instant.Span
        /// The longest silence of the readers that a visit survives.
        public var bridge: Instant.Span
        /// The most visits open at once; reads of further tags are counted in `overflow`.
        public var capacity: Int
        /// Weaker reads only show that their antenna is being served, hundredths of a dBm; nil: every read counts.
        public var floor: Int16?
        public var rules: GateRules

        public init(
            quiet: Instant.Span = .seconds(2), final: Instant.Span = .seconds(5), bridge: Instant.Span = .seconds(3),
            capacity: Int = 8_192, floor: Int16? = nil, rules: GateRules = GateRules()
        ) {
            self.quiet = quiet
            self.final = max(final, quiet)
            self.bridge = bridge
            self.capacity = capacity
            self.floor = floor
            self.rules = rules
        }
    }

    let settings: Settings
    var judge: GateJudge
    var visits: TagTable<GateVisit>
    /// Visits that ended a moment ago: their companions may still be undecided.
    var ended: [EndedVisit] = []
    var service = ServiceLog()
    var outages: Outages
    var residents = Residents()
    var checks = GateChecks()
    var bias: AntennaBias
    /// As it was handed over last.
    var savedBias: AntennaBias
    private var nextNumber: UInt64 = 1
    /// Nothing can be due before this; a lower bound, so that most reads cost no look at other tags.
    private var earliest: Instant?
    private let sides: [GateSide]
    /// A read without a level has the lowest of all, and counts whatever the floor.
    private let floor: Int16
    /// Reads of tags for which there was no room.
    public private(set) var overflow: UInt64 = 0
    /// Reads that were weaker than the floor.
    public private(set) var readsBelowFloor: UInt64 = 0

    /// A companion counts when it was unread for this long; with this much less than is asked of itself it is decided along.
    var settled: Instant.Span { min(settings.quiet, .milliseconds(500)) }
    static let along = Instant.Span.seconds(1)
    /// A visit that lasts for longer is one of a tag that lies there, or of somebody who waits.
    static let lingering = Instant.Span.seconds(20)
    static let lookedAtEvery = Instant.Span.seconds(20)
    /// How long an ended visit still speaks for its companions.
    static let remembered = Instant.Span.seconds(8)

    /// - Parameters:
    ///   - antennas: at most 64; reads name them by their place here
    ///   - isReading: whether the gate's readers are shown to be reading at the start
    public init(antennas: [GateAntenna], settings: Settings = Settings(), isReading: Bool = false) {
        self.settings = settings
        judge = GateJudge(antennas: Array(antennas.prefix(64)))
        sides = antennas.prefix(64).map(\.side)
        outages = Outages(isReading: isReading)
        visits = TagTable(capacity: settings.capacity)
        floor = settings.floor ?? TagRead.noRSSI
        let tuned = antennas.prefix(64).contains { $0.bias != nil } ? antennas.prefix(64).map { $0.bias ?? 0 } : []
        bias = AntennaBias(antennas: sides.count, tuned: tuned)
        savedBias = bias
        judge.learn(bias: bias.corrections)
    }

    public var openVisits: Int { visits.entries.count }

    /// Whether the antennas stand on both sides, so that a direction can be told at all.
    public var hasDirection: Bool { judge.separation != nil }

    /// Takes one read; reads may come in any order.
    /// - Parameters:
    ///   - antenna: the place of its antenna among those of the gate
    ///   - time: when it was read
    @inline(__always)
    public mutating func observe(_ read: TagRead, antenna: Int, at time: Instant) {
        guard antenna < sides.count else { return }
        let side = sides[antenna]
        service.note(antenna: antenna, at: time)
        guard read.rssi >= floor || read.rssi == TagRead.noRSSI else {
            readsBelowFloor &+= 1
            return
        }
        var isNew = false
        let hadRoom = visits.update(read.epc) {
            isNew = true
            var visit = GateVisit(number: nextNumber, at: time, side: side)
            visit.take(rssi: read.rssi, antenna: antenna, side: side, at: time, isRepeatable: read.readerTime != nil)
            return visit
        } _: { visit in
            visit.take(rssi: read.rssi, antenna: antenna, side: side, at: time, isRepeatable: read.readerTime != nil)
        }
        if !hadRoom {
            overflow &+= 1
        } else if isNew {
            nextNumber &+= 1
            expect(time + (outages.since == nil ? settings.quiet : settings.bridge))
        }
    }

    /// Whether a visit of this tag is open at a time: then a read of that time belongs to it, however late it comes.
    public func hasVisit(of epc: EPC, at time: Instant) -> Bool {
        visits.value(of: epc).map { time + settings.quiet >= $0.first && time <= $0.last + settings.final } ?? false
    }

    private mutating func expect(_ time: Instant) { earliest = earliest.map { min($0, time) } ?? time }

    /// The readers are, or are no longer, shown to be reading.
    public mutating func readerChanged(isReading: Bool, at now: Instant) {
        switch (isReading, outages.since) {
        case (true, let since?):
            outages.end(at: now)
            // A visit that an outage interrupts goes on only when the outage was short.
            if now - since <= settings.bridge {
                visits.updateAll { $0.quietFrom = max($0.quietFrom, now) }
            }
        case (false, nil):
            outages.begin(at: now)
            visits.updateAll { $0.isDegraded = true }
        default: return
        }
        earliest = visits.entries.map { due($0.value) }.min()
    }

    /// The time at which `advance` will have something to say, or at least to look at.
    public var nextDeadline: Instant? { earliest }

    private func due(_ visit: GateVisit) -> Instant { visit.due(settings, silentSince: outages.since) }

    /// Decides what is due at `now`; sorted by first read, then EPC.
    /// - Parameter recorded: on which side a tag is by the record
    public mutating func advance(to now: Instant, recorded: (EPC) -> RecordedSide) -> [Sighting] {
        guard let deadline = earliest, now >= deadline else { return [] }
        var said: [Sighting] = []
        if outages.since != nil {
            let (settings, since) = (settings, outages.since)
            said = visits.remove { $0.due(settings, silentSince: since) <= now }.map(interrupted)
        } else {
            ended.removeAll { now - $0.last > Self.remembered }
            said = decideDue(at: now, recorded: recorded)
        }
        earliest = visits.entries.map { due($0.value) }.min()
        return sorted(said)
    }

    /// Ends every visit now: nobody will look any more. What was said provisionally stands.
    public mutating func finish() -> [Sighting] {
        earliest = nil
        return sorted(visits.remove { _ in true }.map(interrupted))
    }

    /// Forgets the visits, for a station that was paused.
    public mutating func reset(at now: Instant) {
        _ = visits.remove { _ in true }
        ended = []
        earliest = nil
    }

    private func interrupted(_ entry: TagTable<GateVisit>.Entry) -> Sighting {
        guard var word = entry.value.word else { return entry.value.sighting(of: entry.epc, kind: .unknown, certainty: .final) }
        word.certainty = .final
        word.isDegraded = entry.value.isDegraded
        return word
    }

    private func sorted(_ sightings: [Sighting]) -> [Sighting] {
        sightings.sorted { ($0.first, $0.epc) < ($1.first, $1.epc) }
    }
}
