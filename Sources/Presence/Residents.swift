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

    /// What is longer ago is forgotten.
    static let memory = Instant.Span.seconds(600)
    static let capacity = 4_096

    /// What its earlier visits speak against a crossing now, ln.
    func penalty(of epc: EPC, at now: Instant) -> Double {
        guard let entry = entries[epc], now - entry.last <= Self.memory else { return 0 }
        return min(3, 1.2 * Double(entry.visits) + 0.05 * Double(entry.visible.milliseconds) / 1_000)
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
        entries[epc] = entry
    }

    mutating func crossed(_ epc: EPC) { entries[epc] = nil }

    mutating func restore(_ epc: EPC, _ entry: Entry) {
        if entries.count < Self.capacity { entries[epc] = entry }
    }

    private mutating func forget(before now: Instant) {
        entries = entries.filter { now - $0.value.last <= Self.memory }
    }
}
