import Readings
import SiteConfiguration

extension CabinetStation {
    /// A badge that was refused, and how long it is not told again.
    struct Refusal: Hashable, Sendable {
        /// The badge's number.
        var credential: String
        var until: Instant
    }

    /// A badge that lies on the reader is told once in this time.
    static let refusalInterval = Instant.Span.seconds(60)
    /// Of more badges in one interval nothing is written down: somebody plays with the reader.
    static let maximumRefusals = 32

    /// A badge was held.
    /// - Parameters:
    ///   - credential: its number.
    ///   - mayOpen: what the ledger says of its bearer.
    public mutating func badge(_ credential: String, _ mayOpen: MayOpen, at now: Instant) -> StationOutput {
        var output = StationOutput()
        guard !isPaused else { return output }
        switch mayOpen {
        case .unknown:
            if opening != nil { episode?.party.hasStranger = true }
            refuse(credential, .init(person: nil, reason: Proposal.CabinetRefusal.unknownBadge), at: now, into: &output)
        case .refused(let person, let rule):
            // Who may not open it, and stands before the open door, may be the one who reaches in.
            if opening != nil { episode?.party.add(person) }
            refuse(credential, .init(person: person, reason: rule), at: now, into: &output)
        case .allowed(let person):
            if opening != nil {
                join(person)
                output.feedback = .next
            } else if isReady {
                offer(to: person, at: now, into: &output)
            } else {
                // What cannot see must not invite anybody.
                output.feedback = .refused
            }
        }
        handOver(into: &output)
        return output
    }

    private mutating func refuse(
        _ credential: String, _ refusal: Proposal.CabinetRefusal, at now: Instant, into output: inout StationOutput
    ) {
        output.feedback = .refused
        refusals.removeAll { $0.until <= now }
        guard refusals.count < Self.maximumRefusals, !refusals.contains(where: { $0.credential == credential }) else { return }
        refusals.append(Refusal(credential: credential, until: now + Self.refusalInterval))
        propose(.cabinetRefusal(refusal), into: &output)
    }

    /// A command lets somebody in.
    /// - Parameters:
    ///   - party: who, and the command; a stranger where nobody is named.
    ///   - asked: when it was given: a lock does not open after a disk that hung, when nobody stands there any more.
    public mutating func admit(_ party: Proposal.CabinetParty, asked: Instant, at now: Instant) -> StationOutput {
        var output = StationOutput()
        guard isReady, settings.lock != nil, opening == nil, isDoorOpen == false, now < asked + settings.unlock else {
            output.feedback = .refused
            return output
        }
        // Who was let in before and has not opened yet may be the one who does.
        var all = offer?.party ?? Proposal.CabinetParty()
        all.merge(party)
        // Whoever gives the command answers for it: that it takes two is up to them.
        make(Offer(reason: .command, party: all, until: asked + settings.unlock, isUnlocked: true), into: &output)
        handOver(into: &output)
        return output
    }

    /// Why nobody can be let in by command now; nil: somebody can.
    public var obstacle: Obstacle? {
        if isDoorOpen != false || opening != nil { return isDoorWatched && isDoorOpen == true ? .open : .unwatched }
        return isReady ? nil : areReadersReading ? .unwatched : .blind
    }

    public enum Obstacle: Hashable, Sendable {
        /// The door stands open.
        case open
        /// A reader does not read: what is taken would not be seen.
        case blind
        /// The door's contact is not read: that it is opened would not be seen.
        case unwatched
    }

    /// Takes back an unlocking that the lock did not hear: what was offered before stands.
    public mutating func withdrawOffer() { offer = earlierOffer }

    private mutating func make(_ offer: Offer, into output: inout StationOutput) {
        earlierOffer = self.offer
        self.offer = offer
        output.feedback = .next
        output.unlocks = offer.isUnlocked && settings.lock != nil
    }

    private mutating func offer(to person: String, at now: Instant, into output: inout StationOutput) {
        // Who was let in and has not opened yet may be the one who does.
        var party = offer?.party ?? Proposal.CabinetParty()
        if settings.people == 2, party.people.count == 1, party.witness == nil, party.people[0] != person {
            party.witness = person
        } else if party.witness != person {
            party.add(person)
        }
        let isComplete = settings.people == 1 || party.witness != nil
        // Somebody was let in by command, and one badge alone opens nothing: it only says who else is there.
        if !isComplete, var standing = offer, standing.isUnlocked {
            standing.party = party
            offer = standing
            output.feedback = .next
            return
        }
        make(Offer(reason: offer?.reason ?? .badge, party: party, until: now + settings.unlock, isUnlocked: isComplete), into: &output)
    }

    /// A badge is held while the door is open.
    private mutating func join(_ person: String) {
        guard var episode, let reason = opening?.reason, episode.party.witness != person else { return }
        let isFirst = reason == .noBadge && episode.party.people.isEmpty
        // A door without a lock does not wait for the second person.
        if settings.lock == nil, settings.people == 2, episode.party.people.count == 1, episode.party.witness == nil,
            episode.party.people[0] != person
        {
            episode.party.witness = person
        } else {
            episode.party.add(person)
        }
        // A door without a lock is opened first and asked about later.
        if isFirst { episode.reason = .badge }
        self.episode = episode
    }
}
