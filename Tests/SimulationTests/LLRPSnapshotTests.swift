import Decoding
import DeviceSimulators
import Identifiers
import Readings
import TestSupport
import Testing

/// A recording may begin at any moment: the session of its replay, made from the snapshot of that moment, does what the live one does.
@Suite struct LLRPSnapshotTests {
    /// What a session was told, so that another one can be told the same.
    private enum Input {
        case opened, closed
        case bytes([UInt8])
        case advance
        case feedback(Feedback)
    }

    private static func tell(_ session: inout LLRPSession, _ input: Input, at now: Instant) -> SessionOutput {
        var output = SessionOutput()
        switch input {
        case .opened: session.opened(at: now, into: &output)
        case .closed: session.closed(reason: "cable", at: now, into: &output)
        case .bytes(let bytes): bytes.withUnsafeBytes { session.receive($0, at: now, into: &output) }
        case .advance: session.advance(to: now, into: &output)
        case .feedback(let kind): _ = session.give(kind, at: now, into: &output)
        }
        return output
    }

    @Test(arguments: 1...120 as ClosedRange<UInt64>)
    func aReplayThatBeginsAtAnyMomentGoesOnAlike(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let plan = SessionPlan(feedback: [.accepted: [.init(bytes: [1, 1]), .init(pause: .milliseconds(1_400), bytes: [1, 0])]])
        var simulated = LLRPReaderSimulator.Configuration(Personality.allCases[Int(seed % 3)])
        simulated.version = UInt8(1 + seed / 3 % 2)
        simulated.backlogLimit = 500
        let radio = RadioSettings(
            region: seed % 10 == 0 ? .etsi : .fcc, intent: RadioIntent.allCases[Int(seed % 4)], antennas: seed % 4 == 0 ? [1, 2] : [])
        let configuration = LLRPSession.Configuration(rotation: seed % 5 == 0 ? .gateway : .auto)
        var reader = LLRPReaderSimulator(simulated)
        reader.tags = [LLRPSessionTests.tag]
        if seed % 7 == 0 { reader.faults.ignored = [46] }
        var live = LLRPSession(configuration, plan: plan, radio: radio)
        var replay: LLRPSession?
        // The replay counts time from the beginning of the recording.
        var zero = Instant.zero
        var now = Instant(nanoseconds: 7_000_000_000)
        var isOpen = false
        var line: [UInt8] = []
        let beginning = Int.random(in: 1..<400, using: &random)

        func drive(_ input: Input) {
            let output = Self.tell(&live, input, at: now)
            if replay != nil {
                let again = Self.tell(&replay!, input, at: Instant(nanoseconds: (now - zero).nanoseconds))
                #expect(again.transmissions == output.transmissions, "seed \(seed)")
                #expect(again.batch.readings == output.batch.readings, "seed \(seed)")
                #expect(again.failure == output.failure, "seed \(seed)")
                #expect(replay!.state == live.state, "seed \(seed)")
                #expect(
                    replay!.nextDeadline.map { ($0 - .zero).nanoseconds } == live.nextDeadline.map { ($0 - zero).nanoseconds },
                    "seed \(seed)")
            }
            if isOpen { for bytes in output.transmissions { line += reader.receive(bytes, at: now).flatMap { $0 } } }
            if output.failure != nil { line = [] }
        }

        for step in 0..<800 {
            if step == beginning {
                zero = now
                replay = LLRPSession(configuration, plan: plan, radio: radio)
                var output = SessionOutput()
                replay?.resumed(from: try JSON(parsing: live.snapshot(at: now).canonicalText), at: .zero, into: &output)
                #expect(replay?.state == live.state, "seed \(seed)")
            }
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<2 where isOpen:
                isOpen = false
                line = []
                reader.disconnected(at: now)
                drive(.closed)
            case 2..<4:
                line += reader.setAntenna(UInt16.random(in: 1...4, using: &random), Bool.random(using: &random), at: now).flatMap { $0 }
            case 4..<7:
                line += reader.setInput(UInt16.random(in: 1...4, using: &random), Bool.random(using: &random), at: now).flatMap { $0 }
            case 7..<8: line += reader.endInventories(at: now).flatMap { $0 }
            case 8..<12: drive(.feedback(.accepted))
            case 12..<13: reader.faults.ignored = reader.faults.ignored.isEmpty ? [UInt16.random(in: 20...26, using: &random)] : []
            case 13..<14: reader.tags = reader.tags.isEmpty ? [LLRPSessionTests.tag] : []
            case 14..<20 where !isOpen:
                isOpen = true
                drive(.opened)
                line += reader.connected(at: now).flatMap { $0 }
            default: break
            }
            if isOpen, !line.isEmpty {
                let count = min(line.count, Int.random(in: 1...600, using: &random))
                let bytes = Array(line[..<count])
                line.removeFirst(count)
                drive(.bytes(bytes))
            }
            let wait: Int64 =
                Bool.random(using: &random) ? Int64.random(in: 1...60, using: &random) : Int64.random(in: 1...2_500, using: &random)
            let end = now + .milliseconds(wait)
            while let due = live.nextDeadline, due <= end {
                now = max(now, due)
                drive(.advance)
                if let next = live.nextDeadline, next <= now { break }
            }
            now = max(now, end)
            let said = reader.advance(to: now).flatMap { $0 }
            if isOpen { line += said }
        }
        #expect(live.counters.bytes > 0, "seed \(seed)")
    }

    /// Nothing survives an opening that a recording does not tell: a replay that knows only what came since sends and says the same.
    @Test(arguments: Personality.allCases) func aSecondConnectionIsLikeTheFirst(personality: Personality) {
        var bench = LLRPBench(personality)
        bench.open()
        bench.wait(.seconds(20))
        bench.close()
        bench.sent = []
        bench.open()
        let second = bench.sent
        bench.session = LLRPSession(.init(), plan: SessionPlan(), radio: RadioSettings(region: .fcc))
        bench.close()
        bench.sent = []
        bench.open()
        #expect(bench.sent == second)
        #expect(bench.session.state == .reading)
    }

    /// A reader that must not transmit, or that is silent, is resumed as such.
    @Test func whatDoesNotReadIsNotResumedAsReading() {
        for radio in [RadioSettings(region: .japan), RadioSettings(region: .fcc, power: 1)] {
            var bench = LLRPBench(radio: radio)
            bench.open()
            var replay = LLRPSession(.init(), plan: SessionPlan(), radio: radio)
            var output = SessionOutput()
            replay.resumed(from: bench.session.snapshot(at: bench.now), at: .zero, into: &output)
            #expect(!bench.session.state.isReading)
            #expect(replay.state == bench.session.state)
            #expect(output.batch.readings == [.state(bench.session.state)])
            #expect(!replay.isInitialised)
        }
    }

    /// A snapshot is part of a file, and a file may hold anything.
    @Test(arguments: [
        "{}", "[]", "1", "{\"phase\":7}",
        "{\"phase\":\"capabilities\",\"id\":-1,\"restarts\":99999999999999,\"life\":-9223372036854775808}",
    ])
    func anySnapshotIsSurvived(text: String) throws {
        var session = LLRPSession(.init(), plan: SessionPlan(), radio: RadioSettings())
        var output = SessionOutput()
        session.resumed(from: try JSON(parsing: text), at: .zero, into: &output)
        session.advance(to: Instant(nanoseconds: 1), into: &output)
        session.opened(at: .zero, into: &output)
    }
}
