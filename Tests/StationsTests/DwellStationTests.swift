import Identifiers
import Presence
import Readings
import SiteConfiguration
import TestSupport
import Testing

@testable import Stations

private let reader = DeviceIndex(0)
private let secondReader = DeviceIndex(1)
private func epc(_ number: Int) -> EPC {
    EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)])!
}
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// A fact as a business sees it.
private struct Fact: Hashable, Comparable, CustomStringConvertible {
    var kind: DwellEvent.Kind
    var epc: EPC
    var certainty: Certainty
    var first: Instant
    var last: Instant

    static func < (left: Fact, right: Fact) -> Bool {
        (left.last, left.epc, left.kind.rawValue, left.certainty.rawValue) < (
            right.last, right.epc, right.kind.rawValue, right.certainty.rawValue
        )
    }

    static func byTag(_ left: Fact, _ right: Fact) -> Bool {
        (left.epc, left.last, left.kind.rawValue, left.certainty.rawValue) < (
            right.epc, right.last, right.kind.rawValue, right.certainty.rawValue
        )
    }

    var description: String { "\(kind.rawValue) \(epc.hex) \(certainty.rawValue) \(first.nanoseconds) \(last.nanoseconds)" }
}

/// A read on its way: when it was read, by the reader's own clock, and when it arrives.
private struct Delivery {
    var arrival: Int64
    var read: TagRead
}

@Suite("Dwell station: what came and what left")
struct DwellStationTests {
    private func station(_ readers: [String] = ["uhf"], learned: [LearnedState] = [], isReading: Bool = true) -> DwellStation {
        var station = DwellStation(
            name: "shelf", settings: .init(readers: readers), index: { ["uhf": reader, "second": secondReader][$0] }, learned: learned,
            startingAt: .zero)
        if isReading { for device in [reader, secondReader] { station.deviceChanged(device, isReading: true, at: .zero) } }
        return station
    }

    private func run(_ station: inout DwellStation, to end: Int64, into stays: inout [DwellEvent]) {
        while let deadline = station.nextDeadline, deadline <= at(end) { stays += station.advance(to: deadline).stays }
    }

    private func facts(_ stays: [DwellEvent]) -> [Fact] {
        stays.map { Fact(kind: $0.kind, epc: $0.epc, certainty: $0.certainty, first: $0.first, last: $0.last) }.sorted()
    }

    /// What is said of each tag, in order.
    private func words(_ facts: [Fact]) -> [String] {
        facts.sorted(by: Fact.byTag).map { "\($0.epc.hex) \($0.kind.rawValue) \($0.certainty.rawValue)" }
    }

    @Test("Readers that change places in the site file keep what they saw")
    func readersChangePlaces() {
        var station = station(["uhf", "second"])
        var stays: [DwellEvent] = []
        var learned: [LearnedState] = []
        for time in stride(from: Int64(1_000), to: 60_000, by: 200) {
            // Without a signal level every tag is believed to have come.
            station.observe([.tag(TagRead(epc: epc(1), antenna: 1))], from: reader, at: at(time))
            while let deadline = station.nextDeadline, deadline <= at(time) {
                let output = station.advance(to: deadline)
                stays += output.stays
                learned += output.learned
            }
        }
        #expect(learned.contains { $0.name == "readers" } && stays.contains { $0.kind == .arrived })
        // The reader that saw the tag is dead; the other one reads.
        var again = self.station(["second", "uhf"], learned: learned.sorted { $0.name < $1.name }, isReading: false)
        again.deviceChanged(secondReader, isReading: true, at: .zero)
        var later: [DwellEvent] = []
        run(&again, to: 3_600_000, into: &later)
        #expect(later.allSatisfy { $0.kind != .departed }, "\(facts(later))")
        #expect(again.presentTags == 1)
    }

    /// Twenty tags that come and go for twenty minutes, some carried, some lying still; the reader's own clock is on every read.
    private func deliveries(seed: UInt64, clock: (Int64) -> Int64 = { $0 + 5_000_000 }) -> [Delivery] {
        var random = SeededGenerator(seed: seed)
        var deliveries: [Delivery] = []
        for tag in 0..<20 {
            let isCarried = tag % 3 != 0
            var now = Int64.random(in: 1_000...200_000, using: &random)
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let end = now + Int64.random(in: 1_000...120_000, using: &random)
                while now < end {
                    var read = TagRead(epc: epc(tag), antenna: 1, rssi: -6_000, frequency: 866_300, phase: 10_000)
                    if isCarried {
                        read.rssi += Int16.random(in: -500...500, using: &random)
                        read.phase = UInt16.random(in: 0 ... .max, using: &random)
                    }
                    read.readerTime = UInt64(clock(now)) * 1_000
                    deliveries.append(Delivery(arrival: now + 10, read: read))
                    now += Int64.random(in: 100...300, using: &random)
                }
                now += Int64.random(in: 200_000...400_000, using: &random)
            }
        }
        return deliveries.sorted { $0.arrival < $1.arrival }
    }

    private func deliver(_ deliveries: [Delivery], outage: ClosedRange<Int64>? = nil) -> (stays: [DwellEvent], station: DwellStation) {
        var station = station()
        var stays: [DwellEvent] = []
        // The reader was connected before: its clock is known to the millisecond.
        let known = TagRead(epc: epc(99), antenna: 1, rssi: -6_000, readerTime: deliveries.compactMap(\.read.readerTime).min()! - 500_000)
        station.observe([.tag(known)][...], from: reader, at: at(deliveries.map(\.arrival).min()! - 500))
        for delivery in deliveries.sorted(by: { $0.arrival < $1.arrival }) {
            run(&station, to: delivery.arrival, into: &stays)
            station.observe([.tag(delivery.read)][...], from: reader, at: at(delivery.arrival))
        }
        run(&station, to: 2_000_000, into: &stays)
        return (stays, station)
    }

    @Test("A tag is said to arrive, and to leave when it was unread for 57 s and the reads that are on their way have come")
    func stay() {
        var station = station()
        var stays: [DwellEvent] = []
        var random = SeededGenerator(seed: 3)
        for moment in stride(from: Int64(0), to: 20_000, by: 100) {
            let read = TagRead(
                epc: epc(1), antenna: 1, rssi: -6_000 + Int16.random(in: -500...500, using: &random), frequency: 866_300,
                phase: UInt16.random(in: 0 ... .max, using: &random))
            run(&station, to: moment, into: &stays)
            station.observe([.tag(read)][...], from: reader, at: at(moment))
        }
        run(&station, to: 19_900 + 57_499, into: &stays)
        #expect(stays.map(\.kind) == [.noticed, .arrived])
        run(&station, to: 19_900 + 57_600, into: &stays)
        #expect(stays.map(\.kind) == [.noticed, .arrived, .departed])
        #expect(stays.last?.last == at(19_900))
        #expect(stays.last?.certainty == .provisional)
        #expect(stays.last?.meanGap ?? .zero > .milliseconds(90))
    }

    @Test(
        "Reads that overtake one another by up to 500 ms, or come twice, at once or after a reconnection: the same facts",
        arguments: UInt64(1)...6)
    func order(seed: UInt64) {
        let plain = deliveries(seed: seed)
        let expected = facts(deliver(plain).stays)
        print("dwell, seed \(seed): \(plain.count) reads, \(expected.count) facts, \(expected.count { $0.kind == .departed }) departures")
        #expect(expected.contains { $0.kind == .departed })
        var random = SeededGenerator(seed: seed + 100)
        let late = plain.map { Delivery(arrival: $0.arrival + Int64.random(in: 0...480, using: &random), read: $0.read) }
        // How long a read was on its way is known as well as the quickest of the last two seconds tells it: to some hundredths of a second.
        let overtaking = facts(deliver(late).stays)
        #expect(words(overtaking) == words(expected), "overtaking")
        for (one, other) in zip(overtaking.sorted(by: Fact.byTag), expected.sorted(by: Fact.byTag)) {
            #expect(abs((one.first - other.first).milliseconds) <= 200 && abs((one.last - other.last).milliseconds) <= 200)
        }
        let twice = plain.flatMap { delivery in
            Int.random(in: 0..<3, using: &random) == 0
                ? [delivery, Delivery(arrival: delivery.arrival + Int64.random(in: 0...480, using: &random), read: delivery.read)]
                : [delivery]
        }
        #expect(facts(deliver(twice).stays) == expected, "twice")
        // After a broken connection the reader sends its last twenty seconds again.
        let breaks = (1...4).map { _ in Int64.random(in: 100_000...1_000_000, using: &random) }
        let replayed =
            plain
            + breaks.flatMap { time in
                plain.filter { (time - 20_000...time).contains($0.arrival) }.map { Delivery(arrival: time + 500, read: $0.read) }
            }
        #expect(facts(deliver(replayed).stays) == expected, "replayed")
    }

    @Test("The reader's clock is set an hour forward or back: the same facts", arguments: [3_600_000, -3_600_000] as [Int64])
    func clockStep(step: Int64) {
        let expected = facts(deliver(deliveries(seed: 8)).stays)
        let stepped = deliveries(seed: 8) { $0 + 5_000_000 + ($0 > 300_000 ? step : 0) }
        let found = facts(deliver(stepped).stays)
        #expect(words(found) == words(expected))
        // The way from the reader, 10 ms here, is not known anew at once.
        for (one, other) in zip(found.sorted(by: Fact.byTag), expected.sorted(by: Fact.byTag)) {
            #expect(abs((one.last - other.last).milliseconds) <= 20)
        }
    }

    @Test("A reader dead for an hour: nothing leaves; who is seen after it never left, who is not leaves then", arguments: UInt64(1)...4)
    func outage(seed: UInt64) {
        var station = station(["uhf", "second"])
        var stays: [DwellEvent] = []
        var random = SeededGenerator(seed: seed)
        func read(_ tags: Range<Int>, from start: Int64, to end: Int64) {
            for moment in stride(from: start, to: end, by: 200) {
                run(&station, to: moment, into: &stays)
                for tag in tags {
                    let read = TagRead(
                        epc: epc(tag), antenna: 1, rssi: -6_000 + Int16.random(in: -500...500, using: &random), frequency: 866_300,
                        phase: UInt16.random(in: 0 ... .max, using: &random))
                    station.observe([.tag(read)][...], from: reader, at: at(moment))
                }
            }
        }
        read(0..<50, from: 0, to: 30_000)
        #expect(station.presentTags == 50)
        station.deviceChanged(reader, isReading: false, at: at(30_000))
        let before = stays.count
        run(&station, to: 3_630_000, into: &stays)
        #expect(stays.dropFirst(before).allSatisfy { $0.kind == .arrived })
        #expect(station.presentTags == 50)
        station.deviceChanged(reader, isReading: true, at: at(3_630_000))
        let staying = Int.random(in: 10..<40, using: &random)
        read(0..<staying, from: 3_631_000, to: 3_931_000)
        let left = stays.filter { $0.kind == .departed && $0.certainty == .final }
        print("outage, seed \(seed): \(staying) of 50 stayed, \(left.count) left")
        #expect(Set(left.map(\.epc)) == Set((staying..<50).map { epc($0) }))
        #expect(!stays.contains { $0.kind == .departed && $0.epc < epc(staying) })
        #expect(left.allSatisfy { $0.last <= at(30_000) })
    }

    @Test("A station that is paused says of nothing that it left")
    func paused() {
        var station = station()
        var stays: [DwellEvent] = []
        for moment in stride(from: Int64(0), to: 5_000, by: 100) {
            run(&station, to: moment, into: &stays)
            station.observe([.tag(TagRead(epc: epc(1), antenna: 1))][...], from: reader, at: at(moment))
        }
        station.pause(true, at: at(5_000))
        run(&station, to: 1_000_000, into: &stays)
        #expect(!stays.contains { $0.kind == .departed })
        station.pause(false, at: at(1_000_000))
        run(&station, to: 1_300_000, into: &stays)
        #expect(stays.map(\.kind).suffix(2) == [.departed, .departed])
    }

    @Test("A restart: what was there leaves once, and only when the reader reads")
    func restart() {
        var first = station()
        var learned: [String: LearnedState] = [:]
        for moment in stride(from: Int64(0), to: 10_000, by: 100) {
            while let deadline = first.nextDeadline, deadline <= at(moment) {
                for row in first.advance(to: deadline).learned { learned[row.name] = row }
            }
            first.observe([.tag(TagRead(epc: epc(1), antenna: 1))][...], from: reader, at: at(moment))
        }
        var second = station(learned: learned.values.sorted { $0.name < $1.name }, isReading: false)
        var stays: [DwellEvent] = []
        run(&second, to: 1_000_000, into: &stays)
        #expect(stays.isEmpty)
        second.deviceChanged(reader, isReading: true, at: at(1_000_000))
        run(&second, to: 1_300_000, into: &stays)
        #expect(stays.map(\.kind) == [.departed, .departed])
        #expect(stays.map(\.certainty) == [.provisional, .final])
    }

    @Test("10,000 distinct EPCs an hour for two and a half hours: what is remembered stays bounded")
    func bounded() {
        var station = station()
        var stays: [DwellEvent] = []
        var highest = 0
        for number in 0..<25_000 {
            let now = Int64(number) * 360
            run(&station, to: now, into: &stays)
            for moment in [now, now + 60, now + 120] {
                station.observe([.tag(TagRead(epc: epc(number), antenna: 1))][...], from: reader, at: at(moment))
            }
            highest = max(highest, station.knownTags)
        }
        print("25,000 EPCs in two and a half hours: at most \(highest) known")
        #expect(highest <= 13_000)
        run(&station, to: 25_000 * 360 + 8_000_000, into: &stays)
        #expect(station.knownTags == 0)
    }
}
