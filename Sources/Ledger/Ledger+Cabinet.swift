import Identifiers
import Readings
import SiteConfiguration

extension Ledger {
    /// Whether the bearer of a badge may open a cabinet.
    public func mayOpen(_ credential: String, station: String, at time: WallTime) -> MayOpen {
        guard let key = person(credential), let person = master.people[key] else { return .unknown }
        let findings = ruleFindings(about: person, at: time, station: site.stations.first { $0.name == station })
        // Whoever has something to bring back is let in: a lock that keeps tools out helps nobody.
        guard let broken = findings.first(where: { $0.response == .refuse }), person.isBlocked || state.loans.of(key).isEmpty else {
            return .allowed(person: key.text)
        }
        return .refused(person: key.text, rule: broken.rule.rawValue)
    }

    /// A badge that may not open a cabinet was held at it: who tries is of interest to whoever looks later.
    func plan(_ refusal: Proposal.CabinetRefusal, station: String, at time: WallTime) -> Plan {
        var draft = Draft(ledger: self, station: station, at: time)
        let person = refusal.person.flatMap(PersonKey.init)
        draft.actor = person.map(Event.Actor.person) ?? .unknown
        draft.add(.cabinetRefused(.init(person: person, reason: refusal.reason)), evidence: .null)
        return draft.plan(feedback: nil)
    }

    /// Somebody is let in by command.
    func unlock(_ name: String, for person: PersonKey?, _ reason: String, into draft: inout Draft) throws(CommandRefusal) {
        guard let station = site.stations.first(where: { $0.name == name }) else { throw Self.noStation(name) }
        guard case .cabinet(let cabinet) = station.kind else { throw CommandRefusal(.conflict, "station \(name) is no cabinet") }
        guard cabinet.lock != nil else { throw CommandRefusal(.conflict, "\(name) has no lock: whoever is there can open it") }
        let mode = state.modes[name, default: .running]
        guard mode == .running else {
            throw CommandRefusal(.conflict, "station \(name) is \(mode.rawValue): what is taken would not be recorded")
        }
        if let person, master.people[person] == nil { throw CommandRefusal(.notFound, "there is no person \(person)") }
        draft.add(.cabinetUnlocked(.init(person: person, note: reason)), evidence: .null)
    }

    /// What happened to the door of a cabinet: written down for whoever asks later who was at it, and when.
    func plan(_ door: Proposal.CabinetDoor, station: String, at time: WallTime) -> Plan {
        let people = door.party.people.compactMap(PersonKey.init)
        let witness = door.party.witness.flatMap(PersonKey.init)
        let all = people + (witness.map { people.contains($0) ? [] : [$0] } ?? [])
        let episode: String? = if case .opened = door.change { nil } else { cabinetEpisodes[station] }
        var draft = Draft(ledger: self, station: station, at: time, opensEpisode: true, episode: episode)
        draft.actor = people.count == 1 && !door.party.hasStranger ? .person(people[0]) : door.party.nobody
        let evidence: JSON = door.party.hasStranger ? ["stranger": true] : .null
        switch door.change {
        case .opened:
            let admission = door.reason == .command ? door.party.admission : nil
            draft.add(
                .cabinetOpened(.init(people: all, reason: door.reason, client: admission?.client, note: admission?.note)),
                evidence: evidence)
            guard door.reason == .forced, !door.isBounce else { return draft.plan(feedback: nil) }
            draft.raise(.doorForced, candidates: all, evidence: evidence)
            return draft.plan(feedback: .exception)
        case .leftOpen(let after):
            draft.raise(
                .doorLeftOpen, candidates: all, evidence: .compact(["seconds": .decimal(after.milliseconds, scale: 1_000)]))
            return draft.plan(feedback: .exception)
        case .closed(let after):
            draft.add(
                .cabinetClosed(.init(people: all, reason: door.reason, milliseconds: after?.milliseconds)), evidence: evidence)
            return draft.plan(feedback: nil)
        }
    }

    /// What is different in a cabinet: a new difference, or another word about one that was decided before.
    func decide(_ cabinet: Proposal.Cabinet, station: String, at time: WallTime, recorded: WallTime?) -> Plan {
        decide(
            cabinet.decision, cabinet.certainty, seen: cabinet.taken + cabinet.added, items: cabinet.taken + cabinet.added,
            arriving: cabinet.added, station: station, at: time, recorded: recorded
        ) { image, episode in
            image.plan(
                cabinet, station: station, at: time, episode: episode ?? (cabinet.followsOpening ? cabinetEpisodes[station] : nil))
        }
    }

    /// Loans, returns, consumption, and what a person must look at.
    private func plan(_ cabinet: Proposal.Cabinet, station: String, at time: WallTime, episode: String?) -> Plan {
        var draft = Draft(ledger: self, station: station, at: time, opensEpisode: true, episode: episode)
        let people = Carriers(of: cabinet, in: self)
        putBack(tools(among: cabinet.added), by: people, cabinet, into: &draft)
        checkOut(tools(among: cabinet.taken), carriedBy: people, Self.crossing(cabinet), into: &draft)
        draft.actor = people.only.map { .person($0.key) } ?? people.nobody
        raiseStrangers(cabinet, people, into: &draft)
        // What is counted cannot be withdrawn: it waits for the last word.
        if cabinet.certainty == .final { count(cabinet, by: people, into: &draft) }
        let hasException = draft.events.contains { if case .exceptionRaised = $0.body { true } else { false } }
        // Who opened and took nothing hears that this is known; after a look of the gateway's own nobody stands there.
        let isAwaited = (!people.keys.isEmpty || cabinet.party.admission != nil) && !cabinet.isInterrupted
        return draft.plan(feedback: hasException ? .exception : isAwaited || !draft.events.isEmpty ? .accepted : nil)
    }

    /// As a gate would see what was taken, for the rules are the same.
    private static func crossing(_ cabinet: Proposal.Cabinet) -> Proposal.Crossing {
        Proposal.Crossing(
            direction: .out, certainty: cabinet.certainty, decision: cabinet.decision, tags: cabinet.taken,
            credentials: cabinet.party.people)
    }

    private func putBack(
        _ tools: [(item: ItemKey, sighting: Sighting)], by people: Carriers, _ cabinet: Proposal.Cabinet, into draft: inout Draft
    ) {
        let location = location(of: draft)
        var misplaced: [(item: ItemKey, sighting: Sighting)] = []
        for (item, sighting) in tools {
            // Here it is known who brought it, unless several were there.
            if let loan = state.loans[item] {
                draft.actor = .person(people.only?.key ?? loan.person)
                draft.add(
                    .returned(
                        .init(
                            loan: loan.number, item: item, epc: sighting.epc, borrower: loan.person,
                            mustBeInspected: mustBeInspected(item))),
                    evidence: Self.evidence(sighting, cabinet))
            }
            draft.actor = people.only.map { .person($0.key) } ?? people.nobody
            guard let location else { continue }
            guard let home = home(of: item) else {
                // Where it was put for the first time is where it belongs, until somebody says otherwise.
                if cabinet.certainty == .final {
                    draft.add(
                        .putAway(.init(subject: .item(item), quantity: 1, location: location, locationURI: uri(of: .location(location)))),
                        evidence: Self.evidence(sighting, cabinet))
                }
                continue
            }
            if home != location { misplaced.append((item, sighting)) }
        }
        // Somebody looks for it, and without a loan nothing else says that it is back.
        let missed = tools.filter { tool in
            state.loans[tool.item] == nil
                && state.exceptions.values.contains {
                    $0.raised.direction == .out && $0.raised.items.contains(tool.item) && !hasComeBack(tool.item, since: $0.number)
                }
        }
        if let first = missed.first {
            draft.raise(
                .stateConflict, items: missed.map(\.item), epcs: missed.map(\.sighting.epc), candidates: people.keys, direction: .in,
                evidence: Self.evidence(first.sighting, cabinet))
        }
        guard let first = misplaced.first else { return }
        // Whoever looks already need not be told again.
        let announced = Set(
            state.exceptions.values.filter { $0.raised.kind == .wrongPlace && $0.station == draft.station?.name }.flatMap(\.raised.items))
        misplaced.removeAll { announced.contains($0.item) }
        guard !misplaced.isEmpty else { return }
        draft.raise(
            .wrongPlace, items: misplaced.map(\.item), epcs: misplaced.map(\.sighting.epc), candidates: people.keys, direction: .in,
            evidence: Self.evidence(first.sighting, cabinet, ["home": home(of: first.item).map { .string($0.text) } ?? .null]))
    }

    /// Tags that nobody knows were put in.
    private func raiseStrangers(_ cabinet: Proposal.Cabinet, _ people: Carriers, into draft: inout Draft) {
        let announced = Set(state.exceptions.values.filter { $0.raised.kind == .unknownTag }.flatMap(\.raised.epcs))
        let strangers = cabinet.added.filter { bearer(of: $0.epc) == nil && !announced.contains($0.epc) }
        guard let first = strangers.first else { return }
        draft.raise(
            .unknownTag, epcs: strangers.map(\.epc), candidates: people.keys, direction: .in, evidence: Self.evidence(first, cabinet))
    }

    /// What is used up: stock goes down, or up again, and there is no loan.
    private func count(_ cabinet: Proposal.Cabinet, by people: Carriers, into draft: inout Draft) {
        guard let location = location(of: draft) else { return }
        let uri = uri(of: .location(location))
        for (product, sightings) in products(among: cabinet.taken) {
            draft.add(
                .consumed(
                    .init(
                        subject: .product(product, lot: nil), quantity: Int64(sightings.count), location: location, locationURI: uri,
                        person: people.only?.key)), evidence: Self.evidence(sightings[0], cabinet))
        }
        for (product, sightings) in products(among: cabinet.added) {
            draft.add(
                .putAway(
                    .init(subject: .product(product, lot: nil), quantity: Int64(sightings.count), location: location, locationURI: uri)),
                evidence: Self.evidence(sightings[0], cabinet))
        }
    }

    private func products(among sightings: [Sighting]) -> [(ProductKey, [Sighting])] {
        var tags: [ProductKey: [Sighting]] = [:]
        for sighting in sightings {
            if case .product(let key)? = bearer(of: sighting.epc) { tags[key, default: []].append(sighting) }
        }
        return tags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Where an item belongs.
    private func home(of item: ItemKey) -> LocationKey? { master.items[item]?.home ?? state.places[item] }

    private func location(of draft: Draft) -> LocationKey? { draft.station?.location.flatMap(LocationKey.init) }

    private static func evidence(_ sighting: Sighting, _ cabinet: Proposal.Cabinet, _ more: [String: JSON] = [:]) -> JSON {
        var members = sighting.evidence.object ?? [:]
        members.merge(more) { $1 }
        if cabinet.isInterrupted { members["interrupted"] = true }
        return .object(members)
    }
}

extension Proposal.CabinetParty {
    /// Who an event is said to be of when it is nobody's by name: whoever let them in, where there is nobody else.
    var nobody: Event.Actor { people.isEmpty ? admission.map { .client($0.client) } ?? .unknown : .unknown }
}
