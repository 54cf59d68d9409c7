import Identifiers
import Presence
import Readings
import SiteConfiguration

/// A gate that people walk through with tools: gathers the visits that ended together into one episode and says who took out or
/// brought back what.
public struct GateStation: Sendable {
    public let name: String
    private let settings: Site.Gate
    private var presence: GatePresence
    /// Which side each antenna port of each reader sees, by device.
    private let sides: [DeviceIndex: [GateSide?]]
    private let readers: [DeviceIndex]
    private let readerNames: [DeviceIndex: String]
    private var readingReaders: Set<DeviceIndex> = []
    private var badges: [Badge] = []
    private var group: Group?
    private var late: [DeviceIndex: LateReads] = [:]
    /// What was handed over of late reads: readers send their queue again when the connection broke while they sent it.
    private var toldLate: [DeviceIndex: [EPC: ClosedRange<ReaderTime>]] = [:]
    /// When `advance` must be called next. Stored, not computed: the engine asks after every few bytes, and asking must not copy the gate.
    public private(set) var nextDeadline: Instant?
    /// Reads of antennas that the site file gives no side.
    public private(set) var readsWithoutSide: UInt64 = 0
    /// Late reads that were told before.
    public private(set) var repeatedLateReads: UInt64 = 0
    /// Crossings against the recorded state that rested on too few reads to be believed.
    public private(set) var weakContradictions: UInt64 = 0

    /// Visits that end within this long of each other were one walk.
    static let groupGap = Instant.Span.seconds(1)
    /// Reads on each side from which a crossing against the recorded state is strong enough to be an exception.
    static let strongReads: UInt32 = 4
    /// A badge held this soon after the last read belongs to the same walk as those held before: then a person must say whose it was.
    static let badgeAfter = Instant.Span.seconds(1)
    /// A tag that was seen for longer lies near the gate; where it was seen last says nothing.
    static let longestWalk = Instant.Span.seconds(60)
    /// How long after the end of a walk its badge may still be needed: quiet time, gap, and a reader's short silence.
    static let longestDecision = Instant.Span.seconds(70)
    /// The most badges remembered at once.
    static let maximumBadges = 64

    private struct Badge {
        var credential: String
        var at: Instant
    }

    private struct Group {
        /// When the first and the last tag of the walk were read last.
        var firstEnd: Instant
        var last: Instant
        var tags: [Direction: [Sighting]] = [:]
        var badgeTags: [Direction: [Sighting]] = [:]
        var uncertain: [Sighting] = []
    }

    /// - Parameters:
    ///   - index: the place of a device in the site file, by name; devices that are missing there are passed over.
    ///   - learned: what this station handed over before, sorted by name.
    public init(
        name: String, settings: Site.Gate, index: (String) -> DeviceIndex?, learned: [LearnedState] = [], startingAt start: Instant
    ) {
        self.name = name
        self.settings = settings
        var sides: [DeviceIndex: [GateSide?]] = [:]
        var names: [DeviceIndex: String] = [:]
        for antenna in settings.antennas {
            guard let device = index(antenna.device) else { continue }
            sides[device, default: Array(repeating: nil, count: 256)][Int(antenna.port)] = antenna.side
            names[device] = antenna.device
        }
        self.sides = sides
        readers = sides.keys.sorted()
        readerNames = names
        presence = GatePresence(settings: .init(quiet: settings.quiet), startingAt: start)
    }

    /// Whether this gate is able to see anybody: every one of its readers is shown to be reading.
    public var isReading: Bool { !readers.isEmpty && readingReaders.count == readers.count }

    public var openVisits: Int { presence.openVisits }

    public mutating func observe(_ read: TagRead, from device: DeviceIndex, at now: Instant) {
        defer { nextDeadline = dueNext }
        guard let side = sides[device]?[Int(read.antenna)] else {
            readsWithoutSide &+= 1
            return
        }
        presence.observe(read, side: side, at: now)
    }

    /// Takes a run of reads of one device that arrived together.
    public mutating func observe(_ readings: ArraySlice<Reading>, from device: DeviceIndex, at now: Instant) {
        defer { nextDeadline = dueNext }
        guard let ports = sides[device] else {
            readsWithoutSide &+= UInt64(readings.count)
            return
        }
        for reading in readings {
            guard case .tag(let read) = reading else { continue }
            guard let side = ports[Int(read.antenna)] else {
                readsWithoutSide &+= 1
                continue
            }
            presence.observe(read, side: side, at: now)
        }
    }

    /// Takes a read that the reader had kept while nobody listened: it says nothing about who is in the gate now.
    public mutating func observeLate(_ read: TagRead, from device: DeviceIndex, at now: Instant) {
        guard sides[device]?[Int(read.antenna)] != nil else {
            readsWithoutSide &+= 1
            return
        }
        if let time = read.readerTime.flatMap(ReaderTime.init(microseconds:)), toldLate[device]?[read.epc]?.contains(time) == true {
            repeatedLateReads &+= 1
            return
        }
        late[device, default: LateReads(at: now)].take(read, at: now)
        nextDeadline = dueNext
    }

    public mutating func badge(_ read: BadgeRead, at now: Instant) {
        badges.removeAll { $0.credential == read.credential || now - ($0.at + settings.badgeWindow) > Self.longestDecision }
        guard badges.count < Self.maximumBadges else { return }
        badges.append(Badge(credential: read.credential, at: now))
    }

    public mutating func deviceChanged(_ device: DeviceIndex, isReading: Bool, at now: Instant) {
        guard readers.contains(device) else { return }
        if isReading { readingReaders.insert(device) } else { readingReaders.remove(device) }
        presence.readerChanged(isReading: self.isReading, at: now)
        nextDeadline = dueNext
    }

    private var dueNext: Instant? {
        var earliest = presence.nextDeadline
        if let group = groupDeadline { earliest = earliest.map { min($0, group) } ?? group }
        for reads in late.values { earliest = earliest.map { min($0, reads.deadline) } ?? reads.deadline }
        return earliest
    }

    private var groupDeadline: Instant? {
        group.map { $0.last + settings.quiet + Self.groupGap }
    }

    /// Lets time come to `now`.
    /// - Parameter known: what the ledger knows of a tag.
    public mutating func advance(to now: Instant, known: (EPC) -> Known) -> StationOutput {
        var output = StationOutput()
        output.sightings = presence.advance(to: now)
        for sighting in output.sightings { take(sighting, known: known) }
        if let deadline = groupDeadline, now >= deadline { output.proposals = closeGroup() }
        handOver(into: &output) { $0.deadline <= now }
        nextDeadline = dueNext
        return output
    }

    /// Decides now what can still be decided: the gate will not be read any more.
    public mutating func finish(known: (EPC) -> Known) -> StationOutput {
        var output = StationOutput()
        output.sightings = presence.finish()
        for sighting in output.sightings { take(sighting, known: known) }
        output.proposals = closeGroup()
        handOver(into: &output) { _ in true }
        nextDeadline = nil
        return output
    }

    /// Forgets what was seen so far: the station was paused, or goes on after a pause. What a reader had kept stands: it was not of now.
    public mutating func reset(at now: Instant) {
        presence.reset(at: now)
        group = nil
        badges = []
        nextDeadline = dueNext
    }

    /// Hands over what readers had kept, though the station is paused.
    public mutating func finishLate() -> StationOutput {
        var output = StationOutput()
        handOver(into: &output) { _ in true }
        nextDeadline = dueNext
        return output
    }

    /// Of the tags of more than two full queues only those of the last are remembered.
    private mutating func remember(_ reads: LateReads, of device: DeviceIndex) {
        var told = toldLate[device] ?? [:]
        if told.count > LateReads.maximumTags { told = [:] }
        told.merge(reads.spans) { $0.overlaps($1) ? min($0.lowerBound, $1.lowerBound)...max($0.upperBound, $1.upperBound) : $1 }
        toldLate[device] = told
    }

    private mutating func handOver(into output: inout StationOutput, if isDue: (LateReads) -> Bool) {
        for device in readers {
            guard let reads = late[device], isDue(reads), let name = readerNames[device] else { continue }
            late[device] = nil
            remember(reads, of: device)
            output.lostLateReads &+= reads.lost
            output.proposals += reads.proposals(of: name, at: self.name)
        }
    }

    private mutating func take(_ sighting: Sighting, known: (EPC) -> Known) {
        let bearer = known(sighting.epc)
        guard bearer != .product, bearer != .location else { return }
        switch sighting.kind {
        case .appeared, .stayed, .uncertain: return
        case .unknown:
            // Last seen where it began says nothing; last seen on the other side, it was on its way.
            guard case .item = bearer, sighting.firstSide != sighting.lastSide, sighting.last - sighting.first <= Self.longestWalk else {
                return
            }
            join(sighting) { $0.uncertain.append(sighting) }
        case .passed(let direction):
            switch bearer {
            case .person: join(sighting) { $0.badgeTags[direction, default: []].append(sighting) }
            case .item(let isOut) where isOut == (direction == .out):
                guard min(sighting.inside.reads, sighting.outside.reads) >= Self.strongReads else {
                    weakContradictions &+= 1
                    return
                }
                join(sighting) { $0.tags[direction, default: []].append(sighting) }
            default: join(sighting) { $0.tags[direction, default: []].append(sighting) }
            }
        }
    }

    private mutating func join(_ sighting: Sighting, _ body: (inout Group) -> Void) {
        var joined = group ?? Group(firstEnd: sighting.last, last: sighting.last)
        joined.firstEnd = min(joined.firstEnd, sighting.last)
        joined.last = max(joined.last, sighting.last)
        body(&joined)
        group = joined
    }

    private mutating func closeGroup() -> [Proposal] {
        guard let group else { return [] }
        self.group = nil
        let used = badgesUsed(by: group)
        var proposals: [Proposal] = []
        for direction in Direction.allCases {
            let tags = group.tags[direction] ?? []
            let uncertain = direction == .out ? group.uncertain : []
            guard !tags.isEmpty || !uncertain.isEmpty else { continue }
            proposals.append(
                Proposal(
                    station: name,
                    content: .crossing(
                        .init(
                            direction: direction, tags: tags, badgeTags: group.badgeTags[direction] ?? [],
                            credentials: used.map(\.credential),
                            uncertain: uncertain))))
        }
        // A badge serves one walk: the next person who forgets theirs must not borrow in this one's name. Who only brings something
        // back uses up their own, not that of the person behind them.
        let isOnlyReturn = !proposals.contains {
            if case .crossing(let crossing) = $0.content { crossing.direction == .out } else { false }
        }
        if !proposals.isEmpty {
            badges.removeAll { badge in used.contains { $0.credential == badge.credential } && !(isOnlyReturn && badge.at > group.last) }
        }
        return proposals
    }

    /// The badges that go with a walk: those held before its end, not too long ago, and one held right after it. One held later belongs
    /// to the next person, unless this walk has none.
    ///
    /// The window counts back from the first tag that left: a tag that hangs near the gate may have been seen for hours.
    private func badgesUsed(by group: Group) -> [Badge] {
        let near = badges.filter { group.firstEnd - $0.at <= settings.badgeWindow && $0.at <= group.last + Self.badgeAfter }
        return near.isEmpty ? badges.filter { $0.at > group.last } : near
    }
}
