import Decoding
import DeviceSimulators
import Identifiers
import Readings
import Testing

typealias Personality = LLRPReaderSimulator.Personality

@Suite struct LLRPSessionTests {
    static let tag = LLRPReaderSimulator.Tag(epc: LLRPBench.tag, antennas: [1, 2], rssi: -50)

    @Test(arguments: Personality.allCases, RadioIntent.allCases)
    func aReaderIsBroughtToRead(personality: Personality, intent: RadioIntent) {
        for version: UInt8 in [1, 2] {
            for pieces in [0, 1, 7, 4_096] {
                var bench = LLRPBench(personality, radio: RadioSettings(region: .fcc, power: 2_520, intent: intent)) {
                    $0.version = version
                }
                bench.pieces = pieces
                bench.reader.tags = [Self.tag]
                bench.open()
                bench.wait(.milliseconds(500))
                #expect(bench.session.state == .reading)
                #expect(bench.session.isInitialised)
                #expect(bench.failures == [])
                #expect(bench.reader.complaints == [])
                #expect(bench.session.skippedSteps == [])
                #expect(bench.tags.count == 50)
                #expect(Set(bench.tags.map(\.antenna)) == [1, 2])
                #expect(bench.tags.allSatisfy { $0.epc == LLRPBench.tag && $0.rssi == -5_000 && $0.readerTime != nil })
                #expect(bench.tags.allSatisfy { (902_750...904_250).contains($0.frequency) })
                #expect(bench.tags.allSatisfy { ($0.phase != nil) == (personality != .generic) })
                #expect(bench.answer("protocol") == (version == 2 ? "LLRP 1.1" : "LLRP 1.0.1"))
                #expect(bench.answer("firmware") == "5.14.0.240")
                #expect(bench.answer("region") == "fcc, country 840")
                #expect(bench.answer("antennas") == "connected: 1, 2, 3, 4")
                #expect(bench.session.counters.history == 0)
                #expect(bench.session.counters.rejects.total == 0)
                // The highest that is not above 25.20 dBm: 20.00, 25.00 and 25.20 dBm.
                let index: UInt16 =
                    switch personality {
                    case .generic: 3
                    case .impinj: 61
                    case .zebra: 153
                    }
                #expect(Set(bench.reader.chosenPowers) == [index])
            }
        }
    }

    @Test func theStepsStandInTheirOrder() {
        var bench = LLRPBench(.impinj)
        bench.open()
        #expect(
            bench.sentNames == [
                "GET_SUPPORTED_VERSION", "GET_READER_CAPABILITIES", "IMPINJ_ENABLE_EXTENSIONS", "DELETE_ACCESSSPEC", "DELETE_ROSPEC",
                "SET_READER_CONFIG", "GET_READER_CONFIG", "ADD_ROSPEC", "ENABLE_ROSPEC", "START_ROSPEC",
            ])
        #expect(bench.states == [.silent(reason: "starting"), .reading])
        // Outputs were on when the reader was found.
        #expect(bench.reader.outputs == [false, false, false, false])
        bench.act { $0.release(at: $1, into: &$2) }
        #expect(bench.sentNames.suffix(3) == ["STOP_ROSPEC", "DELETE_ROSPEC", "CLOSE_CONNECTION"])
        #expect(!bench.reader.isReading && !bench.reader.isConnected)
        let count = bench.sent.count
        bench.wait(.seconds(60))
        #expect(bench.sent.count == count)
    }

    /// A 1.0.1 reader may refuse the question by message, by status, or not answer it at all; one may hang up.
    @Test func theVersionIsAgreedOnOrLeftAsItIs() {
        for change in [
            { (reader: inout LLRPReaderSimulator) in reader.faults.errors[46] = 110 }, { $0.faults.errors[46] = 109 },
            { $0.faults.ignored = [46] }, { $0.faults.refused[46] = 110 },
        ] {
            var bench = LLRPBench { $0.version = 2 }
            change(&bench.reader)
            bench.open()
            bench.wait(.seconds(11))
            #expect(bench.session.state == .reading)
            #expect(bench.answer("protocol") == "LLRP 1.0.1")
        }
        var bench = LLRPBench()
        bench.reader.faults.ignored = [46]
        bench.open()
        bench.close()
        bench.reader.faults.ignored = []
        bench.sent = []
        bench.open()
        #expect(bench.session.state == .reading)
        #expect(!bench.sentNames.contains("GET_SUPPORTED_VERSION"))

        var never = LLRPBench(configuration: .init(version: .first)) { $0.version = 2 }
        never.open()
        #expect(never.session.state == .reading)
        #expect(!never.sentNames.contains("GET_SUPPORTED_VERSION"))
    }

    @Test(arguments: Personality.allCases)
    func aReaderOfAnotherRegionDoesNotBegin(personality: Personality) {
        var bench = LLRPBench(personality, radio: RadioSettings(region: .etsi))
        bench.reader.tags = [Self.tag]
        bench.open()
        let reason = "not reading: the reader is set to region fcc, the site file says etsi"
        #expect(bench.session.state == .silent(reason: reason))
        #expect(bench.session.skippedSteps == [reason])
        #expect(!bench.session.isInitialised)
        // The connection is kept, its keepalives are answered, and nothing is tried again.
        let count = bench.sent.count
        bench.wait(.seconds(3_600))
        #expect(bench.failures == [])
        #expect(!bench.sentNames.contains("ADD_ROSPEC"))
        #expect(Set(bench.sentNames[count...]) == ["KEEPALIVE_ACK"])
        #expect(bench.sent.count - count == 360)
        #expect(bench.tags == [])
        #expect(bench.session.state == .silent(reason: reason))
    }

    @Test func anInventoryOfAStrangerIsDeletedInAnotherRegionToo() throws {
        var bench = LLRPBench()
        bench.open()
        #expect(bench.reader.isReading)
        bench.close()
        bench.session = LLRPSession(.init(), plan: SessionPlan(), radio: RadioSettings(region: .japan))
        bench.open()
        #expect(!bench.reader.isReading)
    }

    @Test func withoutARegionItReadsAndSaysSo() {
        var bench = LLRPBench(radio: RadioSettings())
        bench.open()
        #expect(bench.session.state == .reading)
        #expect(bench.session.skippedSteps == ["region not checked: the site file names none, the reader says fcc"])
    }

    @Test func tooMuchPowerIsNotSent() {
        var bench = LLRPBench(radio: RadioSettings(region: .fcc, power: 500))
        bench.open()
        #expect(
            bench.session.state == .silent(reason: "not reading: the reader's lowest power is 10.00 dBm, the site file allows 5.00 dBm"))
        #expect(!bench.sentNames.contains("ADD_ROSPEC"))
    }

    @Test func theOnlyInventoryOfAReaderIsFreedFirst() {
        var bench = LLRPBench(.impinj)
        for _ in 0..<5 {
            bench.open()
            #expect(bench.session.state == .reading)
            bench.close()
            #expect(bench.session.state == .absent(reason: "connection lost"))
        }
        #expect(bench.failures == [])
        #expect(bench.session.skippedSteps == [])
    }

    @Test func aReaderThatTakesLessIsAskedForLess() {
        // Zebra's own parameters sent to a reader that does not know them.
        var bench = LLRPBench(.generic, radio: RadioSettings(region: .fcc, power: 2_000), configuration: .init(extensions: .zebra))
        bench.open()
        #expect(bench.session.state == .reading)
        #expect(bench.session.skippedSteps == ["add inventory as wanted: P_UnknownParameter (207)"])
        // The power is the operator's duty, and stays.
        #expect(bench.reader.chosenPowers == [3])

        var impinj = LLRPBench(.generic, configuration: .init(extensions: .impinj))
        impinj.open()
        #expect(impinj.session.state == .reading)
        #expect(impinj.session.skippedSteps == ["vendor extensions: M_UnsupportedMessage (109), \"no\""])

        var etsi = LLRPBench(.generic, radio: RadioSettings(region: .etsi, power: 3_000)) { $0.standard = 2 }
        etsi.reader.tags = [Self.tag]
        etsi.open()
        etsi.wait(.seconds(1))
        #expect(etsi.session.state == .reading)
        #expect(Set(etsi.tags.map(\.frequency)) == [865_700, 866_300, 866_900, 867_500])
    }

    @Test func keepalivesAloneAreLife() {
        var bench = LLRPBench()
        bench.open()
        bench.wait(.seconds(600))
        #expect(bench.session.state == .reading)
        #expect(bench.failures == [])
        #expect(bench.sentNames.filter { $0 == "KEEPALIVE_ACK" }.count == 60)
        // Nothing but keepalives would also come from a reader that lost its inventory: it is asked.
        #expect(bench.sentNames.filter { $0 == "GET_ROSPECS" }.count >= 8)
    }

    @Test func keepaliveAnswersCarryTheId() throws {
        var bench = LLRPBench()
        bench.open()
        bench.pass([[0x04, 0x3E, 0, 0, 0, 0x0A, 0xDE, 0xAD, 0xBE, 0xEF]])
        #expect(bench.sent.last == [0x04, 0x48, 0, 0, 0, 0x0A, 0xDE, 0xAD, 0xBE, 0xEF])
    }

    @Test func inputsAreToldAtTheStartAndWhenTheyChange() {
        var bench = LLRPBench()
        _ = bench.reader.setInput(3, true, at: .zero)
        bench.open()
        bench.happen { $0.setInput(1, true, at: $1) }
        bench.happen { $0.setInput(3, false, at: $1) }
        let start = (0..<4).map { InputChange(line: $0, isActive: $0 == 2) }
        #expect(bench.inputs == start + [InputChange(line: 0, isActive: true), InputChange(line: 2, isActive: false)])
    }

    @Test func feedbackSwitchesOutputs() {
        let plan = SessionPlan(feedback: [
            .accepted: [.init(bytes: [1, 1]), .init(pause: .milliseconds(400), bytes: [1, 0])],
            .exception: [.init(bytes: [2, 1, 3, 1]), .init(pause: .seconds(1), bytes: [2, 0, 3, 0])],
            .refused: [.init(bytes: [9, 1]), .init(pause: .milliseconds(100), bytes: [9, 0])],
        ])
        var bench = LLRPBench(plan: plan)
        var isGiven = true
        bench.act { isGiven = $0.give(.accepted, at: $1, into: &$2) }
        #expect(!isGiven)
        bench.open()
        bench.act { isGiven = $0.give(.accepted, at: $1, into: &$2) }
        #expect(isGiven)
        #expect(bench.reader.outputs == [true, false, false, false])
        bench.wait(.milliseconds(399))
        #expect(bench.reader.outputs[0])
        bench.wait(.milliseconds(1))
        #expect(!bench.reader.outputs[0])
        bench.act { isGiven = $0.give(.exception, at: $1, into: &$2) }
        #expect(bench.reader.outputs == [false, true, true, false])
        // A further one cuts it short: no lamp stays lit.
        bench.act { isGiven = $0.give(.accepted, at: $1, into: &$2) }
        #expect(bench.reader.outputs == [true, false, false, false])
        // The reader has four outputs; and nothing is said for "next".
        bench.act { isGiven = $0.give(.refused, at: $1, into: &$2) }
        #expect(!isGiven)
        bench.act { isGiven = $0.give(.next, at: $1, into: &$2) }
        #expect(!isGiven)
        bench.act { $0.release(at: $1, into: &$2) }
        #expect(bench.reader.outputs == [false, false, false, false])
        #expect(bench.reader.complaints == [])
    }

    @Test func feedbackWorksWhereTheRadioMustNot() {
        let plan = SessionPlan(feedback: [.refused: [.init(bytes: [1, 1]), .init(pause: .milliseconds(100), bytes: [1, 0])]])
        var bench = LLRPBench(radio: RadioSettings(region: .japan), plan: plan)
        bench.open()
        var isGiven = false
        bench.act { isGiven = $0.give(.refused, at: $1, into: &$2) }
        #expect(isGiven && bench.reader.outputs[0])
        // Its inputs are of use too, at once and after a second connection, for which the reader holds its events back.
        bench.wait(.seconds(5))
        bench.happen { $0.setInput(2, true, at: $1) }
        #expect(bench.inputs.last == InputChange(line: 1, isActive: true))
        bench.close()
        bench.wait(.seconds(5))
        _ = bench.reader.setInput(2, false, at: bench.now)
        bench.open()
        bench.wait(.seconds(5))
        bench.happen { $0.setInput(3, true, at: $1) }
        #expect(bench.inputs.last == InputChange(line: 2, isActive: true))
        #expect(bench.inputs.last { $0.line == 1 }?.isActive == false)
    }

    @Test func aReplayMayBeginInTheMiddle() {
        var bench = LLRPBench()
        bench.open()
        var session = LLRPSession(.init(), plan: SessionPlan(), radio: RadioSettings())
        var output = SessionOutput()
        session.resumed(at: bench.now, into: &output)
        #expect(output.batch.readings == [.state(.reading)])
        output.removeAll()
        bench.reader.tags = [Self.tag]
        for message in bench.reader.advance(to: bench.now + .milliseconds(10)) {
            message.withUnsafeBytes { session.receive($0, at: bench.now, into: &output) }
        }
        #expect(output.batch.readings.count == 1)
        #expect(output.transmissions == [])
        #expect(session.nextDeadline == bench.now + .seconds(30))
        session.advance(to: bench.now + .seconds(30), into: &output)
        #expect(output.failure != nil)
    }
}
