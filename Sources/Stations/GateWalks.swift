import Identifiers
import Readings

/// Gathers what went through a gate together into crossings, and says of each what is new: proposed, confirmed, changed or withdrawn.
struct GateWalks: Sendable {
    fileprivate struct Member: Sendable {
        var sighting: Sighting
        var role: Role
        var group: UInt64
        var direction: Direction
    }

    fileprivate enum Role: Sendable { case tool, person, uncertain }

    /// A crossing is what moved together in one direction with one bearer.
    private struct Key: Hashable, Sendable {
        var group: UInt64
        var direction: Direction
        /// The badge tag of the bearer, where several went together.
        var bearer: EPC?
    }

    private struct Told: Sendable {
        var decision: UInt64
        var crossing: Proposal.Crossing
    }

    private var members: [Member] = []
    private var told: [Key: Told] = [:]
    private var touched: [UInt64] = []
    private var nextDecision: UInt64 = 1

    mutating func take(_ sighting: Sighting, isPerson: Bool, isTool: Bool) {
        let before = members.firstIndex { $0.sighting.epc == sighting.epc && $0.sighting.visit == sighting.visit }
        let former = before.map { members.remove(at: $0) }
        if let former, !touched.contains(former.group) { touched.append(former.group) }
        guard let (role, direction) = Self.part(of: sighting, isPerson: isPerson, isTool: isTool) else { return }
        let group = former?.group ?? sighting.group ?? sighting.visit
        members.append(Member(sighting: sighting, role: role, group: group, direction: direction))
        if !touched.contains(group) { touched.append(group) }
    }

    mutating func forgetAll() {
        members = []
        told = [:]
        touched = []
    }

    /// What a sighting is in a crossing; nil: nothing.
    private static func part(of sighting: Sighting, isPerson: Bool, isTool: Bool) -> (Role, Direction)? {
        switch sighting.kind {
        case .appeared, .stayed: return nil
        case .passed(let direction): return (isPerson ? .person : .tool, direction)
        case .uncertain: return isTool && sighting.certainty == .final ? (.uncertain, .out) : nil
        case .unknown:
            // Last seen where it began says nothing; last seen on the other side, it was on its way.
            guard isTool, sighting.firstSide != sighting.lastSide, sighting.last - sighting.first <= GateStation.longestWalk else {
                return nil
            }
            return (.uncertain, .out)
        }
    }

    /// What is new since the last time.
    mutating func proposals(of station: String, badges: inout GateBadges, window: Instant.Span) -> [Proposal] {
        defer { touched = [] }
        return touched.sorted().flatMap { propose(group: $0, station: station, badges: &badges, window: window) }
    }

    private mutating func propose(group: UInt64, station: String, badges: inout GateBadges, window: Instant.Span) -> [Proposal] {
        var proposals: [Proposal] = []
        let mine = members.filter { $0.group == group }.sorted {
            ($0.sighting.first, $0.sighting.epc) < ($1.sighting.first, $1.sighting.epc)
        }
        var parts: [(key: Key, crossing: Proposal.Crossing)] = []
        for direction in Direction.allCases {
            parts += split(mine.filter { $0.direction == direction }, group: group, direction: direction)
        }
        let keys = Set(parts.map(\.key))
        for (key, old) in told.sorted(by: { $0.value.decision < $1.value.decision }) where key.group == group && !keys.contains(key) {
            told[key] = nil
            proposals.append(Proposal(station: station, content: .retraction(.init(decision: old.decision, tags: old.crossing.tags))))
        }
        for (key, content) in parts {
            var crossing = content
            let old = told[key]
            let seen = crossing.tags + crossing.uncertain
            guard let firstEnd = seen.map(\.last).min(), let last = seen.map(\.last).max() else { continue }
            crossing.credentials = old?.crossing.credentials ?? []
            if crossing.credentials.isEmpty {
                crossing.credentials = badges.use(firstEnd: firstEnd, last: last, direction: key.direction, window: window)
            }
            crossing.decision = old?.decision ?? nextDecision
            if old == nil { nextDecision += 1 }
            guard crossing != old?.crossing else { continue }
            told[key] = crossing.certainty == .final ? nil : Told(decision: crossing.decision ?? 0, crossing: crossing)
            let crossed = crossing.tags.compactMap(\.crossed).min()
            proposals.append(Proposal(station: station, content: .crossing(crossing), at: crossed))
        }
        if mine.allSatisfy({ $0.sighting.certainty == .final }) { members.removeAll { $0.group == group } }
        return proposals
    }

    /// Crossings of one group in one direction: one for each bearer whose badge tag went along, with the tools that were nearest.
    private func split(_ members: [Member], group: UInt64, direction: Direction) -> [(key: Key, crossing: Proposal.Crossing)] {
        let people = members.filter { $0.role == .person }
        let things = members.filter { $0.role != .person }
        guard !things.isEmpty else { return [] }
        guard people.count > 1 else { return [(Key(group: group, direction: direction), crossing(members, direction))] }
        var parts = people.map { [$0] }
        for thing in things {
            let distances = people.map { person in (person.middle - thing.middle).nanoseconds.magnitude }
            let nearest = distances.indices.min { (distances[$0], $0) < (distances[$1], $1) } ?? 0
            parts[nearest].append(thing)
        }
        return parts.filter { $0.count > 1 }.map { part in
            (Key(group: group, direction: direction, bearer: part[0].sighting.epc), crossing(part, direction))
        }
    }

    private func crossing(_ members: [Member], _ direction: Direction) -> Proposal.Crossing {
        func sightings(_ role: Role) -> [Sighting] { members.filter { $0.role == role }.map(\.sighting) }
        let isFinal = members.allSatisfy { $0.sighting.certainty == .final }
        return Proposal.Crossing(
            direction: direction, certainty: isFinal ? .final : .provisional, tags: sightings(.tool), badgeTags: sightings(.person),
            uncertain: sightings(.uncertain))
    }
}

extension GateWalks.Member {
    /// When it was nearest, as well as that is known.
    fileprivate var middle: Instant {
        sighting.crossed ?? Instant(nanoseconds: sighting.first.nanoseconds / 2 + sighting.last.nanoseconds / 2)
    }
}
