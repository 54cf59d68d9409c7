/// How likely a tag's reads are when it lies in the cabinet, and when it does not.
///
/// A look is one cycle of the reader over all its antennas. Of `n` looks, a tag was seen in `s` by one antenna; the rate is unknown
/// and differs by tag and place, so `s` is beta-binomial.
enum CabinetEvidence {
    /// What is known of the rate at which one antenna sees one tag: a beta distribution.
    struct Rate: Hashable, Sendable {
        /// Looks with the tag, plus what is assumed at first.
        var seen: Double
        /// Looks without.
        var missed: Double

        /// A fresh place, before its first scan: near 1 or near 0 rather than in between, and quick to learn.
        static let fresh = Rate(seen: 0.4, missed: 0.4)

        var mean: Double { seen / (seen + missed) }

        /// Older scans count 0.6 of the next newer one, and together at most 120 looks with and 240 without the tag: things in a
        /// cabinet are stirred at every opening. No rate is ever believed to be exactly 0 or 1, for a reader hops over channels.
        mutating func learn(seen newSeen: Int, of looks: Int) {
            seen = max(0.2, min(0.6 * seen + Double(newSeen), 120)).thousandths
            missed = max(0.2, min(0.6 * missed + Double(looks - newSeen), 240)).thousandths
        }

        /// The same mean, but worth no more than 24 looks: from one opening to the next a tag's margin shifts with the things around
        /// it, so that many looks of one scan are not many witnesses of the next one's rate.
        var carriedOver: Rate {
            let weight = seen + missed
            guard weight > 24 else { return self }
            return Rate(seen: seen * 24 / weight, missed: missed * 24 / weight)
        }

        /// ln of the probability of one given order of `s` sightings in `n` looks.
        func logLikelihood(seen s: Int, of n: Int) -> Double {
            CabinetEvidence.logRising(seen, s) + CabinetEvidence.logRising(missed, n - s) - CabinetEvidence.logRising(seen + missed, n)
        }
    }

    /// While the person may still stand at the door with the tool in the hand, it leaks through the gaps: about 1 look in 100, with
    /// much doubt about the rate.
    private static let leak = Rate(seen: 0.15, missed: 15)
    /// After the person has left, a read of a tag that is not inside is an accident: 1 look in 2,000.
    private static let logAccident = Elementary.log(0.0005)
    private static let logNoAccident = Elementary.log(0.9995)
    /// Now and then the person has not left after all.
    private static let logLeft = Elementary.log(0.999)
    private static let logStayed = Elementary.log(0.001)

    /// What a tag outside still shows: `close` of `closeLooks` before the person left, `confirm` of `confirmLooks` after.
    static func outside(close: Int, of closeLooks: Int, confirm: Int, of confirmLooks: Int) -> Double {
        let before = leak.logLikelihood(seen: close, of: closeLooks)
        let left = before + Double(confirm) * logAccident + Double(confirmLooks - confirm) * logNoAccident
        let stayed = leak.logLikelihood(seen: close + confirm, of: closeLooks + confirmLooks)
        return logSum(logLeft + left, logStayed + stayed)
    }

    /// Most places are seen well by most antennas and not at all by some: a rate near 1 or near 0.
    private static let goodPlace = Rate(seen: 0.6, missed: 0.3)
    /// Three places in 100 are bad for all of them.
    private static let badPlace = Rate(seen: 0.3, missed: 6)
    private static let logGood = Elementary.log(0.97)
    private static let logBad = Elementary.log(0.03)

    /// A place of which nothing is known. - Parameter seen: looks with the tag by antenna; the antennas without evidence left out.
    static func freshPlace(seen: [Int], of looks: Int) -> Double {
        var good = logGood
        var total = 0
        for count in seen {
            good += goodPlace.logLikelihood(seen: count, of: looks)
            total += count
        }
        return logSum(good, logBad + badPlace.logLikelihood(seen: total, of: looks * seen.count))
    }

    /// ln(e^a + e^b)
    static func logSum(_ a: Double, _ b: Double) -> Double {
        let (high, low) = a > b ? (a, b) : (b, a)
        return low == -.infinity ? high : high + Elementary.log(1 + Elementary.exp(low - high))
    }

    /// ln( x (x+1) … (x+count−1) )
    static func logRising(_ x: Double, _ count: Int) -> Double {
        var sum = 0.0
        var product = 1.0
        var index = 0
        while index < count {
            product *= x + Double(index)
            index += 1
            // Long before a Double overflows.
            if product > 1e200 || product < 1e-200 {
                sum += Elementary.log(product)
                product = 1
            }
        }
        return sum + Elementary.log(product)
    }

    /// Chao's lower bound for the tags that are there and were not seen at all.
    ///
    /// A. Chao, "Nonparametric estimation of the number of classes in a population", Scand. J. Statist. 11 (1984), in its bias-corrected
    /// form. - Parameters: how many tags were seen exactly once and exactly twice.
    static func unseenTags(once: Int, twice: Int) -> Double {
        Double(once * max(0, once - 1)) / Double(2 * (twice + 1))
    }
}
