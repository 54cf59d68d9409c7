import Identifiers
import Readings

extension Event.Body {
    /// The event's type upstream: a noun, a dot, a participle.
    public var type: String {
        switch self {
        case .checkedOut: "loan.checked_out"
        case .returned: "loan.returned"
        case .reminded: "loan.reminded"
        case .renewed: "loan.renewed"
        case .transferred: "loan.transferred"
        case .inspected: "loan.inspected"
        case .lost: "loan.lost"
        case .found: "tool.found"
        case .flagged: "loan.flagged"
        case .maintenanceDue: "tool.maintenance_due"
        case .serviced: "tool.serviced"
        case .permitRequested: "permit.requested"
        case .permitApproved: "permit.approved"
        case .permitRejected: "permit.rejected"
        case .permitWithdrawn: "permit.withdrawn"
        case .putAway: "stock.put_away"
        case .consumed: "stock.consumed"
        case .cabinetOpened: "cabinet.opened"
        case .cabinetClosed: "cabinet.closed"
        case .cabinetUnlocked: "cabinet.unlocked"
        case .cabinetRefused: "cabinet.refused"
        case .exceptionRaised: "exception.raised"
        case .crossingRetracted: "crossing.retracted"
        case .exceptionAssigned: "exception.assigned"
        case .exceptionResolved: "exception.resolved"
        case .tagBound: "tag.bound"
        case .tagUnbound: "tag.unbound"
        case .observedLate: "tag.observed_late"
        case .stationModeChanged: "station.mode_changed"
        case .masterApplied: "master.applied"
        case .clockCorrected: "clock.corrected"
        }
    }

    /// Every type, in the order of `docs/events.md`.
    public static let types = [
        "loan.checked_out", "loan.returned", "loan.reminded", "loan.renewed", "loan.transferred", "loan.inspected", "loan.lost",
        "loan.flagged",
        "tool.found", "tool.maintenance_due", "tool.serviced", "permit.requested", "permit.approved", "permit.rejected",
        "permit.withdrawn", "crossing.retracted", "stock.put_away", "stock.consumed", "cabinet.opened", "cabinet.closed",
        "cabinet.unlocked", "cabinet.refused", "exception.raised", "exception.assigned",
        "exception.resolved", "tag.bound",
        "tag.unbound", "tag.observed_late", "station.mode_changed", "master.applied", "clock.corrected",
    ]

    /// The `data` member.
    public var json: JSON {
        switch self {
        case .checkedOut(let checkout):
            .compact([
                "loan": .string(checkout.loan.description), "item": .string(checkout.item.text),
                "epc": checkout.epc.map { .string($0.hex) },
                "person": .string(checkout.person.text), "permit": checkout.permit.map { .string($0.text) },
                "due": .string(checkout.due.rfc3339), "condition": checkout.condition.map { .string($0.rawValue) },
            ])
        case .returned(let returned):
            .compact([
                "loan": .string(returned.loan.description), "item": .string(returned.item.text),
                "epc": returned.epc.map { .string($0.hex) },
                "borrower": .string(returned.borrower.text), "inspect": returned.mustBeInspected ? true : nil,
            ])
        case .renewed(let renewal): renewal.json
        case .transferred(let transfer): transfer.json
        case .inspected(let inspection): inspection.json
        case .lost(let loss): loss.json
        case .found(let item): ["item": .string(item.text)]
        case .flagged(let flag): flag.json
        case .maintenanceDue(let maintenance): maintenance.json
        case .serviced(let item, let note): ["item": .string(item.text), "note": .string(note)]
        case .permitRequested(let request): request.row
        case .permitApproved(let permit, let level, let levels):
            ["permit": .string(permit.text), "level": .integer(level), "levels": .integer(levels)]
        case .permitRejected(let permit, let note), .permitWithdrawn(let permit, let note):
            ["permit": .string(permit.text), "note": .string(note)]
        case .putAway(let putAway):
            .compact([
                "stock": putAway.subject.json, "quantity": .integer(putAway.quantity), "location": .string(putAway.location.text),
                "location_uri": .string(putAway.locationURI), "from": putAway.from.map { .string($0.text) },
            ])
        case .reminded(let reminder): reminder.json
        case .consumed(let consumed): consumed.json
        case .cabinetOpened(let opened): opened.json
        case .cabinetClosed(let closed): closed.json
        case .cabinetUnlocked(let unlocked): unlocked.json
        case .cabinetRefused(let refused): refused.json
        case .exceptionRaised(let raised): raised.json
        case .crossingRetracted(let retraction): retraction.json
        case .exceptionAssigned(let exception, let owner): ["exception": .integer(exception), "owner": .string(owner)]
        case .exceptionResolved(let exception, let resolution, let note):
            ["exception": .integer(exception), "resolution": .string(resolution), "note": .string(note)]
        case .tagBound(let epc, let bearer), .tagUnbound(let epc, let bearer): ["epc": .string(epc.hex), "bearer": bearer.json]
        case .observedLate(let observed): observed.json
        case .stationModeChanged(let mode): ["mode": .string(mode.rawValue)]
        case .masterApplied(let version, let digest, let rows):
            ["version": .integer(version), "digest": .string(digest), "rows": .integer(rows)]
        case .clockCorrected(let correction): correction.json
        }
    }

    /// nil for an unknown type or missing members.
    init?(type: String, json: JSON) {
        func key<Entity>(_ name: String) -> Key<Entity>? { json[name]?.string.flatMap(Key.init) }
        func time(_ name: String) -> WallTime? { json[name]?.string.flatMap(WallTime.init(rfc3339:)) }
        let epc = json["epc"]?.string.flatMap(EPC.init(hex:))
        let loan = json["loan"]?.string.flatMap(LoanNumber.init)
        switch type {
        case "loan.checked_out":
            guard let loan, let item: ItemKey = key("item"), let person: PersonKey = key("person"), let due = time("due") else {
                return nil
            }
            self = .checkedOut(
                .init(
                    loan: loan, item: item, epc: epc, person: person, permit: key("permit"), due: due,
                    condition: json["condition"]?.string.flatMap(ToolCondition.init)))
        case "loan.returned":
            guard let loan, let item: ItemKey = key("item"), let borrower: PersonKey = key("borrower") else { return nil }
            self = .returned(
                .init(loan: loan, item: item, epc: epc, borrower: borrower, mustBeInspected: json["inspect"]?.bool ?? false))
        case "loan.reminded":
            guard let reminder = Event.Reminder(json: json) else { return nil }
            self = .reminded(reminder)
        case "loan.renewed", "loan.transferred", "loan.inspected", "loan.lost", "loan.flagged", "tool.found", "tool.maintenance_due",
            "tool.serviced", "permit.requested", "permit.approved", "permit.rejected", "permit.withdrawn":
            self.init(loanLife: type, json: json)
        case "stock.put_away":
            guard let subject = json["stock"].flatMap(StockSubject.init), let quantity = json["quantity"]?.integer,
                let location: LocationKey = key("location"), let uri = json["location_uri"]?.string
            else { return nil }
            self = .putAway(.init(subject: subject, quantity: quantity, location: location, locationURI: uri, from: key("from")))
        case "stock.consumed":
            guard let consumed = Event.Consumed(json: json) else { return nil }
            self = .consumed(consumed)
        case "cabinet.opened":
            guard let opened = Event.CabinetOpened(json: json) else { return nil }
            self = .cabinetOpened(opened)
        case "cabinet.closed":
            guard let closed = Event.CabinetClosed(json: json) else { return nil }
            self = .cabinetClosed(closed)
        case "cabinet.unlocked":
            guard let unlocked = Event.CabinetUnlocked(json: json) else { return nil }
            self = .cabinetUnlocked(unlocked)
        case "cabinet.refused":
            guard let refused = Event.CabinetRefused(json: json) else { return nil }
            self = .cabinetRefused(refused)
        case "exception.raised":
            guard let raised = Event.ExceptionRaised(json: json) else { return nil }
            self = .exceptionRaised(raised)
        case "crossing.retracted":
            guard let retraction = Event.Retraction(json: json) else { return nil }
            self = .crossingRetracted(retraction)
        case "exception.assigned":
            guard let exception = json["exception"]?.integer, let owner = json["owner"]?.string else { return nil }
            self = .exceptionAssigned(exception: exception, owner: owner)
        case "exception.resolved":
            guard let exception = json["exception"]?.integer, let resolution = json["resolution"]?.string else { return nil }
            self = .exceptionResolved(exception: exception, resolution: resolution, note: json["note"]?.string ?? "")
        case "tag.bound", "tag.unbound":
            guard let epc, let bearer = json["bearer"].flatMap(Bearer.init) else { return nil }
            self = type == "tag.bound" ? .tagBound(epc: epc, bearer: bearer) : .tagUnbound(epc: epc, bearer: bearer)
        case "tag.observed_late":
            guard let observed = Event.ObservedLate(json: json) else { return nil }
            self = .observedLate(observed)
        case "station.mode_changed":
            guard let mode = json["mode"]?.string.flatMap(StationMode.init) else { return nil }
            self = .stationModeChanged(mode)
        case "master.applied":
            guard let version = json["version"]?.integer, let digest = json["digest"]?.string, let rows = json["rows"]?.integer else {
                return nil
            }
            self = .masterApplied(version: version, digest: digest, rows: rows)
        case "clock.corrected":
            guard let correction = Event.ClockCorrection(json: json) else { return nil }
            self = .clockCorrected(correction)
        default: return nil
        }
    }
}

extension Event.Body {
    /// What becomes of loans, tools and requests.
    private init?(loanLife type: String, json: JSON) {
        let item = json["item"]?.string.flatMap(ItemKey.init)
        let permit = json["permit"]?.string.flatMap(PermitKey.init)
        let note = json["note"]?.string ?? ""
        let body: Self? =
            switch type {
            case "loan.renewed": Event.Renewal(json: json).map(Self.renewed)
            case "loan.transferred": Event.Transfer(json: json).map(Self.transferred)
            case "loan.inspected": Event.Inspection(json: json).map(Self.inspected)
            case "loan.lost": Event.Loss(json: json).map(Self.lost)
            case "loan.flagged": Event.Flag(json: json).map(Self.flagged)
            case "tool.found": item.map(Self.found)
            case "tool.maintenance_due": Event.Maintenance(json: json).map(Self.maintenanceDue)
            case "tool.serviced": item.map { .serviced(item: $0, note: note) }
            case "permit.requested": PermitRequest(row: json).map(Self.permitRequested)
            case "permit.approved":
                permit.map {
                    .permitApproved(permit: $0, level: json["level"]?.integer ?? 1, levels: json["levels"]?.integer ?? 1)
                }
            case "permit.rejected": permit.map { .permitRejected(permit: $0, note: note) }
            case "permit.withdrawn": permit.map { .permitWithdrawn(permit: $0, note: note) }
            default: nil
            }
        guard let body else { return nil }
        self = body
    }
}

extension Event.ObservedLate {
    var json: JSON {
        .compact([
            "epc": .string(epc.hex), "bearer": bearer?.json, "device": .string(device),
            "antennas": .array(antennas.ports.map { .integer(Int64($0)) }), "reads": .integer(reads),
            "first": first.map { .string($0.rfc3339) }, "last": last.map { .string($0.rfc3339) },
        ])
    }

    init?(json: JSON) {
        guard let epc = json["epc"]?.string.flatMap(EPC.init(hex:)), let device = json["device"]?.string,
            let antennas = json["antennas"]?.array, let reads = json["reads"]?.integer
        else { return nil }
        self.init(
            epc: epc, bearer: json["bearer"].flatMap(Bearer.init), device: device,
            antennas: AntennaPorts(antennas.compactMap { $0.integer.flatMap(UInt8.init(exactly:)) }), reads: reads,
            first: json["first"]?.string.flatMap(ReaderTime.init(rfc3339:)), last: json["last"]?.string.flatMap(ReaderTime.init(rfc3339:)))
    }
}

extension Event.Retraction {
    var json: JSON {
        .compact([
            "type": .string(fact.body.type), "time": .string(time.rfc3339), "data": fact.body.json, "reopened": reopened?.row,
            "replaced_by": replacedBy.map(JSON.integer), "clock": time.quality == .synchronised ? nil : .string(time.quality.rawValue),
        ])
    }

    init?(json: JSON) {
        // A body that comes of no crossing is not read any further: nesting stays bounded.
        guard let type = json["type"]?.string, type != "crossing.retracted",
            let fact = json["data"].flatMap({ Event.Body(type: type, json: $0) }).flatMap(Event.CrossingFact.init),
            var time = json["time"]?.string.flatMap(WallTime.init(rfc3339:))
        else { return nil }
        time.quality = json["clock"]?.string.flatMap(ClockQuality.init) ?? .synchronised
        self.init(
            fact: fact, time: time, reopened: json["reopened"].flatMap(Loan.init(row:)), replacedBy: json["replaced_by"]?.integer)
    }
}

extension Event.ExceptionRaised {
    /// The `data` member, and with it the row of an open exception.
    public var json: JSON {
        .compact([
            "exception": number.map(JSON.integer),
            "kind": .string(kind.rawValue),
            "items": items.isEmpty ? nil : .array(items.map { .string($0.text) }),
            "epcs": epcs.isEmpty ? nil : .array(epcs.map { .string($0.hex) }),
            "candidates": candidates.isEmpty ? nil : .array(candidates.map { .string($0.text) }),
            "loan": loan.map { .string($0.description) },
            "code": code.map(JSON.string),
            "direction": direction.map { .string($0.rawValue) },
            "owner": .string(owner),
            "deadline": .string(deadline.rfc3339),
        ])
    }

    init?(json: JSON) {
        guard let kind = json["kind"]?.string.flatMap(ExceptionKind.init), let owner = json["owner"]?.string,
            let deadline = json["deadline"]?.string.flatMap(WallTime.init(rfc3339:))
        else { return nil }
        func texts(_ name: String) -> [String] { (json[name]?.array ?? []).compactMap(\.string) }
        self.init(
            number: json["exception"]?.integer, kind: kind, items: texts("items").compactMap(ItemKey.init),
            epcs: texts("epcs").compactMap(EPC.init(hex:)),
            candidates: texts("candidates").compactMap(PersonKey.init), loan: json["loan"]?.string.flatMap(LoanNumber.init),
            code: json["code"]?.string, direction: json["direction"]?.string.flatMap(Direction.init), owner: owner, deadline: deadline)
    }
}
