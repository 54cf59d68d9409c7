import Identifiers

/// The side of a gate, seen from the store.
public enum GateSide: String, Hashable, Sendable, CaseIterable {
    case inside
    case outside
}

/// Through a gate, seen from the store.
public enum Direction: String, Hashable, Sendable, CaseIterable {
    case out
    case `in`

    /// The side on which it begins.
    public var origin: GateSide { self == .out ? .inside : .outside }
}

/// Where a thing is by the record, before it is seen now.
public enum RecordedSide: String, Hashable, Sendable, CaseIterable {
    case inside
    case outside
    /// It is no tool of ours, or nothing is recorded of it.
    case unknown
}

/// A cleaned fact about the presence of one tag, with what it rests on.
///
/// A later sighting of the same tag and `visit` replaces the earlier one.
public struct Sighting: Hashable, Sendable {
    public var epc: EPC
    /// The number of the visit at its station: with the tag it names the decision. 0 where visits are not told apart.
    public var visit: UInt64
    public var certainty: Certainty
    public var kind: Kind
    /// Sightings that moved together have the same number.
    public var group: UInt64?
    /// The first and the last read of the visit.
    public var first: Instant
    public var last: Instant
    public var inside: SideEvidence
    public var outside: SideEvidence
    public var firstSide: GateSide
    public var lastSide: GateSide
    /// When it most likely went through, for `passed`.
    public var crossed: Instant?
    /// Natural logarithm of the odds that it went through, in thousandths.
    public var odds: Int32?
    /// What `odds` had to reach, in thousandths.
    public var threshold: Int32?
    /// What pushed the decision, the strongest first.
    public var grounds: [Ground]
    /// Whether a reader stopped reading in the course of the visit.
    public var isDegraded: Bool
    /// Of a cabinet: what the scan after closing saw of it, in the place of sides.
    public var looks: Looks?

    public enum Kind: Hashable, Sendable {
        /// The first read of a visit.
        case appeared
        /// The visit is over; it began on one side and ended on the other.
        case passed(Direction)
        /// The visit is over; it ended on the side where it began.
        case stayed
        /// The visit is over; it may have passed, and what was read does not tell.
        case uncertain
        /// The reader stopped reading during the visit: what the tag did then is not known.
        case unknown

        /// `appeared`, `passed_out`, `passed_in`, `stayed`, `uncertain` or `unknown`.
        public var word: String {
            switch self {
            case .appeared: "appeared"
            case .passed(.out): "passed_out"
            case .passed(.in): "passed_in"
            case .stayed: "stayed"
            case .uncertain: "uncertain"
            case .unknown: "unknown"
            }
        }
    }

    /// The reads of one side during one visit.
    public struct SideEvidence: Hashable, Sendable {
        public var reads: UInt32
        /// The strongest RSSI in hundredths of a dBm; `TagRead.noRSSI` when there was none.
        public var strongest: Int16

        public init(reads: UInt32 = 0, strongest: Int16 = TagRead.noRSSI) {
            self.reads = reads
            self.strongest = strongest
        }
    }

    /// How often a scan saw the tag.
    public struct Looks: Hashable, Sendable {
        /// The probability that it is inside, in thousandths.
        public var inside: Int32
        /// Looks by one antenna in which it was seen, and all looks by one antenna.
        public var seen: Int
        public var count: Int
        /// The scan before this one left it open, so the change may be older.
        public var wasOpenBefore: Bool

        public init(inside: Int32, seen: Int, of count: Int, wasOpenBefore: Bool = false) {
            self.inside = inside
            self.seen = seen
            self.count = count
            self.wasOpenBefore = wasOpenBefore
        }

        var json: JSON {
            .compact([
                "inside": .decimal(Int64(inside), scale: 1_000), "seen": .integer(Int64(seen)), "looks": .integer(Int64(count)),
                "open_before": wasOpenBefore ? true : nil,
            ])
        }
    }

    /// Something that speaks for a crossing, or against it.
    public struct Ground: Hashable, Sendable {
        public var name: Name
        /// In thousandths of log-odds; above 0: for a crossing.
        public var amount: Int32

        public init(_ name: Name, _ amount: Int32) {
            self.name = name
            self.amount = amount
        }

        public enum Name: String, Hashable, Sendable, CaseIterable {
            /// Where it was by the record.
            case recorded
            /// Where the reads, antenna by antenna, put it.
            case position
            /// The order in which the sides were strongest: which was first, and the centre of each one's signal in time.
            case order
            /// What the things that moved with it did.
            case group
            /// It lies near this gate, or was here often without going through.
            case resident
            /// The signal is that of something that does not move.
            case still
        }
    }

    public init(
        epc: EPC, visit: UInt64 = 0, certainty: Certainty = .final, kind: Kind, group: UInt64? = nil, first: Instant, last: Instant,
        inside: SideEvidence, outside: SideEvidence, firstSide: GateSide, lastSide: GateSide, crossed: Instant? = nil, odds: Int32? = nil,
        threshold: Int32? = nil, grounds: [Ground] = [], isDegraded: Bool = false
    ) {
        self.epc = epc
        self.visit = visit
        self.certainty = certainty
        self.kind = kind
        self.group = group
        self.first = first
        self.last = last
        self.inside = inside
        self.outside = outside
        self.firstSide = firstSide
        self.lastSide = lastSide
        self.crossed = crossed
        self.odds = odds
        self.threshold = threshold
        self.grounds = grounds
        self.isDegraded = isDegraded
    }

    /// The evidence as events carry it: reads and strongest RSSI in dBm by side, sides in order, duration in seconds, and what pushed
    /// the decision. At most 450 bytes in canonical form.
    public var evidence: JSON {
        if let looks { return looks.json }
        var why: [String: JSON] = [:]
        for ground in grounds where why[ground.name.rawValue] == nil {
            why[ground.name.rawValue] = .decimal(Int64(ground.amount), scale: 1_000)
        }
        return .compact([
            "first": .string(firstSide.rawValue), "last": .string(lastSide.rawValue),
            "inside": inside.json, "outside": outside.json, "seconds": .decimal((last - first).milliseconds, scale: 1_000),
            "odds": odds.map { .decimal(Int64($0), scale: 1_000) }, "threshold": threshold.map { .decimal(Int64($0), scale: 1_000) },
            "why": why.isEmpty ? nil : .object(why), "degraded": isDegraded ? true : nil,
        ])
    }
}

extension Sighting.SideEvidence {
    var json: JSON? {
        reads == 0
            ? nil
            : .compact([
                "reads": .integer(Int64(reads)), "rssi": strongest == TagRead.noRSSI ? nil : .decimal(Int64(strongest), scale: 100),
            ])
    }
}

extension Sighting {
    /// The form in which people and programs see it; the evidence is that of events.
    public func json(station: String) -> [String: JSON] {
        var members: [String: JSON] = [
            "station": .string(station), "epc": .string(epc.hex), "sighting": .string(kind.word), "certainty": .string(certainty.rawValue),
            "visit": .integer(Int64(clamping: visit)), "evidence": evidence,
        ]
        if let group { members["group"] = .integer(Int64(clamping: group)) }
        return members
    }
}
