import Readings

/// What a person asks about permits, loans and tools.
public enum LoanCommand: Hashable, Sendable {
    /// The key of the permit is minted by the ledger.
    case request(RequestForm)
    case approve(permit: PermitKey)
    case reject(permit: PermitKey, note: String)
    case withdraw(permit: PermitKey, note: String)
    /// All that is still out of a loan, or one item of it.
    case renew(loan: LoanNumber, item: ItemKey?)
    case takeBack(loan: LoanNumber, item: ItemKey?)
    /// The loan was a mistake: it never happened.
    case void(loan: LoanNumber, item: ItemKey?, note: String)
    case transfer(item: ItemKey, to: PersonKey)
    case lost(item: ItemKey, note: String)
    case inspect(InspectionForm)
    case service(item: ItemKey, note: String)
    /// Who it was: the tools of an exception become this person's loan.
    case correct(exception: Int64, person: PersonKey, note: String)

    public struct RequestForm: Hashable, Sendable {
        public var person: PersonKey
        public var items: [ItemKey]
        public var classes: [String]
        public var quantity: Int
        public var purpose: String?
        public var from: CivilDate?
        public var until: CivilDate?
        public var due: CivilDate?

        public init(
            person: PersonKey, items: [ItemKey] = [], classes: [String] = [], quantity: Int = 1, purpose: String? = nil,
            from: CivilDate? = nil, until: CivilDate? = nil, due: CivilDate? = nil
        ) {
            self.person = person
            self.items = items
            self.classes = classes
            self.quantity = quantity
            self.purpose = purpose
            self.from = from
            self.until = until
            self.due = due
        }
    }

    public struct InspectionForm: Hashable, Sendable {
        public var item: ItemKey
        public var result: Event.Inspection.Result
        public var missing: [ItemKey]
        public var photo: String?
        public var note: String?
        public var responsible: PersonKey?

        public init(
            item: ItemKey, result: Event.Inspection.Result, missing: [ItemKey] = [], photo: String? = nil, note: String? = nil,
            responsible: PersonKey? = nil
        ) {
            self.item = item
            self.result = result
            self.missing = missing
            self.photo = photo
            self.note = note
            self.responsible = responsible
        }
    }

    /// Bytes of a note, purpose or name of a picture.
    public static let maximumText = 512

    public var json: JSON {
        func line(_ word: String, _ loan: LoanNumber, _ item: ItemKey?, note: String? = nil) -> JSON {
            .compact([
                "do": .string(word), "loan": .string(loan.description), "item": item.map { .string($0.text) },
                "note": note.map(JSON.string),
            ])
        }
        func permit(_ word: String, _ permit: PermitKey, note: String? = nil) -> JSON {
            .compact(["do": .string(word), "permit": .string(permit.text), "note": note.map(JSON.string)])
        }
        return switch self {
        case .request(let form):
            .compact([
                "do": "permit.request", "person": .string(form.person.text),
                "items": form.items.isEmpty ? nil : .array(form.items.map { .string($0.text) }),
                "classes": form.classes.isEmpty ? nil : .array(form.classes.map(JSON.string)),
                "quantity": .integer(Int64(form.quantity)), "purpose": form.purpose.map(JSON.string),
                "from": form.from.map { .string($0.description) }, "until": form.until.map { .string($0.description) },
                "due": form.due.map { .string($0.description) },
            ])
        case .approve(let key): permit("permit.approve", key)
        case .reject(let key, let note): permit("permit.reject", key, note: note)
        case .withdraw(let key, let note): permit("permit.withdraw", key, note: note)
        case .renew(let loan, let item): line("loan.renew", loan, item)
        case .takeBack(let loan, let item): line("loan.return", loan, item)
        case .void(let loan, let item, let note): line("loan.void", loan, item, note: note)
        case .transfer(let item, let person):
            ["do": "loan.transfer", "item": .string(item.text), "person": .string(person.text)]
        case .lost(let item, let note): ["do": "loan.lost", "item": .string(item.text), "note": .string(note)]
        case .inspect(let form):
            .compact([
                "do": "return.inspect", "item": .string(form.item.text), "result": .string(form.result.rawValue),
                "missing": form.missing.isEmpty ? nil : .array(form.missing.map { .string($0.text) }),
                "photo": form.photo.map(JSON.string), "note": form.note.map(JSON.string),
                "responsible": form.responsible.map { .string($0.text) },
            ])
        case .service(let item, let note): ["do": "tool.service", "item": .string(item.text), "note": .string(note)]
        case .correct(let exception, let person, let note):
            [
                "do": "exception.correct", "exception": .integer(exception), "person": .string(person.text), "note": .string(note),
            ]
        }
    }

    /// nil when the form is not one of these.
    public init?(json: JSON) {
        func text(_ name: String) -> String? { json[name]?.string }
        let (loan, item) = (text("loan").flatMap(LoanNumber.init), text("item").flatMap(ItemKey.init))
        let (permit, person) = (text("permit").flatMap(PermitKey.init), text("person").flatMap(PersonKey.init))
        let note = text("note") ?? ""
        guard [note, text("purpose") ?? "", text("photo") ?? ""].allSatisfy({ $0.utf8.count <= Self.maximumText }),
            json["item"] == nil || item != nil
        else { return nil }
        let command: Self? =
            switch text("do") {
            case "permit.request": RequestForm(json: json).map(Self.request)
            case "permit.approve": permit.map(Self.approve)
            case "permit.reject": permit.map { .reject(permit: $0, note: note) }
            case "permit.withdraw": permit.map { .withdraw(permit: $0, note: note) }
            case "loan.renew": loan.map { .renew(loan: $0, item: item) }
            case "loan.return": loan.map { .takeBack(loan: $0, item: item) }
            case "loan.void": loan.map { .void(loan: $0, item: item, note: note) }
            case "loan.transfer": item.flatMap { item in person.map { .transfer(item: item, to: $0) } }
            case "loan.lost": item.map { .lost(item: $0, note: note) }
            case "return.inspect": InspectionForm(json: json).map(Self.inspect)
            case "tool.service": item.map { .service(item: $0, note: note) }
            case "exception.correct":
                json["exception"]?.integer.flatMap { number in person.map { .correct(exception: number, person: $0, note: note) } }
            default: nil
            }
        guard let command else { return nil }
        self = command
    }
}

extension LoanCommand.RequestForm {
    init?(json: JSON) {
        func list<Value>(_ name: String, _ read: (String) -> Value?) -> [Value]? {
            let values = (json[name]?.array ?? []).map { $0.string.flatMap(read) }
            return values.count <= 100 && values.allSatisfy { $0 != nil } ? values.compactMap { $0 } : nil
        }
        func day(_ name: String) -> CivilDate?? {
            guard let value = json[name], !value.isNull else { return .some(nil) }
            return value.string.flatMap { CivilDate($0) }.map { .some($0) }
        }
        guard let person = json["person"]?.string.flatMap(PersonKey.init), let items = list("items", ItemKey.init),
            let classes = list("classes", { ItemKey($0)?.text }), let from = day("from"), let until = day("until"), let due = day("due")
        else { return nil }
        let quantity = json["quantity"]?.integer ?? Int64(max(1, items.count))
        guard (1...100_000).contains(quantity), json["quantity"] == nil || json["quantity"]?.integer != nil,
            !items.isEmpty || !classes.isEmpty
        else { return nil }
        self.init(
            person: person, items: items, classes: classes, quantity: Int(quantity), purpose: json["purpose"]?.string, from: from,
            until: until, due: due)
    }
}

extension LoanCommand.InspectionForm {
    init?(json: JSON) {
        guard let item = json["item"]?.string.flatMap(ItemKey.init),
            let result = json["result"]?.string.flatMap(Event.Inspection.Result.init)
        else { return nil }
        let missing = (json["missing"]?.array ?? []).map { $0.string.flatMap(ItemKey.init) }
        guard missing.count <= 100, missing.allSatisfy({ $0 != nil }) else { return nil }
        let responsible = json["responsible"]?.string.map(PersonKey.init)
        if case .some(.none) = responsible { return nil }
        self.init(
            item: item, result: result, missing: missing.compactMap { $0 }, photo: json["photo"]?.string, note: json["note"]?.string,
            responsible: responsible ?? nil)
    }
}
