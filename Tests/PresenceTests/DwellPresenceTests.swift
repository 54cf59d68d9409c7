import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

private func epc(_ number: Int) -> EPC { EPC([0xE2, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255)])! }
private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// Reads of one tag by hand.
private struct Place {
    var presence: DwellPresence
    var now = Instant.zero
    var events: [DwellEvent] = []
    var random = SeededGenerator(seed: 11)

    init(_ settings: DwellPresence.Settings = .init(), restoring rows: [LearnedState] = []) {
        presence = DwellPresence(settings: settings, restoring: rows)
    }

    enum Way {
        /// Lies still: the same signal and phase but for the noise.
        case still
        /// Moves: another phase each time.
        case moving
        /// A reader that tells nothing.
        case bare
    }

    mutating func wait(until end: Instant) {
        while let deadline = presence.nextDeadline, deadline <= end {
            now = max(now, deadline)
            events += presence.advance(to: deadline)
        }
        now = end
    }

    mutating func wait(seconds: Int64) { wait(until: now + .seconds(seconds)) }

    mutating func read(_ way: Way, of tag: Int = 1, seconds: Int64, every milliseconds: Int64 = 100, rssi: Int16 = -6_000, source: Int = 0)
    {
        let end = now + .seconds(seconds)
        while now < end {
            var read = TagRead(epc: epc(tag), antenna: 1, rssi: rssi, frequency: 866_300, phase: 10_000)
            switch way {
            case .still:
                read.rssi += [0, 0, 0, 100].randomElement(using: &random)!
                read.phase = UInt16(10_000 + Int.random(in: -600...600, using: &random))
            case .moving:
                read.rssi += Int16.random(in: -500...500, using: &random)
                read.phase = UInt16.random(in: 0 ... .max, using: &random)
            case .bare: (read.rssi, read.phase) = (TagRead.noRSSI, nil)
            }
            events += presence.observe(read, source: source, at: now)
            wait(until: now + .milliseconds(milliseconds))
        }
    }

    /// Provisional ones with a question mark.
    var words: [String] { events.map { $0.kind.rawValue + ($0.certainty == .provisional ? "?" : "") } }
    var kinds: [DwellEvent.Kind] { events.map(\.kind) }
}

@Suite("Dwell presence")
struct DwellPresenceTests {
    @Test("A tag that comes and leaves arrives and departs; the departure has the time of the last read")
    func stay() {
        var place = Place()
        place.read(.moving, seconds: 20)
        let last = place.now + .milliseconds(-100)
        place.wait(seconds: 200)
        #expect(place.words == ["noticed", "arrived", "departed?", "departed"])
        #expect(place.events.last?.last == last)
        #expect(place.events.last?.first == .zero)
        #expect(place.presence.presentTags == 0)
    }

    @Test("A departure is decided 57 s after the last read of a tag that is read often")
    func timeout() {
        var place = Place()
        place.read(.moving, seconds: 20)
        let last = place.now + .milliseconds(-100)
        place.wait(until: last + .milliseconds(56_999))
        #expect(place.presence.presentTags == 1)
        place.wait(until: last + .seconds(57))
        #expect(place.presence.presentTags == 0)
    }

    @Test("A tag that is there again within three minutes never left: the provisional departure is taken back")
    func resumed() {
        var place = Place()
        place.read(.moving, seconds: 20)
        place.wait(seconds: 100)
        place.read(.moving, seconds: 20)
        place.wait(seconds: 200)
        #expect(place.words == ["noticed", "arrived", "departed?", "resumed", "departed?", "departed"])
        #expect(place.events.last?.first == .zero)
    }

    @Test("The time-out grows with a tag's own gaps, up to three minutes")
    func adaptive() {
        var place = Place()
        place.read(.moving, seconds: 5)
        place.read(.moving, seconds: 240, every: 8_000)
        place.wait(seconds: 90)
        #expect(place.presence.presentTags == 1)
        place.wait(seconds: 95)
        #expect(place.presence.presentTags == 0)
    }

    @Test("One or two reads begin nothing, nor do three within one cycle")
    func arrivalRule() {
        var place = Place()
        for (milliseconds, present) in [(0, 0), (400, 0), (2_000, 0), (2_010, 0), (2_020, 0), (2_030, 0), (2_060, 1)] as [(Int64, Int)] {
            place.wait(until: at(milliseconds))
            place.events += place.presence.observe(TagRead(epc: epc(1), antenna: 1, rssi: -6_000), at: place.now)
            #expect(place.presence.presentTags == present, "at \(milliseconds) ms")
        }
    }

    @Test("A short stay is a pass")
    func pass() {
        var place = Place()
        place.read(.moving, seconds: 2)
        place.wait(seconds: 200)
        #expect(place.words == ["noticed", "passed?", "passed"])
    }

    @Test("A tag that lies still is noticed and lost, and makes no business event however often it appears")
    func stray() {
        var place = Place()
        for _ in 0..<12 {
            place.read(.still, seconds: 8)
            place.wait(seconds: 240)
        }
        #expect(!place.kinds.contains(.arrived))
        let business = place.events.count { $0.isBusiness }
        #expect(business == 0)
    }

    @Test("A tag that lay still for an hour and is carried off arrives late and departs")
    func carriedOff() {
        var place = Place()
        place.read(.still, seconds: 600)
        #expect(place.kinds == [.noticed])
        place.read(.moving, seconds: 4)
        place.wait(seconds: 300)
        #expect(place.words == ["noticed", "arrived", "departed?", "departed"])
    }

    @Test("A reader that tells neither signal nor phase is believed")
    func bare() {
        var place = Place()
        place.read(.bare, seconds: 10)
        place.wait(seconds: 300)
        #expect(place.words == ["noticed", "arrived", "departed?", "departed"])
    }

    @Test("A reader dead for an hour causes no departure, and a tag that left meanwhile departs after it")
    func outage() {
        var place = Place()
        for tag in 16...20 { place.read(.moving, of: tag, seconds: 5) }
        place.presence.sourceChanged(0, isReading: false, at: place.now)
        let before = place.events.count
        place.wait(seconds: 3_600)
        #expect(place.events.count == before)
        place.presence.sourceChanged(0, isReading: true, at: place.now)
        for tag in 16...19 { place.read(.moving, of: tag, seconds: 1) }
        place.wait(seconds: 30)
        let gone = place.events.dropFirst(before).filter { $0.kind == .departed }
        #expect(gone.allSatisfy { $0.epc == epc(20) })
        place.wait(seconds: 60)
        #expect(place.events.first { $0.kind == .departed }?.epc == epc(20))
    }

    @Test("Of two readers one is down: what it saw waits, what only the other saw departs")
    func twoReaders() {
        var place = Place()
        place.read(.moving, of: 1, seconds: 5, source: 0)
        place.read(.moving, of: 2, seconds: 5, source: 1)
        place.presence.sourceChanged(0, isReading: false, at: place.now)
        place.wait(seconds: 600)
        #expect(place.events.filter { $0.kind == .departed && $0.certainty == .final }.map(\.epc) == [epc(2)])
        // A read by a source that was said to be silent shows that it reads.
        place.read(.moving, of: 3, seconds: 5, source: 0)
        place.wait(seconds: 200)
        #expect(place.presence.presentTags == 0)
        #expect(place.events.count { $0.kind == .departed && $0.certainty == .final } == 3)
    }

    @Test("A tag that comes and goes more than three times in ten minutes is unstable, until it is strong without a pause for 10 s")
    func unstable() {
        var settings = DwellPresence.Settings()
        settings.shortestTimeout = .seconds(5)
        settings.longestTimeout = .seconds(8)
        settings.gapFactor = 1
        var place = Place(settings)
        for _ in 0..<8 {
            place.read(.moving, seconds: 4)
            place.wait(seconds: 10)
        }
        #expect(place.kinds.count { $0 == .unstable } == 1)
        #expect(place.words.count { $0 == "departed?" } == 4)
        #expect(place.kinds.last == .unstable)
        place.read(.moving, seconds: 14)
        #expect(place.kinds.last == .arrived)
    }

    @Test("Below the floor nothing begins, and a weak read does not hold a stay")
    func hysteresis() {
        var settings = DwellPresence.Settings()
        settings.floor = -6_500
        var place = Place(settings)
        place.read(.still, seconds: 5, rssi: -6_400)
        #expect(place.presence.presentTags == 0)
        place.read(.still, seconds: 5, rssi: -6_000)
        #expect(place.presence.presentTags == 1)
        place.read(.moving, seconds: 5, rssi: -6_000)
        let last = place.now
        place.read(.still, seconds: 100, rssi: -6_800)
        #expect(place.presence.presentTags == 0)
        #expect(place.events.last!.last <= last)
    }

    @Test("Stays go on over a restart: the restored place departs what does not come again, once")
    func restored() throws {
        var place = Place()
        place.read(.moving, of: 1, seconds: 10)
        place.read(.still, of: 2, seconds: 30)
        let rows = try place.presence.takeChanges().map {
            LearnedState(name: $0.name, value: try $0.value.map { try JSON(parsing: $0.canonicalText) })
        }
        #expect(rows.count == 2)
        #expect(place.presence.takeChanges().isEmpty)
        var again = Place(restoring: rows)
        #expect(again.presence.presentTags == 2)
        again.wait(seconds: 400)
        #expect(again.words.filter { $0.hasPrefix("departed") } == ["departed?", "departed"])
        #expect(again.events.filter(\.isBusiness).map(\.epc) == [epc(1), epc(1)])
        again.wait(seconds: 8_000)
        #expect(again.presence.knownTags == 0)
        #expect(again.presence.takeChanges().map(\.value).allSatisfy { $0 == nil })
    }

    @Test("10,000 made-up tags an hour are forgotten an hour later")
    func bounded() {
        var place = Place()
        for number in 0..<30_000 {
            place.wait(until: place.now + .milliseconds(360))
            _ = place.presence.observe(
                TagRead(epc: EPC([0xE2, 0, UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255)])!), at: place.now)
        }
        #expect(place.presence.knownTags <= 13_000)
        #expect(place.presence.overflow == 0)
    }
}
