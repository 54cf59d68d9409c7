import Identifiers
import Readings

extension Ledger {
    /// Something was put on a shelf.
    func plan(_ putAway: Proposal.PutAway, station: String, at time: WallTime) -> Plan {
        var draft = Draft(ledger: self, station: station, at: time, opensEpisode: true)
        draft.actor = putAway.credential.flatMap(person).map(Event.Actor.person) ?? .unknown
        guard case .location(let location)? = bearer(of: putAway.location)?.bearer, let known = bearer(of: putAway.item) else {
            // The master data changed between the scan and the pair.
            return plan(unknownCode: putAway.item, station: station, at: time)
        }
        let subject: StockSubject
        switch known.bearer {
        case .item(let key): subject = .item(key)
        case .product(let key): subject = .product(key, lot: known.lot)
        case .person, .location: return plan(unknownCode: putAway.item, station: station, at: time)
        }
        var from: LocationKey?
        if case .item(let key) = subject { from = state.places[key] }
        draft.add(
            .putAway(.init(subject: subject, quantity: 1, location: location, locationURI: uri(of: .location(location)), from: from)),
            evidence: .compact([
                "seconds": .decimal(putAway.elapsed.milliseconds, scale: 1_000),
                "item_aim": putAway.item.symbology.map { .string($0.description) },
                "location_aim": putAway.location.symbology.map { .string($0.description) },
            ]))
        guard case .item(let item) = subject, let loan = state.loans[item] else { return draft.plan(feedback: .accepted) }
        // It lies on the shelf, and somebody has it on loan: the record is wrong, and only a person can say which.
        let isAnnounced = state.exceptions.values.contains {
            $0.raised.kind == .stateConflict && $0.raised.items == [item] && $0.raised.loan == loan.number
        }
        if !isAnnounced {
            draft.raise(
                .stateConflict, items: [item], candidates: [loan.person], loan: loan.number, evidence: ["location": .string(location.text)])
        }
        return draft.plan(feedback: .exception)
    }

    /// Who a badge belongs to, held before a reader or scanned.
    func person(_ credential: String) -> PersonKey? {
        if let person = master.credentials[credential] { return person }
        guard case .person(let person)? = bearer(of: Scan(data: Array(credential.utf8)))?.bearer else { return nil }
        return person
    }

    /// A code that nobody knows: an exception, with the code made harmless.
    func plan(unknownCode scan: Scan, station: String, at time: WallTime) -> Plan {
        var draft = Draft(ledger: self, station: station, at: time, opensEpisode: true)
        draft.actor = .unknown
        let code = String(decoding: scan.data.prefix(512), as: UTF8.self).shortened(to: 64)
        // The person hears it every time; the storekeeper is told once.
        let isAnnounced = state.exceptions.values.contains {
            $0.raised.kind == .unknownCode && $0.raised.code == code && $0.station == station
        }
        guard !isAnnounced else { return draft.plan(feedback: .exception) }
        draft.raise(
            .unknownCode, code: code,
            evidence: .compact(["aim": scan.symbology.map { .string($0.description) }, "bytes": .integer(Int64(scan.data.count))]))
        return draft.plan(feedback: .exception)
    }
}
