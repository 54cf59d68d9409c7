import Identifiers
import Readings

/// Tags that were near the gate lately and did not go through: the more often, the more must speak for a crossing.
struct Residents: Sendable {
    struct Entry: Hashable, Sendable {
        /// Visits without a crossing.
        var visits: UInt32
        /// How long they lasted together.
        var visible: Instant.Span
        var last: Instant
    }

    private(set) var entries: [EPC: Entry] = [:]
    /// Tags of which something else is to be saved than was.
    private var changed: Set<EPC> = []
    /// When what is forgotten was looked for last.
    private var swept = Instant.zero

    /// What is longer ago is forgotten.
    static let memory = Instant.Span.seconds(600)
    static let capacity = 4_096

    /// What a few visits can make of it.
    static let highestPenalty = 5.4
    /// After more than so many the chance of a crossing falls in proportion: a tag that lay there a thousand times moves hardly ever.
    static let manyVisits: UInt32 = 20
    /// A tool that was put down by the gate is taken away some day.
    static let highestOfMany = 8.0

    /// What its earlier visits speak against a crossing now, ln.
    func penalty(of epc: EPC, at now: Instant) -> Double {
        guard let entry = entries[epc], now - entry.last <= Self.memory else { return 0 }
        return entry.penalty
    }

    /// A visit ended without a crossing.
    mutating func stayed(_ epc: EPC, from first: Instant, to last: Instant) {
        var entry = entries[epc] ?? Entry(visits: 0, visible: .zero, last: last)
        if last - entry.last > Self.memory { entry = Entry(visits: 0, visible: .zero, last: last) }
        entry.visits &+= 1
        entry.visible = Instant.Span(nanoseconds: min(entry.visible.nanoseconds &+ (last - first).nanoseconds, .max / 4))
        entry.last = last
        if entries[epc] == nil, entries.count >= Self.capacity { forget(before: last) }
        guard entries[epc] != nil || entries.count < Self.capacity else { return }
        // Beyond the highest penalty of few visits only their doubling is worth a write.
        let isMore = entry.visits & (entry.visits &- 1) == 0
        if entries[epc].map({ $0.penalty < Self.highestPenalty || $0.visits > entry.visits || isMore }) ?? true { changed.insert(epc) }
        entries[epc] = entry
    }

    mutating func crossed(_ epc: EPC) {
        if entries.removeValue(forKey: epc) != nil { changed.insert(epc) }
    }

    mutating func restore(_ epc: EPC, _ entry: Entry) {
        if entries.count < Self.capacity { entries[epc] = entry }
    }

    /// The tags whose entries are to be saved, in order; what is forgotten is so a minute later at most.
    mutating func takeChanged(at now: Instant) -> [EPC] {
        if now - swept >= .seconds(60) {
            swept = now
            forget(before: now)
        }
        guard !changed.isEmpty else { return [] }
        defer { changed = [] }
        return changed.sorted()
    }

    private mutating func forget(before now: Instant) {
        for (epc, entry) in entries where now - entry.last > Self.memory {
            entries[epc] = nil
            changed.insert(epc)
        }
    }
}

extension Residents.Entry {
    var penalty: Double {
        let few = min(Residents.highestPenalty, 2.2 * Double(visits) + 0.09 * Double(visible.milliseconds) / 1_000)
        guard visits > Residents.manyVisits else { return few }
        return min(Residents.highestOfMany, few + Elementary.log(Double(visits) / Double(Residents.manyVisits)))
    }

    var json: JSON { ["visits": .integer(Int64(visits)), "milliseconds": .integer(visible.milliseconds)] }

    /// What makes the highest penalty by far, in milliseconds.
    private static let longestSaved: Int64 = 86_400_000

    /// An entry as it was saved counts as one of now: what the clock was then, nobody knows.
    init?(json: JSON, at now: Instant) {
        guard let visits = json["visits"]?.integer.flatMap(UInt32.init(exactly:)), let visible = json["milliseconds"]?.integer,
            visible >= 0
        else { return nil }
        self.init(visits: visits, visible: .milliseconds(min(visible, Self.longestSaved)), last: now)
    }
}
