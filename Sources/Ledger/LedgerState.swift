import Identifiers
import Readings

/// A loan that is open.
public struct Loan: Hashable, Sendable {
    public var number: LoanNumber
    public var item: ItemKey
    public var person: PersonKey
    public var permit: PermitKey?
    public var since: WallTime
    public var due: WallTime
    public var station: String?
    /// The event that opened it.
    public var opened: Int64
    /// How often it was renewed.
    public var renewals: Int64 = 0
    /// Which reminder of its due time was said last; nil: none.
    public var reminded: ReminderStep?
    /// The loan that it was handed over from; nil: it was taken from the store.
    public var from: LoanNumber?
    /// That loan as it was, which is open again when the handing over is withdrawn: one at most, and without one of its own.
    public internal(set) var before: [Loan] = []

    func isLine(of checkout: Event.Checkout) -> Bool { number == checkout.loan && item == checkout.item }

    /// What is left of it when a checkout never was: nil when it was that checkout's.
    func without(_ checkout: Event.Checkout) -> Loan? {
        guard !isLine(of: checkout) else { return nil }
        var loan = self
        loan.before.removeAll { $0.isLine(of: checkout) }
        return loan
    }
}

/// An exception that waits for a person.
public struct OpenException: Hashable, Sendable {
    /// The number of the event that raised it.
    public var number: Int64
    public var raised: Event.ExceptionRaised
    public var since: WallTime
    public var station: String?
}

/// A fact about a crossing that may still be withdrawn.
public struct StandingFact: Hashable, Sendable {
    public var event: Event
    /// The loan that a return closed: it is open again when the return is withdrawn.
    public var closed: Loan?
}

/// What is true now: the fold of the event log, kept in memory and as rows beside the log.
public struct LedgerState: Hashable, Sendable {
    /// The number that the next event gets.
    public internal(set) var nextSequence: Int64 = 1
    /// The counter of the loan that was numbered last.
    public internal(set) var loanCounter: Int64 = 0
    /// Counts the episodes of all stations.
    public internal(set) var episodeCounter: Int64 = 0
    /// The version of the master data that was recorded last; the store's own may be one ahead after a power cut.
    public internal(set) var masterVersion: Int64 = 0
    public internal(set) var loans = OpenLoans()
    /// The clock by which the newest events are stamped; nil where no machine is known.
    public internal(set) var clock: RecordedClock?
    /// Where single items were put.
    public internal(set) var places: [ItemKey: LocationKey] = [:]
    /// Quantities of products, by location and subject.
    public internal(set) var stock: [StockPosition: Int64] = [:]
    /// Checkouts that a permit has already covered.
    public internal(set) var permitUse: [PermitKey: Int] = [:]
    public internal(set) var exceptions: [Int64: OpenException] = [:]
    /// Provisional facts that are neither confirmed nor withdrawn, by the number of their event.
    public internal(set) var provisional: [Int64: StandingFact] = [:]
    /// What tools went through.
    public internal(set) var tools: [ItemKey: ToolRecord] = [:]
    /// What borrowers did.
    public internal(set) var borrowers: [PersonKey: BorrowerRecord] = [:]
    /// Requests made here, until they are used up, rejected or withdrawn.
    public internal(set) var requests: [PermitKey: PermitRequest] = [:]
    /// Tags bound at this gateway.
    public internal(set) var tags: [EPC: Bearer] = [:]
    /// Stations that do not simply run.
    public internal(set) var modes: [String: StationMode] = [:]
    /// What stations have learned, by `STATION/NAME`. It follows from no event.
    public internal(set) var learned: [String: JSON] = [:]

    public init() {}

    /// What a station has learned, in the order of the names.
    public func learned(by station: String) -> [LearnedState] {
        let prefix = "\(station)/"
        return learned.filter { $0.key.hasPrefix(prefix) }
            .map { LearnedState(name: String($0.key.dropFirst(prefix.count)), value: $0.value) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Takes in a row of what a station has learned; others are passed over.
    public mutating func learn(_ row: StateRow) {
        guard row.isLearned else { return }
        learned[String(row.key.dropFirst(StateRow.learnedPrefix.count))] = row.value
    }

}

public struct StockPosition: Hashable, Sendable {
    public var location: LocationKey
    public var subject: StockSubject

    public init(location: LocationKey, subject: StockSubject) {
        self.location = location
        self.subject = subject
    }

    func row(quantity: Int64) -> StateRow {
        StateRow(
            key: "stock/\(location)/\(subject.path)",
            value: ["quantity": .integer(quantity), "location": .string(location.text), "stock": subject.json])
    }
}

extension LedgerState {
    /// What happens when a store goes on under a new epoch, after a restore or a recovery: what was provisional stands as it is, for
    /// those who could confirm or withdraw it know nothing of it.
    public mutating func beginEpoch() { provisional = [:] }

    /// Takes one event into the state and tells which rows changed. The only way the state ever changes.
    public mutating func apply(_ event: Event) -> [StateRow] {
        nextSequence = max(nextSequence, event.sequence + 1)
        var rows: [StateRow] = []
        if let counter = event.episode?.split(separator: "/").last.flatMap({ Int64($0) }), counter > episodeCounter {
            episodeCounter = counter
            rows.append(countersRow)
        }
        if let row = note(clockOf: event) { rows.append(row) }
        let corrected = event.corrects.flatMap { provisional.removeValue(forKey: $0) }
        if let corrected { rows.append(StateRow(key: corrected.key, value: nil)) }
        switch event.body {
        case .checkedOut(let checkout):
            rows += apply(checkout, of: event)
        case .returned(let returned):
            if event.corrects == nil {
                // The loan that it closes is what a withdrawal opens again.
                if event.certainty == .provisional {
                    rows.append(hold(StandingFact(event: event, closed: loans[returned.item])))
                }
                if event.certainty == .final, let loan = loans[returned.item] {
                    rows += count(loan, at: event.time, sign: 1, by: event.sequence)
                }
                loans[returned.item] = nil
                rows.append(StateRow(key: "loan/\(returned.item)", value: nil))
                if returned.mustBeInspected { rows += set(.uninspected, of: returned.item) }
            } else if let loan = corrected?.closed {
                rows += count(loan, at: event.time, sign: 1, by: event.sequence)
            }
        case .reminded(let reminder): rows += apply(reminder)
        case .renewed(let renewal): rows += apply(renewal)
        case .transferred(let transfer): rows += apply(transfer, of: event)
        case .inspected(let inspection): rows += apply(inspection, of: event)
        case .lost(let loss): rows += apply(loss, of: event)
        case .found(let item): rows += set(.uninspected, of: item)
        case .flagged: break
        case .maintenanceDue(let maintenance):
            tools[maintenance.item, default: ToolRecord()].isMaintenanceTold = true
            rows.append(toolRow(maintenance.item))
        case .serviced(let item, _):
            tools[item, default: ToolRecord()].serviced()
            rows.append(toolRow(item))
        case .permitRequested(let request): rows += dropExpired(before: event.time) + apply(request: request)
        case .permitApproved(let permit, _, _):
            if case .client(let client) = event.actor { rows += approve(permit, by: client) }
        case .permitRejected(let permit, _), .permitWithdrawn(let permit, _): rows += close(request: permit)
        case .putAway(let putAway):
            rows.append(contentsOf: apply(putAway))
        case .consumed(let consumed):
            rows.append(add(-consumed.quantity, to: StockPosition(location: consumed.location, subject: consumed.subject)))
        case .cabinetOpened, .cabinetClosed, .cabinetUnlocked, .cabinetRefused: break
        case .exceptionRaised(let raised):
            // One that confirms an exception changes nothing: somebody may have taken it over, or closed it, in the meantime.
            guard raised.number == nil else { break }
            let exception = OpenException(number: event.sequence, raised: raised, since: event.time.kept, station: event.station)
            exceptions[event.sequence] = exception
            rows.append(StateRow(key: "exception/\(event.sequence)", value: exception.row))
            if event.certainty == .provisional { rows.append(hold(StandingFact(event: event))) }
        case .crossingRetracted(let retraction):
            rows += apply(retraction, of: event, wasProvisional: corrected != nil)
        case .exceptionAssigned(let number, let owner):
            guard var exception = exceptions[number] else { break }
            exception.raised.owner = owner
            exceptions[number] = exception
            rows.append(StateRow(key: "exception/\(number)", value: exception.row))
        case .exceptionResolved(let number, _, _):
            // A tool of which somebody said that it came in is in, also when nobody looks at that any more.
            if let exception = exceptions.removeValue(forKey: number), exception.raised.direction == .in {
                for item in exception.raised.items.sorted() { rows += came(item, by: number) }
            }
            rows.append(StateRow(key: "exception/\(number)", value: nil))
        case .tagBound(let epc, let bearer):
            tags[epc] = bearer
            rows.append(StateRow(key: "tag/\(epc.hex)", value: bearer.json))
        case .tagUnbound(let epc, _):
            tags[epc] = nil
            rows.append(StateRow(key: "tag/\(epc.hex)", value: nil))
        case .observedLate: break
        case .stationModeChanged(let mode):
            guard let station = event.station else { break }
            modes[station] = mode == .running ? nil : mode
            rows.append(StateRow(key: "station/\(station)", value: mode == .running ? nil : .string(mode.rawValue)))
        case .masterApplied(let version, _, _):
            masterVersion = version
            rows.append(StateRow(key: "master", value: .integer(version)))
        case .clockCorrected(let correction):
            rows += apply(correction, of: event)
        }
        return rows
    }

    private mutating func apply(_ checkout: Event.Checkout, of event: Event) -> [StateRow] {
        var rows: [StateRow] = []
        var loan = Loan(
            number: checkout.loan, item: checkout.item, person: checkout.person, permit: checkout.permit, since: event.time.kept,
            due: checkout.due.with(quality: event.time.quality), station: event.station, opened: event.sequence)
        if event.corrects != nil {
            // It confirms a loan that is open already; one that was closed in the meantime stays closed.
            guard let open = loans[loan.item], open.number == loan.number else { return [] }
            (loan.reminded, loan.renewals) = (open.reminded, open.renewals)
            // What was renewed in between is due as it was said then.
            if open.renewals > 0 { loan.due = open.due }
            loans[loan.item] = loan
            return [StateRow(key: "loan/\(loan.item)", value: loan.row)]
        }
        loans[loan.item] = loan
        rows.append(StateRow(key: "loan/\(loan.item)", value: loan.row))
        if event.certainty == .provisional { rows.append(hold(StandingFact(event: event))) }
        if let row = count(checkout.loan) { rows.append(row) }
        if let permit = checkout.permit { rows += use(permit, 1) }
        return rows
    }

    private mutating func apply(_ retraction: Event.Retraction, of event: Event, wasProvisional: Bool) -> [StateRow] {
        var rows: [StateRow] = []
        switch retraction.fact {
        case .checkedOut(let checkout):
            if loans[checkout.item]?.number == checkout.loan {
                loans[checkout.item] = nil
                rows.append(StateRow(key: "loan/\(checkout.item)", value: nil))
            }
            if let permit = checkout.permit { rows += use(permit, -1) }
            // What is withdrawn later, a handing over or a return, must not bring a void loan back.
            if let open = loans[checkout.item], let right = open.without(checkout), right != open {
                loans[checkout.item] = right
                rows.append(StateRow(key: "loan/\(checkout.item)", value: right.row))
            }
            for fact in provisional.values.sorted(by: { $0.event.sequence < $1.event.sequence }) {
                guard let closed = fact.closed, closed.without(checkout) != closed else { continue }
                rows.append(hold(StandingFact(event: fact.event, closed: closed.without(checkout))))
            }
        case .transferred(let transfer):
            guard loans[transfer.item]?.number == transfer.loan else { break }
            loans[transfer.item] = retraction.reopened
            rows.append(StateRow(key: "loan/\(transfer.item)", value: retraction.reopened?.row))
            if let permit = transfer.permit { rows += use(permit, -1) }
            if let loan = retraction.reopened { rows += count(loan, at: retraction.time, sign: -1, by: event.sequence) }
        case .returned(let returned):
            guard let loan = retraction.reopened, loans[returned.item] == nil else { break }
            loans[returned.item] = loan
            rows.append(StateRow(key: "loan/\(returned.item)", value: loan.row))
            if !wasProvisional { rows += count(loan, at: retraction.time, sign: -1, by: event.sequence) }
            if returned.mustBeInspected { rows += set(nil, of: returned.item) }
        case .exceptionRaised(let raised):
            guard let number = raised.number ?? event.corrects, exceptions.removeValue(forKey: number) != nil else { break }
            rows.append(StateRow(key: "exception/\(number)", value: nil))
        }
        return rows
    }

    private mutating func hold(_ fact: StandingFact) -> StateRow {
        provisional[fact.event.sequence] = fact
        return StateRow(key: fact.key, value: fact.row)
    }

    mutating func count(_ loan: LoanNumber) -> StateRow? {
        guard loan.counter > loanCounter else { return nil }
        loanCounter = loan.counter
        return countersRow
    }

    mutating func use(_ permit: PermitKey, _ count: Int) -> [StateRow] {
        let used = max(0, permitUse[permit, default: 0] + count)
        permitUse[permit] = used == 0 ? nil : used
        return [StateRow(key: "permit/\(permit)", value: used == 0 ? nil : .integer(Int64(used)))]
    }

    private mutating func apply(_ putAway: Event.PutAway) -> [StateRow] {
        switch putAway.subject {
        case .item(let item):
            places[item] = putAway.location
            return [StateRow(key: "place/\(item)", value: .string(putAway.location.text))]
        case .product:
            return [add(putAway.quantity, to: StockPosition(location: putAway.location, subject: putAway.subject))]
        }
    }

    /// Below 0 when more was taken than had ever been counted in: somebody must count.
    private mutating func add(_ quantity: Int64, to position: StockPosition) -> StateRow {
        let (sum, overflow) = stock[position, default: 0].addingReportingOverflow(quantity)
        let stocked = overflow ? (quantity < 0 ? .min : .max) : sum
        stock[position] = stocked
        return position.row(quantity: stocked)
    }

    var countersRow: StateRow {
        StateRow(key: "counters", value: ["loan": .integer(loanCounter), "episode": .integer(episodeCounter)])
    }
}

extension WallTime {
    func with(quality: ClockQuality) -> WallTime {
        var time = self
        time.quality = quality
        return time
    }
}
