import Readings

/// Badges held before the gate's badge readers, until a walk uses them.
struct GateBadges: Hashable, Sendable {
    private struct Badge: Hashable, Sendable {
        let credential: String
        let at: Instant
        /// When what it served went through.
        var usedFor: Instant?
    }

    private var badges: [Badge] = []

    /// A badge held this soon after the last read belongs to the same walk as those held before: then a person must say whose it was.
    static let after = Instant.Span.seconds(1)
    /// Who went through without a badge may still hold it for so long; after that it is another's.
    static let tooLate = Instant.Span.seconds(3)
    /// What goes through within this long of each other may be one walk, and shares badges: one person's things are heard at times that
    /// differ by up to this much.
    static let sameTime = Instant.Span.milliseconds(1_200)
    /// How long after the end of a walk its badge may still be needed: until it is final, and a reader's short silence.
    static let longestDecision = Instant.Span.seconds(70)
    /// The most badges remembered at once.
    static let maximum = 64

    mutating func take(_ credential: String, at now: Instant, window: Instant.Span) {
        badges.removeAll { $0.credential == credential || now - ($0.at + window) > Self.longestDecision }
        // The newest is that of who stands there now.
        if badges.count >= Self.maximum { badges.remove(at: badges.firstIndex { $0.usedFor != nil } ?? 0) }
        badges.append(Badge(credential: credential, at: now))
    }

    /// What these served did not happen: they are for whoever comes now.
    mutating func release(_ credentials: [String]) {
        for index in badges.indices where credentials.contains(badges[index].credential) { badges[index].usedFor = nil }
    }

    /// The badges that go with a walk: those held before its end, not too long ago, and one held right after it. One held later belongs
    /// to the next person, unless this walk has none.
    ///
    /// A badge serves one walk: the next person who forgets theirs must not borrow in this one's name. Who only brings something back
    /// uses up their own, not that of the person behind them.
    /// - Parameters:
    ///   - firstEnd: the last read of the tag that left first: one that hangs near the gate may have been seen for hours
    ///   - crossed: when it went through
    ///   - last: the last read of all
    mutating func use(firstEnd: Instant, crossed: Instant, last: Instant, direction: Direction, window: Instant.Span) -> [String] {
        let free = badges.indices.filter { index in
            badges[index].usedFor.map { max($0, crossed) - min($0, crossed) <= Self.sameTime } ?? true
        }
        let near = free.filter { firstEnd - badges[$0].at <= window && badges[$0].at <= last + Self.after }
        let used = near.isEmpty ? free.filter { badges[$0].at > last && badges[$0].at <= last + Self.tooLate } : near
        for index in used where direction == .out || badges[index].at <= last { badges[index].usedFor = crossed }
        return used.map { badges[$0].credential }
    }
}
