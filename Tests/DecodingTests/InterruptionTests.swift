import Readings
import TestSupport
import Testing

@testable import Decoding

/// A Modbus unit that does not answer for a while, and what a session makes of it.
@Suite("Units that were silent")
struct InterruptionTests {
    private static let off = "0500000000"
    private static let on = "050000FF00"
    private static let silence = "00 02 82 FF"
    private static let poll = "00 03 02 01 00"

    /// A poll of eight inputs.
    private static let decoder = DecoderConfiguration.modbus(
        .init(polls: [.init(.discreteInputs, start: 0, count: 8, meaning: .inputs(firstLine: 0))]))

    private static func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex) ?? [] }

    private static var plan: SessionPlan {
        SessionPlan(
            steps: [
                .init(name: "off", send: bytes(off), expect: BytePattern("05 00 00 00 00"), answer: BytePattern("05 00 00 ...")),
                .init(name: "off 2", send: bytes("05 00 01 00 00"), expect: BytePattern("05 00 01 00 00")),
            ],
            feedback: [
                .accepted: [.init(bytes: bytes(on)), .init(pause: .milliseconds(400), bytes: bytes(off))],
                // Timed by the device.
                .exception: [.init(bytes: bytes("05 02 00 00 05"))],
            ], livenessTimeout: .seconds(60))
    }

    private static func running() -> Driven {
        let driven = Driven(plan, decoder)
        driven.open()
        driven.receive("FF 05 05 00 00 00 00")
        driven.receive("FF 05 05 00 01 00 00")
        driven.receive(poll)
        #expect(driven.session.state == .reading)
        _ = driven.take()
        return driven
    }

    /// The answers to both steps.
    private static func initialise(_ driven: Driven) {
        driven.receive("FF 05 05 00 00 00 00")
        driven.receive("FF 05 05 00 01 00 00")
        driven.wait(1)
    }

    @Test func oneLostAnswerPutsOutNothing() {
        let driven = Self.running()
        #expect(driven.give(.accepted))
        #expect(driven.take() == [Self.on])
        // The write is lost once, then its answer comes.
        driven.receive("FF 02 85 FF")
        driven.receive("FF 05 05 00 00 FF 00")
        #expect(driven.take() == [])
        driven.receive(Self.silence)
        driven.receive(Self.poll)
        #expect(driven.take() == [])
        // Spoilt answers are noise on the line, however many.
        driven.receive(Self.silence + "00 02 82 FE 00 02 82 FE")
        driven.receive(Self.poll)
        #expect(driven.take() == [])
        driven.wait(400)
        #expect(driven.take() == [Self.off])
    }

    @Test func aLampIsLitAgainAfterTheInitialisation() {
        let driven = Self.running()
        #expect(driven.give(.accepted))
        driven.receive("FF 05 05 00 00 FF 00")
        #expect(driven.take() == [Self.on])
        driven.wait(200)
        driven.receive(Self.silence + Self.silence)
        driven.receive(Self.poll)
        #expect(driven.take() == [Self.off])
        // Its off was due meanwhile.
        driven.wait(300)
        #expect(driven.take() == [])
        Self.initialise(driven)
        #expect(driven.take() == ["0500010000", Self.on])
        driven.wait(398)
        #expect(driven.take() == [])
        driven.wait(2)
        #expect(driven.take() == [Self.off])
        driven.wait(5_000)
        #expect(driven.take() == [])
    }

    @Test(arguments: [true, false])
    func aPulseThatTheDeviceTimesIsSentAgainUnlessItWasAnswered(isAnswered: Bool) {
        let driven = Self.running()
        #expect(driven.give(.exception))
        #expect(driven.take() == ["0502000005"])
        if isAnswered { driven.receive("FF 05 05 02 00 00 05") }
        driven.receive("FF 02 85 FF FF 02 85 FF")
        driven.receive("FF 05 05 02 00 00 05")
        #expect(driven.take() == [Self.off])
        Self.initialise(driven)
        #expect(driven.take() == ["0500010000"] + (isAnswered ? [] : ["0502000005"]))
    }

    @Test func aLampThatWasToBeLitAgainIsForgottenWithTheDeviceAndItsOffIsNot() {
        let driven = Self.running()
        #expect(driven.give(.accepted))
        driven.receive("FF 05 05 00 00 FF 00" + Self.silence + Self.silence)
        driven.receive(Self.poll)
        _ = driven.take()
        driven.release()
        #expect(driven.take() == [Self.off])
    }

    @Test func feedbackGivenDuringTheSecondInitialisationIsShownAfterIt() {
        let driven = Self.running()
        driven.receive(Self.silence + Self.silence)
        driven.receive(Self.poll)
        #expect(driven.take() == [Self.off])
        #expect(driven.give(.accepted))
        #expect(driven.take() == [])
        Self.initialise(driven)
        #expect(driven.take() == ["0500010000", Self.on])
        driven.wait(400)
        #expect(driven.take() == [Self.off])
        // The first one has nothing to wait for.
        let new = Driven(Self.plan, Self.decoder)
        new.open()
        #expect(!new.give(.accepted))
    }

    /// The answer that shows that the unit is back answers the command of before, not the first step, which looks alike.
    @Test func theAnswerThatInterruptsIsNoneToTheSteps() {
        let driven = Self.running()
        #expect(driven.give(.accepted))
        driven.wait(400)
        #expect(driven.take() == [Self.on, Self.off])
        driven.receive("FF 02 85 FF FF 02 85 FF")
        driven.receive("FF 05 05 00 00 FF 00")
        #expect(driven.take() == [Self.off])
        #expect(driven.session.counters.retries == 0)
        driven.receive("FF 02 85 FF FF 02 85 FF")
        driven.receive("FF 05 05 00 00 00 00")
        // Still the first step, whose own answer has not come.
        #expect(driven.session.stepAnswers["off 2"] == Self.bytes("05 00 01 00 00"))
        #expect(!driven.session.isInitialised)
    }

    @Test func anExceptionToTheQuestionOfACheckedStepIsTold() {
        let check = SessionPlan.Check(
            send: Self.bytes("03 00 10 00 01"), answer: BytePattern("03 02 ...")!, wanted: BytePattern("03 02 00 01")!)
        let driven = Driven(
            SessionPlan(steps: [
                .init(name: "mode", send: Self.bytes("06 00 10 00 01"), expect: BytePattern("06 00 10 00 01"), check: check)
            ]),
            Self.decoder)
        driven.open()
        #expect(driven.take() == ["0300100001"])
        driven.receive("FF 02 83 02")
        #expect(driven.failure == SessionFailure(step: "mode", reason: "illegal address", received: [0x83, 0x02]))
        #expect(driven.take() == [])
        // What may be gone the next time is asked again, and then told.
        driven.close()
        driven.open()
        driven.receive("FF 02 83 06")
        driven.wait(1_500)
        #expect(driven.failure?.reason == "device busy")
    }

    @Test func aSnapshotWithAStepThatThePlanDoesNotHaveIsRunning() throws {
        let driven = Driven(Self.plan, Self.decoder)
        driven.open()
        guard case .object(var members) = driven.session.snapshot(at: .zero) else { return }
        members["step"] = ["index": 7]
        var session = DeviceSession(plan: Self.plan, decoder: Self.decoder.makeDecoder())
        var output = SessionOutput()
        session.resumed(from: .object(members), at: .zero, into: &output)
        #expect(session.isInitialised)
    }

    // MARK: Snapshots

    private static let gate = DecoderConfiguration.modbus(
        .init(
            polls: [
                .init(.discreteInputs, start: 0, count: 2, meaning: .inputs(firstLine: 0)),
                .init(.inputRegisters, start: 0, count: 2, meaning: .counters(.init())),
                .init(
                    .holdingRegisters, start: 9, count: 3,
                    meaning: .identifier(
                        .init(
                            output: .badge(BadgeForm()), flag: .init(register: 0), byteCount: 4, firstRegister: 1,
                            acknowledgement: [6, 0, 9, 0, 0]))),
            ], lines: [.init(debounce: .milliseconds(50))]))

    private static let frames = [
        "00 03 02 01 00", "00 03 02 01 03", "00 03 02 01 02", "01 06 04 04 00 05 00 09", "01 06 04 04 00 07 00 09",
        "02 08 03 06 00 00 00 00 00 00", "02 08 03 06 00 01 01 02 03 04", "FF 05 06 00 09 00 00", "00 02 82 FF", "01 02 84 FF",
        "02 02 83 06", "FF 05 05 00 00 00 00", "FF 05 05 00 01 00 00",
    ]

    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func aReplayThatBeginsAtAnyMomentGoesOnAlike(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func make() -> DeviceSession { DeviceSession(plan: Self.plan, decoder: Self.gate.makeDecoder()) }
        var live = make()
        var replay: DeviceSession?
        var now = Instant(nanoseconds: 3_000_000_000)
        var zero = Instant.zero
        func drive(_ body: (inout DeviceSession, Instant, inout SessionOutput) -> Void) {
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
        let beginning = Int.random(in: 1..<200, using: &random)
        for step in 0..<400 {
            if step == beginning {
                zero = now
                replay = make()
                var output = SessionOutput()
                replay?.resumed(from: try JSON(parsing: live.snapshot(at: now).canonicalText), at: .zero, into: &output)
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                let kind = Bool.random(using: &random) ? Feedback.accepted : .exception
                drive { _ = $0.give(kind, at: $1, into: &$2) }
            }
            if live.nextDeadline == nil { drive { $0.opened(at: $1, into: &$2) } }
            let bytes = Self.bytes(Self.frames.randomElement(using: &random) ?? "")
            drive { session, now, output in bytes.withUnsafeBytes { session.receive($0, at: now, into: &output) } }
            let end = now + .milliseconds(Int64.random(in: 1...100, using: &random))
            while let due = live.nextDeadline, due <= end {
                now = max(now, due)
                drive { $0.advance(to: $1, into: &$2) }
            }
            now = max(now, end)
        }
    }

    /// The same frames as `PN532ProtocolTests`, a card of type A: it is still the same card for a replay that begins while it lies there.
    @Test func aCardThatLiesThereIsNotNewToAReplay() {
        let card = "00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 01 02 03 04 C4 00"
        var live = Decoded(.pn532(.init()))
        live.feed(card)
        #expect(live.badges == ["01020304"])
        var replay = Decoded(.pn532(.init()))
        replay.decoder.resumed()
        replay.decoder.restore(live.decoder.snapshot(at: .zero + .milliseconds(400)) ?? .null, at: .zero)
        replay.feed(card)
        #expect(replay.badges == [] && replay.rejects == ["duplicate": 1])
        replay.wait(.milliseconds(1_100))
        replay.feed(card)
        #expect(replay.badges == ["01020304"])
    }
    @Test func aBadgeThatIsReadAgainAndCapsLockAreKnownToAReplay() {
        let badge = "02 30 31 30 30 30 37 33 34 45 30 44 32 03"
        var live = Decoded(.em4100(.init(duplicateWindow: .seconds(1))))
        live.feed(badge)
        #expect(live.badges.count == 1)
        var replay = Decoded(.em4100(.init(duplicateWindow: .seconds(1))))
        replay.decoder.restore(live.decoder.snapshot(at: .zero) ?? .null, at: .zero)
        replay.feed(badge)
        #expect(replay.badges == [] && replay.rejects == ["duplicate": 1])

        let layout = KeyboardLayout(name: "us", keys: [30: .init(levels: ["a", "A"])])
        var keys = Decoded(.keyboardWedge(.init(layout: layout)))
        keys.tap(58)
        var others = Decoded(.keyboardWedge(.init(layout: layout)))
        others.decoder.restore(keys.decoder.snapshot(at: .zero) ?? .null, at: .zero)
        others.tap(30, 28)
        keys.tap(30, 28)
        #expect(keys.texts.count == 1 && others.texts == keys.texts)
    }
}
