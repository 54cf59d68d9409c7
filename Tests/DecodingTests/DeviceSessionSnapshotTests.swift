import Decoding
import Readings
import TestSupport
import Testing

/// A recording may begin at any moment: the session of its replay, made from the snapshot of that moment, does what the live one does.
@Suite struct DeviceSessionSnapshotTests {
    /// Frames of an A0 reader: rounds that end well, with a tag, with faults, answers, and noise.
    private static let frames = [
        "A0 0A 01 8B 00 00 19 00 00 00 01 B0", "A0 04 01 74 10 D7", "A0 04 01 74 47 A0", "A0 04 01 8B 22 AE", "A0 04 01 61 10 EA", "FF 00",
    ]

    private static var plan: SessionPlan {
        SessionPlan(
            steps: [.init(name: "reset", send: [0xA0, 0x03, 0x01, 0x70, 0xEC], settle: .milliseconds(700))],
            inventory: .init(
                commands: [[0xA0, 0x06, 0x01, 0x8B, 0x02, 0x00, 0x01, 0xCB], [0xA0, 0x06, 0x01, 0x8B, 0x02, 0x01, 0x01, 0xCA]],
                antennas: [1, 2],
                selection: .init(
                    commands: [[0xA0, 0x04, 0x01, 0x74, 0x00, 0xE7], [0xA0, 0x04, 0x01, 0x74, 0x01, 0xE6]],
                    expect: BytePattern(bytes: [0xA0, 0x04, 0x01, 0x74, 0x10, 0xD7]),
                    answer: BytePattern(bytes: [0xA0, 0x04, 0x01, 0x74, nil, nil]))),
            feedback: [
                .accepted: [.init(bytes: [1]), .init(pause: .milliseconds(500), bytes: [2])]
            ], livenessTimeout: .seconds(5))
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func aReplayThatBeginsAtAnyMomentGoesOnAlike(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func make() -> DeviceSession {
            DeviceSession(plan: Self.plan, decoder: DecoderConfiguration.a0(.init()).makeDecoder())
        }
        var live = make()
        var replay: DeviceSession?
        var now = Instant(nanoseconds: 3_000_000_000)
        var zero = Instant.zero
        let beginning = Int.random(in: 1..<150, using: &random)
        var frames = Self.frames
        // A bad reader, whose rounds mostly fail; and one that is mostly silent.
        if seed % 3 == 0 { frames = Array(Self.frames[2...3]) }

        func drive(_ body: (inout DeviceSession, Instant, inout SessionOutput) -> Void) {
            var output = SessionOutput()
            body(&live, now, &output)
            guard replay != nil else { return }
            var again = SessionOutput()
            body(&replay!, Instant(nanoseconds: (now - zero).nanoseconds), &again)
            #expect(again.transmissions == output.transmissions, "seed \(seed)")
            #expect(again.batch.readings == output.batch.readings, "seed \(seed)")
            #expect(again.failure == output.failure, "seed \(seed)")
            #expect(replay!.state == live.state, "seed \(seed)")
            #expect(
                replay!.nextDeadline.map { ($0 - .zero).nanoseconds } == live.nextDeadline.map { ($0 - zero).nanoseconds }, "seed \(seed)")
        }

        drive { $0.opened(at: $1, into: &$2) }
        for step in 0..<400 {
            if step == beginning {
                zero = now
                replay = make()
                var output = SessionOutput()
                replay?.resumed(from: try JSON(parsing: live.snapshot(at: now).canonicalText), at: .zero, into: &output)
                #expect(replay?.state == live.state, "seed \(seed)")
            }
            switch Int.random(in: 0..<40, using: &random) {
            case 0: drive { $0.closed(reason: "unplugged", at: $1, into: &$2) }
            case 1...3: drive { $0.opened(at: $1, into: &$2) }
            case 4...5: drive { _ = $0.give(.accepted, at: $1, into: &$2) }
            case 6...20 where seed % 5 == 0: break
            default:
                let bytes = Hex.bytes(frames.randomElement(using: &random) ?? "") ?? []
                drive { session, now, output in bytes.withUnsafeBytes { session.receive($0, at: now, into: &output) } }
            }
            let end = now + .milliseconds(Int64.random(in: 1...900, using: &random))
            while let due = live.nextDeadline, due <= end {
                now = max(now, due)
                drive { $0.advance(to: $1, into: &$2) }
                if let next = live.nextDeadline, next <= now { break }
            }
            now = max(now, end)
        }
    }

    @Test func aSilentReaderIsResumedAsSilent() {
        var session = DeviceSession(plan: Self.plan, decoder: DecoderConfiguration.a0(.init()).makeDecoder())
        var output = SessionOutput()
        session.opened(at: .zero, into: &output)
        for second in 1...20 {
            let now = Instant.zero + .milliseconds(Int64(second) * 400)
            if let due = session.nextDeadline, due <= now { session.advance(to: now, into: &output) }
        }
        #expect(!session.state.isReading)
        var replay = DeviceSession(plan: Self.plan, decoder: DecoderConfiguration.a0(.init()).makeDecoder())
        output.removeAll()
        replay.resumed(from: session.snapshot(at: .zero + .seconds(8)), at: .zero, into: &output)
        #expect(output.batch.readings == [.state(session.state)])
        // A recording of before has no snapshot: the device is taken to work.
        var old = DeviceSession(plan: Self.plan, decoder: DecoderConfiguration.a0(.init()).makeDecoder())
        old.resumed(at: .zero, into: &output)
        #expect(old.state == .reading)
    }

    @Test func aHugeReportDoesNotHoldItsMemory() {
        var batch = DecodedBatch()
        batch.readings = Array(repeating: .input(InputChange(line: 0, isActive: true)), count: 100_000)
        batch.signals = Array(repeating: .alive, count: 100_000)
        batch.removeAll()
        #expect(batch.readings.capacity <= DecodedBatch.keptCapacity)
        #expect(batch.signals.capacity <= DecodedBatch.keptCapacity)
        batch.readings.reserveCapacity(1_000)
        batch.removeAll()
        #expect(batch.readings.capacity >= 1_000)
    }
}
