import Identifiers
import Readings
import SiteConfiguration

/// Gathers the events of one decision: numbers them, names what they are about, keeps the evidence within its bound.
struct Draft {
    private let ledger: Ledger
    let station: Site.Station?
    private let stationName: String?
    let time: WallTime
    var actor: Event.Actor = .gateway
    private var events: [Event] = []
    private var episode: String?
    private var loanCounter: Int64

    init(ledger: Ledger, station: String?, at time: WallTime, opensEpisode: Bool = false) {
        self.ledger = ledger
        self.station = ledger.site.stations.first { $0.name == station }
        stationName = station
        self.time = time
        loanCounter = ledger.state.loanCounter
        if opensEpisode, let station { episode = "\(station)/\(ledger.state.episodeCounter + 1)" }
    }

    mutating func mintLoanNumber() -> LoanNumber {
        loanCounter += 1
        return LoanNumber(gateway: ledger.site.gateway.code, epoch: ledger.epoch, counter: loanCounter)
    }

    mutating func add(_ body: Event.Body, evidence: JSON) {
        let place = station?.location.flatMap(LocationKey.init).map { ledger.uri(of: .location($0)) }
        events.append(
            Event(
                sequence: ledger.state.nextSequence + Int64(events.count), time: time, station: stationName, episode: episode, actor: actor,
                subjects: ledger.subjects(of: body), place: place, certainty: .final, corrects: nil, masterVersion: ledger.master.version,
                body: body, evidence: Self.bounded(evidence)))
    }

    mutating func raise(
        _ kind: ExceptionKind, items: [ItemKey] = [], epcs: [EPC] = [], candidates: [PersonKey] = [], loan: LoanNumber? = nil,
        code: String? = nil,
        direction: Direction? = nil, evidence: JSON = .null
    ) {
        let hours = Int64(station?.exceptionHours ?? 24)
        var deadline = time
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
        case .putAway(let putAway):
            switch putAway.subject {
            case .item(let key): return [uri(of: .item(key))]
            case .product(let key, let lot):
                let product = uri(of: .product(key))
                return [lot.map { "\(product)/10/\(PercentEncoding.encoded($0))" } ?? product]
            }
        case .exceptionRaised(let raised):
            return raised.items.map { uri(of: .item($0)) } + raised.epcs.map { $0.identity().canonicalURI }
        case .tagBound(let epc, let bearer), .tagUnbound(let epc, let bearer): return [epc.identity().canonicalURI, uri(of: bearer)]
        case .observedLate(let observed):
            return [observed.epc.identity().canonicalURI] + (observed.bearer.map { [uri(of: $0)] } ?? [])
        case .exceptionAssigned, .exceptionResolved, .stationModeChanged, .masterApplied: return []
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
