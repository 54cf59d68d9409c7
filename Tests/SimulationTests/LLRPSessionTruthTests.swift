import Decoding
import DeviceSimulators
import Identifiers
import Readings
import Testing

/// A reader that cannot see tags is never said to be reading.
@Suite struct LLRPSessionTruthTests {
    static let gateway = LLRPSession.Configuration(rotation: .gateway)

    /// An inventory that begins by itself may refuse the start; not when it was not enabled.
    @Test func whatWasNeitherEnabledNorStartedDoesNotRead() {
        for isError in [true, false] {
            var bench = LLRPBench(configuration: Self.gateway)
            bench.reader.faults.refused = isError ? [22: 112] : [24: 112, 22: 112]
            bench.reader.faults.errors = isError ? [24: 112] : [:]
            bench.open()
            bench.wait(.seconds(60))
            #expect(!bench.reader.isReading)
            #expect(bench.failures.map(\.step) == ["start inventory"])
            #expect(!bench.states.contains(.reading))
        }
        var good = LLRPBench(configuration: Self.gateway)
        good.open()
        #expect(good.session.inventory?.restartsItself == true)
        #expect(good.session.state == .reading && good.reader.isReading)
    }

    /// Its event is lost, or ends of rounds are nothing new: the state of the inventory tells it, within a keepalive's time.
    @Test(arguments: [LLRPSession.Rotation.gateway, .reader]) func whatAnotherHandDisabledIsEnabledAgain(rotation: LLRPSession.Rotation) {
        var bench = LLRPBench(configuration: .init(rotation: rotation))
        bench.open()
        bench.wait(.seconds(4))
        _ = bench.reader.endInventories(at: bench.now)
        bench.wait(.seconds(6))
        #expect(bench.session.state == .silent(reason: "inventory ended: the reader stopped it"))
        bench.wait(.seconds(1))
        #expect(bench.session.state == .reading && bench.reader.isReading)
    }

    /// A reader that does not say whether its inventory is there shows it by a tag, or not at all.
    @Test func aRefusedQuestionIsNoProof() {
        for isError in [true, false] {
            var bench = LLRPBench()
            if isError { bench.reader.faults.errors[26] = 401 } else { bench.reader.faults.refused[26] = 401 }
            bench.open()
            bench.wait(.milliseconds(9_999))
            #expect(bench.session.state == .reading)
            bench.wait(.milliseconds(1))
            let reason = "the reader does not say whether it reads: R_DeviceError (401)" + (isError ? ", \"no\"" : "")
            #expect(bench.session.state == .silent(reason: reason))
            bench.reader.tags = [LLRPSessionTests.tag]
            bench.wait(.seconds(1))
            #expect(bench.session.state == .reading)
            bench.reader.tags = []
            bench.wait(.seconds(11))
            #expect(bench.session.state == .silent(reason: reason))
            bench.reader.faults = .init()
            bench.wait(.seconds(10))
            #expect(bench.session.state == .reading)
            #expect(bench.failures == [])
        }
    }

    // MARK: Antennas

    @Test(arguments: RadioIntent.allCases, [[], [1, 2]] as [[UInt8]])
    func withoutAnyAntennaNothingIsRead(intent: RadioIntent, antennas: [UInt8]) {
        var bench = LLRPBench(radio: RadioSettings(region: .fcc, intent: intent, antennas: antennas))
        for port: UInt16 in 1...4 { _ = bench.reader.setAntenna(port, false, at: bench.now) }
        bench.open()
        #expect(bench.answer("antennas") == "the reader finds none")
        let reason = antennas.isEmpty ? "no antenna is connected" : "antennas 1, 2 are not connected"
        bench.wait(.seconds(300))
        #expect(bench.states == [.silent(reason: "starting"), .silent(reason: reason)])
        bench.happen { $0.setAntenna(1, true, at: $1) }
        bench.happen { $0.setAntenna(2, true, at: $1) }
        bench.wait(.seconds(1))
        #expect(bench.session.state == .reading)
        if antennas.isEmpty { #expect(bench.answer("antennas") == "connected: 1, 2") }
    }

    /// A gate that sees one side decides wrongly, and what a shelf's antenna does not see is not gone.
    @Test(arguments: RadioIntent.allCases) func anAntennaThatIsMissingBlinds(intent: RadioIntent) {
        var named = LLRPBench(radio: RadioSettings(region: .fcc, intent: intent, antennas: [1, 2]))
        _ = named.reader.setAntenna(2, false, at: .zero)
        named.open()
        #expect(named.states == [.silent(reason: "starting"), .silent(reason: "antenna 2 is not connected")])
        #expect(named.session.skippedSteps == ["antenna 2 is not connected"])
        named.happen { $0.setAntenna(2, true, at: $1) }
        #expect(named.session.state == .reading)
        // One that is not used is not missed.
        named.happen { $0.setAntenna(3, false, at: $1) }
        #expect(named.session.state == .reading)

        // Where the site names none, those that were there at the start count.
        var bench = LLRPBench(radio: RadioSettings(region: .fcc, intent: intent))
        _ = bench.reader.setAntenna(4, false, at: .zero)
        bench.reader.tags = [LLRPSessionTests.tag]
        bench.open()
        #expect(bench.session.state == .reading)
        bench.happen { $0.setAntenna(3, false, at: $1) }
        #expect(bench.session.counters.faults == ["antenna 3 disconnected": 1])
        bench.wait(.seconds(60))
        #expect(bench.session.state == .silent(reason: "antenna 3 is not connected"))
        for port: UInt16 in [1, 2] { bench.happen { $0.setAntenna(port, false, at: $1) } }
        #expect(bench.session.state == .silent(reason: "antennas 1, 2, 3 are not connected"))
        for port: UInt16 in [1, 2, 3] { bench.happen { $0.setAntenna(port, true, at: $1) } }
        #expect(bench.session.state == .reading)
    }
}
