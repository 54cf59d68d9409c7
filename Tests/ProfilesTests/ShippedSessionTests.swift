import Decoding
import Profiles
import Readings
import Testing

/// The plans of the shipped readers against a reader that answers by the rules of its protocol.
@Suite("Sessions of shipped profiles")
struct ShippedSessionTests {
    /// A reader of the A0 protocol: settings succeed, questions have answers, rounds end with one tag.
    private static func answer(to command: [UInt8]) -> [UInt8] {
        func frame(_ body: [UInt8]) -> [UInt8] {
            var frame: [UInt8] = [0xA0, UInt8(body.count + 2), 0x01] + body
            frame.append(0 &- frame.reduce(0, &+))
            return frame
        }
        guard command.count >= 5 else { return [] }
        switch command[3] {
        case 0x72: return frame([0x72, 0x01, 0x09])
        case 0x63: return frame([0x63, 0x01])
        case 0x77: return frame([0x77, 0x1E])
        case 0x79: return frame([0x79, 0x02, 0x00, 0x06])
        case 0x89, 0x8A:
            let tag: [UInt8] = [command[3], 0x04, 0x30, 0x00, 0xE2, 0, 0x30, 0x16, 0x66, 0x13, 1, 0x21, 0x15, 0x50, 0x74, 0xEF, 0x45]
            return frame(tag) + frame([command[3], 0, 0, 0x11, 0, 0, 0, 5])
        default: return frame([command[3], 0x10])
        }
    }

    @Test(arguments: ["r2000/a0-uhf", "r2000/a0-uhf-single"])
    func aReaderIsBroughtToReading(id: String) throws {
        let profile = try #require(ShippedProfiles.library[id])
        var session = DeviceSession(plan: profile.plan, decoder: profile.decoder.makeDecoder())
        var output = SessionOutput()
        var now = Instant.zero
        var sent: [[UInt8]] = []
        var feedback = Feedback.allCases.filter { profile.plan.feedback[$0] != nil }[...]
        session.opened(at: now, into: &output)
        for turn in 0..<2_000 {
            let commands = output.transmissions
            sent += commands
            output.removeAll()
            now = now + .milliseconds(20)
            for command in commands { #expect(A0Protocol.fault(ofFrame: command) == nil) }
            commands.flatMap(Self.answer).withUnsafeBytes { session.receive($0, at: now, into: &output) }
            while let deadline = session.nextDeadline, deadline <= now { session.advance(to: now, into: &output) }
            #expect(output.failure == nil)
            if turn % 300 == 299, let kind = feedback.popFirst() {
                let isGiven = session.give(kind, at: now, into: &output)
                #expect(isGiven)
            }
        }
        #expect(session.state == .reading)
        #expect(session.counters.rounds > 1_500 && session.counters.watchdogFires == 0)
        #expect(session.counters.retries == 0 && session.counters.rejects.total == 0)
        // The antenna detector notices an antenna that is lost: it stays as it is. Region and power were only asked for.
        #expect(!sent.contains { [0x62, 0x66, 0x76, 0x78].contains($0[3]) })
        #expect(session.stepAnswers["power"]?[4] == 0x1E)
        // All pulses of all feedback were sent, and outputs were off at the start and the end.
        let pulses = sent.filter { $0[3] == 0x61 }
        #expect(pulses.count == 2 + profile.plan.feedback.values.reduce(0) { $0 + $1.count })
        for port: UInt8 in [3, 4] { #expect(pulses.last { $0[4] == port }?[5] == 0) }
    }

    /// A write that was sent again may be answered twice: the second answer, which comes during the next step, is no wrong one of that.
    @Test func theAnswerToAWriteHasItsAddress() throws {
        let profile = try #require(ShippedProfiles.library["waveshare/relay-8"])
        let writes = profile.plan.steps.filter { [0x05, 0x06, 0x0F, 0x10].contains($0.send[0]) && $0.expect != nil }
        #expect(!writes.isEmpty)
        for step in writes { #expect(step.answer == BytePattern(bytes: step.send.prefix(3).map(Optional.some), allowsMore: true)) }
        for step in profile.plan.steps where step.expect != nil && step.send[0] < 5 {
            #expect(step.answer == BytePattern(bytes: [step.send[0]], allowsMore: true))
        }
    }
}
