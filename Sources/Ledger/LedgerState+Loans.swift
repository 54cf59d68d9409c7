import Readings

/// What happens to loans, tools, borrowers and requests besides checkout and return.
extension LedgerState {
    /// A loan was closed for good by an event, or, with a negative sign, was not closed after all.
    mutating func count(_ loan: Loan, at time: WallTime, sign: Int64, by event: Int64) -> [StateRow] {
        let minutes = time.quality == .unknown ? 0 : max(0, (time.milliseconds &- loan.since.milliseconds) / 60_000)
        tools[loan.item, default: ToolRecord()].count(loan, minutes: minutes, sign: sign, by: event)
        borrowers[loan.person, default: BorrowerRecord()].count(
            loan, on: time.localDate, lateDays: loan.lateDays(at: time), sign: sign)
        return [toolRow(loan.item), borrowerRow(loan.person)] + (sign > 0 ? dropUsedUp(loan) : [])
    }

    /// A request made here whose last tool came back has done its work.
    private mutating func dropUsedUp(_ loan: Loan) -> [StateRow] {
        guard let permit = loan.permit, let request = requests[permit], permitUse[permit, default: 0] >= request.permit.quantity,
            !loans.values.contains(where: { $0.permit == permit && $0.item != loan.item })
        else { return [] }
        // How often it was used stays: it may come back from upstream as an approved request under the same key.
        return close(request: permit)
    }

    /// A tool was in when an event was decided.
    mutating func came(_ item: ItemKey, by event: Int64) -> [StateRow] {
        guard tools[item]?.closed ?? 0 < event else { return [] }
        tools[item, default: ToolRecord()].closed = event
        return [toolRow(item)]
    }

    mutating func set(_ condition: ToolCondition?, of item: ItemKey) -> [StateRow] {
        guard tools[item]?.condition != condition else { return [] }
        tools[item, default: ToolRecord()].condition = condition
        return [toolRow(item)]
    }

    mutating func apply(_ renewal: Event.Renewal) -> [StateRow] {
        guard var loan = loans[renewal.item], loan.number == renewal.loan else { return [] }
        loan.due = renewal.due.with(quality: loan.due.quality)
        loan.renewals = renewal.count
        loan.reminded = nil
        loans[renewal.item] = loan
        return [StateRow(key: "loan/\(renewal.item)", value: loan.row)]
    }

    mutating func apply(_ transfer: Event.Transfer, of event: Event) -> [StateRow] {
        var rows: [StateRow] = []
        var loan = Loan(
            number: transfer.loan, item: transfer.item, person: transfer.person, permit: transfer.permit, since: event.time.kept,
            due: transfer.due.with(quality: event.time.quality), station: event.station, opened: event.sequence, from: transfer.fromLoan)
        if var old = loans[transfer.item], old.number == transfer.fromLoan {
            loans[transfer.item] = nil
            rows += count(old, at: event.time, sign: 1, by: event.sequence)
            old.before = []
            loan.before = [old]
        }
        loans[transfer.item] = loan
        rows.append(StateRow(key: "loan/\(transfer.item)", value: loan.row))
        if let row = count(transfer.loan) { rows.append(row) }
        if let permit = transfer.permit { rows += use(permit, 1) }
        return rows
    }

    mutating func apply(_ inspection: Event.Inspection, of event: Event) -> [StateRow] {
        let condition: ToolCondition? =
            switch inspection.result {
            case .fine: nil
            case .damaged: .damaged
            case .incomplete: .incomplete
            }
        var rows = set(condition, of: inspection.item)
        if inspection.result != .fine, let person = inspection.responsible {
            borrowers[person, default: BorrowerRecord()].countDamage(on: event.time.localDate)
            rows.append(borrowerRow(person))
        }
        return rows
    }

    mutating func apply(_ loss: Event.Loss, of event: Event) -> [StateRow] {
        var rows: [StateRow] = []
        if let loan = loans[loss.item], loan.number == loss.loan {
            loans[loss.item] = nil
            rows.append(StateRow(key: "loan/\(loss.item)", value: nil))
            rows += count(loan, at: event.time, sign: 1, by: event.sequence)
        }
        borrowers[loss.borrower, default: BorrowerRecord()].countLoss(on: event.time.localDate)
        rows.append(borrowerRow(loss.borrower))
        return rows + set(.lost, of: loss.item)
    }

    mutating func apply(request: PermitRequest) -> [StateRow] {
        requests[request.permit.key] = request
        return [StateRow(key: "request/\(request.permit.key)", value: request.row)]
    }

    /// Requests whose last day is long over make room when a new one comes; a clock that is wrong by days drops none that is still good.
    mutating func dropExpired(before time: WallTime) -> [StateRow] {
        guard time.quality != .unknown else { return [] }
        let expired = requests.values.filter { $0.permit.until.map { $0.advanced(by: 31) < time.localDate } ?? false }.map(\.permit.key)
            .sorted()
        return expired.flatMap { close(request: $0) }
    }

    mutating func approve(_ permit: PermitKey, by client: String) -> [StateRow] {
        guard var request = requests[permit], !request.approvals.contains(client) else { return [] }
        request.approvals.append(client)
        return apply(request: request)
    }

    mutating func close(request permit: PermitKey) -> [StateRow] {
        guard requests.removeValue(forKey: permit) != nil else { return [] }
        return [StateRow(key: "request/\(permit)", value: nil)]
    }

    // MARK: Rows

    func toolRow(_ item: ItemKey) -> StateRow { StateRow(key: "tool/\(item)", value: tools[item]?.row) }

    func borrowerRow(_ person: PersonKey) -> StateRow { StateRow(key: "borrower/\(person)", value: borrowers[person]?.row) }
}
