import Identifiers
import Readings
import SiteConfiguration

/// Gathers the events of one decision: numbers them, names what they are about, keeps the evidence within its bound.
struct Draft {
    private let ledger: Ledger
    let station: Site.Station?
    private let stationName: String?
    let time: WallTime
    private let recorded: WallTime?
    var actor: Event.Actor = .gateway
    private(set) var events: [Event] = []
    private var episode: String?
    private var loanCounter: Int64

    /// - Parameters:
    ///   - recorded: when it is decided, where that is not the time at which it happened.
    ///   - episode: the happening that it belongs to, where it is known already.
    init(
        ledger: Ledger, station: String?, at time: WallTime, recorded: WallTime? = nil, opensEpisode: Bool = false, episode: String? = nil
    ) {
        self.ledger = ledger
        self.recorded = recorded
        self.station = ledger.site.stations.first { $0.name == station }
        stationName = station
        self.time = time
        loanCounter = ledger.state.loanCounter
        self.episode = episode
        if opensEpisode, episode == nil, let station { self.episode = "\(station)/\(ledger.state.episodeCounter + 1)" }
    }

    /// What one person takes in one happening is one loan.
    private var loanNumbers: [PersonKey: LoanNumber] = [:]

    /// The number of the loan that a person opens here.
    func loanNumber(of person: PersonKey) -> LoanNumber {
        loanNumbers[person] ?? LoanNumber(gateway: ledger.site.gateway.code, epoch: ledger.epoch, counter: loanCounter + 1)
    }

    /// What was lent to this person in the same happening before stands: what comes now is of the same loan.
    mutating func join(_ checkout: Event.Checkout) {
        loanNumbers[checkout.person] = checkout.loan
    }

    private mutating func number(of person: PersonKey) -> LoanNumber {
        let number = loanNumber(of: person)
        loanNumbers[person] = number
        loanCounter = max(loanCounter, number.counter)
        return number
    }

    mutating func add(_ body: Event.Body, evidence: JSON, corrects: Int64? = nil) {
        let place = station?.location.flatMap(LocationKey.init).map { ledger.uri(of: .location($0)) }
        append(
            Event(
                sequence: 0, time: time, station: stationName, episode: episode, actor: actor, subjects: ledger.subjects(of: body),
                place: place, certainty: .final, corrects: corrects, masterVersion: ledger.master.version, body: body,
                evidence: Self.bounded(evidence)), certainty: .final)
    }

    /// Adds an event of another draft, with a number, and a loan number, of this one.
    mutating func append(_ event: Event, certainty: Certainty) {
        var event = event
        event.sequence = nextSequence
        event.certainty = certainty
        event.recorded = recordedTime(of: event)
        switch event.body {
        case .checkedOut(var checkout):
            checkout.loan = number(of: checkout.person)
            event.body = .checkedOut(checkout)
        case .transferred(var transfer):
            transfer.loan = number(of: transfer.person)
            event.body = .transferred(transfer)
        default: break
        }
        events.append(event)
    }

    /// Takes over what was drafted about another time.
    mutating func take(_ other: Draft) {
        for event in other.events {
            var event = event
            event.recorded = nil
            append(event, certainty: .final)
        }
    }

    /// Adds what follows from an event of this draft: of the same happening, and for good.
    mutating func follow(_ event: Event, with body: Event.Body) {
        var next = event
        next.corrects = nil
        next.body = body
        next.subjects = ledger.subjects(of: body)
        next.evidence = .null
        next.masterVersion = ledger.master.version
        append(next, certainty: .final)
    }

    /// Says once more, and for good, what was provisional.
    /// - Parameter fresh: the same fact as it is seen now.
    mutating func confirm(_ fact: StandingFact, as fresh: Event) {
        var event = fresh
        switch (fact.event.body, event.body) {
        case (.checkedOut(let old), .checkedOut(var new)):
            new.loan = old.loan
            event.body = .checkedOut(new)
        case (.exceptionRaised(let old), .exceptionRaised(var new)):
            new.number = old.number ?? fact.event.sequence
            event.body = .exceptionRaised(new)
        default: break
        }
        event.sequence = nextSequence
        event.certainty = .final
        event.corrects = fact.event.sequence
        event.recorded = recordedTime(of: event)
        events.append(event)
    }

    /// Makes final what was provisional, as it is.
    /// - Parameter isUnchecked: whether its station could not look at it again.
    mutating func confirm(_ fact: StandingFact, isUnchecked: Bool) {
        var fresh = fact.event
        if isUnchecked {
            var members = fresh.evidence.object ?? [:]
            members["unchecked"] = true
            fresh.evidence = Self.bounded(.object(members))
        }
        confirm(fact, as: fresh)
    }

    mutating func retract(_ fact: StandingFact, evidence: JSON) {
        guard var retraction = fact.retraction else { return }
        // Meanwhile somebody else has it: their loan stands, and the old one stays closed.
        if let loan = retraction.reopened, ledger.state.loans[loan.item] != nil { retraction.reopened = nil }
        var event = fact.event
        event.sequence = nextSequence
        event.time = time
        event.recorded = recordedTime(of: event)
        event.corrects = fact.event.sequence
        event.body = .crossingRetracted(retraction)
        event.evidence = Self.bounded(evidence)
        events.append(event)
    }

    /// Names in every withdrawal the event that says what happened to the same thing instead.
    mutating func linkReplacements(from begin: Int) {
        for place in events.indices.dropFirst(begin) {
            guard case .crossingRetracted(var retraction) = events[place].body else { continue }
            let items = Set(StandingFact(event: retraction.fact.event(like: events[place])).items)
            guard
                let replacement = events[begin...].first(where: {
                    $0.corrects == nil && StandingFact(event: $0).items.contains(where: items.contains)
                })
            else { continue }
            retraction.replacedBy = replacement.sequence
            events[place].body = .crossingRetracted(retraction)
        }
    }

    private var nextSequence: Int64 { ledger.state.nextSequence + Int64(events.count) }

    private func recordedTime(of event: Event) -> WallTime? {
        var decided = (recorded ?? time).calendar
        guard decided.milliseconds != event.time.milliseconds else { return nil }
        decided.quality = event.time.quality
        return decided
    }

    mutating func raise(
        _ kind: ExceptionKind, items: [ItemKey] = [], epcs: [EPC] = [], candidates: [PersonKey] = [], loan: LoanNumber? = nil,
        code: String? = nil,
        direction: Direction? = nil, evidence: JSON = .null
    ) {
        let hours = Int64(station?.exceptionHours ?? 24)
        var deadline = time.calendar
        deadline.milliseconds += hours * 3_600_000
        // A cart of tools is several exceptions rather than one that names only some of them.
        let parts = max(1, min(Self.maximumParts, (max(items.count, epcs.count) + Self.maximumListed - 1) / Self.maximumListed))
        for part in 0..<parts {
            let range = part * Self.maximumListed..<(part + 1) * Self.maximumListed
            add(
                .exceptionRaised(
                    .init(
                        kind: kind, items: items.part(range), epcs: epcs.part(range), candidates: candidates, loan: loan, code: code,
                        direction: direction, owner: station?.owner ?? "storekeeper", deadline: deadline)),
                evidence: evidence)
        }
    }

    func plan(feedback: Feedback?) -> Plan { Plan(events: events, feedback: feedback) }

    /// Items and tags that one exception names, and how many exceptions one happening makes.
    static let maximumListed = 100
    static let maximumParts = 20

    /// Evidence that is too long loses its longest members first, and says so: an event is a few hundred bytes for ever.
    private static func bounded(_ evidence: JSON) -> JSON {
        guard case .object(var members) = evidence else { return evidence }
        while JSON.object(members).canonicalBytes.count > Event.maximumEvidenceBytes {
            let sizes = members.filter { $0.key != "cut" }.map { ($0.value.canonicalBytes.count, $0.key) }
            guard let longest = sizes.max(by: { $0 < $1 }) else { break }
            members[longest.1] = nil
            members["cut"] = true
        }
        return .object(members)
    }
}

extension Ledger {
    /// The URI of a thing: its GS1 Digital Link or own URI where it has one, else one of the site's.
    func uri(of bearer: Bearer) -> String {
        func own(_ kind: String, _ key: String) -> String { "\(site.gateway.uriPrefix)/\(kind)/\(PercentEncoding.encoded(key))" }
        return switch bearer {
        case .item(let key): master.items[key]?.uri ?? own("item", key.text)
        case .product(let key): master.products[key]?.gtin.map { "https://id.gs1.org/01/\($0)" } ?? own("product", key.text)
        case .location(let key): master.locations[key]?.uri ?? own("location", key.text)
        case .person(let key): own("person", key.text)
        }
    }

    fileprivate func subjects(of body: Event.Body) -> [String] {
        switch body {
        case .checkedOut(let checkout): return [uri(of: .item(checkout.item))]
        case .returned(let returned): return [uri(of: .item(returned.item))]
        case .reminded(let reminder): return reminder.items.map { uri(of: .item($0)) }
        case .renewed(let renewal): return [uri(of: .item(renewal.item))]
        case .transferred(let transfer): return [uri(of: .item(transfer.item))]
        case .inspected(let inspection): return [uri(of: .item(inspection.item))]
        case .lost(let loss): return [uri(of: .item(loss.item))]
        case .flagged(let flag): return [uri(of: .item(flag.item))]
        case .maintenanceDue(let maintenance): return [uri(of: .item(maintenance.item))]
        case .found(let item), .serviced(let item, _): return [uri(of: .item(item))]
        case .permitRequested(let request): return request.permit.items.sorted().map { uri(of: .item($0)) }
        case .permitApproved, .permitRejected, .permitWithdrawn: return []
        case .putAway(let putAway): return [stockURI(of: putAway.subject)]
        case .consumed(let consumed): return [stockURI(of: consumed.subject)]
        case .exceptionRaised(let raised):
            return raised.items.map { uri(of: .item($0)) } + raised.epcs.map { $0.identity().canonicalURI }
        case .tagBound(let epc, let bearer), .tagUnbound(let epc, let bearer): return [epc.identity().canonicalURI, uri(of: bearer)]
        case .observedLate(let observed):
            return [observed.epc.identity().canonicalURI] + (observed.bearer.map { [uri(of: $0)] } ?? [])
        case .crossingRetracted(let retraction): return subjects(of: retraction.fact.body)
        case .exceptionAssigned, .exceptionResolved, .stationModeChanged, .masterApplied, .clockCorrected, .cabinetOpened, .cabinetClosed,
            .cabinetUnlocked, .cabinetRefused:
            return []
        }
    }

    private func stockURI(of subject: StockSubject) -> String {
        switch subject {
        case .item(let key): return uri(of: .item(key))
        case .product(let key, let lot):
            let product = uri(of: .product(key))
            return lot.map { "\(product)/10/\(PercentEncoding.encoded($0))" } ?? product
        }
    }
}

extension Array {
    fileprivate func part(_ range: Range<Int>) -> [Element] {
        Array(self[Swift.min(range.lowerBound, count)..<Swift.min(range.upperBound, count)])
    }
}

extension String {
    /// At most `count` characters, without control or direction characters: a code from a stranger, fit to be stored and shown.
    func shortened(to count: Int) -> String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.lazy.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: "\u{FFFD}"
                    default: scalar
                    }
                }.prefix(count)))
    }
}
