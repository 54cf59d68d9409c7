import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private func epc(_ number: UInt8) -> EPC { EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number])! }
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("Gate presence: visits from reads")
struct GatePresenceTests {
    private func presence(quiet: Int64 = 2_000, capacity: Int = 65_536) -> GatePresence {
        GatePresence(settings: .init(quiet: .milliseconds(quiet), capacity: capacity), startingAt: .zero, isReading: true)
    }

    @Test("A tag first read inside and last read outside has passed out, and the other way round it has passed in")
    func directions() {
        for (sides, kind) in [
            ([GateSide.inside, .inside, .outside], Sighting.Kind.passed(.out)), ([.outside, .inside, .inside], .passed(.in)),
            ([.inside, .outside, .inside], .stayed), ([.outside], .stayed),
        ] {
            var presence = presence()
            for (index, side) in sides.enumerated() {
                presence.observe(TagRead(epc: epc(1), antenna: 1, rssi: -6_000), side: side, at: at(Int64(index) * 100))
            }
            let last = Int64(sides.count - 1) * 100
            #expect(presence.advance(to: at(last + 1_999)).isEmpty)
            let sightings = presence.advance(to: at(last + 2_000))
            #expect(sightings.map(\.kind) == [kind])
            #expect(presence.openVisits == 0)
            #expect(presence.nextDeadline == nil)
        }
    }

    @Test("The evidence counts reads and keeps the strongest signal of each side")
    func evidence() {
        var presence = presence()
        for (milliseconds, side, rssi) in [(0, GateSide.inside, -7_000), (50, .inside, -5_500), (900, .outside, -6_100)] {
            presence.observe(TagRead(epc: epc(1), antenna: 1, rssi: Int16(rssi)), side: side, at: at(Int64(milliseconds)))
        }
        let sighting = presence.advance(to: at(3_000)).first
        #expect(sighting?.inside == .init(reads: 2, strongest: -5_500))
        #expect(sighting?.outside == .init(reads: 1, strongest: -6_100))
        #expect(
            sighting?.evidence.canonicalText
                == #"{"first":"inside","inside":{"reads":2,"rssi":-55},"last":"outside","outside":{"reads":1,"rssi":-61},"seconds":0.9}"#)
    }

    @Test("A visit ends only by silence of the tag while the reader was reading")
    func outage() {
        var presence = presence()
        presence.observe(TagRead(epc: epc(1), antenna: 1), side: .inside, at: at(0))
        presence.readerChanged(isReading: false, at: at(100))
        #expect(presence.advance(to: at(2_500)).isEmpty)
        presence.readerChanged(isReading: true, at: at(2_600))
        #expect(presence.advance(to: at(4_599)).isEmpty)
        presence.observe(TagRead(epc: epc(1), antenna: 2), side: .outside, at: at(4_599))
        #expect(presence.advance(to: at(7_000)).map(\.kind) == [.passed(.out)])
    }

    @Test("A reader that is silent for long makes its tags unknown, never gone")
    func unknown() {
        var presence = presence()
        presence.observe(TagRead(epc: epc(2), antenna: 1), side: .inside, at: at(0))
        presence.observe(TagRead(epc: epc(1), antenna: 2), side: .outside, at: at(10))
        presence.readerChanged(isReading: false, at: at(100))
        #expect(presence.nextDeadline == at(3_100))
        let sightings = presence.advance(to: at(3_100))
        #expect(sightings.map(\.kind) == [.unknown, .unknown])
        #expect(sightings.map(\.epc) == [epc(2), epc(1)])
        #expect(presence.advance(to: at(100_000)).isEmpty)
    }

    @Test("Reads are bounded: more tags than there is room for are counted, not kept")
    func capacity() {
        var presence = presence(capacity: 100)
        for number in 0..<200 {
            presence.observe(TagRead(epc: EPC([UInt8(number), 7])!, antenna: 1), side: .inside, at: at(0))
        }
        #expect(presence.openVisits == 100)
        #expect(presence.overflow == 100)
    }

    @Test("The table agrees with a dictionary", arguments: [1, 2, 3] as [UInt64])
    func table(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = TagTable<Int>(capacity: 10_000)
        var dictionary: [EPC: Int] = [:]
        for _ in 0..<20_000 {
            let key = EPC([UInt8(random.next() % 4), UInt8(truncatingIfNeeded: random.next()), UInt8(random.next() % 2)])!
            _ = table.update(key, initial: { 1 }, { $0 += 1 })
            dictionary[key, default: 0] += 1
            if random.next() % 500 == 0 {
                let removed = table.remove { $0 % 3 == 0 }
                for entry in removed { #expect(dictionary.removeValue(forKey: entry.epc) == entry.value, "seed \(seed)") }
                #expect(dictionary.values.allSatisfy { $0 % 3 != 0 }, "seed \(seed)")
            }
        }
        #expect(Dictionary(uniqueKeysWithValues: table.entries.map { ($0.epc, $0.value) }) == dictionary, "seed \(seed)")
    }
}
