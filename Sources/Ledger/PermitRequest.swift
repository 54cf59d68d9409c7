import Readings

/// A request to borrow 借入申请 made at this gateway.
public struct PermitRequest: Hashable, Sendable {
    public enum Status: String, Hashable, Sendable, CaseIterable {
        case pending, approved
    }

    public var permit: Permit
    /// Approvals that it needs, 1...5.
    public var levels: Int
    /// Who approved so far, as the command line or API knows them; each once.
    public var approvals: [String]
    public var requestedBy: String
    public var since: WallTime

    public var status: Status { approvals.count >= levels ? .approved : .pending }

    /// The row `request/PERMIT`, and its form in the API.
    public var row: JSON {
        var members = permit.json.object ?? [:]
        members["levels"] = .integer(Int64(levels))
        members["approvals"] = .array(approvals.map(JSON.string))
        members["requested_by"] = .string(requestedBy)
        members["since"] = .string(since.rfc3339)
        members["status"] = .string(status.rawValue)
        return .object(members)
    }

    public init(permit: Permit, levels: Int, approvals: [String] = [], requestedBy: String, since: WallTime) {
        self.permit = permit
        self.levels = levels
        self.approvals = approvals
        self.requestedBy = requestedBy
        self.since = since
    }

    public init?(row: JSON) {
        guard let permit = Permit(json: row), let levels = row["levels"]?.integer, (1...5).contains(levels),
            let since = row["since"]?.string.flatMap(WallTime.init(rfc3339:))
        else { return nil }
        self.init(
            permit: permit, levels: Int(levels), approvals: (row["approvals"]?.array ?? []).prefix(5).compactMap(\.string),
            requestedBy: row["requested_by"]?.string ?? "", since: since)
    }
}

extension Permit {
    /// For the API, and part of the row of a request.
    public var json: JSON {
        .compact([
            "permit": .string(key.text), "person": .string(person.text),
            "items": items.isEmpty ? nil : .array(items.sorted().map { .string($0.text) }),
            "classes": classes.isEmpty ? nil : .array(classes.sorted().map(JSON.string)),
            "quantity": .integer(Int64(quantity)), "from": from.map { .string($0.description) },
            "until": until.map { .string($0.description) }, "due": due.map { .string($0.description) },
            "purpose": purpose.map(JSON.string), "approvers": approvers.isEmpty ? nil : .array(approvers.map(JSON.string)),
        ])
    }

    /// The members of a request. nil when one is missing or of another form.
    init?(json: JSON) {
        func day(_ name: String) -> CivilDate? { json[name]?.string.flatMap { CivilDate($0) } }
        guard let key = json["permit"]?.string.flatMap(PermitKey.init), let person = json["person"]?.string.flatMap(PersonKey.init),
            let quantity = json["quantity"]?.integer, (1...100_000).contains(quantity)
        else { return nil }
        self.init(
            key: key, person: person, items: Set((json["items"]?.array ?? []).compactMap { $0.string.flatMap(ItemKey.init) }),
            classes: Set((json["classes"]?.array ?? []).compactMap(\.string)), quantity: Int(quantity), from: day("from"),
            until: day("until"), due: day("due"), purpose: json["purpose"]?.string)
        guard !items.isEmpty || !classes.isEmpty else { return nil }
    }
}
