import Readings

/// What becomes of a loan and its tools after the checkout.
extension Event {
    public struct Renewal: Hashable, Sendable {
        public var loan: LoanNumber
        public var item: ItemKey
        public var borrower: PersonKey
        public var due: WallTime
        /// The first renewal is 1.
        public var count: Int64
    }

    /// One person hands a tool on to another: a line of one loan ends, another loan begins.
    public struct Transfer: Hashable, Sendable {
        /// The new loan.
        public var loan: LoanNumber
        public var item: ItemKey
        public var fromLoan: LoanNumber
        public var from: PersonKey
        public var person: PersonKey
        public var permit: PermitKey?
        public var due: WallTime
    }

    public struct Inspection: Hashable, Sendable {
        public enum Result: String, Hashable, Sendable, CaseIterable {
            case fine, damaged, incomplete
        }

        public var item: ItemKey
        public var result: Result
        /// The loan that it came back from.
        public var loan: LoanNumber?
        public var borrower: PersonKey?
        /// Parts of a kit that are missing.
        public var missing: [ItemKey]
        /// Where a picture of it is kept: a name or URL, at most 512 bytes.
        public var photo: String?
        public var note: String?
        /// Who answers for it.
        public var responsible: PersonKey?
    }

    public struct Loss: Hashable, Sendable {
        public var loan: LoanNumber
        public var item: ItemKey
        public var borrower: PersonKey
        public var note: String?
    }

    /// Something about a loan is unusual: no refusal, a thing to look at.
    public struct Flag: Hashable, Sendable {
        public enum Reason: String, Hashable, Sendable, CaseIterable {
            /// This person hardly ever borrows at this hour.
            case hour = "unusual_hour"
            /// Far more than this person borrows in other months.
            case rate = "unusual_rate"
            /// The same tool goes to and fro between the same two people.
            case sameTwoPeople = "same_two_people"
        }

        public var loan: LoanNumber
        public var item: ItemKey
        public var borrower: PersonKey
        public var reason: Reason
        /// The figures that it went by.
        public var figures: JSON
    }

    public struct Maintenance: Hashable, Sendable {
        public var item: ItemKey
        /// Since the last maintenance.
        public var uses: Int64
        public var hours: Int64
    }
}

extension Event.Renewal {
    var json: JSON {
        [
            "loan": .string(loan.description), "item": .string(item.text), "borrower": .string(borrower.text),
            "due": .string(due.rfc3339), "count": .integer(count),
        ]
    }

    init?(json: JSON) {
        guard let loan = json.loan("loan"), let item = json.item("item"), let borrower = json.person("borrower"),
            let due = json.time("due"), let count = json["count"]?.integer
        else { return nil }
        self.init(loan: loan, item: item, borrower: borrower, due: due, count: count)
    }
}

extension Event.Transfer {
    var json: JSON {
        .compact([
            "loan": .string(loan.description), "item": .string(item.text), "from_loan": .string(fromLoan.description),
            "borrower": .string(from.text), "person": .string(person.text), "permit": permit.map { .string($0.text) },
            "due": .string(due.rfc3339),
        ])
    }

    init?(json: JSON) {
        guard let loan = json.loan("loan"), let item = json.item("item"), let fromLoan = json.loan("from_loan"),
            let from = json.person("borrower"), let person = json.person("person"), let due = json.time("due")
        else { return nil }
        self.init(
            loan: loan, item: item, fromLoan: fromLoan, from: from, person: person, permit: json["permit"]?.string.flatMap(PermitKey.init),
            due: due)
    }
}

extension Event.Inspection {
    var json: JSON {
        .compact([
            "item": .string(item.text), "result": .string(result.rawValue), "loan": loan.map { .string($0.description) },
            "borrower": borrower.map { .string($0.text) },
            "missing": missing.isEmpty ? nil : .array(missing.map { .string($0.text) }), "photo": photo.map(JSON.string),
            "note": note.map(JSON.string), "person": responsible.map { .string($0.text) },
        ])
    }

    init?(json: JSON) {
        guard let item = json.item("item"), let result = json["result"]?.string.flatMap(Result.init) else { return nil }
        self.init(
            item: item, result: result, loan: json.loan("loan"), borrower: json.person("borrower"),
            missing: (json["missing"]?.array ?? []).compactMap { $0.string.flatMap(ItemKey.init) }, photo: json["photo"]?.string,
            note: json["note"]?.string, responsible: json.person("person"))
    }
}

extension Event.Loss {
    var json: JSON {
        .compact([
            "loan": .string(loan.description), "item": .string(item.text), "borrower": .string(borrower.text),
            "note": note.map(JSON.string),
        ])
    }

    init?(json: JSON) {
        guard let loan = json.loan("loan"), let item = json.item("item"), let borrower = json.person("borrower") else {
            return nil
        }
        self.init(loan: loan, item: item, borrower: borrower, note: json["note"]?.string)
    }
}

extension Event.Flag {
    var json: JSON {
        [
            "loan": .string(loan.description), "item": .string(item.text), "borrower": .string(borrower.text),
            "reason": .string(reason.rawValue), "figures": figures,
        ]
    }

    init?(json: JSON) {
        guard let loan = json.loan("loan"), let item = json.item("item"), let borrower = json.person("borrower"),
            let reason = json["reason"]?.string.flatMap(Reason.init)
        else { return nil }
        self.init(loan: loan, item: item, borrower: borrower, reason: reason, figures: json["figures"] ?? .null)
    }
}

extension Event.Maintenance {
    var json: JSON { ["item": .string(item.text), "uses": .integer(uses), "hours": .integer(hours)] }

    init?(json: JSON) {
        guard let item = json.item("item"), let uses = json["uses"]?.integer, let hours = json["hours"]?.integer else { return nil }
        self.init(item: item, uses: uses, hours: hours)
    }
}

extension JSON {
    fileprivate func item(_ name: String) -> ItemKey? { self[name]?.string.flatMap(ItemKey.init) }
    fileprivate func person(_ name: String) -> PersonKey? { self[name]?.string.flatMap(PersonKey.init) }
    fileprivate func loan(_ name: String) -> LoanNumber? { self[name]?.string.flatMap(LoanNumber.init) }
    fileprivate func time(_ name: String) -> WallTime? { self[name]?.string.flatMap(WallTime.init(rfc3339:)) }
}
