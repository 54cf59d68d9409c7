extension Proposal {
    /// What happened to the door of a cabinet.
    public struct CabinetDoor: Hashable, Sendable {
        public var change: Change
        public var reason: OpeningReason
        public var party: CabinetParty

        public init(_ change: Change, reason: OpeningReason, party: CabinetParty = CabinetParty()) {
            self.change = change
            self.reason = reason
            self.party = party
        }

        public enum Change: Hashable, Sendable {
            case opened
            /// It has been open for longer than it should be.
            case leftOpen(after: Instant.Span)
            /// - after: how long it was open; nil when the gateway was not there all the time.
            case closed(after: Instant.Span?)
        }
    }

    /// Why a door is open.
    public enum OpeningReason: String, Hashable, Sendable, CaseIterable {
        /// It was unlocked for somebody, or somebody held a badge at a door without a lock.
        case badge
        /// Nobody was let in, and the lock was shut.
        case forced
        /// A door without a lock was opened, and no badge was held before.
        case noBadge = "no_badge"
        /// It was found open: it was opened while nobody watched.
        case unwatched
    }

    /// The difference between the contents of a cabinet before one opening and after its closing.
    ///
    /// A second one with the same `decision` takes the place of the first, as with crossings.
    public struct Cabinet: Hashable, Sendable {
        public var certainty: Certainty
        /// The number of the episode: unique at this station for ever.
        public var decision: UInt64
        /// Inside before and not any more.
        public var taken: [Sighting]
        /// Inside now and not before.
        public var added: [Sighting]
        public var party: CabinetParty
        /// Power was lost, or the gateway began anew, in the course of it.
        public var isInterrupted: Bool

        public init(
            certainty: Certainty, decision: UInt64, taken: [Sighting], added: [Sighting], party: CabinetParty, isInterrupted: Bool = false
        ) {
            self.certainty = certainty
            self.decision = decision
            self.taken = taken
            self.added = added
            self.party = party
            self.isInterrupted = isInterrupted
        }
    }

    /// Who was at a cabinet. People by their keys, never by their badges.
    public struct CabinetParty: Hashable, Sendable {
        /// Those in whose name something may have been taken, each once, in the order of their badges.
        public var people: [String]
        /// The second person where two must be there.
        public var witness: String?
        /// Somebody without a name may have been there.
        public var hasStranger: Bool

        public init(people: [String] = [], witness: String? = nil, hasStranger: Bool = false) {
            self.people = people
            self.witness = witness
            self.hasStranger = hasStranger
        }
    }
}

/// Whether the bearer of a badge may open a cabinet, as the ledger knows it.
public enum MayOpen: Hashable, Sendable {
    /// - person: their key.
    case allowed(person: String)
    case refused(person: String)
    /// The badge is nobody's.
    case unknown
}
