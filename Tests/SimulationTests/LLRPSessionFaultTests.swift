import Decoding
import DeviceSimulators
import Identifiers
import Readings
import TestSupport
import Testing

@Suite struct LLRPSessionFaultTests {
    @Test(
        arguments: [
            (1, "the reader has called another client, and is connected to it"), (2, "another client is connected"),
            (3, "the reader refuses the connection"), (4, "another client tried to connect at the same time"),
            (77, "the reader refuses the connection"),
        ] as [(UInt16, String)])
    func aRefusedConnectionIsExplained(status: UInt16, reason: String) {
        var bench = LLRPBench()
        bench.reader.faults.connectionStatus = status
        bench.open()
        #expect(bench.failures == [SessionFailure(step: "connection", reason: reason)])
        #expect(bench.session.state == .silent(reason: "step connection: \(reason)"))
        #expect(bench.sent == [])
    }

    @Test func aReaderThatDoesNotGreetIsGivenUp() {
        var bench = LLRPBench()
        bench.reader.faults.isUnfriendly = true
        bench.open()
        bench.wait(.milliseconds(4_999))
        #expect(bench.failures == [])
        bench.wait(.milliseconds(1))
        #expect(bench.failures == [SessionFailure(step: "connection", reason: "the reader did not greet within 5 s")])
    }

    /// By the type of the question: what happens when it is never answered. nil: it goes on.
    @Test(
        arguments: [
            (46, nil), (1, "capabilities"), (1_023, nil), (41, nil), (21, nil), (3, "configuration"), (2, nil), (20, "add inventory"),
            (24, nil),
            (22, "start inventory"),
        ] as [(UInt16, String?)])
    func questionsAreAskedTwice(type: UInt16, step: String?) {
        var bench = LLRPBench(.impinj)
        bench.reader.faults.ignored = [type]
        bench.open()
        bench.wait(.milliseconds(4_999))
        #expect(bench.reader.receivedTypes.filter { $0 == type }.count == 1)
        bench.wait(.milliseconds(1))
        #expect(bench.reader.receivedTypes.filter { $0 == type }.count == 2)
        bench.wait(.milliseconds(5_000))
        #expect(bench.session.counters.retries >= 1)
        if let step {
            #expect(bench.failures == [SessionFailure(step: step, reason: "no answer")])
        } else if type != 24, type != 1_023 {
            #expect(bench.failures == [])
            #expect(bench.session.state == .reading)
            #expect(bench.session.skippedSteps.count == (type == 46 ? 1 : 1))
        }
    }

    @Test func aLateAnswerToTheFirstQuestionWillDo() {
        var bench = LLRPBench()
        bench.reader.faults.ignored = [1]
        bench.open()
        let question = bench.sent.last
        bench.wait(.seconds(5))
        bench.reader.faults.ignored = []
        bench.happen { reader, now in reader.receive(question ?? [], at: now) }
        #expect(bench.session.state == .reading)
        // The second answer comes too, and belongs to nothing.
        bench.happen { reader, now in reader.receive(question ?? [], at: now) }
        #expect(bench.session.state == .reading)
        #expect(bench.failures == [])
    }

    @Test func aRefusalIsToldInTheReadersWords() throws {
        var bench = LLRPBench()
        bench.reader.faults.ignored = [20]
        bench.open()
        // Vector 8 of the reference, with the id of our question: field error "hello" in field 1.
        for _ in 0..<2 {
            let id = Array(try #require(bench.sent.last)[6..<10])
            bench.pass([
                [0x04, 0x1E, 0, 0, 0, 0x1F] + id + [0x01, 0x1F, 0, 0x15, 0, 0x65, 0, 5] + Array("hello".utf8)
                    + [0x01, 0x20, 0, 8, 0, 1, 0x01, 0x2D]
            ])
        }
        #expect(bench.failures == [SessionFailure(step: "add inventory", reason: "M_FieldError (101), \"hello\", field 1")])
        #expect(bench.session.skippedSteps == ["add inventory as wanted: M_FieldError (101), \"hello\", field 1"])
    }

    @Test(arguments: [1, 3, 20, 22] as [UInt16])
    func whatIsNeededAndRefusedEndsIt(type: UInt16) {
        for isError in [false, true] {
            var bench = LLRPBench()
            if isError { bench.reader.faults.errors[type] = 401 } else { bench.reader.faults.refused[type] = 401 }
            bench.open()
            #expect(bench.failures.count == 1)
            #expect(bench.failures.first?.reason.hasPrefix("R_DeviceError (401)") == true)
        }
    }

    @Test func aReaderThatFallsSilentIsOpenedAnew() {
        var bench = LLRPBench()
        bench.open()
        bench.wait(.seconds(15))
        bench.reader.faults.isMute = true
        // It is asked at 20 s, for ten seconds without a tag, and once more.
        bench.wait(.milliseconds(14_999))
        #expect(bench.session.state == .reading)
        bench.wait(.milliseconds(1))
        let reason = "connected but silent: no answer to GET_ROSPECS"
        #expect(bench.failures == [SessionFailure(step: "inventory", reason: reason)])
        #expect(bench.session.state == .silent(reason: "step inventory: \(reason)"))
        bench.close()
        bench.reader.faults.isMute = false
        bench.open()
        #expect(bench.session.state == .reading)
    }

    @Test func reportsWithoutKeepalivesAreLife() {
        var bench = LLRPBench()
        bench.reader.tags = [LLRPSessionTests.tag]
        bench.reader.faults.sendsKeepalives = false
        bench.open()
        bench.wait(.seconds(120))
        #expect(bench.session.state == .reading)
        #expect(bench.failures == [])
        // Nor is a reader dead that answers.
        bench.reader.tags = []
        bench.wait(.seconds(60))
        #expect(bench.session.state == .reading)
        #expect(bench.failures == [])
        bench.reader.faults.isMute = true
        bench.wait(.seconds(31))
        #expect(bench.failures.count == 1)
    }

    @Test(arguments: Personality.allCases)
    func aReaderThatRestartsInTheMiddleIsSetUpAgain(personality: Personality) {
        var bench = LLRPBench(personality) { $0.hasUTCClock = false }
        bench.reader.tags = [LLRPSessionTests.tag]
        bench.open()
        bench.wait(.seconds(100))
        let before = bench.tags.count
        bench.close()
        bench.reader.restarted(at: bench.now)
        bench.wait(.seconds(20))
        bench.open()
        bench.wait(.seconds(1))
        #expect(bench.session.state == .reading)
        // Its clock began anew, below that of before: those reads are live all the same.
        #expect(bench.tags.count - before == 100)
        #expect(bench.session.counters.history == 0)
        #expect(bench.failures == [])
    }

    @Test func aReaderThatLostItsInventoryIsFoundOut() {
        var bench = LLRPBench()
        bench.open()
        bench.wait(.seconds(10))
        bench.reader.forgetInventories()
        bench.wait(.seconds(55))
        #expect(bench.states.contains(.silent(reason: "inventory ended: the reader knows it no longer")))
        #expect(bench.session.state == .reading)
        #expect(bench.reader.isReading)
    }

    @Test func anInventoryThatEndsIsBegunAgain() {
        var bench = LLRPBench()
        bench.open()
        bench.happen { $0.endInventories(at: $1) }
        #expect(bench.session.state == .silent(reason: "inventory ended: end of inventory"))
        bench.wait(.milliseconds(999))
        #expect(!bench.reader.isReading)
        bench.wait(.milliseconds(1))
        #expect(bench.reader.isReading)
        #expect(bench.session.state == .reading)
        #expect(bench.session.counters.faults == ["inventory ended by itself": 1])
        // Again and again: slower each time, and then the device is opened anew.
        for _ in 0..<5 {
            bench.wait(.seconds(17))
            bench.happen { $0.endInventories(at: $1) }
        }
        #expect(bench.failures == [SessionFailure(step: "inventory", reason: "ended 6 times in a row: end of inventory")])
    }

    @Test func anAntennaThatComesLaterIsUsed() {
        var bench = LLRPBench()
        _ = bench.reader.setAntenna(2, false, at: .zero)
        bench.reader.tags = [LLRPReaderSimulator.Tag(epc: LLRPBench.tag, antennas: [2])]
        bench.open()
        bench.wait(.seconds(1))
        #expect(bench.answer("antennas") == "connected: 1, 3, 4")
        #expect(bench.tags == [])
        bench.happen { $0.setAntenna(2, true, at: $1) }
        bench.wait(.seconds(1))
        #expect(bench.session.state == .reading)
        #expect(bench.tags.count == 100)
        #expect(bench.answer("antennas") == "connected: 1, 2, 3, 4")
    }

    @Test func exceptionsAndFullBuffersAreCounted() {
        var bench = LLRPBench()
        bench.open()
        bench.happen { $0.exception("PA temperature \u{1B}[31m high", at: $1) }
        #expect(bench.session.counters.lastFault?.meaning == "reader exception: PA temperature [31m high")
        bench.happen { $0.overflow(at: $1) }
        bench.happen { $0.overflow(at: $1) }
        #expect(bench.session.counters.faults == ["reader exception": 1, "report buffer overflowed: reads were lost": 2])
        bench.pass(bench.reader.refusal(at: bench.now).map { Array($0.dropLast()) + [4] })
        #expect(bench.session.counters.faults["another client tried to connect"] == 1)
        #expect(bench.session.state == .reading)
        #expect(bench.failures == [])
    }

    @Test func theReaderMayHangUp() {
        var bench = LLRPBench()
        bench.open()
        // Vector 9 of the reference: the event of a connection that the reader closes.
        bench.pass([
            [
                0x04, 0x3F, 0, 0, 0, 0x1E, 0, 0, 0, 0, 0, 0xF6, 0, 0x14, 0, 0x80, 0, 0x0C, 0, 5, 0xAC, 0x35, 0xBD, 0x20, 0xD1, 0xDA, 1, 1,
                0, 4,
            ]
        ])
        #expect(bench.failures == [SessionFailure(step: "connection", reason: "the reader closed the connection")])
    }

    // MARK: A reader that means harm

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func anyBytesAreSurvived(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bench = LLRPBench(Personality.allCases[Int(seed % 3)], radio: RadioSettings(region: .fcc, power: 2_500)) {
            $0.version = UInt8(1 + seed % 2)
        }
        bench.reader.tags = [LLRPSessionTests.tag]
        // What an honest reader says, as material.
        var honest = LLRPBench(Personality.allCases[Int(seed % 3)]) { $0.version = UInt8(1 + seed % 2) }
        var material = [honest.reader.connected(at: .zero)].flatMap { $0 }
        honest.open()
        for message in honest.sent { material += honest.reader.receive(message, at: honest.now) }
        material += honest.reader.setAntenna(1, false, at: .zero) + honest.reader.setInput(1, true, at: .zero)
        material += honest.reader.exception("x", at: .zero) + honest.reader.refusal(at: .zero)

        bench.isOpen = true
        bench.act { $0.opened(at: $1, into: &$2) }
        if seed % 4 != 0 { bench.pass(bench.reader.connected(at: bench.now)) }
        var received = 0
        for _ in 0..<400 {
            var bytes = material.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
                case 2: bytes.removeSubrange(index...)
                default: bytes += (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                }
            }
            // The ids that the client will use next are no secret.
            if bytes.count >= 10, Bool.random(using: &random) {
                let id = UInt32(Int.random(in: 0...40, using: &random))
                bytes.replaceSubrange(6..<10, with: [UInt8(id >> 24), UInt8(id >> 16 & 255), UInt8(id >> 8 & 255), UInt8(id & 255)])
            }
            received += bytes.count
            let before = bench.sent.count
            bench.isCut = false
            var output = SessionOutput()
            bytes.withUnsafeBytes { bench.session.receive($0, at: bench.now, into: &output) }
            bench.sent += output.transmissions
            #expect(bench.sent.count - before <= 4 + bytes.count / 10, "seed \(seed)")
            if output.failure != nil {
                bench.act { $0.closed(reason: "x", at: $1, into: &$2) }
                bench.act { $0.opened(at: $1, into: &$2) }
                if Bool.random(using: &random) { bench.pass(bench.reader.connected(at: bench.now)) }
            }
            if Int.random(in: 0...3, using: &random) == 0 { bench.wait(.milliseconds(Int64.random(in: 1...7_000, using: &random))) }
        }
        #expect(bench.session.counters.faults.count <= 60, "seed \(seed)")
        #expect(bench.session.skippedSteps.count <= 32)
        // After all that, an honest reader is read.
        bench.act { $0.closed(reason: "x", at: $1, into: &$2) }
        bench.reader = honest.reader
        bench.reader.restarted(at: bench.now)
        bench.open()
        bench.wait(.seconds(11))
        #expect(bench.session.state == .reading, "seed \(seed)")
    }

    /// A reader that answers everything at once with ids that it foresees cannot make the client send without end.
    @Test func aFloodOfEndsIsNotAFloodOfStarts() {
        var bench = LLRPBench()
        bench.open()
        let id = bench.session.inventory?.roSpecID ?? 0
        let end: [UInt8] =
            [0x04, 0x3F, 0, 0, 0, 0x27, 0, 0, 0, 0, 0, 0xF6, 0, 0x1D, 0, 0x80, 0, 0x0C, 0, 6, 0x40, 0, 0, 0, 0, 0]
            + [0, 0xF9, 0, 0x0D, 1] + (0..<4).map { UInt8(truncatingIfNeeded: id >> (24 - 8 * UInt32($0))) } + [0, 0, 0, 0]
        let sent = bench.sent.count
        bench.pass(Array(repeating: end, count: 1_000))
        #expect(bench.sent.count == sent)
        #expect(bench.session.counters.faults["inventory ended by itself"] == 1)
    }
}
