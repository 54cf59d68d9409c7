import Readings
import SiteConfiguration
import Testing

@testable import Stations

private func scan(_ text: String) -> Scan { Scan(data: Array(text.utf8)) }
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }
private let scanner = DeviceIndex(0)

@Suite("Putaway station: pairs of scans")
struct PutawayStationTests {
    private func station() -> PutawayStation { PutawayStation(name: "bench", settings: .init(scanners: ["scanner"])) }

    private func pair(_ output: StationOutput) -> Proposal.PutAway? {
        if case .putAway(let putAway) = output.proposals.first?.content { putAway } else { nil }
    }

    @Test("Item then location, or location then item, is one putaway")
    func order() {
        for isItemFirst in [true, false] {
            var station = station()
            let first = isItemFirst ? ("ITEM", Known.item(isOut: false)) : ("A-01", .location)
            let second = isItemFirst ? ("A-01", Known.location) : ("ITEM", .item(isOut: false))
            let waiting = station.scan(scan(first.0), from: scanner, at: at(0), known: first.1)
            #expect(waiting.feedback == .next)
            #expect(waiting.proposals.isEmpty)
            let done = pair(station.scan(scan(second.0), from: scanner, at: at(1_500), known: second.1))
            #expect(done?.item == scan("ITEM"))
            #expect(done?.location == scan("A-01"))
            #expect(done?.elapsed == .milliseconds(1_500))
            #expect(station.nextDeadline == nil)
        }
    }

    @Test("The same code read on by the same scanner is one scan, by another scanner it is two")
    func duplicates() {
        var station = station()
        _ = station.scan(scan("ITEM"), from: scanner, at: at(0), known: .product)
        for time in stride(from: Int64(100), through: 2_000, by: 500) {
            #expect(station.scan(scan("ITEM"), from: scanner, at: at(time), known: .product) == StationOutput())
        }
        #expect(station.duplicates == 4)
        #expect(station.scan(scan("ITEM"), from: DeviceIndex(1), at: at(2_000), known: .product).feedback == .refused)
        #expect(station.scan(scan("ITEM"), from: scanner, at: at(2_300), known: .product).feedback == .refused)
    }

    @Test("A second item without a location is heard; a second location replaces the first")
    func corrections() {
        var station = station()
        _ = station.scan(scan("A"), from: scanner, at: at(0), known: .product)
        #expect(station.scan(scan("B"), from: scanner, at: at(1_000), known: .product).feedback == .refused)
        #expect(pair(station.scan(scan("L1"), from: scanner, at: at(2_000), known: .location))?.item == scan("B"))
        #expect(station.scan(scan("L1"), from: scanner, at: at(3_000), known: .location).feedback == .next)
        #expect(station.scan(scan("L2"), from: scanner, at: at(4_000), known: .location).feedback == .next)
        #expect(pair(station.scan(scan("C"), from: scanner, at: at(5_000), known: .product))?.location == scan("L2"))
    }

    @Test("An item without a location is given up after half a minute, audibly")
    func timeout() {
        var station = station()
        _ = station.scan(scan("A"), from: scanner, at: at(0), known: .product)
        #expect(station.nextDeadline == at(30_000))
        #expect(station.advance(to: at(30_000)).feedback == .refused)
        #expect(station.scan(scan("L1"), from: scanner, at: at(31_000), known: .location).proposals.isEmpty)
    }

    @Test("Who holds a badge here is named, until nothing was scanned for a quarter of an hour")
    func worker() {
        var station = station()
        _ = station.badge(BadgeRead(credential: "77"), at: at(0))
        _ = station.scan(scan("A"), from: scanner, at: at(60_000), known: .product)
        #expect(pair(station.scan(scan("L"), from: scanner, at: at(61_000), known: .location))?.credential == "77")
        #expect(station.nextDeadline == at(61_000 + 900_000))
        _ = station.advance(to: at(61_000 + 900_000))
        _ = station.scan(scan("A"), from: scanner, at: at(1_000_000), known: .product)
        #expect(pair(station.scan(scan("L"), from: scanner, at: at(1_001_000), known: .location))?.credential == nil)
    }

    @Test("A code that nobody knows is a proposal of its own, and leaves the pair as it is")
    func unknown() {
        var station = station()
        _ = station.scan(scan("A"), from: scanner, at: at(0), known: .product)
        #expect(
            station.scan(scan("?"), from: scanner, at: at(1_000), known: .nothing).proposals == [
                Proposal(station: "bench", content: .unknownCode(scan("?")))
            ])
        #expect(pair(station.scan(scan("L"), from: scanner, at: at(2_000), known: .location)) != nil)
    }
}
