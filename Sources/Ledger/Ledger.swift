import Identifiers
import Readings
import SiteConfiguration

/// The rules: whether what a station believes is allowed, which loan or shelf it concerns, and what is true afterwards.
///
/// Decides in memory, on an image of the store. `plan` and `answer` look and change nothing; `commit` takes their events into the
/// image. When a commit to the disk did not succeed, the image is replaced by what the store holds (`reload`).
public struct Ledger: Sendable {
    public internal(set) var state: LedgerState
    public private(set) var master: MasterData { didSet { permitsByPerson = Dictionary(grouping: master.permits.values, by: \.person) } }
    private(set) var permitsByPerson: [PersonKey: [Permit]] = [:]
    /// When the master data were last known to be all there is; nil: not since the start.
    public var masterSeen: WallTime?
    /// How the site's clocks will change; nil: not known yet.
    public var zone: SiteZone? { didSet { if zone != oldValue { queueReminders() } } }
    private(set) var reminders = ReminderQueue()
    /// The year in which two-digit years of labels are read (General Specifications 7.12); follows the wall clock.
    public var referenceYear = 2026
    let site: Site
    let epoch: UInt64
    var memories: [DecisionKey: DecisionMemory] = [:]
    /// The episode of each cabinet's last opening, by station. In memory only: after a start what is left of it is an episode of its own.
    var cabinetEpisodes: [String: String] = [:]
    var memoryAge: Int64 = 0
    /// Of an image on which one decision is made anew: tools that it has no more to say about.
    var passedOver: Set<ItemKey> = []
    /// The memories as they were before decisions that may still turn out not to be stored, the oldest first.
    var earlierMemories: [EarlierMemories] = []

    /// - Parameter epoch: drawn anew whenever the store is created or restored.
    public init(site: Site, epoch: UInt64, state: LedgerState = LedgerState(), master: MasterData = MasterData()) {
        self.site = site
        self.epoch = epoch
        self.state = state
        self.master = master
        permitsByPerson = Dictionary(grouping: master.permits.values, by: \.person)
        queueReminders()
    }

    private mutating func queueReminders() {
        reminders = ReminderQueue()
        for loan in state.loans.values { reminders.set(loan.item, at: nextStep(of: loan)) }
    }

    /// What the ledger decides on a proposal, without taking it in.
    /// - Parameters:
    ///   - time: when it happened.
    ///   - recorded: when it is decided, where that is another time.
    public func plan(_ proposal: Proposal, at time: WallTime, recorded: WallTime? = nil) -> Plan {
        switch proposal.content {
        case .crossing(let crossing): decide(crossing, station: proposal.station, at: time, recorded: recorded)
        case .retraction(let retraction): decide(retraction, station: proposal.station, at: time, recorded: recorded)
        case .putAway(let putAway): plan(putAway, station: proposal.station, at: time)
        case .control(let control): plan(control, station: proposal.station, at: time)
        case .unknownCode(let scan): plan(unknownCode: scan, station: proposal.station, at: time)
        case .observedLate(let observed): plan(observed, station: proposal.station, at: time)
        case .cabinetDoor(let door): plan(door, station: proposal.station, at: time)
        case .cabinet(let cabinet): decide(cabinet, station: proposal.station, at: time, recorded: recorded)
        case .cabinetRefusal(let refusal): plan(refusal, station: proposal.station, at: time)
        }
    }

    /// Takes planned events into the image.
    /// - Parameter learned: rows of what stations have learned, to be saved with them.
    public mutating func commit(_ plan: Plan, learned: [StateRow] = []) -> Decision {
        // By bytes: to a String two spellings of é are the same, to the store they are not.
        if !plan.events.isEmpty { keepMemories() }
        var rows: [[UInt8]: StateRow] = [:]
        for row in learned {
            state.learn(row)
            rows[Array(row.key.utf8)] = row
        }
        for event in plan.events {
            remember(event, of: plan.decision?.key)
            if case .cabinetOpened = event.body, let station = event.station { cabinetEpisodes[station] = event.episode }
            for row in state.apply(event) {
                rows[Array(row.key.utf8)] = row
                // Whatever became of a loan, it is due at another time now, or no more.
                guard row.key.hasPrefix("loan/"), let item = ItemKey(String(row.key.dropFirst(5))) else { continue }
                reminders.set(item, at: state.loans[item].flatMap(nextStep))
            }
        }
        note(plan)
        let sorted = rows.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return Decision(events: plan.events, rows: sorted.map(\.value), feedback: plan.feedback)
    }

    /// Takes note of a plan whose answer is given, though it may have no events.
    public mutating func note(_ plan: Plan) {
        if let decision = plan.decision { remember(decision) }
    }

    /// Replaces the image by what the store holds, after a commit whose outcome is not the one that was hoped for.
    public mutating func reload(_ state: LedgerState) {
        self.state = state
        restoreMemories()
        queueReminders()
    }

    /// All that was committed is on the disk.
    public mutating func settled() {
        earlierMemories = []
    }

    /// Takes new master data; conflicts with what was bound here come back as a plan.
    /// - Parameter digest: SHA-256 of the master data, hexadecimal.
    public mutating func replaceMaster(_ master: MasterData, digest: String, rows: Int, by client: String?, at time: WallTime) -> Plan {
        self.master = master
        var draft = Draft(ledger: self, station: nil, at: time)
        draft.actor = client.map(Event.Actor.client) ?? .gateway
        draft.add(.masterApplied(version: master.version, digest: digest, rows: Int64(rows)), evidence: .null)
        let conflicting = state.tags.filter { tag in master.tags[tag.key].map { $0 != tag.value } ?? false }.keys.sorted()
        if !conflicting.isEmpty { draft.raise(.bindingConflict, epcs: conflicting) }
        return draft.plan(feedback: nil)
    }

    /// Sets the master data that the store held at start, which is no event.
    public mutating func loadMaster(_ master: MasterData) {
        self.master = master
    }

    /// What a tag belongs to: as bound here, as the owner bound it, or as its GS1 key says.
    public func bearer(of epc: EPC) -> Bearer? {
        state.tags[epc] ?? master.tags[epc] ?? (master.codes.isEmpty ? nil : master.codes[epc.identity().canonicalURI])
    }

    /// What a scanned code belongs to, and the lot it names.
    public func bearer(of scan: Scan) -> (bearer: Bearer, lot: String?)? {
        let text = String(decoding: scan.data, as: UTF8.self)
        if let bearer = master.codes[text] { return (bearer, nil) }
        if let person = master.credentials[text] { return (.person(person), nil) }
        // A label may simply show the key.
        if let key = LocationKey(text), master.locations[key] != nil { return (.location(key), nil) }
        if let key = ItemKey(text), master.items[key] != nil { return (.item(key), nil) }
        if let key = ProductKey(text), master.products[key] != nil { return (.product(key), nil) }
        // What a number names is checked against the master data anyway, so a bare GTIN needs no symbology identifier, and a label
        // with half its pairs is better than none.
        let options = ScannedCode.Options(message: .init(referenceYear: referenceYear, checksPairs: false), assumesTradeItemNumbers: true)
        let code = ScannedCode(aim: scan.symbology, data: scan.data, options: options)
        if let uri = code.canonicalURI, let bearer = master.codes[uri] { return (bearer, code.message?.lot) }
        // A product is known by its GTIN, whatever else the label says.
        guard let gtin = code.message?.gtin, let bearer = master.codes["https://id.gs1.org/01/\(gtin)"] else { return nil }
        return (bearer, code.message?.lot)
    }

    /// What a station must know of a tag.
    public func known(_ epc: EPC) -> Known {
        bearer(of: epc).map(known) ?? .nothing
    }

    /// What a station must know of a code.
    public func known(_ scan: Scan) -> Known {
        if let code = ControlCode(rawValue: String(decoding: scan.data, as: UTF8.self)) { return .control(code) }
        return bearer(of: scan).map { known($0.bearer) } ?? .nothing
    }

    private func known(_ bearer: Bearer) -> Known {
        switch bearer {
        case .item(let key): .item(isOut: state.loans[key] != nil)
        case .person: .person
        case .product: .product
        case .location: .location
        }
    }
}

/// Events that a proposal or command would make, in order, and the answer to give once they are on the disk.
public struct Plan: Hashable, Sendable {
    public var events: [Event]
    public var feedback: Feedback?
    /// Under which its station can speak of it again.
    var decision: Decision?

    public init(events: [Event], feedback: Feedback?) {
        self.events = events
        self.feedback = feedback
    }

    struct Decision: Hashable, Sendable {
        var key: DecisionKey
        /// What the person was told up to now.
        var told: Feedback?
    }
}
