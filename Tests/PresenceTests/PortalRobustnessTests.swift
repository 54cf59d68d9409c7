import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private func epc(_ number: Int) -> EPC { EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255)])! }
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("Portal: late, doubled, and missing reads")
struct PortalRobustnessTests {
    /// Six carts in six minutes past two pallets that stand there; each read has its time, in the reader's clock as well.
    private func reads(seed: UInt64) -> [(time: Int64, read: TagRead)] {
        var random = SeededGenerator(seed: seed)
        var reads: [(time: Int64, read: TagRead)] = []
        func add(_ tag: Int, at time: Int64, phase: Int) {
            reads.append(
                (
                    time,
                    TagRead(
                        epc: epc(tag), antenna: 1, rssi: -6_200, frequency: 866_300, phase: UInt16(truncatingIfNeeded: phase),
                        readerTime: UInt64(time) * 1_000)
                ))
        }
        for time in stride(from: Int64(0), to: 400_000, by: 200) {
            for pallet in [1, 2] {
                add(pallet, at: time + Int64(pallet), phase: pallet * 4_000 + Int.random(in: -600...600, using: &random))
            }
        }
        for cart in 1...6 {
            let start = Int64(cart) * 60_000 + Int64.random(in: 0...5_000, using: &random)
            for tag in 0..<Int.random(in: 2...6, using: &random) {
                for time in stride(from: start + Int64(tag) * 50, to: start + 3_000, by: 170) {
                    add(cart * 10 + tag, at: time, phase: Int.random(in: 0...65_535, using: &random))
                }
            }
        }
        return reads.sorted { ($0.time, $0.read.epc) < ($1.time, $1.read.epc) }
    }

    private func reports(_ deliveries: [(arrival: Int64, time: Int64, read: TagRead)]) -> [String] {
        var presence = PortalPresence(isReading: true)
        var order = ReadOrder()
        var reports: [PortalReport] = []
        func release(_ now: Instant) {
            for entry in order.release(until: now) {
                reports += presence.advance(to: entry.time)
                presence.observe(entry.read, at: entry.time)
            }
        }
        for delivery in deliveries.sorted(by: { $0.arrival < $1.arrival }) {
            release(at(delivery.arrival - 500))
            order.take(delivery.read, source: 0, at: at(delivery.time))
        }
        release(at(500_000))
        reports += presence.advance(to: at(500_000))
        return reports.map {
            "\($0.number) \($0.opened.nanoseconds) \($0.moved.map(\.epc.hex)) \($0.staged.map(\.epc.hex)) \($0.uncertain.map(\.epc.hex))"
        }
    }

    @Test("Reads that overtake one another by up to 500 ms, or come twice: the same transactions", arguments: UInt64(1)...5)
    func order(seed: UInt64) {
        let plain = reads(seed: seed)
        let expected = reports(plain.map { (arrival: $0.time, time: $0.time, read: $0.read) })
        print("portal, seed \(seed): \(plain.count) reads, \(expected.count) transactions")
        #expect(expected.count >= 6)
        var random = SeededGenerator(seed: seed + 50)
        let late = plain.map { (arrival: $0.time + Int64.random(in: 0...499, using: &random), time: $0.time, read: $0.read) }
        #expect(reports(late) == expected)
        let twice = late.flatMap { delivery in
            [delivery, (arrival: delivery.time + Int64.random(in: 0...499, using: &random), time: delivery.time, read: delivery.read)]
        }
        #expect(reports(twice) == expected)
    }

    @Test("What stood there before the reader was dead for an hour stands there after it, and opens nothing")
    func outage() {
        for tellsSignal in [true, false] {
            var presence = PortalPresence(isReading: true)
            var reports: [PortalReport] = []
            func stand(from start: Int64, to end: Int64) {
                for time in stride(from: start, to: end, by: 300) {
                    reports += presence.advance(to: at(time))
                    var read = TagRead(epc: epc(1), antenna: 1, rssi: -6_200, frequency: 866_300, phase: 4_000)
                    if !tellsSignal { (read.rssi, read.phase) = (TagRead.noRSSI, nil) }
                    presence.observe(read, at: at(time))
                }
            }
            stand(from: 0, to: 120_000)
            let before = reports.count
            presence.readerChanged(isReading: false, at: at(120_000))
            reports += presence.advance(to: at(3_720_000))
            #expect(presence.knownTags == 1)
            presence.readerChanged(isReading: true, at: at(3_720_000))
            stand(from: 3_721_000, to: 3_800_000)
            #expect(reports.count == before)
            // It is taken away, and forgotten.
            reports += presence.advance(to: at(5_000_000))
            #expect(presence.knownTags == 0)
        }
    }

    @Test("10,000 distinct EPCs an hour for six hours: those of the last minutes are remembered")
    func bounded() {
        var presence = PortalPresence(isReading: true)
        var highest = 0
        for number in 0..<60_000 {
            _ = presence.advance(to: at(Int64(number) * 360))
            presence.observe(TagRead(epc: epc(number), antenna: 1, rssi: -6_000), at: at(Int64(number) * 360))
            highest = max(highest, presence.knownTags)
        }
        print("portal, 60,000 EPCs in six hours: at most \(highest) known")
        #expect(highest <= 1_100)
    }
}
