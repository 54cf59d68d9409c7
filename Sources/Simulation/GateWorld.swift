import Identifiers
import Presence
import Readings

/// The gate of section "The world" of `docs/simulation.md`: people and tags that move in front of antennas, and a reader that serves
/// one antenna after the other.
///
/// Everything is decided by the seed that made it. Nothing here knows what method judges the reads.
struct GateWorld: Sendable {
    struct Tag: Sendable {
        enum Whereabouts: Sendable {
            case carried(by: Int, at: Walker.Place)
            case lying(x: Double, y: Double, z: Double)
        }

        let epc: EPC
        var whereabouts: Whereabouts
        /// When it is there at all, seconds: one thing may be carried by several people one after the other.
        let from: Double
        let until: Double
        let sensitivity: Double
        /// By antenna: everything one way that does not change as it moves, dB: the tag's gain less orientation, polarisation,
        /// material.
        let gains: [Double]
        let scatters: [Scatter]
        /// The crossing to which reads of it belong.
        var crossing: Int?
    }

    /// The reader does not read from `start` to `end`, seconds.
    struct Outage: Sendable {
        var start: Double
        var end: Double
    }

    let layout: GateLayout
    private let antennas: [RadioAntenna]
    private var walkers: [Walker]
    private let tags: [Tag]
    private let outages: [Outage]
    let duration: Double
    private var random: SplitMix64

    /// Nanoseconds since the start.
    private var clock: Int64 = 0
    private var nextAntenna = 0
    private var nextOutage = 0
    /// Walkers and tags in the order in which they come, and those that are there.
    private let walkerOrder: [Int]
    private let tagOrder: [Int]
    private var walkersDue = 0
    private var tagsDue = 0
    private var presentWalkers: [Int] = []
    private var presentTags: [Int] = []
    /// Tags that the antenna being served might read.
    private var candidates: [Int] = []
    /// By crossing, reads inside and outside.
    private(set) var readsOfCrossing: [(inside: Int, outside: Int)]
    private let sides: [GateSide]

    init(
        layout: GateLayout, walkers: [Walker], tags: [Tag], outages: [Outage] = [], crossings: Int, duration: Double, random: SplitMix64
    ) {
        self.layout = layout
        antennas = layout.antennas.map(RadioAntenna.init)
        sides = layout.antennas.map(\.side)
        self.walkers = walkers
        self.tags = tags
        self.outages = outages.sorted { $0.start < $1.start }
        self.duration = duration
        self.random = random
        walkerOrder = walkers.indices.sorted { (walkers[$0].start, $0) < (walkers[$1].start, $1) }
        tagOrder = tags.indices.sorted { (tags[$0].from, $0) < (tags[$1].from, $1) }
        readsOfCrossing = Array(repeating: (0, 0), count: crossings)
        // Where in its cycle the reader is when the scene begins is chance.
        nextAntenna = antennas.isEmpty ? 0 : Int(truncatingIfNeeded: self.random.next() % UInt64(antennas.count))
        clock = Int64(self.random.unit() * Double(layout.dwell.nanoseconds))
    }

    var isOver: Bool { antennas.isEmpty || seconds(clock) >= duration }

    /// Serves the next antenna for one dwell.
    mutating func dwell(into reads: inout [TimedRead], changes: inout [ReaderChange]) {
        guard !isOver else { return }
        if nextOutage < outages.count, outages[nextOutage].start <= seconds(clock) {
            let outage = outages[nextOutage]
            nextOutage += 1
            changes.append(ReaderChange(time: Instant(nanoseconds: clock), isReading: false))
            clock = max(clock, nanoseconds(outage.end))
            changes.append(ReaderChange(time: Instant(nanoseconds: clock), isReading: true))
            // A reader begins its cycle anew.
            nextAntenna = 0
        }
        var end = clock + max(layout.dwell.nanoseconds, 1_000_000)
        if nextOutage < outages.count { end = min(end, max(nanoseconds(outages[nextOutage].start), clock)) }
        let antenna = nextAntenna
        nextAntenna = (nextAntenna + 1) % antennas.count
        var time = clock
        var nextLook = clock
        while time < end {
            if time >= nextLook {
                look(antenna: antenna, at: time)
                // Nobody moves 10 cm in so short a time.
                nextLook = time + 50_000_000
            }
            guard !candidates.isEmpty else {
                time = nextLook
                continue
            }
            time += round(antenna: antenna, at: time, until: end, into: &reads)
        }
        clock = max(end, clock) + layout.switching.nanoseconds
    }

    /// Sees who is there, and which tags this antenna could read if everything were favourable.
    private mutating func look(antenna: Int, at time: Int64) {
        let now = seconds(time)
        while walkersDue < walkerOrder.count, walkers[walkerOrder[walkersDue]].start <= now {
            presentWalkers.append(walkerOrder[walkersDue])
            walkersDue += 1
        }
        presentWalkers.removeAll { walkers[$0].end < now }
        while tagsDue < tagOrder.count, tags[tagOrder[tagsDue]].from <= now {
            presentTags.append(tagOrder[tagsDue])
            tagsDue += 1
        }
        presentTags.removeAll { tags[$0].until < now }
        candidates.removeAll(keepingCapacity: true)
        guard !presentTags.isEmpty else { return }
        for walker in presentWalkers { walkers[walker].move(to: now) }
        for tag in presentTags {
            let best = layout.power + antennas[antenna].link(to: point(of: tag)).gain + tags[tag].gains[antenna] + Radio.bestFading
            // 2 dB: it may come nearer before the next look.
            if best > tags[tag].sensitivity - 6 - 2 { candidates.append(tag) }
        }
    }

    private func point(of tag: Int) -> Point {
        switch tags[tag].whereabouts {
        case .carried(let walker, let place): walkers[walker].point(of: place)
        case .lying(let x, let y, let z): Point(x: x, y: y, z: z)
        }
    }

    /// One inventory round; returns how long it took, in nanoseconds.
    private mutating func round(antenna index: Int, at time: Int64, until end: Int64, into reads: inout [TimedRead]) -> Int64 {
        let now = seconds(time)
        let antenna = antennas[index]
        for walker in presentWalkers { walkers[walker].move(to: now) }
        var inField: Int64 = 0
        var answers: [(tag: Int, power: Double)] = []
        for tag in candidates {
            let point = point(of: tag)
            let (distance, gain) = antenna.link(to: point)
            var body = 0.0
            for walker in presentWalkers { body += walkers[walker].loss(from: antenna, to: point) }
            let oneWay =
                gain + tags[tag].gains[index] - min(body, Walker.bodyLimit)
                + tags[tag].scatters[index].fading(at: point, distance: distance, seconds: now)
            let atTag = layout.power + oneWay
            let atReader = atTag - Radio.modulationLoss + oneWay
            let chance = Radio.answerChance(atTag: atTag, atReader: atReader, sensitivity: tags[tag].sensitivity)
            if chance > 0.05 { inField += 1 }
            if chance > 1e-4, random.chance(chance) { answers.append((tag, atReader)) }
        }
        let slots = layout.roundPerTag.nanoseconds * max(inField, 1)
        let first = reads.count
        for answer in answers {
            let moment = time + layout.roundOverhead.nanoseconds + Int64(random.unit() * Double(slots))
            // Half a dB is the step of most readers.
            let strength = ((answer.power + random.normal(0, Radio.noise)) * 2 + 0x1.8p52 - 0x1.8p52) / 2
            guard moment < end else { continue }
            let tag = tags[answer.tag]
            reads.append(
                TimedRead(
                    time: Instant(nanoseconds: moment),
                    read: TagRead(
                        epc: tag.epc, antenna: antenna.port,
                        rssi: layout.tellsStrength ? Int16(max(min(strength * 100, 30_000), -30_000)) : TagRead.noRSSI,
                        readerTime: layout.tellsTime ? ReaderClock.start + UInt64(max(moment, 0)) / 1_000 : nil)))
            if let crossing = tag.crossing {
                if sides[index] == .inside { readsOfCrossing[crossing].inside += 1 } else { readsOfCrossing[crossing].outside += 1 }
            }
        }
        if reads.count - first > 1 { reads[first...].sort { $0.time < $1.time } }
        return layout.roundOverhead.nanoseconds + layout.roundPerTag.nanoseconds * inField
    }

    private func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e9 }
    private func nanoseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }
}

/// One read and when it really happened.
public struct TimedRead: Hashable, Sendable {
    /// Since the start of the scene.
    public var time: Instant
    public var read: TagRead

    public init(time: Instant, read: TagRead) {
        self.time = time
        self.read = read
    }
}

/// A badge held before a badge reader.
public struct TimedBadge: Hashable, Sendable {
    public var time: Instant
    public var credential: String

    public init(time: Instant, credential: String) {
        self.time = time
        self.credential = credential
    }
}

/// The reader stopped or started reading.
public struct ReaderChange: Hashable, Sendable {
    public var time: Instant
    public var isReading: Bool

    public init(time: Instant, isReading: Bool) {
        self.time = time
        self.isReading = isReading
    }
}

/// The clock of a simulated reader.
public enum ReaderClock {
    /// What a reader whose clock is right shows at the start of a scene: 2026-01-05T08:00:00Z, in microseconds since 1970.
    public static let start: UInt64 = 1_767_600_000_000_000
}
