extension Proposal {
    /// What happened to the door of a cabinet.
    public struct CabinetDoor: Hashable, Sendable {
        public var change: Change
        public var reason: OpeningReason
        public var party: CabinetParty
        /// It was open a moment ago: the contact bounced, or it was pushed shut too lightly.
        public var isBounce: Bool

        public init(_ change: Change, reason: OpeningReason, party: CabinetParty = CabinetParty(), isBounce: Bool = false) {
            self.change = change
            self.reason = reason
            self.party = party
            self.isBounce = isBounce
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
        /// It was unlocked by a command, for somebody who need not have a badge.
        case command
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
        /// It comes of an opening; else of a look of the gateway's own.
        public var followsOpening: Bool
        /// Two people should have held their badges, and only one did.
        public var lacksSecondPerson: Bool

        public init(
            certainty: Certainty, decision: UInt64, taken: [Sighting], added: [Sighting], party: CabinetParty, isInterrupted: Bool = false,
            followsOpening: Bool = true, lacksSecondPerson: Bool = false
        ) {
            self.certainty = certainty
            self.decision = decision
            self.taken = taken
            self.added = added
            self.party = party
            self.isInterrupted = isInterrupted
            self.followsOpening = followsOpening
            self.lacksSecondPerson = lacksSecondPerson
        }
    }

    /// A badge was held at a cabinet that its bearer may not open.
    public struct CabinetRefusal: Hashable, Sendable {
        /// Their key; nil: the badge is nobody's.
        public var person: String?
        /// Which rule is broken, or `unknownBadge`.
        public var reason: String

        public static let unknownBadge = "unknown_badge"

        public init(person: String?, reason: String) {
            self.person = person
            self.reason = reason
        }
    }

    /// That a command let somebody in.
    public struct Admission: Hashable, Sendable {
        /// Who gave it, as events name clients.
        public var client: String
        /// Why, in their words.
        public var note: String

        public init(client: String, note: String) {
            self.client = client
            self.note = note
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
        /// The command that let them in; nil: none did.
        public var admission: Admission?

        public init(people: [String] = [], witness: String? = nil, hasStranger: Bool = false, admission: Admission? = nil) {
            self.people = people
            self.witness = witness
            self.hasStranger = hasStranger
            self.admission = admission
        }
    }
}

/// Whether the bearer of a badge may open a cabinet, as the ledger knows it.
public enum MayOpen: Hashable, Sendable {
    /// - person: their key.
    case allowed(person: String)
    /// - rule: which is broken, by its name.
    case refused(person: String, rule: String)
    /// The badge is nobody's.
    case unknown
}
