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
}

/// A cleaned fact about the presence of one tag, with what it rests on.
public struct Sighting: Hashable, Sendable {
    public var epc: EPC
    public var kind: Kind
    /// The first and the last read of the visit.
    public var first: Instant
    public var last: Instant
    public var inside: SideEvidence
    public var outside: SideEvidence
    public var firstSide: GateSide
    public var lastSide: GateSide

    public enum Kind: Hashable, Sendable {
        /// The first read of a visit.
        case appeared
        /// The visit is over; it began on one side and ended on the other.
        case passed(Direction)
        /// The visit is over; it ended on the side where it began.
        case stayed
        /// The reader stopped reading during the visit: what the tag did then is not known.
        case unknown
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

    public init(
        epc: EPC, kind: Kind, first: Instant, last: Instant, inside: SideEvidence, outside: SideEvidence, firstSide: GateSide,
        lastSide: GateSide
    ) {
        self.epc = epc
        self.kind = kind
        self.first = first
        self.last = last
        self.inside = inside
        self.outside = outside
        self.firstSide = firstSide
        self.lastSide = lastSide
    }

    /// The evidence as events carry it: reads and strongest RSSI in dBm by side, sides in order, duration in seconds.
    public var evidence: JSON {
        .compact([
            "first": .string(firstSide.rawValue), "last": .string(lastSide.rawValue),
            "inside": inside.json, "outside": outside.json, "seconds": .decimal((last - first).milliseconds, scale: 1_000),
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
