import Decoding
import DeviceSimulators
import Readings
import TestSupport
import Testing

/// Feedback of an OSDP reader where replies are lost, and what a replay knows of a session.
@Suite("OSDP feedback and snapshots")
struct OSDPFeedbackTests {
    private static let on: [UInt8] = [0x68, 0, 2, 0, 0]
    private static let off: [UInt8] = [0x68, 0, 1, 0, 0]
    private static let plan = SessionPlan(feedback: [
        .refused: [.init(bytes: on), .init(pause: .milliseconds(500), bytes: off)],
        .exception: [
            .init(bytes: on), .init(pause: .milliseconds(500), bytes: off), .init(pause: .milliseconds(500), bytes: on),
            .init(pause: .milliseconds(500), bytes: [0x68, 0, 1, 0, 9]),
        ],
    ])

    /// A panel whose reader is played by hand.
    private struct Bench {
        var panel = OSDPSession(.init(), plan: plan, address: 0)
        var now = Instant.zero
        /// Commands with their data, without polls.
        var sent: [[UInt8]] = []
        /// The number of the last command.
        var sequence: UInt8 = 0
        var count = 0

        init() {
            act { $0.resumed(at: $1, into: &$2) }
            sequence = 1
            reply(0x40)
        }

        mutating func act(_ body: (inout OSDPSession, Instant, inout SessionOutput) -> Void) {
            var output = SessionOutput()
            body(&panel, now, &output)
            count += output.transmissions.count
            for bytes in output.transmissions {
                // FF, 53, address, length (2), control, code, data, check (2).
                sequence = bytes[5] & 3
                let command = Array(bytes[6..<bytes.count - 2])
                if command != [0x60] { sent.append(command) }
            }
        }

        mutating func reply(_ code: UInt8, _ data: [UInt8] = []) {
            let packet = OSDPPacket(address: 0, isReply: true, sequence: sequence, code: code, data: data).encoded
            act { panel, now, output in packet.withUnsafeBytes { panel.receive($0, at: now, into: &output) } }
        }

        /// Until the next command is out.
        mutating func next() {
            let before = count
            while count == before, let due = panel.nextDeadline {
                now = max(now, due)
                act { $0.advance(to: $1, into: &$2) }
            }
        }

        mutating func give(_ kind: Feedback) {
            var isGiven = false
            act { isGiven = $0.give(kind, at: $1, into: &$2) }
            #expect(isGiven)
        }

        /// Answers what is asked until the reader is polled.
        mutating func answerQuestions() {
            for (code, data) in [(0x45, [UInt8](repeating: 1, count: 12)), (0x46, []), (0x48, [0, 0])] as [(UInt8, [UInt8])] {
                next()
                reply(code, data)
            }
        }

        mutating func pollUntil(_ end: Instant) {
            while now < end {
                next()
                reply(0x40)
            }
        }
    }

    @Test func aCommandInFlightIsSentAgainInTheNewExchange() {
        var bench = Bench()
        bench.give(.refused)
        bench.next()
        #expect(bench.sent == [Self.on])
        // The reader restarted: it expects another number.
        bench.reply(0x41, [4])
        bench.answerQuestions()
        #expect(bench.sent == [Self.on, [0x61, 0], [0x62, 0], [0x64]])
        let begun = bench.now
        bench.next()
        #expect(bench.sent.last == Self.on)
        bench.reply(0x40)
        bench.pollUntil(begun + .milliseconds(440))
        #expect(bench.sent.last == Self.on)
        bench.pollUntil(begun + .milliseconds(600))
        #expect(bench.sent.last == Self.off && bench.sent.count == 6)
    }

    @Test func anOffInFlightOutlivesTheConnection() {
        var bench = Bench()
        bench.give(.refused)
        bench.next()
        bench.reply(0x40)
        let begun = bench.now
        while bench.sent.last != Self.off {
            bench.next()
            if bench.sent.last != Self.off { bench.reply(0x40) }
        }
        #expect(bench.now - begun >= .milliseconds(500))
        bench.act { $0.closed(reason: "unplugged", at: $1, into: &$2) }
        bench.sent = []
        bench.act { $0.opened(at: $1, into: &$2) }
        bench.reply(0x45, [UInt8](repeating: 1, count: 12))
        bench.next()
        bench.reply(0x46)
        bench.next()
        bench.reply(0x48, [0, 0])
        bench.next()
        #expect(bench.sent.last == Self.off)
        // An on that was in flight is not: nobody waits for it any more.
        bench.reply(0x40)
        bench.pollUntil(bench.now + .milliseconds(100))
        bench.give(.refused)
        bench.next()
        bench.act { $0.release(at: $1, into: &$2) }
        #expect(bench.sent.suffix(2) == [Self.on, Self.off])
    }

    @Test func onlyTheEndOfAFeedbackIsSentAtTheEnd() {
        var bench = Bench()
        bench.give(.exception)
        bench.next()
        bench.reply(0x40)
        let count = bench.count
        bench.act { $0.release(at: $1, into: &$2) }
        #expect(bench.count == count + 1)
        #expect(bench.sent == [Self.on, [0x68, 0, 1, 0, 9]])
    }

    @Test func aReaderThatIsSilentIsNotResumedAsReading() {
        var bench = Bench()
        bench.next()
        while bench.panel.state.isReading { bench.next() }
        var replay = OSDPSession(.init(), plan: Self.plan, address: 0)
        var output = SessionOutput()
        replay.resumed(from: bench.panel.snapshot(at: bench.now), at: .zero, into: &output)
        #expect(replay.state == .silent(reason: "no answer from address 0, for 2000 ms"))
        #expect(output.batch.readings == [.state(replay.state)] && !replay.isInitialised)
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func aReplayThatBeginsAtAnyMomentGoesOnAlike(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var live = OSDPSession(.init(), plan: Self.plan, address: 0)
        var replay: OSDPSession?
        var now = Instant(nanoseconds: 3_000_000_000)
        var zero = Instant.zero
        func drive(_ body: (inout OSDPSession, Instant, inout SessionOutput) -> Void) {
            var output = SessionOutput()
            body(&live, now, &output)
            guard replay != nil else { return }
            var again = SessionOutput()
            body(&replay!, Instant(nanoseconds: (now - zero).nanoseconds), &again)
            #expect(again.transmissions == output.transmissions, "seed \(seed)")
            #expect(again.batch.readings == output.batch.readings, "seed \(seed)")
            #expect(again.batch.signals == output.batch.signals, "seed \(seed)")
            #expect(replay!.state == live.state, "seed \(seed)")
            #expect(
                replay!.nextDeadline.map { ($0 - .zero).nanoseconds } == live.nextDeadline.map { ($0 - zero).nanoseconds }, "seed \(seed)")
        }
        drive { $0.opened(at: $1, into: &$2) }
        let beginning = Int.random(in: 1..<300, using: &random)
        let replies: [(code: UInt8, data: [UInt8])] = [
            (0x40, []), (0x40, []), (0x45, [UInt8](repeating: 2, count: 12)), (0x46, [1, 1, 2]), (0x48, [0, 0]), (0x48, [1, 0]),
            (0x49, [1, 0]), (0x49, [0, 0]), (0x41, [4]), (0x41, [6]), (0x79, []), (0x50, [0, 1, 26, 0, 0x8F, 0x80, 0xA8, 0xC0]),
        ]
        for step in 0..<600 {
            if step == beginning {
                zero = now
                replay = OSDPSession(.init(), plan: Self.plan, address: 0)
                var output = SessionOutput()
                replay?.resumed(from: try JSON(parsing: live.snapshot(at: now).canonicalText), at: .zero, into: &output)
                #expect(replay?.state == live.state, "seed \(seed)")
            }
            switch Int.random(in: 0..<100, using: &random) {
            case 0: drive { $0.closed(reason: "unplugged", at: $1, into: &$2) }
            case 1..<4: drive { $0.opened(at: $1, into: &$2) }
            case 4..<14: drive { _ = $0.give(.refused, at: $1, into: &$2) }
            default:
                let reply = replies.randomElement(using: &random) ?? (0x40, [])
                let packet = OSDPPacket(
                    address: 0, isReply: true, sequence: UInt8.random(in: 0...3, using: &random), code: reply.code, data: reply.data
                ).encoded
                drive { session, now, output in packet.withUnsafeBytes { session.receive($0, at: now, into: &output) } }
            }
            let end = now + .milliseconds(Int64.random(in: 1...(step % 50 == 0 ? 3_000 : 120), using: &random))
            while let due = live.nextDeadline, due <= end {
                now = max(now, due)
                drive { $0.advance(to: $1, into: &$2) }
            }
            now = max(now, end)
        }
    }
}
