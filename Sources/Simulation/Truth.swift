import Identifiers
import Readings

/// What really happened in a scene: the record against which events are scored.
public struct Truth: Hashable, Sendable {
    public var scenario: String
    public var seed: UInt64
    public var station: String
    /// From the start of the scene, when nothing more can come of it.
    public var duration: Instant.Span
    /// The wall time at the start of the scene, RFC 3339; the same as in its capture.
    public var began = Truth.usualStart
    public var tools: [Tool]
    public var people: [Person]
    /// In the order of time.
    public var crossings: [Crossing]
    public var visits: [Visit]
    public var closes: [Close]
    /// In the order of their starts.
    public var presences: [Presence] = []
    /// In the order of time.
    public var scans: [Scan] = []

    /// Something with a tag that the store owns.
    public struct Tool: Hashable, Sendable {
        public var epc: EPC
        public var side: GateSide
        /// What the records say at the start, right or wrong; nil: nothing.
        public var recorded: GateSide?

        public init(epc: EPC, side: GateSide, recorded: GateSide?) {
            self.epc = epc
            self.side = side
            self.recorded = recorded
        }
    }

    public struct Person: Hashable, Sendable {
        public var id: String
        /// The number of the badge; for a badge with a tag, the EPC in hexadecimal.
        public var badge: String

        public init(id: String, badge: String) {
            self.id = id
            self.badge = badge
        }
    }

    /// A tool went through the gate.
    public struct Crossing: Hashable, Sendable {
        /// When the carrier was in the middle of the gate.
        public var time: Instant
        public var epc: EPC
        public var direction: Direction
        public var person: String
        /// Read at least three times, and on both sides: what a method can be asked to see.
        public var isReadable: Bool

        public init(time: Instant, epc: EPC, direction: Direction, person: String, isReadable: Bool) {
            self.time = time
            self.epc = epc
            self.direction = direction
            self.person = person
            self.isReadable = isReadable
        }
    }

    /// A tool was near the gate and did not go through: any event about it is wrong.
    public struct Visit: Hashable, Sendable {
        public enum What: String, Hashable, Sendable, CaseIterable {
            case uturn, loiter, near, stray
        }

        public var start: Instant
        public var end: Instant
        public var epc: EPC
        public var what: What

        public init(start: Instant, end: Instant, epc: EPC, what: What) {
            self.start = start
            self.end = end
            self.epc = epc
            self.what = what
        }
    }

    /// A cabinet's door was closed, and this is what had changed since it was opened.
    public struct Close: Hashable, Sendable {
        public var time: Instant
        public var number: Int
        public var taken: [EPC]
        public var returned: [EPC]
        public var person: String

        public init(time: Instant, number: Int, taken: [EPC], returned: [EPC], person: String) {
            self.time = time
            self.number = number
            self.taken = taken
            self.returned = returned
            self.person = person
        }
    }

    /// A tag was in the field of a reader.
    public struct Presence: Hashable, Sendable {
        public var epc: EPC
        public var start: Instant
        /// The first moment at which it was no longer there.
        public var end: Instant

        public init(epc: EPC, start: Instant, end: Instant) {
            self.epc = epc
            self.start = start
            self.end = end
        }
    }

    /// Somebody meant to scan a code, and did.
    public struct Scan: Hashable, Sendable {
        /// When the scanner first gave it.
        public var time: Instant
        public var device: String
        /// The data as text.
        public var code: String

        public init(time: Instant, device: String, code: String) {
            self.time = time
            self.device = device
            self.code = code
        }
    }

    public init(
        scenario: String, seed: UInt64, station: String = "gate", duration: Instant.Span, tools: [Tool] = [], people: [Person] = [],
        crossings: [Crossing] = [], visits: [Visit] = [], closes: [Close] = []
    ) {
        self.scenario = scenario
        self.seed = seed
        self.station = station
        self.duration = duration
        self.tools = tools
        self.people = people
        self.crossings = crossings
        self.visits = visits
        self.closes = closes
    }

    /// What the records say of each tool at the start.
    public var recorded: [EPC: GateSide] {
        Dictionary(tools.compactMap { tool in tool.recorded.map { (tool.epc, $0) } }, uniquingKeysWith: { first, _ in first })
    }
}

extension Direction {
    /// Where one comes to in this direction.
    public var side: GateSide { self == .out ? .outside : .inside }

    public init(to side: GateSide) { self = side == .outside ? .out : .in }
}

extension GateSide {
    public var opposite: GateSide { self == .inside ? .outside : .inside }
}
