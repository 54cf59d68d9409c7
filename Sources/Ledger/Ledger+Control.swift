import Readings

extension Ledger {
    /// A tool was scanned with a control code: what the person at the bench says of it, by the same rules as by command.
    func plan(_ control: Proposal.Control, station: String, at time: WallTime) -> Plan {
        var draft = Draft(ledger: self, station: station, at: time)
        let refused = Plan(events: [], feedback: .refused)
        guard case .item(let item)? = bearer(of: control.item)?.bearer else { return refused }
        let worker = control.credential.flatMap { master.credentials[$0] }
        draft.actor = worker.map(Event.Actor.person) ?? .unknown
        let command: LoanCommand
        switch control.code {
        case .fine: command = .inspect(.init(item: item, result: .fine))
        case .damaged: command = .inspect(.init(item: item, result: .damaged))
        // Which parts are missing is said later, by command.
        case .incomplete: command = .inspect(.init(item: item, result: .incomplete, missing: []))
        case .renew:
            guard let loan = state.loans[item] else { return refused }
            command = .renew(loan: loan.number, item: item)
        case .transfer:
            guard let worker else { return refused }
            command = .transfer(item: item, to: worker)
        }
        do throws(CommandRefusal) {
            if case .inspect(let form) = command, form.result == .incomplete {
                guard state.loans[item] == nil else { return refused }
                inspect(form, into: &draft)
            } else {
                try plan(command, by: "", at: time, into: &draft)
            }
        } catch { return refused }
        let hasException = draft.events.contains { if case .exceptionRaised = $0.body { true } else { false } }
        return draft.plan(feedback: hasException ? .exception : .accepted)
    }
}
