import Decoding
import DeviceSimulators
import Readings
import TestSupport
import Testing

/// The panel against a simulated reader on a line that takes time and loses packets.
@Suite("OSDP panel and reader")
struct OSDPSessionTests {
    private static let card: [UInt8] = [0x8F, 0x80, 0xA8, 0xC0]
    private static let feedback: [Feedback: [SessionPlan.Transmission]] = [
        .accepted: [.init(bytes: [0x69, 0, 0, 2, 10, 0, 2, 0, 10, 0, 0, 0, 0, 0, 0]), .init(bytes: [0x6A, 0, 2, 1, 0, 1])],
        .refused: [.init(bytes: [0x68, 0, 2, 0, 0]), .init(pause: .milliseconds(500), bytes: [0x68, 0, 1, 0, 0])],
    ]

    /// A panel, a line and a reader; time passes in milliseconds.
    struct Bench {
        var panel: OSDPSession
        var reader: OSDPReaderSimulator
        var now = Instant.zero
        /// Says what becomes of a reply: nil, it is lost; otherwise it arrives after so many milliseconds, perhaps several times.
        var line: (Int) -> [Int64] = { _ in [10] }
        /// Does something to the bytes of a reply.
        var disturbance: (Int, [UInt8]) -> [UInt8] = { $1 }
        var hearsItself = false
        private(set) var readings: [Reading] = []
        private(set) var sent: [[UInt8]] = []
        private var arriving: [(due: Instant, bytes: [UInt8])] = []
        private var replies = 0

        init(_ reader: OSDPReaderSimulator, _ configuration: OSDPSession.Configuration = .init(), address: UInt8 = 0) {
            self.reader = reader
            panel = OSDPSession(configuration, plan: SessionPlan(feedback: OSDPSessionTests.feedback), address: address)
            var output = SessionOutput()
            panel.opened(at: now, into: &output)
            settle(output)
        }

        private mutating func settle(_ output: SessionOutput) {
            readings += output.batch.readings
            for packet in output.transmissions {
                sent.append(packet)
                if hearsItself { arriving.append((now, packet)) }
                let reply = Array(reader.receive(packet, at: now).joined())
                guard !reply.isEmpty else { continue }
                replies += 1
                for delay in line(replies) { arriving.append((now + .milliseconds(delay), disturbance(replies, reply))) }
            }
        }

        mutating func run(_ milliseconds: Int64) {
            let end = now + .milliseconds(milliseconds)
            while now < end {
                let next = min(end, panel.nextDeadline ?? end, arriving.map(\.due).min() ?? end)
                now = max(now, next)
                var output = SessionOutput()
                if let deadline = panel.nextDeadline, deadline <= now { panel.advance(to: now, into: &output) }
                settle(output)
                while let index = arriving.firstIndex(where: { $0.due <= now }) {
                    var output = SessionOutput()
                    arriving.remove(at: index).bytes.withUnsafeBytes { panel.receive($0, at: now, into: &output) }
                    settle(output)
                }
                if let deadline = panel.nextDeadline { #expect(deadline > now) }
            }
        }

        mutating func give(_ kind: Feedback) -> Bool {
            var output = SessionOutput()
            defer { settle(output) }
            return panel.give(kind, at: now, into: &output)
        }

        var badges: [String] { readings.compactMap { if case .badge(let read) = $0 { read.credential } else { nil } } }
        var states: [DeviceState] { readings.compactMap { if case .state(let state) = $0 { state } else { nil } } }
    }

    @Test func fromOpeningToCard() {
        var bench = Bench(OSDPReaderSimulator(address: 5, inputs: 2), address: 5)
        #expect(bench.sent == [OSDPPacket(address: 5, sequence: 0, code: 0x61, data: [0]).encoded])
        bench.run(1_000)
        #expect(bench.states == [.silent(reason: "starting"), .reading])
        #expect(bench.panel.isInitialised && bench.panel.skippedSteps.isEmpty)
        #expect(
            bench.panel.stepAnswers["identification"].map { String(decoding: $0, as: UTF8.self) }
                == "vendor 5C2680, model 2, version 1, serial 305419896, firmware 10.11.12")
        #expect(bench.panel.stepAnswers["inputs"] == Array("00".utf8))
        // The numbers run 0, 1, 2, 3, 1, 2, 3 …
        #expect(bench.sent.prefix(9).map { $0[5] & 3 } == [0, 1, 2, 3, 1, 2, 3, 1, 2])
        #expect(bench.sent.prefix(6).map { $0[6] } == [0x61, 0x62, 0x64, 0x65, 0x60, 0x60])
        bench.reader.present(Self.card, count: 26)
        bench.reader.present(text: "0004888889")
        bench.reader.setInput(1, true)
        bench.run(1_000)
        #expect(bench.badges == ["1F0151", "0004888889"])
        #expect(bench.readings.contains(.input(InputChange(line: 1, isActive: true))))
        // A poll about every 60 ms: 50 ms of pause and 10 ms of line.
        #expect((33...38).contains(bench.sent.count))
        #expect(bench.panel.counters.retries == 0 && bench.panel.counters.rejects.total == 0)
    }

    @Test(arguments: OSDPPacket.Check.allCases)
    func bothChecks(check: OSDPPacket.Check) {
        var bench = Bench(OSDPReaderSimulator(), .init(check: check))
        bench.run(500)
        bench.reader.present(Self.card, count: 26)
        bench.run(500)
        #expect(bench.badges == ["1F0151"])
        #expect(bench.sent.allSatisfy { $0[5] & 4 == (check == .crc ? 4 : 0) })
    }

    @Test func ownEchoIsNoReply() {
        var bench = Bench(OSDPReaderSimulator())
        bench.hearsItself = true
        bench.run(500)
        bench.reader.present(Self.card, count: 26)
        bench.run(500)
        #expect(bench.badges == ["1F0151"] && bench.panel.counters.rejects.total == 0)
    }

    @Test("Every badge comes once on a line that loses, disturbs, delays and doubles replies", arguments: [31, 32, 33, 34, 35] as [UInt64])
    func aBadLine(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bench = Bench(OSDPReaderSimulator())
        // What becomes of a reply, never three losses in a row: after four tries the panel gives up.
        var fates: [(delays: [Int64], isDisturbed: Bool)] = []
        var losses = 0
        for _ in 0..<4_000 {
            let fate = losses >= 2 ? 3 : Int.random(in: 0...5, using: &generator)
            losses = fate < 3 ? losses + 1 : 0
            switch fate {
            case 0: fates.append(([], false))
            case 1: fates.append(([10], true))
            // After the time-out: the repeated command is under way already.
            case 2: fates.append(([Int64.random(in: 190...260, using: &generator)], false))
            case 3: fates.append(([Int64.random(in: 5...150, using: &generator)], false))
            default: fates.append(([10, Int64.random(in: 11...100, using: &generator)], false))
            }
        }
        bench.line = { fates[$0 % fates.count].delays }
        bench.disturbance = { index, bytes in
            guard fates[index % fates.count].isDisturbed else { return bytes }
            var bytes = bytes
            bytes[index % (bytes.count - 1) + 1] ^= 0x20
            return bytes
        }
        bench.run(3_000)
        var expected: [String] = []
        for number in 0..<60 as Range<UInt8> {
            bench.reader.present([0x04, 0xA2, 0xB3, number], count: 32)
            expected.append("04A2B3" + Hex.text([number]))
            bench.run(.random(in: 1...2_000, using: &generator))
        }
        bench.run(20_000)
        #expect(bench.badges == expected, "seed \(seed)")
        #expect(bench.panel.counters.retries > 20 && bench.panel.counters.rejects[.duplicate] > 0)
        #expect(!bench.states.dropFirst().contains { !$0.isReading }, "seed \(seed)")
    }

    @Test func aReaderThatGoesAndComesBack() {
        var bench = Bench(OSDPReaderSimulator(address: 7), address: 7)
        bench.run(1_000)
        bench.line = { _ in [] }
        bench.run(10_000)
        #expect(bench.states == [.silent(reason: "starting"), .reading, .silent(reason: "no answer from address 7, for 2000 ms")])
        #expect(!bench.panel.isInitialised)
        let isGiven = bench.give(.accepted)
        #expect(!isGiven)
        // It is asked on, but not as often: one command a second, with number 0.
        let before = bench.sent.count
        bench.run(10_000)
        #expect((8...13).contains(bench.sent.count - before))
        #expect(bench.sent.last == OSDPPacket(address: 7, sequence: 0, code: 0x61, data: [0]).encoded)
        bench.reader.restart()
        bench.line = { _ in [10] }
        bench.run(2_500)
        #expect(bench.states.last == .reading)
        bench.reader.present(Self.card, count: 26)
        bench.run(500)
        #expect(bench.badges == ["1F0151"])
    }

    @Test func aReaderThatWasNeverThere() {
        var bench = Bench(OSDPReaderSimulator(address: 3), address: 4)
        bench.run(5_000)
        #expect(bench.states == [.silent(reason: "starting"), .silent(reason: "no answer from address 4, for 2000 ms")])
    }

    @Test func aRestartOfTheReaderIsHealed() {
        var bench = Bench(OSDPReaderSimulator())
        bench.run(1_000)
        // It refuses the number that goes on from before (NAK 4), and the exchange begins anew.
        bench.reader.restart()
        bench.run(1_000)
        bench.reader.present(Self.card, count: 26)
        bench.run(500)
        #expect(bench.badges == ["1F0151"])
        #expect(bench.states == [.silent(reason: "starting"), .reading])
        #expect(bench.panel.counters.faults == ["sequence number refused": 1])
        #expect(bench.sent.count { $0[6] == 0x61 } == 2)
    }

    @Test func feedbackGoesOutAtTheNextTurn() {
        var bench = Bench(OSDPReaderSimulator())
        let early = bench.give(.accepted)
        #expect(!early)
        bench.run(1_000)
        let isGiven = bench.give(.accepted)
        #expect(isGiven)
        bench.run(150)
        #expect(bench.reader.shown == Self.feedback[.accepted]?.map(\.bytes))
        let isPulse = bench.give(.refused)
        #expect(isPulse)
        bench.run(400)
        #expect(bench.reader.shown.count == 3)
        bench.run(300)
        #expect(bench.reader.shown.dropFirst(2) == [[0x68, 0, 2, 0, 0], [0x68, 0, 1, 0, 0]])
        // Without a profile's entry there is none.
        let isNone = bench.give(.next)
        #expect(!isNone)
    }

    @Test func aRepeatedCommandIsNotDoneTwice() {
        var bench = Bench(OSDPReaderSimulator())
        bench.run(1_000)
        // The replies to the light command are lost twice.
        var lost = 0
        let first = bench.sent.count
        bench.line = { number in
            guard number > first, lost < 2 else { return [10] }
            lost += 1
            return []
        }
        let isGiven = bench.give(.accepted)
        #expect(isGiven)
        bench.run(1_500)
        #expect(bench.reader.shown.count == 2 && bench.panel.counters.retries == 2)
    }

    @Test func secureChannelIsNamed() {
        var reader = OSDPReaderSimulator()
        reader.demandsSecureChannel = true
        var bench = Bench(reader)
        bench.run(12_000)
        #expect(bench.states.count == 2)
        guard case .silent(let reason)? = bench.states.last else { return #expect(Bool(false), "\(bench.states)") }
        #expect(reason.contains("secure channel") && reason.contains("NAK 6"))
        #expect(bench.panel.stepAnswers["capabilities"] != nil)
        #expect(bench.panel.counters.faults["secure channel demanded"] == 3)
        bench.reader.demandsSecureChannel = false
        bench.run(6_000)
        #expect(bench.states.last == .reading)
        // Refused, and then gone: the reason is not the old one.
        bench.reader.demandsSecureChannel = true
        bench.run(1_000)
        bench.line = { _ in [] }
        bench.run(12_000)
        #expect(bench.states.last == .silent(reason: "no answer from address 0, for 2000 ms"))
    }

    @Test func busyAndUnknownCommands() {
        var bench = Bench(OSDPReaderSimulator())
        bench.run(500)
        bench.reader.busyAnswers = 5
        bench.reader.present(Self.card, count: 26)
        bench.run(1_000)
        #expect(bench.badges == ["1F0151"] && bench.panel.counters.retries == 0)
        bench.reader.busyAnswers = 1_000
        bench.run(3_000)
        #expect(bench.states.last == .silent(reason: "the reader is busy, for 2000 ms"))
        bench.reader.busyAnswers = 0
        bench.run(1_000)
        #expect(bench.states.last == .reading)
    }

    @Test func aDisturbedCommandIsSentAgain() {
        var bench = Bench(OSDPReaderSimulator())
        bench.run(500)
        bench.reader.present(Self.card, count: 26)
        // The reader says twice that it received a wrong check (NAK 1).
        var refusals = 2
        bench.disturbance = { _, bytes in
            guard refusals > 0 else { return bytes }
            refusals -= 1
            return OSDPPacket(address: 0, isReply: true, sequence: 0, code: 0x41, data: [1]).encoded
        }
        bench.run(1_000)
        #expect(bench.badges == ["1F0151"])
        #expect(bench.panel.counters.faults == ["the reader received a wrong check": 2] && bench.panel.counters.retries == 2)
        #expect(bench.sent.count { $0[6] == 0x61 } == 1)
        refusals = 1_000
        bench.run(5_000)
        #expect(bench.states.last == .silent(reason: "the reader received a wrong check, for 2000 ms"))
        refusals = 0
        bench.run(2_500)
        #expect(bench.states.last == .reading)
    }

    @Test func tamperIsAFaultOnce() {
        var bench = Bench(OSDPReaderSimulator())
        bench.run(500)
        for isTampered in [true, true, false, true] {
            bench.reader.setTampered(isTampered)
            bench.run(200)
        }
        #expect(bench.panel.counters.faults == ["housing opened": 2])
        #expect(bench.states.last == .reading)
    }

    @Test func aSessionThatBeginsInTheMiddle() {
        var panel = OSDPSession(.init(), plan: SessionPlan(), address: 0)
        var output = SessionOutput()
        panel.resumed(at: .zero, into: &output)
        let card = OSDPPacket(address: 0, isReply: true, sequence: 3, code: 0x50, data: [0, 1, 26, 0] + Self.card).encoded
        card.withUnsafeBytes { panel.receive($0, at: Instant(nanoseconds: 30_000_000), into: &output) }
        #expect(output.batch.readings == [.state(.reading), .badge(BadgeRead(credential: "1F0151"))])
        // 50 ms after the reply, with the number after 3.
        #expect(panel.nextDeadline == Instant(nanoseconds: 80_000_000))
        panel.advance(to: Instant(nanoseconds: 80_000_000), into: &output)
        #expect(output.transmissions == [OSDPPacket(address: 0, sequence: 1, code: 0x60).encoded])
    }

    @Test("Any bytes at any time", arguments: [41, 42, 43] as [UInt64])
    func anyBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var panel = OSDPSession(.init(), plan: SessionPlan(feedback: Self.feedback), address: 0)
        var output = SessionOutput()
        var now = Instant.zero
        panel.opened(at: now, into: &output)
        for round in 0..<5_000 {
            output.removeAll()
            let code = UInt8.random(in: 0...255, using: &generator)
            let data = (0..<Int.random(in: 0...40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var bytes =
                Bool.random(using: &generator)
                ? OSDPPacket(address: 0, isReply: true, sequence: .random(in: 0...3, using: &generator), code: code, data: data).encoded
                : data
            if Int.random(in: 0...9, using: &generator) == 0 { bytes = Array(bytes.prefix(5)) }
            bytes.withUnsafeBytes { panel.receive($0, at: now, into: &output) }
            if Int.random(in: 0...20, using: &generator) == 0 { _ = panel.give(.refused, at: now, into: &output) }
            now = now + .milliseconds(.random(in: 0...120, using: &generator))
            if let deadline = panel.nextDeadline, deadline <= now {
                panel.advance(to: now, into: &output)
                if let next = panel.nextDeadline { #expect(next > now, "seed \(seed), round \(round)") }
            }
            // A command at a time, whatever comes.
            #expect(output.transmissions.count <= 2 && output.batch.readings.count <= 70, "seed \(seed), round \(round)")
            for case .badge(let read) in output.batch.readings { #expect(read.credential.utf8.count <= 32) }
        }
    }
}
