import Readings
import SiteConfiguration

/// What a person has taken in the same happening before: it counts, though it is in no log yet.
struct Taking {
    var loans: [Loan] = []
    var permitUse: [PermitKey: Int] = [:]
}

extension Ledger {
    /// Everything that is looked at before a person takes a tool.
    /// - Parameters:
    ///   - station: where; nil: the site's own hours count.
    ///   - companions: who else is there.
    public func verdict(on item: ItemKey, for person: PersonKey, at time: WallTime, station: String? = nil, companions: [PersonKey] = [])
        -> Verdict?
    {
        guard let person = master.people[person] else { return nil }
        let station = site.stations.first { $0.name == station }
        return verdict(on: item, for: person, at: time, station: station, companions: companions, after: Taking())
    }

    func verdict(
        on item: ItemKey, for person: Person, at time: WallTime, station: Site.Station?, companions: [PersonKey], after taking: Taking
    ) -> Verdict {
        let tool = master.items[item]
        let itemClass = itemClass(of: item)
        let ground = ground(for: item, of: person.key, use: taking.permitUse, at: time)
        var findings = ruleFindings(about: person, at: time, station: station)
        func look(_ rule: LoanRule, _ isBroken: Bool, _ facts: JSON) {
            findings.append(.init(rule: rule, response: isBroken ? site.policy.response(to: rule) : nil, facts: facts))
        }
        let open = state.loans.of(person.key).filter { $0.item != item } + taking.loans
        if let condition = state.tools[item]?.condition { look(.condition, true, ["condition": .string(condition.rawValue)]) }
        if let due = tool?.calibrationDue, time.quality != .unknown {
            look(.calibration, due < time.localDate, ["until": .string(due.description)])
        }
        let demanded = (tool?.certificates ?? []).union(itemClass?.certificates ?? [])
        if !demanded.isEmpty { findings.append(certificateFinding(demanded, of: person, at: time)) }
        if itemClass?.needsSecondPerson == true {
            // As at a cabinet: whoever may borrow nothing vouches for nobody.
            let others = companions.filter { $0 != person.key && master.people[$0].map { !$0.isBlocked } ?? false }
            look(.secondPerson, others.isEmpty, ["present": .integer(Int64(others.count))])
        }
        if let quota = person.quota ?? site.policy.quota {
            look(.quota, open.count >= quota, ["open": .integer(Int64(open.count)), "most": .integer(Int64(quota))])
        }
        if let quota = itemClass?.quota {
            let count = open.count { master.items[$0.item]?.itemClass == tool?.itemClass }
            look(.classQuota, count >= quota, ["open": .integer(Int64(count)), "most": .integer(Int64(quota))])
        }
        if let most = site.policy.maximumValue {
            let sum = ([item] + open.map(\.item)).reduce(Int64(0)) { $0 &+ value(of: $1) }
            look(.value, sum > most, ["value": .integer(sum), "most": .integer(most)])
        }
        if let most = site.policy.monthly, time.quality != .unknown {
            let month = BorrowerRecord.month(of: time.localDate)
            let count = loans(of: person.key, in: month) + Int64(taking.loans.count)
            look(.monthly, count >= most, ["loans": .integer(count), "most": .integer(Int64(most))])
        }
        if case .none = ground { look(.permit, site.policy.withoutPermit != .allow, .null) } else { look(.permit, false, .null) }
        findings.sort { LoanRule.order($0.rule) < LoanRule.order($1.rule) }
        return Verdict(findings: findings, ground: ground, due: due(item, ground: ground, from: time))
    }

    /// Whether a person may borrow at all here and now: what does not depend on the tool.
    func ruleFindings(about person: Person, at time: WallTime, station: Site.Station?) -> [Verdict.Finding] {
        var findings: [Verdict.Finding] = []
        func look(_ rule: LoanRule, _ isBroken: Bool, _ facts: JSON = .null) {
            findings.append(.init(rule: rule, response: isBroken ? site.policy.response(to: rule) : nil, facts: facts))
        }
        look(.blocked, person.isBlocked)
        let isDateKnown = time.quality != .unknown
        let record = state.borrowers[person.key]
        if let block = site.policy.overdueBlock, isDateKnown {
            // Who brings nothing back at all is no better than who brings it back late.
            let open = daysOverdue(of: person.key, at: time).count
            let end = (record ?? BorrowerRecord()).blockedUntil(
                count: block.count, days: block.days, blockDays: block.blockDays, on: time.localDate, open: open)
            look(
                .overdue, end != nil,
                .compact(["late": .integer(Int64((record?.lateReturns.count ?? 0) + open)), "until": end.map { .string($0.description) }]))
        }
        if let least = site.policy.minimumCredit, isDateKnown {
            let score = credit(of: person.key, at: time)
            look(.credit, score < least, ["score": .integer(Int64(score)), "least": .integer(Int64(least))])
        }
        if let hours = station?.hours ?? site.policy.hours, isDateKnown {
            look(.hours, !hours.contain(time.localDate.weekday, minute: Int(time.minuteOfDay)), ["hours": .string(hours.text)])
        }
        if let most = site.policy.masterHours, isDateKnown {
            let age = masterSeen.map { max(0, time.milliseconds - $0.milliseconds) / 3_600_000 }
            look(.masterAge, age.map { $0 >= most } ?? true, .compact(["hours": age.map(JSON.integer), "most": .integer(Int64(most))]))
        }
        return findings
    }

    /// Of each tool that a person has and that is past its due time, by how many days; a begun day counts.
    func daysOverdue(of person: PersonKey, at time: WallTime) -> [Int64] {
        state.loans.of(person).map { $0.lateDays(at: time) }.filter { $0 > 0 }
    }

    /// By the published formula (`BorrowerRecord.credit`).
    func credit(of person: PersonKey, at time: WallTime) -> Int {
        (state.borrowers[person] ?? BorrowerRecord()).credit(
            in: BorrowerRecord.month(of: time.localDate), overdue: daysOverdue(of: person, at: time))
    }

    private func certificateFinding(_ demanded: Set<String>, of person: Person, at time: WallTime) -> Verdict.Finding {
        let missing = demanded.filter { certificate in
            guard let until = person.certificates[certificate] else { return true }
            return until.map { $0 < time.localDate && time.quality != .unknown } ?? false
        }
        return .init(
            rule: .certificate, response: missing.isEmpty ? nil : site.policy.response(to: .certificate),
            facts: missing.isEmpty ? .null : ["missing": .array(missing.sorted().prefix(8).map(JSON.string))])
    }

    /// In the smallest unit of money.
    func value(of item: ItemKey) -> Int64 {
        master.items[item]?.value ?? itemClass(of: item)?.value ?? 0
    }

    /// What the master data say of the class of a tool.
    func itemClass(of item: ItemKey) -> ItemClass? {
        master.items[item]?.itemClass.flatMap { master.classes[$0] }
    }

    /// Checkouts of one person that began in a month.
    func loans(of person: PersonKey, in month: Int64) -> Int64 {
        let open = state.loans.of(person).count { BorrowerRecord.month(of: $0.since.localDate) == month }
        return (state.borrowers[person]?.loans(in: month) ?? 0) + Int64(open)
    }

    // MARK: Permits

    private func ground(for item: ItemKey, of person: PersonKey, use: [PermitKey: Int], at time: WallTime) -> Verdict.Ground {
        // What everybody may borrow uses up only a request for this very tool.
        let isStanding = itemClass(of: item)?.isStanding == true
        if let permit = permit(for: item, of: person, byName: isStanding, use: use, at: time) { return .permit(permit) }
        if isStanding { return .standing }
        return .none(site.policy.withoutPermit)
    }

    /// The approved request that covers a checkout: the one that runs out first.
    /// - Parameters:
    ///   - byName: only one that names the item, not its class.
    ///   - use: checkouts of the same happening.
    private func permit(for item: ItemKey, of person: PersonKey, byName: Bool, use: [PermitKey: Int], at time: WallTime) -> Permit? {
        let itemClass = byName ? nil : master.items[item]?.itemClass
        let today = time.localDate
        let isDateKnown = time.quality != .unknown
        return permits(of: person)
            .filter { permit in
                state.permitUse[permit.key, default: 0] + use[permit.key, default: 0] < permit.quantity
                    && (permit.items.contains(item) || itemClass.map(permit.classes.contains) ?? false)
                    && (!isDateKnown || (permit.from.map { $0 <= today } ?? true) && (permit.until.map { today <= $0 } ?? true))
            }
            .min { ($0.until ?? .distantFuture, $0.key) < ($1.until ?? .distantFuture, $1.key) }
    }

    /// Approved requests of a person, from upstream and made here.
    func permits(of person: PersonKey) -> [Permit] {
        permitsByPerson[person, default: []]
            + state.requests.values.filter { $0.permit.person == person && $0.status == .approved }.map(\.permit)
    }
}

extension LoanRule {
    private static let order: [LoanRule: Int] = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })

    static func order(_ rule: LoanRule) -> Int { order[rule, default: 0] }
}

extension CivilDate {
    static let distantFuture = CivilDate(daysSince1970: 2_932_896)
}
