import Identifiers
import Readings

/// Where tags went through last: one that is at two stations at once is two tags.
struct RecentTags: Sendable {
    private struct Passage {
        var station: String
        var at: Instant
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
            if let last = passages[sighting.epc] {
                let distance = sighting.last > last.at ? sighting.last - last.at : last.at - sighting.last
                if last.station != station, distance < Self.shortestWay { cloned.append((sighting.epc, last.station)) }
            } else {
                order.append(sighting.epc)
            }
            passages[sighting.epc] = Passage(station: station, at: sighting.last)
        }
        if order.count > Self.maximumTags {
            for epc in order.prefix(order.count / 2) { passages[epc] = nil }
            order.removeFirst(order.count / 2)
        }
        return cloned
    }
}
