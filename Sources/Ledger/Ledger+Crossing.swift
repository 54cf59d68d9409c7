import Identifiers
import Readings
import SiteConfiguration

extension Ledger {
    /// Tools and people went through a gate together: loans, returns, and what a person must look at.
    /// - Parameter episode: that of the crossing, where it was decided before.
    func plan(_ crossing: Proposal.Crossing, station: String, at time: WallTime, episode: String? = nil) -> Plan {
        var draft = Draft(ledger: self, station: station, at: time, opensEpisode: true, episode: episode)
        let tools = tools(among: crossing.tags)
        var strangers = crossing.tags.map(\.epc).filter { if case .item = bearer(of: $0) { false } else { true } }
        let people = Carriers(of: crossing, in: self)
        // A stranger that somebody must look at already is not announced again each time it passes.
        let announced = Set(state.exceptions.values.filter { $0.raised.kind == .unknownTag }.flatMap(\.raised.epcs))
        strangers.removeAll(where: announced.contains)
        if !strangers.isEmpty {
            draft.raise(
                .unknownTag, epcs: strangers, candidates: people.keys, direction: crossing.direction, evidence: Self.evidence(crossing))
        }
        // A tool near a gate whose reader comes and goes is announced once, not at every outage.
        let suspected = Set(state.exceptions.values.filter { $0.raised.kind == .uncertainPassage }.flatMap(\.raised.items))
        let certain = Set(tools.map(\.item))
        let uncertain = self.tools(among: crossing.uncertain).filter { !suspected.contains($0.item) && !certain.contains($0.item) }
        if let first = uncertain.first {
            draft.raise(
                .uncertainPassage, items: uncertain.map(\.item), epcs: uncertain.map(\.sighting.epc), candidates: people.keys,
                evidence: first.sighting.evidence)
        }
        switch crossing.direction {
        case .out: checkOut(tools, carriedBy: people, crossing, into: &draft)
        case .in: takeBack(tools, broughtBy: people, crossing, into: &draft)
        }
        let plan = draft.plan(feedback: nil)
        let hasException = plan.events.contains { if case .exceptionRaised = $0.body { true } else { false } }
        // A person who carries out again what is already theirs changes nothing and hears the good beep.
        return Plan(events: plan.events, feedback: hasException ? .exception : plan.events.isEmpty && tools.isEmpty ? nil : .accepted)
    }

    /// The tools among the tags; one with several tags is one tool, known by the tag that was read most.
    func tools(among sightings: [Sighting]) -> [(item: ItemKey, sighting: Sighting)] {
        var tools: [(item: ItemKey, sighting: Sighting)] = []
        for sighting in sightings {
            guard case .item(let key) = bearer(of: sighting.epc), !passedOver.contains(key) else { continue }
            if let known = tools.firstIndex(where: { $0.item == key }) {
                if sighting.reads > tools[known].sighting.reads { tools[known].sighting = sighting }
            } else {
                tools.append((key, sighting))
            }
        }
        return tools
    }

    private func takeBack(
        _ tools: [(item: ItemKey, sighting: Sighting)], broughtBy people: Carriers, _ crossing: Proposal.Crossing, into draft: inout Draft
    ) {
        var unexpected: [(item: ItemKey, sighting: Sighting)] = []
        for (item, sighting) in tools {
            guard let loan = state.loans[item] else {
                // What was lost comes in without a loan, and gladly.
                if state.tools[item]?.condition != .lost { unexpected.append((item, sighting)) }
                continue
            }
            // A return is always taken, from whomever and wherever; the loan says whose it was.
            draft.actor = .person(people.only?.key ?? loan.person)
            draft.add(
                .returned(
                    .init(
                        loan: loan.number, item: item, epc: sighting.epc, borrower: loan.person, mustBeInspected: mustBeInspected(item))),
                evidence: sighting.evidence)
        }
        draft.actor = .gateway
        guard let first = unexpected.first else { return }
        draft.raise(
            .stateConflict, items: unexpected.map(\.item), epcs: unexpected.map(\.sighting.epc), direction: .in,
            evidence: first.sighting.evidence)
    }

    func checkOut(
        _ tools: [(item: ItemKey, sighting: Sighting)], carriedBy people: Carriers, _ crossing: Proposal.Crossing, into draft: inout Draft
    ) {
        let station = draft.station?.name
        // A second tag of a tool that went out with this walk, only read a little longer.
        let tools = tools.filter { tool in
            guard let loan = state.loans[tool.item], loan.station == station, people.keys.isEmpty else { return true }
            return draft.time.milliseconds - loan.since.milliseconds > Self.sameWalk
        }
        guard !tools.isEmpty else { return }
        let (taken, conflicting) = tools.partitioned { state.loans[$0.item] == nil }
        guard let person = people.only ?? pair(people, taking: taken.map(\.item)) else {
            // Without a name there is no loan; somebody must say who it was.
            draft.actor = people.nobody
            draft.raise(
                people.problem, items: tools.map(\.item), epcs: tools.map(\.sighting.epc), candidates: people.keys, direction: .out,
                evidence: Self.evidence(crossing))
            return
        }
        draft.actor = .person(person.key)
        let others = conflicting.filter { state.loans[$0.item]?.person != person.key }
        if let first = others.first {
            draft.raise(
                .stateConflict, items: others.map(\.item), epcs: others.map(\.sighting.epc), candidates: [person.key],
                loan: others.count == 1 ? state.loans[first.item]?.number : nil, direction: .out, evidence: first.sighting.evidence)
        }
        lend(taken, to: person, companions: (people.keys + [people.witness].compactMap { $0 }).filter { $0 != person.key }, into: &draft)
    }

    func mustBeInspected(_ item: ItemKey) -> Bool {
        itemClass(of: item)?.needsInspection ?? false
    }

    /// Of two people who went together, the one whose badge was held first borrows, where all tools are of classes that demand a second person.
    private func pair(_ people: Carriers, taking items: [ItemKey]) -> Person? {
        guard people.keys.count == 2, !people.hasStranger, let first = people.first else { return nil }
        let isDemanded = items.allSatisfy { itemClass(of: $0)?.needsSecondPerson ?? false }
        return isDemanded && !items.isEmpty ? master.people[first] : nil
    }

    /// In milliseconds.
    private static let sameWalk: Int64 = 10_000

    private static func evidence(_ crossing: Proposal.Crossing) -> JSON {
        var members = (crossing.tags.first ?? crossing.uncertain.first)?.evidence.object ?? [:]
        members["tags"] = .integer(Int64(crossing.tags.count))
        members["badges"] = .integer(Int64(crossing.credentials.count + crossing.badgeTags.count))
        return .object(members)
    }
}

/// Who may have carried the tools of one crossing, or been at a cabinet.
struct Carriers {
    var keys: [PersonKey]
    /// The one person, when there is exactly one and every badge is known.
    var only: Person?
    /// Why there is not.
    var problem: ExceptionKind
    /// Whose badge was held first.
    var first: PersonKey?
    var hasStranger: Bool
    /// Who was there and borrows nothing.
    var witness: PersonKey?
    /// Whose the event is where nobody can be named.
    var nobody = Event.Actor.unknown

    init(of crossing: Proposal.Crossing, in ledger: Ledger) {
        let tagged = crossing.badgeTags.compactMap { sighting -> PersonKey? in
            if case .person(let key) = ledger.bearer(of: sighting.epc) { key } else { nil }
        }
        let badged = crossing.credentials.compactMap { ledger.master.credentials[$0] }
        keys = Array(Set(tagged + badged)).sorted()
        first = badged.first
        hasStranger = badged.count < crossing.credentials.count
        only = keys.count == 1 && !hasStranger ? ledger.master.people[keys[0]] : nil
        problem = keys.count > 1 || hasStranger && !keys.isEmpty ? .severalPeople : hasStranger ? .unknownBadge : .noBadge
    }

    init(of cabinet: Proposal.Cabinet, in ledger: Ledger) {
        let party = cabinet.party
        keys = Array(Set(party.people.compactMap(PersonKey.init))).sorted()
        first = party.people.first.flatMap(PersonKey.init)
        hasStranger = party.hasStranger
        witness = party.witness.flatMap(PersonKey.init)
        only = keys.count == 1 && !party.hasStranger && !cabinet.lacksSecondPerson ? ledger.master.people[keys[0]] : nil
        let isAlone = cabinet.lacksSecondPerson && !party.hasStranger
        problem = keys.isEmpty ? .noBadge : isAlone ? .secondPersonMissing : .severalPeople
        nobody = party.nobody
    }
}

extension Sequence {
    func partitioned(_ belongs: (Element) -> Bool) -> ([Element], [Element]) {
        var yes: [Element] = []
        var no: [Element] = []
        for element in self { if belongs(element) { yes.append(element) } else { no.append(element) } }
        return (yes, no)
    }
}

extension Sighting {
    fileprivate var reads: UInt64 { UInt64(inside.reads) + UInt64(outside.reads) }
}
