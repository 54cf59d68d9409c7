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
        var broken = BrokenRules()
        for (item, sighting) in tools {
            let verdict = verdict(on: item, for: person, at: draft.time, station: draft.station, companions: companions, after: taking)
            broken.note(verdict, item, sighting)
            guard verdict.response != .refuse else { continue }
            taking.take(lend(item, epc: sighting.epc, to: person.key, verdict, evidence: sighting.evidence, into: &draft))
        }
        broken.raise(about: person.key, direction: .out, into: &draft)
    }

    /// One line of a loan.
    func lend(_ item: ItemKey, epc: EPC?, to person: PersonKey, _ verdict: Verdict, evidence: JSON, into draft: inout Draft)
        -> Event.Checkout
    {
        let checkout = Event.Checkout(
            loan: draft.loanNumber(of: person), item: item, epc: epc, person: person, permit: verdict.permit, due: verdict.due,
            condition: state.tools[item]?.condition)
        draft.add(.checkedOut(checkout), evidence: .object((evidence.object ?? [:]).merging(verdict.evidence) { $1 }))
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

/// Rules that were broken in one happening and are not simply allowed, with the tools that each of them is about.
struct BrokenRules {
    private var tools: [LoanRule: [(item: ItemKey, sighting: Sighting?, verdict: Verdict)]] = [:]

    mutating func note(_ verdict: Verdict, _ item: ItemKey, _ sighting: Sighting?) {
        guard verdict.response != .allow, let reason = verdict.reason else { return }
        tools[reason.rule, default: []].append((item, sighting, verdict))
    }

    /// One exception for each rule that decided.
    func raise(about person: PersonKey, direction: Direction?, into draft: inout Draft) {
        for rule in LoanRule.allCases {
            guard let tools = tools[rule], let first = tools.first else { continue }
            var evidence = first.sighting?.evidence.object ?? [:]
            evidence["rules"] = .array(first.verdict.findings.filter { $0.response ?? .allow > .allow }.map { .string($0.rule.rawValue) })
            evidence["facts"] = first.verdict.reason.flatMap { $0.facts.isNull ? nil : $0.facts }
            draft.raise(
                rule.exception, items: tools.map(\.item), epcs: tools.compactMap { $0.sighting?.epc }, candidates: [person],
                direction: direction, evidence: .object(evidence))
        }
    }
}

extension Verdict {
    /// On what ground, and which rules were let pass with an exception: what the event of a loan says of it.
    var evidence: [String: JSON] {
        let flags = findings.filter { $0.response == .flag }
        return [
            "rule": .string(ground.text), "flags": flags.isEmpty ? nil : .array(flags.map { .string($0.rule.rawValue) }),
        ].compactMapValues { $0 }
    }

    var permit: PermitKey? { if case .permit(let found) = ground { found.key } else { nil } }
}
