import Identifiers
import Readings

/// A committed business fact: append-only, numbered, chained by hash. `docs/events.md` is the document of record for its JSON form.
public struct Event: Hashable, Sendable {
    /// Numbered from 1 without gaps; never used again.
    public var sequence: Int64
    /// When it happened.
    public var time: WallTime
    /// When it was decided, where that is another time.
    public var recorded: WallTime?
    /// The station where it happened; nil for what happened to the gateway as a whole.
    public var station: String?
    /// The coherent happening that it belongs to: `STATION/COUNTER`.
    public var episode: String?
    public var actor: Actor
    /// What it is about, as URIs: GS1 Digital Links where there is a GS1 key, the site's own URIs elsewhere.
    public var subjects: [String]
    /// The URI of the location that the station is or leads to.
    public var place: String?
    public var certainty: Certainty
    /// The number of the event that this one corrects.
    public var corrects: Int64?
    /// The version of the master data that was relied on.
    public var masterVersion: Int64
    public var body: Body
    /// Which reads, antennas, signal levels, inputs and rules led to it; at most `maximumEvidenceBytes` in canonical form.
    public var evidence: JSON

    public static let maximumEvidenceBytes = 512

    /// Who did it or asked for it.
    public enum Actor: Hashable, Sendable {
        case person(PersonKey)
        /// Who used the command line or the API: `uid:1000` or a token's role.
        case client(String)
        /// The gateway by itself.
        case gateway
        /// Nobody could be named.
        case unknown
    }

    /// What is a fact now. The `type` of each case is its name upstream.
    public enum Body: Hashable, Sendable {
        case checkedOut(Checkout)
        case returned(Return)
        case reminded(Reminder)
        case renewed(Renewal)
        case transferred(Transfer)
        case inspected(Inspection)
        case lost(Loss)
        /// A tool that was reported lost is there again.
        case found(item: ItemKey)
        case flagged(Flag)
        case maintenanceDue(Maintenance)
        case serviced(item: ItemKey, note: String)
        case permitRequested(PermitRequest)
        case permitApproved(permit: PermitKey, level: Int64, levels: Int64)
        case permitRejected(permit: PermitKey, note: String)
        case permitWithdrawn(permit: PermitKey, note: String)
        case putAway(PutAway)
        /// Something was taken that is used up: stock goes down, and there is no loan.
        case consumed(Consumed)
        case cabinetOpened(CabinetOpened)
        case cabinetClosed(CabinetClosed)
        /// A command lets somebody in; that nobody opened it then shows by no opening after it.
        case cabinetUnlocked(CabinetUnlocked)
        /// A badge was held that may not open it.
        case cabinetRefused(CabinetRefused)
        case exceptionRaised(ExceptionRaised)
        /// What was said about a crossing is not so: the loan is void, the return did not happen, nobody need look.
        case crossingRetracted(Retraction)
        case exceptionAssigned(exception: Int64, owner: String)
        case exceptionResolved(exception: Int64, resolution: String, note: String)
        case tagBound(epc: EPC, bearer: Bearer)
        case tagUnbound(epc: EPC, bearer: Bearer)
        /// A reader had seen a tag while nobody listened: never a loan, a return or a reason to look.
        case observedLate(ObservedLate)
        case stationModeChanged(StationMode)
        case masterApplied(version: Int64, digest: String, rows: Int64)
        /// The wall clock was wrong, and it is known now by how much.
        case clockCorrected(ClockCorrection)
    }

    public struct Checkout: Hashable, Sendable {
        public var loan: LoanNumber
        public var item: ItemKey
        public var epc: EPC?
        public var person: PersonKey
        public var permit: PermitKey?
        public var due: WallTime
        /// In which it left, where somebody should have looked at it before; nil: nothing speaks against it.
        public var condition: ToolCondition?
    }

    public struct Return: Hashable, Sendable {
        public var loan: LoanNumber
        public var item: ItemKey
        public var epc: EPC?
        public var borrower: PersonKey
        /// Its class demands that somebody looks at it before it is lent again.
        public var mustBeInspected = false
    }

    public struct PutAway: Hashable, Sendable {
        public var subject: StockSubject
        public var quantity: Int64
        public var location: LocationKey
        public var locationURI: String
        /// Where a single item was before.
        public var from: LocationKey?
    }

    public struct Consumed: Hashable, Sendable {
        /// A product, and its lot where it is known.
        public var subject: StockSubject
        /// More than 0.
        public var quantity: Int64
        public var location: LocationKey
        public var locationURI: String
        public var person: PersonKey?
    }

    public struct CabinetOpened: Hashable, Sendable {
        /// Those who may have done it, in the order of their badges, and the second person where two must be there.
        public var people: [PersonKey]
        public var reason: Proposal.OpeningReason
        /// Who let them in, where a command did, and why.
        public var client: String?
        public var note: String?
    }

    public struct CabinetUnlocked: Hashable, Sendable {
        /// Who is let in; nil: somebody whom nobody named.
        public var person: PersonKey?
        /// Why, in the words of whoever gave the command.
        public var note: String
    }

    public struct CabinetRefused: Hashable, Sendable {
        /// Whose badge it was; nil: nobody's.
        public var person: PersonKey?
        /// A rule by its name, or `unknown_badge`.
        public var reason: String
    }

    public struct CabinetClosed: Hashable, Sendable {
        public var people: [PersonKey]
        public var reason: Proposal.OpeningReason
        /// How long it was open; nil when the gateway was not there all the time.
        public var milliseconds: Int64?
    }

    /// Events of one boot, from `first` up to this one, carry wall times that are wrong.
    public struct ClockCorrection: Hashable, Sendable {
        public var boot: UInt64
        /// The number of the first event that was stamped by the wrong clock.
        public var first: Int64
        /// Milliseconds to add to the times of the clock that stamped `first`.
        public var shift: Int64
        /// Right wall clock less time since boot, in milliseconds: with `uptime` of an event it tells when that was, whatever clock
        /// stamped it.
        public var offset: Int64
        /// How far the clock was trusted then.
        public var was: ClockQuality
        /// The machine was started anew before it learned the time: those events are put as late as they fit before this boot.
        public var isEstimate = false
    }

    public struct ObservedLate: Hashable, Sendable {
        public var epc: EPC
        /// What the tag is bound to now.
        public var bearer: Bearer?
        /// The reader's name.
        public var device: String
        public var antennas: AntennaPorts
        public var reads: Int64
        /// By the reader's clock; nil when it told no time.
        public var first: ReaderTime?
        public var last: ReaderTime?
    }

    public struct ExceptionRaised: Hashable, Sendable {
        /// The exception's number, where another event gave it: this one confirms it. nil: that of this event.
        public var number: Int64?
        public var kind: ExceptionKind
        public var items: [ItemKey]
        public var epcs: [EPC]
        /// People it may have been.
        public var candidates: [PersonKey]
        /// The loan that it concerns.
        public var loan: LoanNumber?
        /// A code that nobody knows, escaped and cut to 64 characters.
        public var code: String?
        public var direction: Direction?
        public var owner: String
        public var deadline: WallTime
    }

    /// Repeats the event that it withdraws, so that a receiver can undo it without having kept it.
    public struct Retraction: Hashable, Sendable {
        public var fact: CrossingFact
        /// The `time` of that event.
        public var time: WallTime
        /// The loan that is open again, of a return that did not happen.
        public var reopened: Loan?
        /// The number of the event that says what happened to the same thing instead.
        public var replacedBy: Int64?
    }

    /// What a crossing can make a fact.
    public enum CrossingFact: Hashable, Sendable {
        case checkedOut(Checkout)
        /// Withdrawn by hand only.
        case transferred(Transfer)
        case returned(Return)
        case exceptionRaised(ExceptionRaised)

        public var body: Body {
            switch self {
            case .checkedOut(let checkout): .checkedOut(checkout)
            case .transferred(let transfer): .transferred(transfer)
            case .returned(let returned): .returned(returned)
            case .exceptionRaised(let raised): .exceptionRaised(raised)
            }
        }

        /// An event that says it, in the place of another.
        func event(like other: Event) -> Event {
            var event = other
            event.body = body
            return event
        }

        /// nil for everything that does not come of a crossing.
        public init?(_ body: Body) {
            switch body {
            case .checkedOut(let checkout): self = .checkedOut(checkout)
            case .transferred(let transfer): self = .transferred(transfer)
            case .returned(let returned): self = .returned(returned)
            case .exceptionRaised(let raised): self = .exceptionRaised(raised)
            default: return nil
            }
        }
    }
}

/// What is counted at a location: one item, or a quantity of a product and lot.
public enum StockSubject: Hashable, Sendable {
    case item(ItemKey)
    case product(ProductKey, lot: String?)

    /// `item/DRILL-01`, `product/BOLT-M8`, `product/BOLT-M8/lot/ABC`: also the key of its row.
    public var path: String {
        switch self {
        case .item(let key): "item/\(key)"
        case .product(let key, nil): "product/\(key)"
        case .product(let key, let lot?): "product/\(key)/lot/\(lot)"
        }
    }
}

/// Why a person must look.
public enum ExceptionKind: String, Hashable, Sendable, CaseIterable {
    /// A tag that is bound to nothing went through.
    case unknownTag = "unknown_tag"
    /// A code that nobody knows was scanned.
    case unknownCode = "unknown_code"
    /// Tools left and no badge was seen.
    case noBadge = "no_badge"
    /// A badge that belongs to nobody.
    case unknownBadge = "unknown_badge"
    /// More than one person may have done it.
    case severalPeople = "several_people"
    /// No approved request covers the tool.
    case notPermitted = "not_permitted"
    case overQuota = "over_quota"
    /// Too many late returns lately.
    case personOverdue = "person_overdue"
    case lowCredit = "low_credit"
    /// A tool that is lost, damaged, incomplete or not inspected yet.
    case notAvailable = "not_available"
    case calibrationDue = "calibration_due"
    case certificateMissing = "certificate_missing"
    case secondPersonMissing = "second_person_missing"
    case overValue = "over_value"
    case monthlyLimit = "monthly_limit"
    case outsideHours = "outside_hours"
    /// The master data are too old to be relied on.
    case masterOld = "master_old"
    /// A tool came back damaged, or a kit incomplete.
    case damaged
    /// The same tag is read at two stations at once: there are two tags of it, or a station reads too far.
    case clonedTag = "cloned_tag"
    case personBlocked = "person_blocked"
    /// A tool that is recorded as lent left again, or one recorded as inside came in: the record or the read is wrong.
    case stateConflict = "state_conflict"
    /// Seen on one side only, or the reader was not reading: it may or may not have passed.
    case uncertainPassage = "uncertain_passage"
    /// A cabinet was opened though nobody was let in.
    case doorForced = "door_forced"
    /// The door of a cabinet is open for longer than it should be.
    case doorLeftOpen = "door_left_open"
    /// An item was put where it does not belong.
    case wrongPlace = "wrong_place"
    /// The same tag is bound to different things here and in the master data.
    case bindingConflict = "binding_conflict"
    /// A destination refused an event for good; `code` is DESTINATION/EVENT.
    case deliveryRefused = "delivery_refused"
    /// A source of master data sent what cannot be taken in; `code` is its name.
    case masterRefused = "master_refused"
    /// The store was recovered from a damaged file; `code` is the range of event numbers that were given and are gone, or `none`.
    case recordsLost = "records_lost"
}

/// Whether a station decides.
public enum StationMode: String, Hashable, Sendable, CaseIterable {
    case running
    /// Reads are shown, nothing is decided and nothing is remembered for later.
    case paused
    /// Maintenance: decisions are shown, make no loans, and nothing goes upstream.
    case testing
}
