import Presence
import Readings
import SiteConfiguration

extension CabinetStation {
    /// The first that is heard of the door.
    mutating func found(isOpen: Bool, at now: Instant, into output: inout StationOutput) {
        guard presence.hasEpisode else { return isOpen ? open(.unwatched, at: now, into: &output) : check(at: now) }
        let wasOpen = opening != nil
        episode?.isInterrupted = true
        if isOpen, wasOpen {
            if opening?.wasLeftOpenTold == false { opening?.alarm = now + settings.doorOpen }
        } else if isOpen {
            open(.unwatched, at: now, into: &output)
        } else {
            let reason = opening?.reason ?? .unwatched
            take(presence.door(isOpen: false, at: now), into: &output)
            if wasOpen { propose(.cabinetDoor(.init(.closed(after: nil), reason: reason, party: party)), into: &output) }
            opening = nil
        }
    }

    mutating func opened(at now: Instant, into output: inout StationOutput) {
        // Without a lock nobody waits for the second person.
        if let offer, offer.isUnlocked || settings.lock == nil {
            open(offer.reason, by: offer.party, at: now, into: &output)
        } else if let closing = lastClosing, now - closing.at <= Self.bounce {
            open(closing.reason, by: party, isBounce: true, at: now, into: &output)
        } else if !isDoorWatched || regained.map({ now - $0 <= Self.settling }) ?? false {
            open(.unwatched, at: now, into: &output)
        } else {
            open(settings.lock == nil ? .noBadge : .forced, at: now, into: &output)
        }
    }

    mutating func open(
        _ reason: Proposal.OpeningReason, by known: Proposal.CabinetParty? = nil, isBounce: Bool = false, at now: Instant,
        into output: inout StationOutput
    ) {
        let before = presence.hasEpisode ? presence.currentEpisode : nil
        // Who waited for the second person, or for a contact that could be read again, may be the one who did it.
        var party = known ?? offer?.party ?? Proposal.CabinetParty()
        if known == nil, reason == .forced || reason == .unwatched { party.hasStranger = true }
        // The last word about the opening before comes first.
        take(presence.door(isOpen: true, at: now), into: &output)
        if before == presence.currentEpisode, var episode {
            // It is open again before the scan could say anything: one difference for both openings.
            episode.party.merge(party)
            episode.reason = reason
            self.episode = episode
        } else {
            if var earlier = carried {
                earlier.merge(party)
                party = earlier
            }
            carried = nil
            episode = Episode(party: party, reason: reason, isSilent: needsBaseline)
        }
        offer = nil
        opening = Opening(reason: reason, since: now, alarm: now + settings.doorOpen)
        propose(.cabinetDoor(.init(.opened, reason: reason, party: self.party, isBounce: isBounce)), into: &output)
    }

    mutating func closed(at now: Instant, into output: inout StationOutput) {
        guard let opening else { return }
        let reason = episode?.reason ?? opening.reason
        propose(.cabinetDoor(.init(.closed(after: opening.since.map { now - $0 }), reason: reason, party: party)), into: &output)
        self.opening = nil
        lastClosing = Closing(reason: reason, at: now)
        take(presence.door(isOpen: false, at: now), into: &output)
    }

    /// Looks for a difference without an opening: it is nobody's.
    mutating func check(at now: Instant) {
        guard !presence.hasEpisode else {
            episode?.party.hasStranger = true
            return
        }
        episode = Episode(party: .init(hasStranger: true), isSilent: needsBaseline)
        _ = presence.check(at: now)
    }

    var party: Proposal.CabinetParty { episode?.party ?? Proposal.CabinetParty() }
}
