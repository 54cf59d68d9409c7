import Identifiers
import Readings

/// Where tags went through last: one that is at two stations at once is two tags.
struct RecentTags: Sendable {
    private struct Passage {
        var station: String
        var first: Instant
        var last: Instant

        /// Whether both were there at a time, or nobody could have gone from one to the other.
        func meets(_ other: Passage) -> Bool {
            let distance = last > other.last ? last - other.last : other.last - last
            return first <= other.last && other.first <= last || distance < RecentTags.shortestWay
        }
    }

    private var passages: [EPC: Passage] = [:]
    /// In the order in which they came, to forget the oldest first.
    private var order: [EPC] = []

    var count: Int { passages.count }

    /// Nobody carries a tool from one gate to another in less.
    static let shortestWay = Instant.Span.seconds(2)
    static let maximumTags = 4_096

    /// Takes note of tags that went through a station.
    /// - Returns: those that another station read at the same moment, and which station.
    mutating func take(_ sightings: [Sighting], at station: String) -> [(epc: EPC, other: String)] {
        var cloned: [(epc: EPC, other: String)] = []
        for sighting in sightings {
            let passage = Passage(station: station, first: sighting.first, last: sighting.last)
            if let before = passages[sighting.epc] {
                if before.station != station, passage.meets(before) { cloned.append((sighting.epc, before.station)) }
            } else {
                order.append(sighting.epc)
            }
            passages[sighting.epc] = passage
        }
        if order.count > Self.maximumTags {
            for epc in order.prefix(order.count / 2) { passages[epc] = nil }
            order.removeFirst(order.count / 2)
        }
        return cloned
    }
}
