import Identifiers
import Readings

/// Gathers what went through a gate together into crossings, and says of each what is new: proposed, confirmed, changed or withdrawn.
struct GateWalks: Sendable {
    private struct Member: Sendable {
        var sighting: Sighting
        var role: Role
        var group: UInt64
        var direction: Direction
    }

    private enum Role: Sendable { case tool, uncertain }

    /// A crossing is what moved together in one direction with one bearer.
    private struct Part {
        var direction: Direction
        /// The badge tags of those who may have carried it, sorted.
        var bearers: [Sighting]
        var members: [Member]
    }

    private struct Told: Sendable {
        var decision: UInt64
        var crossing: Proposal.Crossing

        func isAbout(_ sighting: Sighting) -> Bool {
            (crossing.tags + crossing.uncertain).contains { $0.epc == sighting.epc && $0.visit == sighting.visit }
        }
    }

    private var members: [Member] = []
    private var bearers = GateBearers()
    /// By group, in the order in which they were told.
    private var told: [UInt64: [Told]] = [:]
    private var touched: Set<UInt64> = []
    private var nextDecision: UInt64 = 1

    /// - Parameter bearer: what the ledger knows of the tag now; it may have been something else when it was told provisionally.
    mutating func take(_ sighting: Sighting, bearer: Known) {
        let before = members.firstIndex { $0.sighting.epc == sighting.epc && $0.sighting.visit == sighting.visit }
        let former = before.map { members.remove(at: $0) }
        if let former { touched.insert(former.group) }
        switch bearer {
        case .person: return bearers.take(sighting)
        case .product, .location, .control: return
        case .item, .nothing: break
        }
        guard let (role, direction) = Self.part(of: sighting, isTool: bearer.isTool) else { return }
        let group = former?.group ?? sighting.group ?? sighting.visit
        members.append(Member(sighting: sighting, role: role, group: group, direction: direction))
        touched.insert(group)
    }

    mutating func forgetAll() {
        members = []
        bearers.forgetAll()
        told = [:]
        touched = []
    }

    /// What a sighting is in a crossing; nil: nothing.
    private static func part(of sighting: Sighting, isTool: Bool) -> (Role, Direction)? {
        switch sighting.kind {
        case .appeared, .stayed: return nil
        case .passed(let direction): return (.tool, direction)
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
        if bearers.takeChange() { touched.formUnion(members.map(\.group)) }
        return touched.sorted().flatMap { propose(group: $0, station: station, badges: &badges, window: window) }
    }

    private mutating func propose(group: UInt64, station: String, badges: inout GateBadges, window: Instant.Span) -> [Proposal] {
        let all = members.filter { $0.group == group }
        // The last word about a part is the last, whoever else of its group is still on the way.
        let closed = (told[group] ?? []).filter { $0.crossing.certainty == .final }
        var old = (told[group] ?? []).filter { $0.crossing.certainty != .final }
        told[group] = closed
        let mine = all.filter { member in !closed.contains { $0.isAbout(member.sighting) } }.sorted {
            ($0.sighting.first, $0.sighting.epc) < ($1.sighting.first, $1.sighting.epc)
        }
        let parts = Direction.allCases.flatMap { direction in split(mine.filter { $0.direction == direction }, direction) }
        let former = parts.map { part in Self.match(part, among: &old) }
        for gone in old { badges.release(gone.crossing.credentials) }
        var proposals = old.map { gone in
            Proposal(station: station, content: .retraction(.init(decision: gone.decision, tags: gone.crossing.tags)))
        }
        for (part, former) in zip(parts, former) {
            var crossing = Self.crossing(part)
            let seen = crossing.tags + crossing.uncertain
            guard let firstEnd = seen.map(\.last).min(), let last = seen.map(\.last).max() else { continue }
            let crossed = crossing.tags.compactMap(\.crossed).min()
            crossing.credentials = former?.crossing.credentials ?? []
            if crossing.credentials.isEmpty {
                crossing.credentials = badges.use(
                    firstEnd: firstEnd, crossed: crossed ?? last, last: last, direction: part.direction, window: window)
            }
            let decision = former?.decision ?? nextDecision
            crossing.decision = decision
            if former == nil { nextDecision += 1 }
            told[group, default: []].append(Told(decision: decision, crossing: crossing))
            guard crossing != former?.crossing else { continue }
            proposals.append(Proposal(station: station, content: .crossing(crossing), at: crossed))
        }
        if all.allSatisfy({ $0.sighting.certainty == .final }) {
            members.removeAll { $0.group == group }
            told[group] = nil
        }
        return proposals
    }

    /// What of a group went in one direction: one part for each bearer.
    private func split(_ members: [Member], _ direction: Direction) -> [Part] {
        let all = self.members.filter { $0.direction == direction }.map(\.sighting)
        let bearers = bearers.bearers(of: members.map(\.sighting), among: all, direction)
        var parts: [Part] = []
        for (member, bearers) in zip(members, bearers) {
            if let known = parts.firstIndex(where: { $0.bearers == bearers }) {
                parts[known].members.append(member)
            } else {
                parts.append(Part(direction: direction, bearers: bearers, members: [member]))
            }
        }
        return parts
    }

    /// Takes what was told of a part before: of the same bearer, or else of the same things while their bearer was not known yet.
    private static func match(_ part: Part, among old: inout [Told]) -> Told? {
        let tags = Set(part.members.map(\.sighting.epc))
        let people = part.bearers.map(\.epc)
        func likeness(_ told: Told) -> Int {
            guard told.crossing.direction == part.direction else { return 0 }
            let shared = (told.crossing.tags + told.crossing.uncertain).count { tags.contains($0.epc) }
            return shared == 0 ? 0 : shared + (told.crossing.badgeTags.map(\.epc) == people ? 1_000_000 : 0)
        }
        let best = old.indices.max { likeness(old[$0]) < likeness(old[$1]) }
        guard let best, likeness(old[best]) > 0 else { return nil }
        return old.remove(at: best)
    }

    private static func crossing(_ part: Part) -> Proposal.Crossing {
        func sightings(_ role: Role) -> [Sighting] { part.members.filter { $0.role == role }.map(\.sighting) }
        // A badge that is still in sight does not hold up the last word about the tools.
        let isFinal = part.members.allSatisfy { $0.sighting.certainty == .final }
        return Proposal.Crossing(
            direction: part.direction, certainty: isFinal ? .final : .provisional, tags: sightings(.tool), badgeTags: part.bearers,
            uncertain: sightings(.uncertain))
    }
}

extension Known {
    fileprivate var isTool: Bool { if case .item = self { true } else { false } }
}
