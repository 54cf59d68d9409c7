import Identifiers
import Readings

/// What one episode's looks say of one tag.
struct CabinetBelief: Sendable {
    /// That it is inside.
    var probability = 0.0
    /// ln of how much likelier the looks are with the tag inside than outside.
    var evidence = 0.0
    /// Whether it lies where its rates were learned.
    var isAtItsPlace = false
    var seen = 0
    var looks = 0
}

extension CabinetPresence {
    private enum Prior {
        /// That a tool inside is taken, or one outside is brought back, at one opening.
        static let taken = 0.02
        static let returned = 0.4
        /// That a tool inside was moved to another place inside.
        static let moved = 0.005
        /// That a tool brought back lies where it lay before.
        static let backAtItsPlace = 0.3
    }

    /// Beyond these nothing more is asked: of a provisional answer, and of a final one.
    private static let decided = 0.95
    private static let confirmed = 0.9
    /// A change needs looks that speak for it at 3 to 1, not only a prior that wore off over many openings.
    private static let leastEvidence = 1.1
    /// An antenna that sees a tag in this share of its looks should see it in any scan.
    private static let reliableRate = 0.3
    /// So many reliable tags are not all taken at once as readily as an antenna fails.
    private static let tagsThatShowAnAntenna = 3

    /// Whether no read at all by this antenna (nil: by any) means that it does not work, rather than that nothing is left to see.
    func silenceIsSuspect(antenna: Int?) -> Bool {
        var count = 0
        for tag in tags where tag.isInside {
            let isReliable =
                if let antenna {
                    antenna < tag.rates.count && tag.rates[antenna].mean >= Self.reliableRate
                } else {
                    tag.rates.contains { $0.mean >= Self.reliableRate }
                }
            guard isReliable else { continue }
            count += settings.referenceTags.contains(tag.epc) ? Self.tagsThatShowAnAntenna : 1
            if count >= Self.tagsThatShowAnAntenna { return true }
        }
        return false
    }

    /// The antennas whose looks count, in the order of `antennas`.
    private func usableAntennas(broken: Set<UInt8>) -> [Bool] {
        var sawSomething = [Bool](repeating: false, count: antennas.count)
        for tag in tags {
            for (antenna, count) in tag.closeSeen.enumerated() where count > 0 { sawSomething[antenna] = true }
            for (antenna, count) in tag.confirmSeen.enumerated() where count > 0 { sawSomething[antenna] = true }
        }
        return antennas.indices.map { antenna in
            !broken.contains(antennas[antenna]) && (sawSomething[antenna] || !silenceIsSuspect(antenna: antenna))
        }
    }

    func weigh(into report: inout CabinetReport, closeLooks: Int, confirmLooks: Int, brokenAntennas: Set<UInt8>) {
        let usable = usableAntennas(broken: brokenAntennas)
        report.silentAntennas = antennas.indices.filter { !usable[$0] }.map { antennas[$0] }.sorted()
        guard closeLooks + confirmLooks > 0, usable.contains(true) else {
            report.isBlind = true
            return
        }
        let enough = closeLooks + confirmLooks >= settings.minimumLooks
        var (once, twice) = (0, 0)
        for tag in tags where !settings.referenceTags.contains(tag.epc) {
            let belief = weigh(tag, closeLooks: closeLooks, confirmLooks: confirmLooks, usable: usable)
            if belief.seen == 1 { once += 1 } else if belief.seen == 2 { twice += 1 }
            let entry = CabinetReport.Entry(
                epc: tag.epc, inside: belief.probability.thousandths, seen: belief.seen, looks: belief.looks, wasOpenBefore: tag.isOpen)
            let isInside = enough ? tag.isInside(after: belief, leastEvidence: Self.leastEvidence) : tag.isInside
            let isDecided = report.certainty == .provisional ? Self.decided : Self.confirmed
            // The prior alone is no answer: a tag that was not seen is not shown to be there.
            let isOpen = (1 - isDecided < belief.probability && belief.probability < isDecided) || (isInside && belief.seen == 0)
            // A tag that its best antenna sees now and then is looked for as long as it takes: nobody waits for this scan.
            if report.certainty == .final, tag.isInside, !isInside, !tag.isReliable { report.needsLongScan = true }
            let isKnownEnough = report.certainty == .final || !isOpen
            if tag.isInside, !isInside, isKnownEnough { report.taken.append(entry) }
            if !tag.isInside, isInside, isKnownEnough { report.returned.append(entry) }
            if isOpen { report.undecided.append(entry) }
            if isInside, tag.isInside, tag.isWeak { report.weakSpots.append(entry) }
        }
        report.taken.sort { $0.epc < $1.epc }
        report.returned.sort { $0.epc < $1.epc }
        report.undecided.sort { $0.epc < $1.epc }
        report.weakSpots.sort { $0.epc < $1.epc }
        report.unseenTags = CabinetEvidence.unseenTags(once: once, twice: twice).thousandths
    }

    func weigh(_ tag: Tag, closeLooks: Int, confirmLooks: Int, usable: [Bool]) -> CabinetBelief {
        var (seen, rates): ([Int], [CabinetEvidence.Rate]) = ([], [])
        var (close, confirm) = (0, 0)
        for antenna in usable.indices where usable[antenna] {
            let inClose = antenna < tag.closeSeen.count ? tag.closeSeen[antenna] : 0
            let inConfirm = antenna < tag.confirmSeen.count ? tag.confirmSeen[antenna] : 0
            close += inClose
            confirm += inConfirm
            seen.append(inClose + inConfirm)
            rates.append(antenna < tag.rates.count ? tag.rates[antenna] : .fresh)
        }
        let looks = closeLooks + confirmLooks
        let fresh = CabinetEvidence.freshPlace(seen: seen, of: looks)
        var inside = fresh
        var isAtItsPlace = false
        if tag.experience > 0 {
            var learned = 0.0
            for (count, rate) in zip(seen, rates) { learned += rate.carriedOver.logLikelihood(seen: count, of: looks) }
            let atPlace = tag.isInside ? 1 - Prior.moved : Prior.backAtItsPlace
            let (here, elsewhere) = (Elementary.log(atPlace) + learned, Elementary.log(1 - atPlace) + fresh)
            inside = CabinetEvidence.logSum(here, elsewhere)
            isAtItsPlace = here > elsewhere
        }
        let outside = CabinetEvidence.outside(
            close: close, of: closeLooks * seen.count, confirm: confirm, of: confirmLooks * seen.count)
        let prior = tag.probability * (1 - Prior.taken) + (1 - tag.probability) * Prior.returned
        let odds = Elementary.log(prior / (1 - prior)) + inside - outside
        return CabinetBelief(
            probability: Elementary.logistic(odds), evidence: inside - outside, isAtItsPlace: isAtItsPlace, seen: close + confirm,
            looks: looks * seen.count)
    }

    /// Takes over what the final report says, and learns the rates of what is inside.
    mutating func learn(_ report: CabinetReport) {
        for position in tags.indices where tags[position].told != nil {
            tags[position].told = nil
            tags[position].isChanged = true
        }
        let usable = usableAntennas(broken: Set(report.silentAntennas))
        let enough = closeLooks + confirmLooks >= settings.minimumLooks
        guard enough else { return }
        let open = Set(report.undecided.map(\.epc))
        for position in tags.indices {
            let belief = weigh(tags[position], closeLooks: closeLooks, confirmLooks: confirmLooks, usable: usable)
            let isReference = settings.referenceTags.contains(tags[position].epc)
            let isInside = isReference || tags[position].isInside(after: belief, leastEvidence: Self.leastEvidence)
            if !tags[position].isInside, !isInside, belief.seen == 0 || tags[position].isStranger { continue }
            let isNew = isInside && (!tags[position].isInside || !belief.isAtItsPlace) && !belief.isAtItsPlace
            tags[position].isInside = isInside
            tags[position].probability = belief.probability.thousandths
            tags[position].isOpen = open.contains(tags[position].epc)
            tags[position].isChanged = true
            guard isInside, belief.probability >= Self.confirmed || isReference else { continue }
            if isNew || tags[position].experience == 0 {
                tags[position].rates = []
                tags[position].experience = 0
            }
            tags[position].learnRates(looks: closeLooks + confirmLooks, usable: usable)
        }
    }
}

extension CabinetPresence.Tag {
    func isInside(after belief: CabinetBelief, leastEvidence: Double) -> Bool {
        let isLikelyInside = belief.probability >= 0.5
        if isLikelyInside == isInside { return isInside }
        return (isLikelyInside ? belief.evidence : -belief.evidence) >= leastEvidence ? isLikelyInside : isInside
    }

    /// One antenna at least sees it in most looks.
    var isReliable: Bool { rates.contains { $0.mean >= 0.85 } }

    /// Seen by any antenna in fewer than 1 look of 10, as learned from 20 looks or more.
    var isWeak: Bool {
        guard experience >= 20 else { return false }
        var missed = 1.0
        for rate in rates { missed *= 1 - rate.mean }
        return 1 - missed < 0.1
    }

    mutating func learnRates(looks: Int, usable: [Bool]) {
        for antenna in usable.indices {
            if rates.count <= antenna { rates.append(.fresh) }
            guard usable[antenna] else { continue }
            let inClose = antenna < closeSeen.count ? closeSeen[antenna] : 0
            let inConfirm = antenna < confirmSeen.count ? confirmSeen[antenna] : 0
            rates[antenna].learn(seen: inClose + inConfirm, of: looks)
        }
        experience = min(experience + looks, 10_000)
    }
}
