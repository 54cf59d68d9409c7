import Identifiers
import Readings
import SiteConfiguration

extension Ledger {
    /// Makes loans of what a person took, as far as the rules allow, and says what they do not.
    /// - Parameter companions: who else was there.
    func lend(
        _ tools: [(item: ItemKey, sighting: Sighting)], to person: Person, companions: [PersonKey] = [], into draft: inout Draft
    ) {
        var taking = Taking()
        var broken: [LoanRule: [(item: ItemKey, sighting: Sighting, verdict: Verdict)]] = [:]
        for (item, sighting) in tools {
            let verdict = verdict(on: item, for: person, at: draft.time, station: draft.station, companions: companions, after: taking)
            if verdict.response != .allow, let reason = verdict.reason {
                broken[reason.rule, default: []].append((item, sighting, verdict))
            }
            guard verdict.response != .refuse else { continue }
            taking.take(lend(item, epc: sighting.epc, to: person.key, verdict, evidence: sighting.evidence, into: &draft))
        }
        for rule in LoanRule.allCases {
            guard let tools = broken[rule], let first = tools.first else { continue }
            var evidence = first.sighting.evidence.object ?? [:]
            evidence["rules"] = .array(first.verdict.findings.filter { $0.response ?? .allow > .allow }.map { .string($0.rule.rawValue) })
            evidence["facts"] = first.verdict.reason.flatMap { $0.facts.isNull ? nil : $0.facts }
            draft.raise(
                rule.exception, items: tools.map(\.item), epcs: tools.map(\.sighting.epc), candidates: [person.key], direction: .out,
                evidence: .object(evidence))
        }
    }

    /// One line of a loan.
    func lend(_ item: ItemKey, epc: EPC?, to person: PersonKey, _ verdict: Verdict, evidence: JSON, into draft: inout Draft)
        -> Event.Checkout
    {
        var members = evidence.object ?? [:]
        members["rule"] = .string(verdict.ground.text)
        let flags = verdict.findings.filter { $0.response == .flag }
        if !flags.isEmpty { members["flags"] = .array(flags.map { .string($0.rule.rawValue) }) }
        var permit: PermitKey?
        if case .permit(let found) = verdict.ground { permit = found.key }
        let checkout = Event.Checkout(
            loan: draft.loanNumber(of: person), item: item, epc: epc, person: person, permit: permit, due: verdict.due)
        draft.add(.checkedOut(checkout), evidence: .object(members))
        return checkout
    }
}

extension Taking {
    mutating func take(_ checkout: Event.Checkout) {
        if let permit = checkout.permit { permitUse[permit, default: 0] += 1 }
        loans.append(
            Loan(
                number: checkout.loan, item: checkout.item, person: checkout.person, permit: checkout.permit, since: checkout.due,
                due: checkout.due, station: nil, opened: 0))
    }
}
