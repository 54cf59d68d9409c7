import Identifiers
import Readings

/// The people whose badge tags went by a moment ago, and which of them carried what.
///
/// A badge on the chest is heard best before its wearer reaches the gate, a tool on the back after: they rarely move as one to the
/// radio. What tells is when each went through, and what lies around that in time.
struct GateBearers: Sendable {
    private var people: [Sighting] = []
    /// Somebody's word has changed since `changed` was last asked.
    private var isChanged = false

    /// What was worn longer ago than this before the newest is forgotten.
    private static let remembered = Instant.Span.seconds(60)
    private static let maximum = 256
    /// How much later than a chest badge a tool is heard that lies evenly around its middle, and which share of the time by which it was
    /// heard longer after its middle than before is to be added: one on the back is heard late. Found by simulation, alike for two
    /// geometries (residual 0.2 s).
    private static let behind: Int64 = 170_000_000
    private static let lateThousandths: Int64 = 145
    private static let longestLate: Int64 = 700_000_000
    /// A bearer went through at most this much before or after, or this share of the time for which the thing was seen: what is pushed
    /// slowly goes well ahead.
    private static let together = Instant.Span.milliseconds(1_200)
    private static let togetherPercent: Int64 = 35
    /// A badge that was only glimpsed at the right time did not stay: who turns back is in sight for longer.
    private static let glimpse = Instant.Span.seconds(3)
    /// Things that went through within this time of one another have a say in each other's bearer.
    private static let sayTime: Int64 = 700_000_000
    /// Two bearers that fit equally well, by this much: nobody knows.
    private static let tie: Int64 = 30_000_000

    mutating func take(_ sighting: Sighting) {
        people.removeAll { $0.epc == sighting.epc && $0.visit == sighting.visit || sighting.last - $0.last > Self.remembered }
        if people.count >= Self.maximum { people.removeFirst() }
        people.append(sighting)
        isChanged = true
    }

    mutating func forgetAll() { people = [] }

    mutating func takeChange() -> Bool {
        defer { isChanged = false }
        return isChanged
    }

    /// Who carried each of the things that went in one direction together: nobody known, one person, or two of whom nobody can say which.
    /// - Parameter all: everything that went in that direction lately
    func bearers(of things: [Sighting], among all: [Sighting], _ direction: Direction) -> [[Sighting]] {
        let times = things.map(Self.walkTime)
        let allTimes = all.map(Self.walkTime)
        let candidates = zip(things, times).map { self.candidates(for: $0, at: $1, direction) }
        var bearers = things.indices.map { thing -> [Sighting] in
            let own = candidates[thing]
            guard own.count > 1 else { return own.map { people[$0] } }
            let ranked = own.map { person in (person: person, distance: self.distance(of: person, to: times[thing], things: allTimes)) }
                .sorted { ($0.distance, $0.person) < ($1.distance, $1.person) }
            let isTie = ranked[1].distance - ranked[0].distance < Self.tie
            return ranked.prefix(isTie ? 2 : 1).map { people[$0.person] }.sorted { $0.epc < $1.epc }
        }
        // What was heard too badly goes with the rest.
        let known = bearers.filter { !$0.isEmpty }
        if let only = known.first, known.allSatisfy({ $0 == only }) {
            for thing in things.indices { bearers[thing] = only }
        }
        return bearers
    }

    /// Those who went the same way; failing them, those of whom a silent reader or a weak signal left it open.
    private func candidates(for thing: Sighting, at time: Int64, _ direction: Direction) -> [Int] {
        let share = min((thing.last - thing.first).nanoseconds, Self.remembered.nanoseconds) / 100 * Self.togetherPercent
        let near = people.indices.filter { person in
            Self.difference(Self.middle(of: people[person]), time) <= max(Self.together.nanoseconds, share)
        }
        let sure = near.filter { people[$0].kind == .passed(direction) }
        guard sure.isEmpty else { return sure }
        return near.filter { person in
            switch people[person].kind {
            case .uncertain, .unknown: true
            case .stayed:
                people[person].isDegraded || thing.isDegraded || people[person].last - people[person].first <= Self.glimpse
            case .appeared, .passed: false
            }
        }
    }

    /// How far a person is from a thing in time, as the things that went with it see it too.
    private func distance(of person: Int, to thing: Int64, things times: [Int64]) -> Int64 {
        let at = Self.middle(of: people[person])
        var (sum, weights): (Int64, Int64) = (0, 0)
        for time in times {
            let weight = (Self.sayTime - Self.difference(time, thing)) / 1_000_000
            guard weight > 0 else { continue }
            sum += min(Self.difference(time, at) / 1_000_000, 900) * weight
            weights += weight
        }
        return weights > 0 ? sum / weights * 1_000_000 : 0
    }

    private static func difference(_ one: Int64, _ other: Int64) -> Int64 {
        let (difference, overflow) = one.subtractingReportingOverflow(other)
        return overflow ? .max : Int64(clamping: difference.magnitude)
    }

    private static func middle(of sighting: Sighting) -> Int64 {
        sighting.crossed?.nanoseconds ?? (sighting.first.nanoseconds / 2 + sighting.last.nanoseconds / 2)
    }

    /// When the badge of who carried this was heard best, as far as the thing can tell.
    private static func walkTime(of thing: Sighting) -> Int64 {
        let middle = middle(of: thing)
        let late = (thing.last.nanoseconds - middle) - (middle - thing.first.nanoseconds)
        return middle - behind - max(min(late / 1_000 * lateThousandths, longestLate), -longestLate)
    }
}
