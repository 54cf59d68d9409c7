import Identifiers
import Presence
import Readings
import SiteConfiguration

extension CabinetStation {
    mutating func take(_ outputs: [CabinetOutput], into output: inout StationOutput) {
        for case .report(let report) in outputs {
            guard let episode else { continue }
            if report.certainty == .final {
                self.episode = nil
                if !report.isBlind { needsBaseline = false }
            }
            guard !episode.isSilent else { continue }
            if report.isBlind {
                tellBlind(report, of: episode, into: &output)
                continue
            }
            let difference = Proposal.Cabinet(
                certainty: report.certainty, decision: report.episode, taken: report.taken.map { sighting($0, .out, report) },
                added: report.returned.map { sighting($0, .in, report) }, party: episode.party, isInterrupted: episode.isInterrupted,
                followsOpening: episode.reason != nil, lacksSecondPerson: lacksSecondPerson(episode.party))
            if report.certainty == .provisional { self.episode?.told = difference }
            output.sightings += difference.taken + difference.added
            propose(.cabinet(difference), at: report.closed, into: &output)
        }
    }

    /// A lock waits for both, a door without one for nobody.
    private func lacksSecondPerson(_ party: Proposal.CabinetParty) -> Bool {
        settings.people == 2 && settings.lock == nil && party.people.count == 1 && party.witness == nil
    }

    /// What the ledger writes down of a provisional difference is not told again after a loss of power; what waits for the last word is
    /// found again.
    mutating func keep(_ told: Proposal.Cabinet, known: (EPC) -> Known) {
        for (sightings, isInside) in [(told.taken, false), (told.added, true)] {
            for sighting in sightings {
                switch known(sighting.epc) {
                case .product: episode?.untold.insert(sighting.epc)
                case .item(isOut: false) where isInside: episode?.untold.insert(sighting.epc)
                case .item, .person, .location, .control, .nothing: presence.tell(sighting.epc, isInside: isInside)
                }
            }
        }
    }

    /// No antenna showed that it works: what is inside is not known, and nothing is gone.
    mutating func tellBlind(_ report: CabinetReport, of episode: Episode, into output: inout StationOutput) {
        if report.certainty == .provisional {
            if !episode.party.people.isEmpty { output.feedback = .notRecorded }
        } else if var told = episode.told {
            told.certainty = .final
            told.taken.removeAll { episode.untold.contains($0.epc) }
            told.added.removeAll { episode.untold.contains($0.epc) }
            propose(.cabinet(told), at: report.closed, into: &output)
        } else {
            carried = episode.party
        }
    }

    func sighting(_ entry: CabinetReport.Entry, _ direction: Direction, _ report: CabinetReport) -> Sighting {
        var sighting = Sighting(
            epc: entry.epc, visit: report.episode, certainty: report.certainty, kind: .passed(direction), first: report.closed,
            last: report.closed, inside: .init(reads: UInt32(clamping: entry.seen)), outside: .init(), firstSide: direction.origin,
            lastSide: direction == .out ? .outside : .inside)
        sighting.looks = .init(
            inside: Int32((entry.inside * 1_000).rounded()), seen: entry.seen, of: entry.looks, wasOpenBefore: entry.wasOpenBefore)
        return sighting
    }
}
