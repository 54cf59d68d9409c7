import Identifiers
import Readings

extension LedgerState {
    /// Every row of this state, sorted by key: what a recording starts with, and what `verify` compares.
    public var rows: [StateRow] {
        var rows: [StateRow] = []
        if loanCounter > 0 || episodeCounter > 0 { rows.append(countersRow) }
        if let clock { rows.append(StateRow(key: "clock", value: clock.row)) }
        if masterVersion > 0 { rows.append(StateRow(key: "master", value: .integer(masterVersion))) }
        rows += loans.values.map { StateRow(key: "loan/\($0.item)", value: $0.row) }
        rows += places.map { StateRow(key: "place/\($0.key)", value: .string($0.value.text)) }
        rows += stock.map { $0.key.row(quantity: $0.value) }
        rows += permitUse.map { StateRow(key: "permit/\($0.key)", value: .integer(Int64($0.value))) }
        rows += tools.map { StateRow(key: "tool/\($0.key)", value: $0.value.row) }
        rows += borrowers.map { StateRow(key: "borrower/\($0.key)", value: $0.value.row) }
        rows += requests.values.map { StateRow(key: "request/\($0.permit.key)", value: $0.row) }
        rows += exceptions.values.map { StateRow(key: "exception/\($0.number)", value: $0.row) }
        rows += provisional.values.map { StateRow(key: $0.key, value: $0.row) }
        rows += learned.map { StateRow(key: StateRow.learnedPrefix + $0.key, value: $0.value) }
        rows += tags.map { StateRow(key: "tag/\($0.key.hex)", value: $0.value.json) }
        rows += modes.map { StateRow(key: "station/\($0.key)", value: .string($0.value.rawValue)) }
        return rows.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// What a counter can have reached; files come from strangers too, and a step further must not overflow.
    private static let counters: ClosedRange<Int64> = 0...(1 << 53)

    /// Reads the rows that were stored.
    /// - Throws: `EventError` for a row that this code does not know or cannot read: a state is never loaded in part.
    public init(nextSequence: Int64, rows: some Sequence<StateRow>) throws(EventError) {
        self.init()
        guard Self.counters.contains(nextSequence) else { throw EventError("\(nextSequence) is no number of an event") }
        self.nextSequence = nextSequence
        for row in rows { try load(row) }
    }

    private mutating func load(_ row: StateRow) throws(EventError) {
        guard let value = row.value else { return }
        var failure: EventError { EventError("state row \(row.key) cannot be read") }
        let slash = row.key.utf8.firstIndex(of: UInt8(ascii: "/")) ?? row.key.endIndex
        let rest = String(row.key[slash...].dropFirst())
        switch row.key[..<slash] {
        case "counters":
            guard let loan = value["loan"]?.integer, let episode = value["episode"]?.integer, Self.counters.contains(loan),
                Self.counters.contains(episode)
            else { throw failure }
            loanCounter = loan
            episodeCounter = episode
        case "clock":
            guard let clock = RecordedClock(row: value) else { throw failure }
            self.clock = clock
        case "loan":
            guard let loan = Loan(row: value) else { throw failure }
            loans[loan.item] = loan
        case "master":
            guard let version = value.integer, Self.counters.contains(version) else { throw failure }
            masterVersion = version
        case "tool":
            guard let item = ItemKey(rest), let record = ToolRecord(row: value) else { throw failure }
            tools[item] = record
        case "borrower":
            guard let person = PersonKey(rest), let record = BorrowerRecord(row: value) else { throw failure }
            borrowers[person] = record
        case "request":
            guard let request = PermitRequest(row: value), request.permit.key.text == rest else { throw failure }
            requests[request.permit.key] = request
        case "place":
            guard let item = ItemKey(rest), let location = value.string.flatMap(LocationKey.init) else { throw failure }
            places[item] = location
        case "stock":
            guard let location = value["location"]?.string.flatMap(LocationKey.init),
                let subject = value["stock"].flatMap(StockSubject.init),
                let quantity = value["quantity"]?.integer
            else { throw failure }
            stock[StockPosition(location: location, subject: subject)] = quantity
        case "permit":
            guard let permit = PermitKey(rest), let used = value.integer, Self.counters.contains(used) else { throw failure }
            permitUse[permit] = Int(used)
        case "exception":
            guard let number = Int64(rest), let exception = OpenException(number: number, row: value) else { throw failure }
            exceptions[number] = exception
        case "provisional":
            guard let number = Int64(rest), let fact = StandingFact(row: value), fact.event.sequence == number else { throw failure }
            provisional[number] = fact
        case "learned":
            guard !rest.isEmpty else { throw failure }
            learned[rest] = value
        case "tag":
            guard let epc = EPC(hex: rest), let bearer = Bearer(json: value) else { throw failure }
            tags[epc] = bearer
        case "station":
            guard let mode = value.string.flatMap(StationMode.init) else { throw failure }
            modes[rest] = mode
        default: throw failure
        }
    }
}

extension StandingFact {
    var key: String { "provisional/\(event.sequence)" }

    var row: JSON { .compact(["event": event.row, "closed": closed?.row]) }

    init?(row: JSON) {
        guard let event = row["event"].flatMap({ try? Event(json: $0) }), Event.CrossingFact(event.body) != nil,
            event.certainty == .provisional
        else { return nil }
        self.init(event: event, closed: row["closed"].flatMap(Loan.init(row:)))
    }
}

extension Loan {
    /// The row of an open loan, and its form in the API.
    public var row: JSON {
        .compact([
            "loan": .string(number.description), "item": .string(item.text), "person": .string(person.text),
            "permit": permit.map { .string($0.text) }, "since": .string(since.rfc3339), "due": .string(due.rfc3339),
            "renewals": renewals == 0 ? nil : .integer(renewals),
            "station": station.map(JSON.string), "event": .integer(opened),
            "clock": due.quality == .synchronised ? nil : .string(due.quality.rawValue),
            "boot": since.boot.map { .string($0.bootText) }, "uptime": since.boot.map { .integer($0.milliseconds) },
            "reminded": reminded.map { .string($0.rawValue) }, "from_loan": from.map { .string($0.description) },
            "before": before.first?.row,
        ])
    }

    /// nil when it is no row of a loan.
    public init?(row: JSON) {
        guard let number = row["loan"]?.string.flatMap(LoanNumber.init), let item = row["item"]?.string.flatMap(ItemKey.init),
            let person = row["person"]?.string.flatMap(PersonKey.init), var since = row["since"]?.string.flatMap(WallTime.init(rfc3339:)),
            var due = row["due"]?.string.flatMap(WallTime.init(rfc3339:)), let opened = row["event"]?.integer
        else { return nil }
        due.quality = row["clock"]?.string.flatMap(ClockQuality.init) ?? .synchronised
        since.restore(from: row, quality: due.quality)
        self.init(
            number: number, item: item, person: person, permit: row["permit"]?.string.flatMap(PermitKey.init), since: since, due: due,
            station: row["station"]?.string, opened: opened, renewals: row["renewals"]?.integer ?? 0,
            reminded: row["reminded"]?.string.flatMap(ReminderStep.init), from: row["from_loan"]?.string.flatMap(LoanNumber.init))
        guard var old = row["before"].flatMap(Loan.init(row:)) else { return }
        old.before = []
        before = [old]
    }
}

extension OpenException {
    /// The row of an open exception, and its form in the API.
    public var row: JSON {
        var members = raised.json.object ?? [:]
        members["since"] = .string(since.rfc3339)
        members["station"] = station.map(JSON.string)
        members["number"] = .integer(number)
        if let boot = since.boot {
            members["boot"] = .string(boot.bootText)
            members["uptime"] = .integer(boot.milliseconds)
        }
        return .object(members)
    }

    init?(number: Int64, row: JSON) {
        guard var raised = Event.ExceptionRaised(json: row), var since = row["since"]?.string.flatMap(WallTime.init(rfc3339:)) else {
            return nil
        }
        if row["boot"] != nil {
            since.restore(from: row, quality: .unknown)
            raised.deadline.quality = .unknown
        }
        self.init(number: number, raised: raised, since: since, station: row["station"]?.string)
    }
}

extension WallTime {
    /// Takes back what only a row keeps of a time.
    fileprivate mutating func restore(from row: JSON, quality: ClockQuality) {
        guard let boot = row["boot"]?.string.flatMap(BootTime.boot(text:)), let uptime = row["uptime"]?.integer else { return }
        self.boot = BootTime(boot: boot, milliseconds: uptime)
        self.quality = quality
    }
}
