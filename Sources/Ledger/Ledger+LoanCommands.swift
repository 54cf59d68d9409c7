import Readings
import SiteConfiguration

extension Ledger {
    func plan(_ command: LoanCommand, by client: String, at time: WallTime, into draft: inout Draft) throws(CommandRefusal) {
        switch command {
        case .request(let form): try request(form, by: client, at: time, into: &draft)
        case .approve(let permit): try approve(permit, by: client, into: &draft)
        case .reject(let permit, let note):
            _ = try pending(permit)
            draft.add(.permitRejected(permit: permit, note: note), evidence: .null)
        case .withdraw(let permit, let note):
            guard state.requests[permit] != nil else { throw Self.noRequest(permit) }
            draft.add(.permitWithdrawn(permit: permit, note: note), evidence: .null)
        case .renew(let number, let item):
            for loan in try lines(number, item) { try renew(confirm(loan, into: &draft), at: time, into: &draft) }
            addConsequences(arriving: [], to: &draft)
        case .takeBack(let number, let item):
            for loan in try lines(number, item).map({ confirm($0, into: &draft) }) {
                draft.add(
                    .returned(
                        .init(
                            loan: loan.number, item: loan.item, epc: nil, borrower: loan.person, mustBeInspected: mustBeInspected(loan.item)
                        )),
                    evidence: ["rule": "by_hand"])
            }
            addConsequences(arriving: [], to: &draft)
        case .void(let number, let item, let note):
            for loan in try lines(number, item) { try void(confirm(loan, into: &draft), note: note, into: &draft) }
        case .transfer(let item, let person): try transfer(item, to: person, at: time, into: &draft)
        case .lost(let item, let note):
            let loan = confirm(try openLoan(of: item), into: &draft)
            draft.add(.lost(.init(loan: loan.number, item: item, borrower: loan.person, note: note.isEmpty ? nil : note)), evidence: .null)
            addConsequences(arriving: [], to: &draft)
        case .inspect(let form):
            try check(form)
            inspect(form, into: &draft)
        case .service(let item, let note):
            guard master.items[item] != nil else { throw Self.noItem(item) }
            draft.add(.serviced(item: item, note: note), evidence: .null)
        case .correct(let exception, let person, let note): try correct(exception, person, note, by: client, into: &draft)
        }
    }

    // MARK: Requests

    private func request(_ form: LoanCommand.RequestForm, by client: String, at time: WallTime, into draft: inout Draft)
        throws(CommandRefusal)
    {
        guard master.people[form.person] != nil else { throw Self.noPerson(form.person) }
        for item in form.items where master.items[item] == nil { throw Self.noItem(item) }
        for name in form.classes where master.classes[name] == nil && !master.items.values.contains(where: { $0.itemClass == name }) {
            throw CommandRefusal(.notFound, "there is no class \"\(name)\" in the master data")
        }
        if time.quality != .unknown {
            for (word, day) in [("due", form.due), ("until", form.until)] {
                if let day, day < time.localDate { throw CommandRefusal(.conflict, "\(word): \(day) is over") }
            }
        }
        if let from = form.from, let end = [form.until, form.due].compactMap({ $0 }).min(), end < from {
            throw CommandRefusal(.conflict, "\(end) is before \(from)")
        }
        let open = state.requests.values.count { request in
            time.quality == .unknown || request.permit.until.map { $0 >= time.localDate } ?? true
        }
        guard open < Self.maximumRequests else {
            throw CommandRefusal(.conflict, "\(Self.maximumRequests) requests are open: reject or withdraw some first")
        }
        let sum = worth(of: form)
        // As unique as the number of the event that makes it.
        let number = LoanNumber(gateway: site.gateway.code, epoch: epoch, counter: state.nextSequence).description
        guard let key = PermitKey("R-\(number)") else { throw CommandRefusal(.conflict, "the gateway has no code") }
        let permit = Permit(
            key: key, person: form.person, items: Set(form.items), classes: Set(form.classes), quantity: form.quantity, from: form.from,
            until: form.until, due: form.due, purpose: form.purpose)
        draft.add(
            .permitRequested(
                PermitRequest(permit: permit, levels: site.policy.levels(forValue: sum), requestedBy: client, since: time.calendar)),
            evidence: ["value": .integer(sum)])
    }

    static let maximumRequests = 10_000

    /// The most that a request can take out: the dearest of what it names, as many as it covers. A tool is out once at a time; of a class there
    /// may be as many, each as dear as the dearest of them.
    private func worth(of form: LoanCommand.RequestForm) -> Int64 {
        let classes = Set(form.classes)
        var dearest = classes.reduce(Int64(0)) { max($0, master.classes[$1]?.value ?? 0) }
        if !classes.isEmpty {
            for item in master.items.values where item.itemClass.map(classes.contains) ?? false {
                dearest = max(dearest, value(of: item.key))
            }
        }
        let dearer = Set(form.items).map(value).filter { $0 > dearest }.sorted(by: >).prefix(form.quantity)
        return dearer.reduce(dearest &* Int64(form.quantity - dearer.count)) { $0 &+ $1 }
    }

    private func approve(_ permit: PermitKey, by client: String, into draft: inout Draft) throws(CommandRefusal) {
        let request = try pending(permit)
        if request.approvals.contains(client) {
            throw CommandRefusal(.conflict, "\(client) has approved \(permit) already: the next approval must be somebody else's")
        }
        if request.levels > 1, request.requestedBy == client {
            throw CommandRefusal(.conflict, "\(client) has made the request \(permit): it needs \(request.levels) approvals by others")
        }
        draft.add(
            .permitApproved(permit: permit, level: Int64(request.approvals.count + 1), levels: Int64(request.levels)), evidence: .null)
    }

    private func pending(_ permit: PermitKey) throws(CommandRefusal) -> PermitRequest {
        guard let request = state.requests[permit] else { throw Self.noRequest(permit) }
        guard request.status == .pending else { throw CommandRefusal(.conflict, "\(permit) is approved already") }
        return request
    }

    // MARK: Loans

    private func lines(_ number: LoanNumber, _ item: ItemKey?) throws(CommandRefusal) -> [Loan] {
        let all = state.loans.values.filter { $0.number == number }.sorted { $0.item < $1.item }
        guard !all.isEmpty else { throw CommandRefusal(.notFound, "there is no open loan \(number); stockgate loans lists them") }
        guard let item else { return all }
        guard let line = all.first(where: { $0.item == item }) else {
            throw CommandRefusal(.notFound, "\(item) is not out with \(number): \(all.map(\.item.text).joined(separator: ", ")) is")
        }
        return [line]
    }

    /// Who takes finals only must hear of a loan before what becomes of it, and what a person does with it makes it certain.
    /// - Returns: the loan as it is then.
    private func confirm(_ loan: Loan, into draft: inout Draft) -> Loan {
        let fact = state.provisional.values.first { fact in
            if case .checkedOut(let checkout) = fact.event.body { loan.isLine(of: checkout) } else { false }
        }
        guard let fact else { return loan }
        draft.confirm(fact, isUnchecked: false)
        var loan = loan
        loan.opened = draft.events.last?.sequence ?? loan.opened
        return loan
    }

    private func openLoan(of item: ItemKey) throws(CommandRefusal) -> Loan {
        guard master.items[item] != nil else { throw Self.noItem(item) }
        guard let loan = state.loans[item] else { throw CommandRefusal(.conflict, "\(item) is not out") }
        return loan
    }

    private func renew(_ loan: Loan, at time: WallTime, into draft: inout Draft) throws(CommandRefusal) {
        guard time.quality != .unknown else { throw CommandRefusal(.conflict, "the time is not known: nothing can be renewed") }
        let most = itemClass(of: loan.item)?.renewals ?? site.policy.renewals
        guard loan.renewals < most else {
            throw CommandRefusal(.conflict, "\(loan.item) was renewed \(loan.renewals) times, and \(most) are allowed: bring it back first")
        }
        guard loan.due.milliseconds >= time.milliseconds else {
            throw CommandRefusal(.conflict, "\(loan.item) is overdue since \(loan.due.rfc3339.prefix(16)): bring it back first")
        }
        // Who is in the master data no more may borrow nothing at all.
        guard let person = master.people[loan.person] else { throw Self.noPerson(loan.person) }
        if let reason = ruleFindings(about: person, at: time, station: nil).first(where: { $0.response == .refuse && $0.rule != .hours }) {
            throw CommandRefusal(.conflict, "not renewed: \(reason.rule.rawValue)")
        }
        let due = renewedDue(loan, at: time)
        if let calibration = master.items[loan.item]?.calibrationDue, calibration < due.localDate {
            throw CommandRefusal(.conflict, "the calibration of \(loan.item) runs out on \(calibration): bring it back first")
        }
        draft.add(
            .renewed(.init(loan: loan.number, item: loan.item, borrower: loan.person, due: due, count: loan.renewals + 1)), evidence: .null)
    }

    private func transfer(_ item: ItemKey, to key: PersonKey, at time: WallTime, into draft: inout Draft) throws(CommandRefusal) {
        let loan = try openLoan(of: item)
        guard let person = master.people[key] else { throw Self.noPerson(key) }
        guard loan.person != key else { throw CommandRefusal(.conflict, "\(item) is this person's already") }
        let verdict = verdict(on: item, for: person, at: time, station: draft.station, companions: [loan.person], after: Taking())
        guard verdict.response != .refuse else {
            throw CommandRefusal(.conflict, "not transferred: \(verdict.reason?.rule.rawValue ?? "refused"); stockgate may explains it")
        }
        draft.transfer(confirm(loan, into: &draft), to: key, verdict)
        addConsequences(arriving: [], to: &draft)
        var broken = BrokenRules()
        broken.note(verdict, item, nil)
        broken.raise(about: key, direction: nil, into: &draft)
    }

    /// A line of a loan that was a mistake; of one that was handed over, the handing over was.
    private func void(_ loan: Loan, note: String, into draft: inout Draft) throws(CommandRefusal) {
        let fact: Event.CrossingFact
        if let from = loan.from {
            guard let before = loan.before.first else {
                throw CommandRefusal(
                    .conflict, "\(loan.item) was handed on before it came to \(from), and nobody knows that loan any more: transfer it back"
                )
            }
            fact = .transferred(
                .init(
                    loan: loan.number, item: loan.item, fromLoan: from, from: before.person, person: loan.person, permit: loan.permit,
                    due: loan.due.calendar))
        } else {
            fact = .checkedOut(
                .init(loan: loan.number, item: loan.item, epc: nil, person: loan.person, permit: loan.permit, due: loan.due.calendar))
        }
        // At the place of what it withdraws.
        var there = Draft(ledger: self, station: loan.station, at: draft.time)
        there.actor = draft.actor
        there.add(
            .crossingRetracted(.init(fact: fact, time: loan.since.calendar, reopened: loan.before.first)),
            evidence: note.isEmpty ? .null : ["note": .string(note.shortened(to: 200))], corrects: loan.opened)
        draft.take(there)
    }

    // MARK: Inspection

    private func check(_ form: LoanCommand.InspectionForm) throws(CommandRefusal) {
        guard let tool = master.items[form.item] else { throw Self.noItem(form.item) }
        if let loan = state.loans[form.item] {
            throw CommandRefusal(.conflict, "\(form.item) is out with \(loan.number): take it back first")
        }
        if let person = form.responsible, master.people[person] == nil { throw Self.noPerson(person) }
        for part in form.missing where !tool.parts.contains(part) {
            throw CommandRefusal(.conflict, "\(part) is no part of \(form.item)")
        }
        if form.result == .incomplete, form.missing.isEmpty, !tool.parts.isEmpty {
            throw CommandRefusal(.conflict, "say which parts of \(form.item) are missing")
        }
    }

    func inspect(_ form: LoanCommand.InspectionForm, into draft: inout Draft) {
        let returns = state.provisional.values.filter { $0.closed?.item == form.item }.sorted { $0.event.sequence < $1.event.sequence }
        for fact in returns { draft.confirm(fact, isUnchecked: false) }
        addConsequences(arriving: [], to: &draft)
        // Who had it last is asked first. Of a return that was provisional until now, the tool's record does not know.
        let record = state.tools[form.item]
        let (loan, borrower) = returns.last?.closed.map { ($0.number, $0.person) } ?? (record?.loan, record?.borrowers.last)
        draft.add(
            .inspected(
                .init(
                    item: form.item, result: form.result, loan: loan, borrower: borrower, missing: form.missing, photo: form.photo,
                    note: form.note, responsible: form.responsible)), evidence: .null)
        guard form.result != .fine else { return }
        draft.raise(.damaged, items: [form.item], candidates: form.responsible.map { [$0] } ?? borrower.map { [$0] } ?? [])
    }

    // MARK: Corrections

    private func correct(_ number: Int64, _ person: PersonKey, _ note: String, by client: String, into draft: inout Draft)
        throws(CommandRefusal)
    {
        guard let exception = state.exceptions[number] else {
            throw CommandRefusal(.notFound, "there is no open exception \(number); stockgate exceptions lists them")
        }
        guard let borrower = master.people[person] else { throw Self.noPerson(person) }
        // What came back, what two stations read and what lies wrong was taken by nobody.
        let isTaking = exception.raised.direction != .in && ![.damaged, .clonedTag, .wrongPlace].contains(exception.raised.kind)
        guard !exception.raised.items.isEmpty, isTaking else {
            throw CommandRefusal(.conflict, "exception \(number) is not about tools that somebody took; resolve or dismiss it")
        }
        if let item = exception.raised.items.first(where: { state.loans[$0].map { $0.person != person } ?? false }) {
            throw CommandRefusal(.conflict, "\(item) is out with somebody else: stockgate loan transfer or void comes first")
        }
        if let item = exception.raised.items.first(where: { state.loans[$0] == nil && hasComeBack($0, since: number) }) {
            throw CommandRefusal(.conflict, "\(item) has come back since: resolve or dismiss exception \(number)")
        }
        // The loan began when it happened. Whoever corrects answers for the rules.
        var happened = Draft(ledger: self, station: exception.station, at: exception.since, recorded: draft.time)
        happened.actor = draft.actor
        var taking = Taking()
        for item in exception.raised.items where state.loans[item] == nil {
            var verdict = verdict(on: item, for: borrower, at: exception.since, station: nil, companions: [], after: taking)
            verdict.due = due(item, ground: verdict.ground, from: exception.since, told: draft.time)
            taking.take(
                lend(item, epc: nil, to: person, verdict, evidence: ["exception": .integer(number)], into: &happened))
        }
        draft.take(happened)
        draft.add(.exceptionResolved(exception: number, resolution: "corrected", note: note), evidence: .null)
    }

    /// Whether a tool has come in, or a loan of it was closed, after an event: a loan that began then would never end.
    func hasComeBack(_ item: ItemKey, since number: Int64) -> Bool {
        if let record = state.tools[item], record.closed > number { return true }
        return state.exceptions.values.contains { $0.number > number && $0.raised.direction == .in && $0.raised.items.contains(item) }
    }

    // MARK: Refusals

    private static func noPerson(_ key: PersonKey) -> CommandRefusal {
        CommandRefusal(.notFound, "there is no person \(key) in the master data")
    }

    private static func noItem(_ key: ItemKey) -> CommandRefusal {
        CommandRefusal(.notFound, "there is no item \(key) in the master data")
    }

    private static func noRequest(_ permit: PermitKey) -> CommandRefusal {
        CommandRefusal(.notFound, "there is no request \(permit) made here; stockgate permit list shows them")
    }
}

extension Draft {
    mutating func transfer(_ loan: Loan, to person: PersonKey, _ verdict: Verdict) {
        add(
            .transferred(
                .init(
                    loan: loanNumber(of: person), item: loan.item, fromLoan: loan.number, from: loan.person, person: person,
                    permit: verdict.permit, due: verdict.due)), evidence: .object(verdict.evidence))
    }
}
