import Ledger
import Readings
import SiteConfiguration

/// Turns events into EPCIS 2.0 events (GS1 EPCIS and CBV 2.0). `docs/upstream.md` has the table.
///
/// CBV has no word for lending, so checkouts and returns use words of the site's own, or, for receivers that refuse those, the
/// nearest word of the CBV.
public struct EPCISMapping: Hashable, Sendable {
    /// The context that every document names first (EPCIS 2.0, section 10).
    public static let standardContext = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
    /// The prefix of our own properties; declared in the context.
    static let ownPrefix = "stockgate"

    private let prefix: String
    private let store: String
    private let usesOnlyCBV: Bool
    private let naming: Site.Destination.Naming

    /// - Parameters:
    ///   - uriPrefix: what URIs of the site's own begin with, for example `https://example.com/stockgate`.
    ///   - gatewayCode: names the store as a party that possesses things.
    public init(uriPrefix: String, gatewayCode: String, usesOnlyCBV: Bool, naming: Site.Destination.Naming = .init()) {
        var prefix = uriPrefix[...]
        while prefix.hasSuffix("/") { prefix = prefix.dropLast() }
        self.prefix = String(prefix)
        self.store = "\(prefix)/store/\(PercentEncoding.encoded(gatewayCode))"
        self.usesOnlyCBV = usesOnlyCBV
        self.naming = naming
    }

    /// What an event is in EPCIS.
    public enum Result: Hashable, Sendable {
        /// An event of a document's `eventList`, without its own `@context`.
        case event(JSON)
        /// EPCIS has nothing to say about this type.
        case noMeaning
        /// An event that should have a meaning but lacks what it takes.
        case unmappable(String)
    }

    /// The `@context` of documents and of events that are sent alone.
    public var context: JSON {
        usesOnlyCBV
            ? [.string(Self.standardContext)]
            : [.string(Self.standardContext), .object([Self.ownPrefix: .string("\(prefix)/epcis/")])]
    }

    public func map(_ outgoing: OutgoingEvent) -> Result {
        var event: Event
        do {
            event = try Event(json: outgoing.json)
        } catch {
            return .unmappable(error.reason)
        }
        // What was reckoned from a wrong clock is not told; the time itself is put right.
        if outgoing.shift != 0 { event.time = event.time.shifted(by: outgoing.shift) }
        guard case .crossingRetracted(let retraction) = event.body else { return map(event, id: outgoing.id, type: outgoing.type) }
        return map(retraction, in: event, of: outgoing)
    }

    /// EPCIS changes nothing: the event that was wrong is sent again as it was, with its own id, and declared to be wrong. What the log has
    /// no more is made of what the withdrawal repeats: a loan that was renewed has another due time there.
    private func map(_ retraction: Event.Retraction, in event: Event, of outgoing: OutgoingEvent) -> Result {
        guard let original = event.corrects, let identity = EventIdentity(of: outgoing.id) else {
            return .unmappable("a withdrawal of nothing")
        }
        var wrong: Event
        if let stored = outgoing.corrected.flatMap({ try? Event(json: $0.json) }) {
            wrong = stored
        } else {
            wrong = event
            (wrong.sequence, wrong.time, wrong.body) = (original, retraction.time, retraction.fact.body)
        }
        let shift = outgoing.corrected?.shift ?? outgoing.shift
        if shift != 0 { wrong.time = wrong.time.shifted(by: shift) }
        let result = map(wrong, id: outgoing.corrected?.id ?? identity.id(sequence: original), type: wrong.body.type)
        guard case .event(let json) = result, var members = json.object else { return result }
        members["errorDeclaration"] = .compact([
            "declarationTime": .string((event.recorded ?? event.time).rfc3339),
            "reason": retraction.replacedBy == nil ? "did_not_occur" : "incorrect_data",
            "correctiveEventIDs": retraction.replacedBy.map { [.string("urn:uuid:\(identity.id(sequence: $0))")] },
        ])
        return .event(.object(members))
    }

    private func map(_ event: Event, id: String, type: String) -> Result {
        guard let what = members(of: event) else { return .noMeaning }
        var members: [String: JSON?] = [
            "type": "ObjectEvent",
            "action": "OBSERVE",
            "eventID": .string("urn:uuid:\(id)"),
            "eventTime": .string(event.time.rfc3339),
            "eventTimeZoneOffset": .string(WallTime.offsetText(minutes: event.time.offsetMinutes)),
        ]
        members.merge(what) { _, mapped in mapped }
        guard addSubjects(of: event, to: &members) else { return .unmappable("an event of type \(type) without a subject") }
        if !usesOnlyCBV {
            if event.time.quality == .unknown { members["\(Self.ownPrefix):clock"] = .string(event.time.quality.rawValue) }
            members["\(Self.ownPrefix):sequence"] = .integer(event.sequence)
            members["\(Self.ownPrefix):station"] = event.station.map(JSON.string)
        }
        return .event(.compact(members))
    }

    /// Everything that depends on the type; nil: no meaning.
    private func members(of event: Event) -> [String: JSON?]? {
        let here: JSON? = event.place.map { ["id": .string(naming.instance($0))] }
        switch event.body {
        case .checkedOut(let checkout):
            return [
                "bizStep": ownStep("checking_out"), "disposition": "unavailable", "readPoint": here,
                "bizTransactionList": transaction(of: checkout.loan),
                "sourceList": [["type": "possessing_party", "source": .string(store)]],
                "destinationList": [["type": "possessing_party", "destination": .string(uri(of: checkout.person))]],
                // Reckoned from a clock that was put right since, it lies before the checkout.
                "\(Self.ownPrefix):due": usesOnlyCBV || checkout.due.milliseconds < event.time.milliseconds
                    ? nil : .string(checkout.due.rfc3339),
                "\(Self.ownPrefix):permit": usesOnlyCBV ? nil : checkout.permit.map { .string($0.text) },
            ]
        case .returned(let returned):
            return [
                "bizStep": ownStep("checking_in"), "disposition": returned.mustBeInspected ? "returned" : "available",
                "readPoint": here, "bizLocation": here,
                "bizTransactionList": transaction(of: returned.loan),
                "sourceList": [["type": "possessing_party", "source": .string(uri(of: returned.borrower))]],
                "destinationList": [["type": "possessing_party", "destination": .string(store)]],
            ]
        case .transferred(let transfer):
            return [
                "bizStep": ownStep("checking_out"), "disposition": "unavailable", "readPoint": here,
                "bizTransactionList": transaction(of: transfer.loan),
                "sourceList": [["type": "possessing_party", "source": .string(uri(of: transfer.from))]],
                "destinationList": [["type": "possessing_party", "destination": .string(uri(of: transfer.person))]],
            ]
        case .inspected(let inspection):
            // CBV 2.0, section 7.2: what is not whole does not conform.
            let disposition: JSON =
                switch inspection.result {
                case .fine: "available"
                case .damaged: "damaged"
                case .incomplete: "non_conformant"
                }
            return [
                "bizStep": "inspecting", "disposition": disposition, "readPoint": here,
                "bizTransactionList": inspection.loan.map(transaction),
            ]
        case .lost(let loss):
            return [
                "bizStep": "other", "disposition": "unknown", "bizTransactionList": transaction(of: loss.loan),
                "sourceList": [["type": "possessing_party", "source": .string(uri(of: loss.borrower))]],
            ]
        case .found: return ["bizStep": "other", "disposition": "returned", "readPoint": here, "bizLocation": here]
        case .putAway(let putAway):
            let shelf: JSON = ["id": .string(naming.instance(putAway.locationURI))]
            return ["bizStep": "storing", "disposition": "in_progress", "readPoint": shelf, "bizLocation": shelf]
        case .consumed(let consumed):
            let shelf: JSON = ["id": .string(naming.instance(consumed.locationURI))]
            return ["bizStep": "dispensing", "disposition": "dispensed", "readPoint": shelf]
        case .reminded, .renewed, .flagged, .maintenanceDue, .serviced, .permitRequested, .permitApproved, .permitRejected,
            .permitWithdrawn, .crossingRetracted, .exceptionRaised, .exceptionAssigned, .exceptionResolved, .tagBound, .tagUnbound,
            .observedLate, .stationModeChanged, .masterApplied, .clockCorrected, .cabinetOpened, .cabinetClosed, .cabinetUnlocked,
            .cabinetRefused:
            return nil
        }
    }

    /// Single things stand in `epcList`, in which EPCIS allows none twice; goods that are counted stand in `quantityList` by class.
    private func addSubjects(of event: Event, to members: inout [String: JSON?]) -> Bool {
        var seen: Set<String> = []
        let subjects = event.subjects.filter { seen.insert($0).inserted }
        guard !subjects.isEmpty else { return false }
        if let quantity = Self.quantity(of: event) {
            members["quantityList"] = .array(subjects.map { ["epcClass": .string(naming.goods($0)), "quantity": .integer(quantity)] })
        } else {
            members["epcList"] = .array(subjects.map { .string(naming.instance($0)) })
        }
        return true
    }

    /// Of goods that are counted.
    private static func quantity(of event: Event) -> Int64? {
        switch event.body {
        case .putAway(let putAway): if case .product = putAway.subject { putAway.quantity } else { nil }
        case .consumed(let consumed): consumed.quantity
        default: nil
        }
    }

    private func ownStep(_ name: String) -> JSON {
        usesOnlyCBV ? "storing" : .string("\(prefix)/voc/BizStep-\(name)")
    }

    private func transaction(of loan: LoanNumber) -> JSON {
        [
            .compact([
                "type": usesOnlyCBV ? nil : .string("\(prefix)/voc/BTT-loan"),
                "bizTransaction": .string("\(prefix)/loan/\(PercentEncoding.encoded(loan.description))"),
            ])
        ]
    }

    /// The random key, not a name or a number: a borrower's identity is personal data and stays in the gateway's master data.
    private func uri(of person: PersonKey) -> String {
        "\(prefix)/person/\(PercentEncoding.encoded(person.text))"
    }
}

extension WallTime {
    fileprivate func shifted(by milliseconds: Int64) -> WallTime {
        let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
        return WallTime(milliseconds: overflow ? self.milliseconds : sum, offsetMinutes: offsetMinutes, quality: .unsynchronised)
    }
}
