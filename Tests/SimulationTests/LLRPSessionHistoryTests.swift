import Decoding
import DeviceSimulators
import Identifiers
import Readings
import Testing

/// What the reader kept while nobody was connected, and clocks that step.
@Suite struct LLRPSessionHistoryTests {
    static let catchingUp = DeviceState.silent(reason: "catching up with what the reader kept")

    /// A report of one tag, first seen then.
    static func report(_ microseconds: UInt64) throws -> [UInt8] {
        try LLRPMessage(
            "RO_ACCESS_REPORT", id: 900,
            parameters: [
                LLRPParameter(
                    "TagReportData",
                    parameters: [
                        LLRPParameter("EPC_96", fields: ["EPC": LLRPValue(LLRPBench.tag.bytes)]),
                        LLRPParameter("AntennaID", fields: ["AntennaID": 1]),
                        LLRPParameter("FirstSeenTimestampUTC", fields: ["Microseconds": LLRPValue(microseconds)]),
                    ])
            ]
        ).encoded()
    }

    /// A Zebra FX keeps 66,000 reports: they go by in pieces, and nothing of them stays.
    @Test func aLongQueueGoesBy() throws {
        var bench = LLRPBench(.zebra)
        bench.open()
        bench.close()
        bench.wait(.seconds(700))
        bench.isOpen = true
        bench.act { $0.opened(at: $1, into: &$2) }
        let greeting = bench.reader.connected(at: bench.now)
        let seen = bench.reader.configuration.wallClock + UInt64(bench.now.nanoseconds / 1_000) - 660_000_000
        // RO_ACCESS_REPORT: EPC-96, antenna 1, -50 dBm, first seen.
        let head: [UInt8] =
            [0x04, 0x3D, 0, 0, 0, 0x29, 0, 0, 0, 1, 0, 0xF0, 0, 0x1F, 0x8D] + LLRPBench.tag.bytes + [0x81, 0, 1, 0x86, 0xCE, 0x82]
        var bytes = greeting.flatMap { $0 }
        bytes.reserveCapacity(66_000 * 42)
        for index in 0..<66_000 {
            bytes += head
            let time = seen + UInt64(index) * 9_900
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: time >> UInt64(shift))) }
        }
        bench.pieces = 65_536
        bench.pass([bytes])
        // The last ones are of the second before the connection.
        #expect(bench.tags.count <= 110)
        #expect(bench.session.counters.history >= 65_500)
        #expect(bench.lateReads.count == Int(bench.session.counters.history))
        #expect(bench.session.counters.rejects.total == 0)
        #expect(bench.failures == [])
        // Nothing shows yet that no more of it comes.
        #expect(bench.session.state == .silent(reason: "catching up with what the reader kept"))
        bench.wait(.seconds(2))
        #expect(bench.session.state == .reading)
    }

    @Test(arguments: Personality.allCases, [true, false])
    func whatWasKeptIsNotTakenForNow(personality: Personality, hasUTCClock: Bool) {
        let wanted = 2_000
        var bench = LLRPBench(personality) {
            $0.hasUTCClock = hasUTCClock
            $0.backlogLimit = 66_000
        }
        bench.reader.tags = [LLRPSessionTests.tag]
        bench.open()
        bench.wait(.seconds(10))
        bench.happen { $0.setInput(1, true, at: $1) }
        let live = bench.tags.count
        bench.close()
        _ = bench.reader.setInput(1, false, at: bench.now)
        bench.wait(.milliseconds(Int64(wanted) * 10 - 10))
        _ = bench.reader.setInput(1, true, at: bench.now)
        let inputs = bench.inputs.count
        bench.reader.tags = []
        bench.wait(.seconds(2))
        bench.reader.tags = [LLRPSessionTests.tag]
        bench.pieces = 16_384
        bench.open()
        bench.wait(.seconds(1))
        #expect(bench.session.state == .reading)
        #expect(bench.failures == [])
        let kept = bench.session.counters.history
        // Two changes of the input are among what was kept.
        #expect(kept >= UInt64(wanted) - 5 && kept <= UInt64(wanted) + 5, "\(kept)")
        #expect((95...105).contains(bench.tags.count - live), "\(bench.tags.count - live)")
        // Inputs are asked for, never taken from the past.
        #expect(bench.inputs[inputs...].filter { $0.line == 0 }.map(\.isActive).contains(false) == false)
        #expect(bench.lateReads.count + 2 >= Int(kept) - 1)
        let then = bench.tags.count
        bench.wait(.seconds(1))
        #expect(bench.tags.count - then == 100)
        #expect(bench.session.counters.history == kept)
    }

    /// A session greeted one hour ahead; the reader's clock is set back before the inventory begins.
    private func greetedAhead() -> LLRPBench {
        var bench = LLRPBench()
        bench.isOpen = true
        bench.act { $0.opened(at: $1, into: &$2) }
        var ahead = LLRPReaderSimulator.Configuration()
        ahead.wallClock += 3_600_000_000
        var clock = LLRPReaderSimulator(ahead)
        _ = bench.reader.connected(at: bench.now)
        bench.reader.tags = [LLRPSessionTests.tag]
        bench.pass(clock.connected(at: bench.now))
        return bench
    }

    /// An event of the inventory that was made in this connection cannot be older than the connection.
    @Test func aClockThatIsSetBackDoesNotBlind() {
        var bench = greetedAhead()
        bench.wait(.seconds(10))
        #expect(bench.session.state == .reading)
        #expect(bench.tags.count == 1_000)
        #expect(bench.session.counters.history == 0)
        #expect(bench.session.counters.faults == ["the reader's clock was set back": 1])
        // From then on what is older than the step is late.
        bench.pass([(try? Self.report(bench.reader.configuration.wallClock)) ?? []])
        #expect(bench.session.counters.history == 1)
    }

    /// Where no event tells it, the reader is never said to be reading, and the next greeting does.
    @Test func aClockThatIsSetBackInSilenceIsAskedForAgain() throws {
        var bench = LLRPBench()
        bench.open()
        bench.wait(.seconds(3_600))
        #expect(bench.session.state == .reading)
        let past = bench.reader.configuration.wallClock - 7_200_000_000
        for second in 0..<119 {
            bench.pass([try Self.report(past + UInt64(second) * 1_000_000)])
            #expect(bench.session.state == Self.catchingUp)
            bench.wait(.seconds(1))
        }
        #expect(bench.tags == [])
        bench.pass([try Self.report(past + 119_000_000)])
        bench.wait(.seconds(1))
        let reason = "still sending what it kept after 120 s: its time is asked for again"
        #expect(bench.failures == [SessionFailure(step: "inventory", reason: reason)])
    }

    /// A minute of what was kept an hour ago; the reader's own events and answers stand behind it in the line, or overtake it.
    @Test(arguments: [true, false]) func whileItCatchesUpItDoesNotRead(isOrdered: Bool) throws {
        var bench = LLRPBench(.zebra, configuration: .init(version: .first))
        bench.open()
        let kept = bench.reader.configuration.wallClock - 3_600_000_000
        if !isOrdered { bench.pass([try Self.report(kept)]) }
        for step in 0..<600 {
            // Now and then a new one overtakes the old, or the line rests for longer than it takes to believe that it is over.
            if step == 200 { bench.pass([try Self.report(kept + 3_700_000_000)]) }
            if step == 400 { bench.wait(.milliseconds(2_100)) }
            for index in 0..<10 { bench.pass([try Self.report(kept + UInt64(step * 10 + index) * 1_000)]) }
            #expect(bench.session.state == Self.catchingUp)
            bench.wait(.milliseconds(100))
        }
        #expect(bench.tags.count == 1)
        #expect(bench.lateReads.count >= 6_000)
        #expect(bench.lateReads.allSatisfy { $0.readerTime.map { $0 < kept + 10_000_000 } == true })
        #expect(bench.session.counters.history == UInt64(bench.lateReads.count))
        bench.wait(.seconds(2))
        #expect(bench.session.state == .reading)
    }

    /// What is new and stands in line behind what is old is late when it comes.
    @Test func newReadsBehindTheQueueAreLateToo() throws {
        var bench = LLRPBench()
        bench.open()
        let wall = bench.reader.configuration.wallClock + 5_000_000
        for second in 0..<30 {
            bench.pass([try Self.report(wall - 3_600_000_000 + UInt64(second) * 1_000_000)])
            bench.wait(.seconds(1))
        }
        bench.pass([try Self.report(wall + 10_000_000)])
        #expect(bench.tags == [])
        #expect(bench.session.state == Self.catchingUp)
        bench.pass([try Self.report(wall + 29_500_000)])
        #expect(bench.tags.count == 1)
        #expect(bench.session.state == .reading)
    }
}
