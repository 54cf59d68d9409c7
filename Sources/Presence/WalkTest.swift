import Readings

/// Walks that a technician makes through a gate with one test tag, and what they say about the gate.
public struct WalkTest: Sendable {
    /// What the technician is asked to do.
    public enum Task: String, Hashable, Sendable, CaseIterable {
        case out
        case `in`
        /// To the middle of the gate and back inside.
        case turnRound = "turn_round"
        /// Two metres inside the gate, for ten seconds, without going through.
        case standNear = "stand_near"

        /// Where the tag ends up on the other side.
        public var direction: Direction? {
            switch self {
            case .out: .out
            case .in: .in
            case .turnRound, .standNear: nil
            }
        }
    }

    /// Three walks each way show the spread; what must not be taken for a walk is tried twice each.
    public static let plan: [Task] = [.out, .in, .out, .in, .out, .in, .turnRound, .turnRound, .standNear, .standNear]

    public struct Antenna: Hashable, Sendable {
        /// As people call it: device and port.
        public var name: String
        public var side: GateSide

        public init(name: String, side: GateSide) {
            self.name = name
            self.side = side
        }
    }

    /// One read of the test tag.
    public struct Read: Hashable, Sendable {
        public var at: Instant
        /// Position in `antennas`.
        public var antenna: Int
        /// Hundredths of a dBm; `TagRead.noRSSI` when the reader does not tell.
        public var rssi: Int16

        public init(at: Instant, antenna: Int, rssi: Int16) {
            self.at = at
            self.antenna = antenna
            self.rssi = rssi
        }
    }

    /// What Presence made of a walk.
    public enum Decision: Hashable, Sendable {
        case passed(Direction)
        case uncertain
        case none
    }

    public struct Walk: Sendable {
        public var task: Task
        public var reads: [Read]
        public var decision: Decision

        public init(task: Task, reads: [Read], decision: Decision) {
            self.task = task
            self.reads = reads
            self.decision = decision
        }

        public var isRight: Bool { decision == task.direction.map(Decision.passed) ?? .none }
    }

    public let antennas: [Antenna]
    public private(set) var walks: [Walk] = []

    public init(antennas: [Antenna]) {
        self.antennas = antennas
    }

    public mutating func add(_ walk: Walk) { walks.append(walk) }

    /// The last walk did not go as it should have: it is made again.
    public mutating func undo() { _ = walks.popLast() }

    /// What the next walk is; nil after the last.
    public var next: Task? { walks.count < Self.plan.count ? Self.plan[walks.count] : nil }
}

extension WalkTest {
    /// What one antenna saw of the walks.
    public struct AntennaReport: Hashable, Sendable {
        /// Reads in the median crossing.
        public var reads: Int
        /// Of the strongest read of the median crossing, hundredths of a dBm; nil without reads or without RSSI.
        public var strongest: Int16?
        /// The same while the technician stood near.
        public var strongestNear: Int16?
        /// From one of its reads to the next after another antenna was read, in the median; nil when it was not seen to come back.
        public var returnTime: Instant.Span?
        /// How much stronger than the mean of all antennas its median crossing is, hundredths of a dB; nil as `strongest`.
        public var bias: Int16?
    }

    /// What should be changed at the gate, the worst first.
    public enum Advice: Hashable, Sendable {
        /// This antenna reads nothing: cable, port, or not switched on.
        case silent(Int)
        /// Crossings are decided the wrong way round: the sides in the site file are those of the other antennas.
        case sidesSwapped
        /// Both sides see a crossing at the same time: turn the antennas away from each other, or move them apart.
        case sidesAlike
        /// Fewer than `leastReads` reads in the median crossing: more power, or turn it toward the way.
        case fewReads(Int)
        /// It comes back too late for a person who walks: fewer antennas, a faster mode, another session.
        case slowReturn(Int)
        /// Who stands near is read as strongly as who goes through: less power, or turn the antennas away.
        case nearIsStrong
        /// Who turned round or stood near was taken for somebody who went through.
        case falseCrossing
        /// A crossing was not decided.
        case missedCrossing
    }

    /// Fewer than this many reads of one antenna in a crossing leave its side to chance.
    public static let leastReads = 4
    /// The return time from which a gate warns (half a metre of the way at walking speed).
    public static let longestReturn = Instant.Span.milliseconds(300)
    /// Longer away, and the tag was out of reach.
    static let longestAway = Instant.Span.seconds(2)
    /// What stands near should be this much weaker than what goes through, hundredths of a dB.
    public static let nearMargin: Int = 600
    /// Read times of the sides' middles that differ by less say nothing about the direction.
    static let leastShift = Instant.Span.milliseconds(100)

    public func report(antenna: Int) -> AntennaReport {
        let crossings = walks.filter { $0.task.direction != nil }.map { $0.reads.filter { $0.antenna == antenna } }
        let strongest = Self.median(crossings.compactMap { Self.strongest($0) })
        let all = antennas.indices.compactMap { other in
            Self.median(
                walks.filter { $0.task.direction != nil }.compactMap { walk in Self.strongest(walk.reads.filter { $0.antenna == other }) })
        }
        let mean = all.isEmpty ? nil : all.reduce(0) { $0 + Int($1) } / all.count
        let near = walks.filter { $0.task == .standNear }.compactMap { walk in Self.strongest(walk.reads.filter { $0.antenna == antenna }) }
        return AntennaReport(
            reads: Self.median(crossings.map(\.count)) ?? 0, strongest: strongest, strongestNear: near.max(),
            returnTime: returnTime(antenna),
            bias: strongest.flatMap { strongest in mean.map { Int16(clamping: Int(strongest) - $0) } })
    }

    /// Everything that should be changed; empty for a good gate.
    public var advice: [Advice] {
        let reports = antennas.indices.map { report(antenna: $0) }
        var advice: [Advice] = reports.indices.filter { index in !walks.contains { $0.reads.contains { $0.antenna == index } } }.map(
            Advice.silent)
        let crossings = walks.filter { $0.task.direction != nil }
        let wrong = crossings.filter { walk in walk.task.direction.map { walk.decision == .passed($0.opposite) } ?? false }
        if !crossings.isEmpty, wrong.count * 2 > crossings.count {
            advice.append(.sidesSwapped)
        } else if !crossings.isEmpty, crossings.filter({ isShifted($0) == true }).count * 3 < crossings.count * 2 {
            advice.append(.sidesAlike)
        }
        for (index, report) in reports.enumerated() where !advice.contains(.silent(index)) {
            if report.reads < Self.leastReads { advice.append(.fewReads(index)) }
            if let time = report.returnTime, time > Self.longestReturn { advice.append(.slowReturn(index)) }
        }
        let isNearStrong = reports.contains { report in
            guard let strongest = report.strongest, let near = report.strongestNear else { return false }
            return Int(near) > Int(strongest) - Self.nearMargin
        }
        if isNearStrong { advice.append(.nearIsStrong) }
        if walks.contains(where: { $0.task.direction == nil && $0.decision != .none }) { advice.append(.falseCrossing) }
        if wrong.isEmpty, crossings.contains(where: { !$0.isRight }) { advice.append(.missedCrossing) }
        return advice
    }

    /// Weaker reads than this come only from who stands near, hundredths of a dBm; nil when the walks do not tell the two apart.
    ///
    /// Three quarters of a crossing's reads must stay.
    public var floor: Int16? {
        let near = walks.filter { $0.task == .standNear }.compactMap { Self.strongest($0.reads) }.max()
        let crossing = walks.filter { $0.task.direction != nil }.flatMap(\.reads).map(\.rssi).filter { $0 != TagRead.noRSSI }.sorted()
        guard let near, !crossing.isEmpty, near < crossing[crossing.count / 4] else { return nil }
        return near
    }

    /// Whether the reads of the side that is reached come later than those of the side that is left; nil when one side has none.
    func isShifted(_ walk: Walk) -> Bool? {
        guard let direction = walk.task.direction else { return nil }
        func middle(_ side: GateSide) -> Int64? {
            Self.median(walk.reads.filter { antennas[$0.antenna].side == side }.map(\.at.nanoseconds))
        }
        guard let inside = middle(.inside), let outside = middle(.outside) else { return nil }
        let shift = Instant.Span(nanoseconds: direction == .out ? outside - inside : inside - outside)
        return shift >= Self.leastShift
    }

    private func returnTime(_ antenna: Int) -> Instant.Span? {
        var spans: [Int64] = []
        for walk in walks {
            var left: Instant?
            var previous: Read?
            for read in walk.reads.sorted(by: { $0.at < $1.at }) {
                if previous?.antenna == antenna, read.antenna != antenna { left = previous?.at }
                if read.antenna == antenna, previous?.antenna != antenna, let last = left, read.at - last < Self.longestAway {
                    spans.append((read.at - last).nanoseconds)
                }
                previous = read
            }
        }
        return Self.median(spans).map { Instant.Span(nanoseconds: $0) }
    }

    private static func strongest(_ reads: [Read]) -> Int16? { reads.map(\.rssi).filter { $0 != TagRead.noRSSI }.max() }

    private static func median<Value: Comparable>(_ values: [Value]) -> Value? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
}

extension Direction {
    public var opposite: Direction { self == .out ? .in : .out }
}
