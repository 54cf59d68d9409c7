import Identifiers
import Readings

/// Under which a station speaks of one crossing again.
struct DecisionKey: Hashable, Sendable {
    var station: String
    var number: UInt64
}

/// What was made of one decision of a station so far. In memory only: a station that begins anew has no more to say about it, and
/// what was provisional then is settled from the rows of the state.
struct DecisionMemory: Hashable, Sendable {
    /// nil: nothing was an event yet.
    var episode: String?
    /// The number of its first event.
    var begin: Int64?
    /// What of it is a fact now, in the order of the events.
    var standing: [StandingFact] = []
    /// What people have dealt with since, by command or with a card at a bench: its station has no more to say about it.
    var settled: Set<ItemKey> = []
    /// What the person was told.
    var told: Feedback?
    /// Orders the memories by age.
    var age: Int64 = 0
}

/// What was remembered before the event with this number was decided.
struct EarlierMemories: Sendable {
    var sequence: Int64
    var memories: [DecisionKey: DecisionMemory]
}

extension Ledger {
    /// Decisions that can still be corrected. Provisional ones are never forgotten for younger ones.
    static let maximumMemories = 256

    /// A crossing: a new one, or another word about one that was decided before.
    func decide(_ crossing: Proposal.Crossing, station: String, at time: WallTime, recorded: WallTime?) -> Plan {
        decide(
            crossing.decision, crossing.certainty, seen: crossing.tags, items: crossing.tags + crossing.uncertain,
            arriving: crossing.direction == .in ? crossing.tags : [], station: station, at: time, recorded: recorded
        ) { image, episode in
            image.plan(crossing, station: station, at: time, episode: episode)
        }
    }

    /// Another word about something, or the first.
    /// - Parameters:
    ///   - seen: what it is about.
    ///   - items: tags of which older decisions are settled first.
    ///   - arriving: those of tools that are there now.
    ///   - plan: decides as if nothing had been said before, in the episode of the first word.
    func decide(
        _ number: UInt64?, _ certainty: Certainty, seen: [Sighting], items: [Sighting], arriving: [Sighting], station: String,
        at time: WallTime, recorded: WallTime?, plan: (Ledger, _ episode: String?) -> Plan
    ) -> Plan {
        let key = number.map { DecisionKey(station: station, number: $0) }
        let memory = key.flatMap { memories[$0] }
        // What an older decision said of the same tools is settled first: whoever sees them now has the newer word.
        var draft = Draft(ledger: self, station: station, at: time, recorded: recorded)
        let items = Set(items.compactMap { item(of: $0.epc) })
        for fact in state.provisional.values.sorted(by: { $0.event.sequence < $1.event.sequence })
        where fact.isAbout(items) && fact.event.sequence < memory?.begin ?? .max {
            draft.confirm(fact, isUnchecked: false)
        }
        let standing = memory?.confirmingSettled(certainty, into: &draft) ?? []
        var image = self
        for event in draft.events { _ = image.state.apply(event) }
        image.state.retract(standing)
        image.passedOver = memory?.settled ?? []
        let fresh = plan(image, memory?.episode)
        var merged = merge(fresh, certainty, over: standing, told: memory?.told, seen: seen, into: &draft)
        addConsequences(arriving: certainty == .final ? arriving : [], to: &draft)
        merged.events = draft.events
        merged.decision = key.map { .init(key: $0, told: merged.feedback ?? memory?.told) }
        return merged
    }

    /// A crossing that did not happen after all.
    func decide(_ retraction: Proposal.Retraction, station: String, at time: WallTime, recorded: WallTime?) -> Plan {
        let key = DecisionKey(station: station, number: retraction.decision)
        guard let memory = memories[key] else { return Plan(events: [], feedback: nil) }
        var draft = Draft(ledger: self, station: station, at: time, recorded: recorded)
        let nothing = Plan(events: [], feedback: nil)
        let standing = memory.confirmingSettled(.final, into: &draft)
        var plan = merge(nothing, .final, over: standing, told: memory.told, seen: retraction.tags, into: &draft)
        plan.decision = .init(key: key, told: plan.feedback ?? memory.told)
        return plan
    }

    /// Whether something is provisional that no station will come back to.
    public var hasOrphans: Bool { !state.provisional.isEmpty && !orphans.isEmpty }

    /// Whether something is provisional that its station will speak of again.
    public var hasOpenDecisions: Bool { orphans.count < state.provisional.count }

    private var orphans: [StandingFact] {
        var known: Set<Int64> = []
        for memory in memories.values { known.formUnion(memory.standing.map(\.event.sequence)) }
        return state.provisional.values.filter { !known.contains($0.event.sequence) }.sorted { $0.event.sequence < $1.event.sequence }
    }

    /// Makes final, as it is, what no station will come back to: the gateway was started again, or the station begins anew.
    public func settleOrphans(at time: WallTime) -> Plan {
        var draft = Draft(ledger: self, station: nil, at: time)
        for fact in orphans { draft.confirm(fact, isUnchecked: true) }
        addConsequences(arriving: [], to: &draft)
        return draft.plan(feedback: nil)
    }

    /// A station begins anew and has no more to say about what it decided.
    /// - Parameter station: nil: all of them.
    public mutating func abandon(station: String?) {
        func remaining(_ memories: [DecisionKey: DecisionMemory]) -> [DecisionKey: DecisionMemory] {
            memories.filter { station != nil && $0.key.station != station }
        }
        memories = remaining(memories)
        // Nor must it be remembered again when a commit fails that is on its way.
        for place in earlierMemories.indices { earlierMemories[place].memories = remaining(earlierMemories[place].memories) }
    }

    /// Says the difference between what stands and what is true now.
    private func merge(
        _ fresh: Plan, _ certainty: Certainty, over standing: [StandingFact], told: Feedback?, seen: [Sighting], into draft: inout Draft
    ) -> Plan {
        var unmatched = standing
        let matches = fresh.events.map { event in
            unmatched.firstIndex { $0.saysTheSame(as: event) }.map { unmatched.remove(at: $0) }
        }
        for (event, match) in zip(fresh.events, matches) where match == nil { confirmGround(of: event, but: standing, into: &draft) }
        let begin = draft.events.count
        for fact in unmatched {
            let sighting = seen.first { sighting in fact.epcs.contains(sighting.epc) }
            draft.retract(fact, evidence: sighting?.evidence ?? fact.event.evidence)
        }
        for case let match? in matches { if case .checkedOut(let checkout) = match.event.body { draft.join(checkout) } }
        for (event, match) in zip(fresh.events, matches) {
            guard let match else {
                draft.append(event, certainty: certainty)
                continue
            }
            // What is as certain as it was said before is not said again.
            if match.event.certainty == .provisional, certainty == .final { draft.confirm(match, as: event) }
        }
        draft.linkReplacements(from: begin)
        let hasChanged = standing.isEmpty || draft.events[begin...].contains { $0.corrects == nil || $0.body.isRetraction }
        var feedback = hasChanged && fresh.feedback != told ? fresh.feedback : nil
        // Nothing of what was acknowledged is recorded any more.
        if hasChanged, fresh.feedback == nil, told == .accepted, !unmatched.isEmpty { feedback = .refused }
        return draft.plan(feedback: feedback)
    }

    /// Who takes finals only must hear of a loan before its return, and of a return before the next loan: what a new event rests on, and
    /// another decision has said provisionally, is settled before it.
    private func confirmGround(of event: Event, but standing: [StandingFact], into draft: inout Draft) {
        let settled = Set(draft.events.compactMap(\.corrects) + standing.map(\.event.sequence))
        for fact in state.provisional.values.sorted(by: { $0.event.sequence < $1.event.sequence })
        where !settled.contains(fact.event.sequence) && fact.isGround(of: event) {
            draft.confirm(fact, isUnchecked: false)
        }
    }

    private func item(of epc: EPC) -> ItemKey? {
        if case .item(let key)? = bearer(of: epc) { key } else { nil }
    }

    // MARK: Memory

    /// Keeps the memories in step with an event that is about to be taken into the image.
    mutating func remember(_ event: Event, of key: DecisionKey?) {
        // A loan that somebody voids never was, whatever its station sees.
        if key == nil, case .crossingRetracted(let retraction) = event.body, case .checkedOut(let checkout) = retraction.fact {
            settle(checkout.item)
        }
        if let corrected = event.corrects {
            for (key, memory) in memories {
                guard let place = memory.standing.firstIndex(where: { $0.event.sequence == corrected }) else { continue }
                if event.body.isRetraction {
                    memories[key]?.standing.remove(at: place)
                } else {
                    memories[key]?.standing[place].event = event
                }
            }
            if case .crossingRetracted(let retraction) = event.body, case .checkedOut(let checkout) = retraction.fact {
                forgetClosed(checkout)
            }
        } else if key == nil, let item = event.body.settledItem {
            settle(item)
        } else if let key, let fact = Event.CrossingFact(event.body) {
            var closed: Loan?
            if case .returned(let returned) = fact { closed = state.loans[returned.item] }
            var memory = memories[key] ?? DecisionMemory()
            memory.standing.append(StandingFact(event: event, closed: closed))
            memory.episode = event.episode
            if memory.begin == nil { memory.begin = event.sequence }
            memories[key] = memory
        }
    }

    private mutating func settle(_ item: ItemKey) {
        for (key, memory) in memories where memory.standing.contains(where: { $0.isAbout([item]) }) { memories[key]?.settled.insert(item) }
    }

    private mutating func forgetClosed(_ checkout: Event.Checkout) {
        for (key, memory) in memories {
            for (place, fact) in memory.standing.enumerated() {
                guard let closed = fact.closed, closed.without(checkout) != closed else { continue }
                memories[key]?.standing[place].closed = closed.without(checkout)
            }
        }
    }

    /// What a plan without events leaves behind: that the person was told.
    mutating func remember(_ decision: Plan.Decision) {
        memoryAge += 1
        memories[decision.key, default: DecisionMemory()].told = decision.told
        memories[decision.key]?.age = memoryAge
        guard memories.count > Self.maximumMemories else { return }
        let closed = memories.filter { memory in !memory.value.standing.contains { $0.event.certainty == .provisional } }
        if let oldest = closed.min(by: { $0.value.age < $1.value.age }) { memories[oldest.key] = nil }
    }

    mutating func keepMemories() {
        // More are on their way to the disk only while it hangs for long.
        if earlierMemories.count >= Self.maximumMemories { earlierMemories.removeFirst() }
        earlierMemories.append(EarlierMemories(sequence: state.nextSequence, memories: memories))
    }

    /// After the image was loaded again: what was decided later than that is forgotten, as if it had never been.
    mutating func restoreMemories() {
        if let earlier = earlierMemories.first(where: { $0.sequence >= state.nextSequence }) { memories = earlier.memories }
        earlierMemories = []
    }
}

extension DecisionMemory {
    /// Makes final what stands of what was settled since, with the last word.
    /// - Returns: what stands beside that.
    fileprivate func confirmingSettled(_ certainty: Certainty, into draft: inout Draft) -> [StandingFact] {
        guard !settled.isEmpty else { return standing }
        let (done, open) = standing.partitioned { !$0.items.isEmpty && $0.items.allSatisfy(settled.contains) }
        if certainty == .final { for fact in done where fact.event.certainty == .provisional { draft.confirm(fact, isUnchecked: false) } }
        return open
    }
}

extension LedgerState {
    /// Undoes facts, the newest first, as their withdrawal would.
    mutating func retract(_ facts: [StandingFact]) {
        let next = nextSequence
        for fact in facts.reversed() {
            guard let retraction = fact.retraction else { continue }
            var event = fact.event
            event.corrects = event.sequence
            event.body = .crossingRetracted(retraction)
            _ = apply(event)
        }
        nextSequence = next
    }
}

extension StandingFact {
    var retraction: Event.Retraction? {
        Event.CrossingFact(event.body).map { Event.Retraction(fact: $0, time: event.time.calendar, reopened: closed) }
    }

    /// Tags that it is about.
    var epcs: [EPC] {
        switch event.body {
        case .checkedOut(let checkout): checkout.epc.map { [$0] } ?? []
        case .returned(let returned): returned.epc.map { [$0] } ?? []
        case .exceptionRaised(let raised): raised.epcs
        default: []
        }
    }

    var items: [ItemKey] {
        switch event.body {
        case .checkedOut(let checkout): [checkout.item]
        case .returned(let returned): [returned.item]
        case .exceptionRaised(let raised): raised.items
        default: []
        }
    }

    /// Whether it lent or took back one of these.
    func isAbout(_ items: Set<ItemKey>) -> Bool {
        switch event.body {
        case .checkedOut, .returned: self.items.contains(where: items.contains)
        default: false
        }
    }

    /// Whether an event follows from this fact: a return from its loan, a loan from the return before it.
    func isGround(of event: Event) -> Bool {
        switch (self.event.body, event.body) {
        case (.checkedOut(let checkout), .returned(let returned)): checkout.loan == returned.loan && checkout.item == returned.item
        case (.returned(let returned), .checkedOut(let checkout)): returned.item == checkout.item
        default: false
        }
    }

    /// Whether an event of a fresh decision would be this fact once more; loan numbers, tags and times may differ.
    func saysTheSame(as fresh: Event) -> Bool {
        switch (event.body, fresh.body) {
        case (.checkedOut(let old), .checkedOut(let new)): old.item == new.item && old.person == new.person && old.permit == new.permit
        case (.returned(let old), .returned(let new)): old.item == new.item && old.loan == new.loan
        case (.exceptionRaised(let old), .exceptionRaised(let new)):
            old.kind == new.kind && old.direction == new.direction && old.loan == new.loan && old.candidates == new.candidates
                && Set(old.items) == Set(new.items) && (!new.items.isEmpty || Set(old.epcs) == Set(new.epcs))
        default: false
        }
    }
}

extension Event.Body {
    /// The tool of which a person, or another station, says what became of it.
    fileprivate var settledItem: ItemKey? {
        switch self {
        case .returned(let returned): returned.item
        case .renewed(let renewal): renewal.item
        case .transferred(let transfer): transfer.item
        case .lost(let loss): loss.item
        case .inspected(let inspection): inspection.item
        default: nil
        }
    }

    var isRetraction: Bool { if case .crossingRetracted = self { true } else { false } }
}
