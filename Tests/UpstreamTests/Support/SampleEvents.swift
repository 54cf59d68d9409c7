import Ledger
import Readings
import Upstream

/// Stored events as the document of event types describes them, written by hand so that a change of the form is noticed here.
enum SampleEvents {
    static let identity = EventIdentity(prefix: 0x123_4567_89AB_CDEF)

    static func id(_ sequence: Int64) -> String { identity.id(sequence: sequence) }
    static func urn(_ sequence: Int64) -> String { "urn:uuid:\(id(sequence))" }

    static func event(
        _ sequence: Int64, type: String, data: JSON, subject: JSON, place: JSON? = "https://id.gs1.org/414/9521141123454/254/CRIB1",
        certainty: String = "final", corrects: Int64? = nil, identity: EventIdentity = SampleEvents.identity
    ) -> StoredEvent {
        let json = JSON.compact([
            "schema": 1, "id": .string(identity.id(sequence: sequence)), "seq": .integer(sequence), "type": .string(type),
            "certainty": .string(certainty), "corrects": corrects.map(JSON.integer), "time": "2026-11-20T09:15:30.123+01:00",
            "clock": "synchronised", "station": "gate-1",
            "episode": "gate-1/7", "subject": subject, "place": place, "actor": ["person": "p-7f3a"], "master": 3, "data": data,
            "evidence": ["reads": 17], "prev": .string(String(repeating: "0", count: 64)),
        ])
        return StoredEvent(sequence: sequence, bytes: json.canonicalBytes)
    }

    static func checkout(_ sequence: Int64, item: String = "https://id.gs1.org/8004/952114132a%2Fb") -> StoredEvent {
        event(
            sequence, type: "loan.checked_out",
            data: [
                "loan": .string(loan), "item": "DRILL-01", "epc": "3034257BF400B7800004CB2F", "person": "p-7f3a", "permit": "PERM-9",
                "due": "2026-11-27T18:00:00.000+01:00",
            ], subject: [.string(item)])
    }

    /// The withdrawal of `checkout(corrects)`.
    static func retraction(_ sequence: Int64, of corrects: Int64, replacedBy: Int64? = nil) throws -> StoredEvent {
        let wrong = try checkout(corrects).json()
        return event(
            sequence, type: "crossing.retracted",
            data: .compact([
                "type": wrong["type"], "time": wrong["time"], "data": wrong["data"], "replaced_by": replacedBy.map(JSON.integer),
            ]), subject: wrong["subject"] ?? [], corrects: corrects)
    }

    static func giveBack(_ sequence: Int64) -> StoredEvent {
        event(
            sequence, type: "loan.returned", data: ["loan": .string(loan), "item": "DRILL-01", "borrower": "p-7f3a"],
            subject: ["https://id.gs1.org/8004/952114132a%2Fb"])
    }

    static func putAwayItem(_ sequence: Int64) -> StoredEvent {
        event(
            sequence, type: "stock.put_away",
            data: [
                "stock": ["item": "PALLET-1"], "quantity": 1, "location": "A-01-03",
                "location_uri": "https://id.gs1.org/414/9521141123454/254/A-01-03",
            ], subject: ["https://id.gs1.org/00/095201234567891235"], place: "https://id.gs1.org/414/9521141123454/254/BENCH")
    }

    static func putAwayLot(_ sequence: Int64) -> StoredEvent {
        event(
            sequence, type: "stock.put_away",
            data: [
                "stock": ["product": "BOLT-M8", "lot": "ABC/1"], "quantity": 200, "location": "A-01-03",
                "location_uri": "https://example.com/stockgate/location/A-01-03",
            ], subject: ["https://id.gs1.org/01/09506000134352/10/ABC%2F1"])
    }

    static func consumed(_ sequence: Int64) -> StoredEvent {
        event(
            sequence, type: "stock.consumed",
            data: [
                "product": "BOLT-M8", "quantity": 3, "location": "CAB-1", "location_uri": "https://example.com/stockgate/location/CAB-1",
                "person": "p-7f3a",
            ], subject: ["https://id.gs1.org/01/09506000134352"])
    }

    static func exception(_ sequence: Int64) -> StoredEvent {
        event(
            sequence, type: "exception.raised",
            data: ["kind": "no_badge", "items": ["DRILL-01"], "owner": "storekeeper", "deadline": "2026-11-21T09:15:30.123+01:00"],
            subject: ["https://id.gs1.org/8004/952114132a%2Fb"])
    }

    static func modeChange(_ sequence: Int64) -> StoredEvent {
        event(sequence, type: "station.mode_changed", data: ["mode": "paused"], subject: [])
    }

    /// Minted with the check character of ISO/IEC 7064.
    static let loan = LoanNumber(gateway: "CRIB1", epoch: 0x9F4A_0000_0000_0000, counter: 42).description

    /// Each says which one came before it, the first that it is the first.
    static func following(_ events: [StoredEvent]) throws -> [OutgoingEvent] {
        var last: Int64?
        return try outgoing(events).map { event in
            var event = event
            event.after = last ?? event.sequence - 1
            last = event.sequence
            return event
        }
    }

    static func outgoing(_ events: [StoredEvent]) throws -> [OutgoingEvent] {
        try events.map { try OutgoingEvent($0) }
    }
}
