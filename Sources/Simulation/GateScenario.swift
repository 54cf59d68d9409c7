import Identifiers
import Readings

/// A kind of thing that happens at a gate.
public enum GateScenario: String, Hashable, Sendable, CaseIterable {
    /// One person with 1 to 8 tools goes through.
    case pass
    /// The same, tools in metal or deep in a bag (4 to 9 dB more there and back) and a heavier body.
    case blocked
    /// A second person without tools follows 0.4 to 0.9 s behind.
    case crowd
    /// Two people with 1 to 4 tools each pass one another in the gate.
    case opposite
    /// The reader is silent for 0.5 to 1.5 s while somebody goes through.
    case restart
    /// Somebody goes 0.15 to 0.9 m through the gate, and back.
    case uturn
    /// Somebody stands 0.1 to 1 m before the gate for 4 to 25 s, and goes back.
    case loiter
    /// Somebody comes to within 1.2 to 2.2 m for 2 to 20 s, and goes back.
    case near
    /// Twelve tags lie within 0.9 to 4.5 m while people without tags walk by, for two minutes.
    case stray
    /// A day of all of these: 200 passes, 300 passers-by, 100 tags that lie about.
    case day
    /// Somebody pushes 20 to 120 tags through on a cart with a metal frame, past pallets that wait at 1.5 to 4 m.
    case cart
    /// Ten walks while the reader's clock is set by ±1 s and ±1 h and begins anew.
    case clock
    /// Ten walks over a network that delivers 5 % of the reports 0.5 to 30 s late, and some twice.
    case late

    /// The scenarios of one walk each, in the mix of `standardMix`.
    public static let walks: [GateScenario] = [.pass, .blocked, .crowd, .opposite, .restart, .uturn, .loiter, .near]

    /// How often each scenario stands in a mix of 850 runs with about 2,650 crossings.
    public static let standardMix: [(scenario: GateScenario, runs: Int)] = [
        (.pass, 160), (.blocked, 120), (.crowd, 100), (.opposite, 100), (.restart, 100), (.uturn, 120), (.loiter, 60), (.near, 80),
        (.stray, 10),
    ]
}

/// What a scene can be asked for beside its scenario.
public struct GateSceneOptions: Hashable, Sendable {
    /// The share of tools whose recorded side is wrong, and of those of which nothing is recorded.
    public var wrongRecords: Double
    public var unknownRecords: Double
    public var badges: Badges
    /// What bodies take from a ray through their middle, on average, dB; 3 dB more in `blocked`.
    public var bodyLoss: Double

    /// How people say who they are.
    public enum Badges: String, Hashable, Sendable, CaseIterable {
        /// Everybody who has one wears a badge with a tag.
        case tags
        /// Everybody who goes through holds a badge before a reader 0.3 to 2.5 s before the middle of the gate.
        case held
        case none
    }

    public init(wrongRecords: Double = 0, unknownRecords: Double = 0, badges: Badges = .tags, bodyLoss: Double = 14) {
        self.wrongRecords = wrongRecords
        self.unknownRecords = unknownRecords
        self.badges = badges
        self.bodyLoss = bodyLoss
    }
}

/// Everything one scene gave: what the reader read, when it was reading, and what really happened.
public struct GateRun: Hashable, Sendable {
    public var layout: GateLayout
    /// In the order of time.
    public var reads: [TimedRead]
    /// In the order of time; the reader reads from the start.
    public var changes: [ReaderChange]
    /// Badges held before a badge reader, in the order of time.
    public var badges: [TimedBadge]
    public var truth: Truth
    /// What lies between the reader and the gateway in this scene.
    public var reports: ReportLayer

    /// The reads as a gateway gets them, `time` being when.
    public var arrivals: [TimedRead] { reports.arrivals(of: reads, seed: truth.seed) }

    /// Plays a scene to its end.
    public init(_ scenario: GateScenario, layout: GateLayout, seed: UInt64, options: GateSceneOptions = GateSceneOptions()) {
        var simulation = GateSimulation(scenario, layout: layout, seed: seed, options: options)
        self.layout = layout
        (reads, changes) = ([], [])
        while simulation.next(into: &reads, changes: &changes) {}
        truth = simulation.truth
        badges = simulation.badges
        reports = simulation.reports
    }
}

/// A scene that is played dwell by dwell, for those too long to be held in memory.
public struct GateSimulation: Sendable {
    public let layout: GateLayout
    public let reports: ReportLayer
    /// Badges held before a badge reader, in the order of time.
    public let badges: [TimedBadge]
    private var world: GateWorld
    private var draft: Truth

    public init(_ scenario: GateScenario, layout: GateLayout, seed: UInt64, options: GateSceneOptions = GateSceneOptions()) {
        var builder = GateSceneBuilder(scenario, layout: layout, seed: seed, options: options)
        builder.build()
        self.layout = layout
        reports = builder.reports
        badges = builder.heldBadges.sorted { ($0.time, $0.credential) < ($1.time, $1.credential) }
        (world, draft) = builder.finished()
    }

    /// Serves one antenna once; appends what it read. False when the scene is over.
    public mutating func next(into reads: inout [TimedRead], changes: inout [ReaderChange]) -> Bool {
        guard !world.isOver else { return false }
        world.dwell(into: &reads, changes: &changes)
        return true
    }

    /// What really happened. Which crossings were readable is known at the end of the scene only.
    public var truth: Truth {
        var truth = draft
        for (index, reads) in world.readsOfCrossing.enumerated() where index < truth.crossings.count {
            truth.crossings[index].isReadable = reads.inside > 0 && reads.outside > 0 && reads.inside + reads.outside >= 3
        }
        truth.crossings.sort { ($0.time, $0.epc) < ($1.time, $1.epc) }
        return truth
    }
}
