import Identifiers
import Presence
import Readings

/// A cabinet whose door is opened and closed: what its reader reads, what was decided of that, and what really happened.
///
/// The reader reads when the cabinet's logic asks it to, right after closing and once more when the person has left, and until that has
/// heard enough; or for a fixed time after each closing.
public struct CabinetRun: Sendable {
    public struct Settings: Hashable, Sendable {
        public var tools = 120
        /// 1...64
        public var antennas = 4
        /// The share of places that no antenna reaches.
        public var badSpots = 0.002
        /// How much the margins shift at each opening because things are stirred, dB.
        public var stir = 0.0
        /// How much they differ from channel to channel, dB; the reader hops at every round.
        public var hop = 0.0
        public var openings = 20
        /// One round of one antenna.
        public var round = Instant.Span.milliseconds(75)
        /// The reader reads for so long after each closing, and nobody decides; nil: as the cabinet's logic asks it to.
        public var fixedScan: Instant.Span?
        /// Reads are kept; without, long runs need little memory.
        public var keepsReads = true

        public init() {}
    }

    /// A report of the cabinet, and when it was given.
    public struct Word: Hashable, Sendable {
        public var time: Instant
        public var report: CabinetReport
    }

    public struct DoorChange: Hashable, Sendable {
        public var time: Instant
        public var isOpen: Bool
    }

    public let settings: Settings
    /// In the order of time.
    public private(set) var reads: [TimedRead] = []
    /// The door contact.
    public private(set) var door: [DoorChange] = []
    public private(set) var words: [Word] = []
    public private(set) var truth: Truth
    private var world: CabinetWorld
    private var presence = CabinetPresence(isReading: true)
    private var isScanning = false

    /// From one closing to the next opening at least: both scans fit in.
    private static let pause = 120.0

    public init(settings: Settings = Settings(), seed: UInt64) {
        self.settings = settings
        truth = Truth(scenario: "cabinet", seed: seed, station: "cabinet", duration: .zero)
        world = CabinetWorld(settings: settings, seed: seed)
        truth.tools = world.tools.map { Truth.Tool(epc: $0.epc, side: .inside, recorded: .inside) }
        truth.people = (1...3).map { Truth.Person(id: "p\($0)", badge: "B\($0)") }
        var now = 1.0
        // What is where is learned before the first opening.
        take(presence.check(at: Self.instant(now)), at: Self.instant(now))
        scan(from: now, personUntil: 0)
        now += Self.pause
        for number in 1...max(settings.openings, 1) {
            let person = "p\(world.random.integer(1...3))"
            let close = world.open()
            move(isOpen: true, by: person, at: now)
            now += world.random.uniform(8...30)
            move(isOpen: false, by: person, at: now)
            truth.closes.append(
                Truth.Close(time: Self.instant(now), number: number, taken: close.taken, returned: close.returned, person: person))
            scan(from: now, personUntil: now + world.random.uniform(5...40))
            now += Self.pause + world.random.uniform(30...120)
        }
        truth.duration = Self.instant(now) - .zero
    }

    private static func instant(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    private mutating func move(isOpen: Bool, by person: String, at seconds: Double) {
        let time = Self.instant(seconds)
        door.append(DoorChange(time: time, isOpen: isOpen))
        take(presence.door(isOpen: isOpen, by: isOpen ? person : nil, at: time), at: time)
    }

    private mutating func take(_ outputs: [CabinetOutput], at time: Instant) {
        for output in outputs {
            switch output {
            case .scan: isScanning = true
            case .report(let report):
                isScanning = false
                words.append(Word(time: time, report: report))
            }
        }
    }

    /// Reads for as long as it is asked for, and again when it is.
    private mutating func scan(from start: Double, personUntil leaves: Double) {
        let round = Double(settings.round.nanoseconds) / 1e9
        if let length = settings.fixedScan {
            for number in 0..<Int(length.nanoseconds / max(settings.round.nanoseconds, 1)) {
                let time = start + Double(number) * round
                keep(world.round(antenna: number % settings.antennas, at: time, isPersonNear: time < leaves))
            }
            return
        }
        var (begin, number) = (start, 0)
        while true {
            if isScanning {
                let time = begin + Double(number) * round
                let seen = world.round(antenna: number % settings.antennas, at: time, isPersonNear: time < leaves)
                number += 1
                for read in seen {
                    advance(to: read.time)
                    presence.observe(read.read, at: read.time)
                }
                keep(seen)
                advance(to: Self.instant(begin + Double(number) * round))
            } else if let deadline = presence.nextDeadline {
                advance(to: deadline)
                (begin, number) = (Double(deadline.nanoseconds) / 1e9, 0)
            } else {
                return
            }
        }
    }

    private mutating func advance(to time: Instant) {
        while let deadline = presence.nextDeadline, deadline <= time { take(presence.advance(to: deadline), at: deadline) }
    }

    private mutating func keep(_ seen: [TimedRead]) {
        if settings.keepsReads { reads += seen }
    }
}

extension CabinetRun {
    /// The changes that the cabinet reported, for scoring: provisionally, or in its last words.
    public func decisions(_ certainty: Certainty) -> [ScoredDecision] {
        let said = words.filter { $0.report.certainty == certainty && $0.report.closed >= (truth.closes.first?.time ?? .zero) }
        return said.flatMap { word in
            let (taken, returned) = (word.report.taken.map { ($0.epc, Direction.out) }, word.report.returned.map { ($0.epc, Direction.in) })
            return (taken + returned).map { epc, direction in
                ScoredDecision(
                    epc: epc, verdict: .passed(direction), time: word.report.closed,
                    provisional: certainty == .provisional ? word.time : nil, final: certainty == .final ? word.time : nil)
            }
        }
    }

    /// From each closing to the provisional answer.
    public var answerTimes: [Instant.Span] {
        words.filter { $0.report.certainty == .provisional }.dropFirst().map { $0.time - $0.report.closed }
    }

    /// What comparing the sets of tags seen in so long after each closing says.
    /// - Parameter span: at most `settings.fixedScan`
    public func setDifference(within span: Instant.Span) -> [ScoredDecision] {
        // The first scan, at one second.
        var before = Set(reads.prefix { $0.time < .zero + .seconds(1) + span }.map(\.read.epc))
        var next = reads.startIndex
        return truth.closes.flatMap { close -> [ScoredDecision] in
            var seen: Set<EPC> = []
            while next < reads.endIndex, reads[next].time < close.time { next += 1 }
            while next < reads.endIndex, reads[next].time < close.time + span {
                seen.insert(reads[next].read.epc)
                next += 1
            }
            defer { before = seen }
            let moved = before.subtracting(seen).map { ($0, Direction.out) } + seen.subtracting(before).map { ($0, Direction.in) }
            return moved.map { ScoredDecision(epc: $0, verdict: .passed($1), time: close.time, final: close.time + span) }
        }
    }
}
