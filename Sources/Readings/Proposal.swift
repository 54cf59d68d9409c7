import Identifiers

/// What a station believes happened, with its evidence. The ledger decides what becomes of it.
public struct Proposal: Hashable, Sendable {
    /// The station's name.
    public var station: String
    public var content: Content
    /// When it happened; nil: now.
    public var at: Instant?

    public init(station: String, content: Content, at: Instant? = nil) {
        self.station = station
        self.content = content
        self.at = at
    }

    public enum Content: Hashable, Sendable {
        /// Tags and people went through a gate together.
        case crossing(Crossing)
        /// A crossing that was proposed before did not happen.
        case retraction(Retraction)
        /// Something was put on a shelf.
        case putAway(PutAway)
        /// A tool was scanned together with a control code.
        case control(Control)
        /// A scan of a code that the station could not use: nobody knows it.
        case unknownCode(Scan)
        /// Tags that a reader saw while nobody listened.
        case observedLate(ObservedLate)
        /// The door of a cabinet was opened, left open or closed.
        case cabinetDoor(CabinetDoor)
        /// What is different in a cabinet after its door was closed.
        case cabinet(Cabinet)
        /// A badge was held at a cabinet that its bearer may not open.
        case cabinetRefusal(CabinetRefusal)
    }

    /// With the same `decision` it takes the place of the crossing that was proposed before: unchanged and final it confirms it, changed
    /// it corrects it.
    public struct Crossing: Hashable, Sendable {
        public var direction: Direction
        public var certainty: Certainty
        /// Unique among all that this station proposes as long as it lives; nil: nothing will ever be said about this crossing again.
        public var decision: UInt64?
        public var tags: [Sighting]
        /// Tags of people's badges that went along.
        public var badgeTags: [Sighting]
        /// Badges held before a badge reader in time, in order, each once.
        public var credentials: [String]
        /// Tags whose passage is not certain, because the reader stopped reading.
        public var uncertain: [Sighting]

        public init(
            direction: Direction, certainty: Certainty = .final, decision: UInt64? = nil, tags: [Sighting], badgeTags: [Sighting] = [],
            credentials: [String] = [], uncertain: [Sighting] = []
        ) {
            self.direction = direction
            self.certainty = certainty
            self.decision = decision
            self.tags = tags
            self.badgeTags = badgeTags
            self.credentials = credentials
            self.uncertain = uncertain
        }
    }

    public struct Retraction: Hashable, Sendable {
        /// That of the crossing.
        public var decision: UInt64
        /// What its tags are taken to have done instead.
        public var tags: [Sighting]

        public init(decision: UInt64, tags: [Sighting] = []) {
            self.decision = decision
            self.tags = tags
        }
    }

    public struct PutAway: Hashable, Sendable {
        public var item: Scan
        public var location: Scan
        /// The badge of who works at the bench.
        public var credential: String?
        /// From the first scan of the pair to the second.
        public var elapsed: Instant.Span

        public init(item: Scan, location: Scan, credential: String? = nil, elapsed: Instant.Span = .zero) {
            self.item = item
            self.location = location
            self.credential = credential
            self.elapsed = elapsed
        }
    }
}

extension Proposal {
    public struct Control: Hashable, Sendable {
        public var item: Scan
        public var code: ControlCode
        /// The badge of who works at the bench.
        public var credential: String?

        public init(item: Scan, code: ControlCode, credential: String? = nil) {
            self.item = item
            self.code = code
            self.credential = credential
        }
    }

    public struct ObservedLate: Hashable, Sendable {
        /// The reader's name.
        public var device: String
        public var tags: [LateTag]

        public init(device: String, tags: [LateTag]) {
            self.device = device
            self.tags = tags
        }
    }

    /// What a reader had kept of one tag.
    public struct LateTag: Hashable, Sendable {
        public var epc: EPC
        public var antennas: AntennaPorts
        public var reads: UInt64
        /// By the reader's clock; nil when it told no time.
        public var first: ReaderTime?
        public var last: ReaderTime?

        public init(epc: EPC, antennas: AntennaPorts, reads: UInt64, first: ReaderTime? = nil, last: ReaderTime? = nil) {
            self.epc = epc
            self.antennas = antennas
            self.reads = reads
            self.first = first
            self.last = last
        }
    }
}

/// What the ledger knows of a tag or code: as much as a station needs to understand it.
public enum Known: Hashable, Sendable {
    /// A tool; `isOut` when a loan is open.
    case item(isOut: Bool)
    case person
    case product
    case location
    case control(ControlCode)
    case nothing

    public var side: RecordedSide {
        switch self {
        case .item(let isOut): isOut ? .outside : .inside
        case .person, .product, .location, .control, .nothing: .unknown
        }
    }
}
