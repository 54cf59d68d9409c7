import Readings

extension Event.Consumed {
    var json: JSON {
        .compact([
            "product": subject.product.map { .string($0.text) }, "lot": subject.lot.map(JSON.string), "quantity": .integer(quantity),
            "location": .string(location.text), "location_uri": .string(locationURI), "person": person.map { .string($0.text) },
        ])
    }

    init?(json: JSON) {
        guard let product = json["product"]?.string.flatMap(ProductKey.init), let quantity = json["quantity"]?.integer, quantity > 0,
            let location = json["location"]?.string.flatMap(LocationKey.init), let uri = json["location_uri"]?.string
        else { return nil }
        self.init(
            subject: .product(product, lot: json["lot"]?.string), quantity: quantity, location: location, locationURI: uri,
            person: json["person"]?.string.flatMap(PersonKey.init))
    }
}

extension Event.CabinetOpened {
    var json: JSON {
        .compact([
            "persons": .array(people.map { .string($0.text) }), "reason": .string(reason.rawValue), "client": client.map(JSON.string),
            "note": note.map(JSON.string),
        ])
    }

    init?(json: JSON) {
        guard let people = json["persons"]?.array, let reason = json["reason"]?.string.flatMap(Proposal.OpeningReason.init) else {
            return nil
        }
        self.init(
            people: people.compactMap { $0.string.flatMap(PersonKey.init) }, reason: reason, client: json["client"]?.string,
            note: json["note"]?.string)
    }
}

extension Event.CabinetClosed {
    var json: JSON {
        .compact([
            "persons": .array(people.map { .string($0.text) }), "reason": .string(reason.rawValue),
            "open_ms": milliseconds.map(JSON.integer),
        ])
    }

    init?(json: JSON) {
        guard let opened = Event.CabinetOpened(json: json) else { return nil }
        self.init(people: opened.people, reason: opened.reason, milliseconds: json["open_ms"]?.integer)
    }
}

extension Event.CabinetUnlocked {
    var json: JSON { .compact(["person": person.map { .string($0.text) }, "note": .string(note)]) }

    init?(json: JSON) {
        guard let note = json["note"]?.string else { return nil }
        self.init(person: json["person"]?.string.flatMap(PersonKey.init), note: note)
    }
}

extension Event.CabinetRefused {
    var json: JSON { .compact(["person": person.map { .string($0.text) }, "reason": .string(reason)]) }

    init?(json: JSON) {
        guard let reason = json["reason"]?.string else { return nil }
        self.init(person: json["person"]?.string.flatMap(PersonKey.init), reason: reason)
    }
}

extension StockSubject {
    var product: ProductKey? { if case .product(let key, _) = self { key } else { nil } }

    var lot: String? { if case .product(_, let lot) = self { lot } else { nil } }
}
