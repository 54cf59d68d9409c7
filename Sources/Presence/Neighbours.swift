/// Visits in the order of when they were heard best: who moved together is found without comparing everybody with everybody.
struct Neighbours {
    private let visits: [(centre: Double, place: Int, judgement: Judgement)]

    /// More companions say nothing new: a cart with more tags than this is decided by those next to each.
    private static let most = 256
    /// A step beyond what counts as the same time, for the rounding of large numbers.
    private static let reach = Judgement.sameTime + 1

    /// - Parameter visits: with their places in some list; those without reads are left out
    init(_ visits: [(place: Int, judgement: Judgement)]) {
        self.visits = visits.filter { $0.judgement.reads > 0 }.map { ($0.judgement.centre, $0.place, $0.judgement) }
            .sorted { ($0.centre, $0.place) < ($1.centre, $1.place) }
    }

    /// The places of those that moved together with a visit, ascending: at most 256, the nearest in time.
    func companions(of judgement: Judgement, except own: Int? = nil) -> [Int] {
        guard judgement.reads > 0 else { return [] }
        let centre = judgement.centre
        var found: [Int] = []
        var later = firstPlace(notBefore: centre)
        var earlier = later - 1
        while found.count < Self.most {
            let ahead = later < visits.count ? visits[later].centre - centre : .infinity
            let behind = earlier >= 0 ? centre - visits[earlier].centre : .infinity
            guard min(ahead, behind) <= Self.reach else { break }
            let next = ahead <= behind ? later : earlier
            if ahead <= behind { later += 1 } else { earlier -= 1 }
            if visits[next].place != own, judgement.isTogether(with: visits[next].judgement) { found.append(visits[next].place) }
        }
        return found.sorted()
    }

    private func firstPlace(notBefore centre: Double) -> Int {
        var (low, high) = (0, visits.count)
        while low < high {
            let middle = (low + high) / 2
            if visits[middle].centre < centre { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
