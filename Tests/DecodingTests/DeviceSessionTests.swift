import Decoding
import Readings
import Testing

@Suite("Device sessions")
struct DeviceSessionTests {
    private static let firmware = "A0030172EA"
    private static let firmwareAnswer = "A0 05 01 72 01 09 DE"
    private static let round = "A004018901D1"
    private static let roundEnd = "A0 0A 01 89 00 00 11 00 00 00 05 B6"
    private static let antennaMissing = "A0 04 01 89 22 B0"
    private static let tag = "A0 13 01 89 04 30 00 E2 00 30 16 66 13 01 21 15 50 74 EF 45 BF"
    private static let on = "A00501610301F5"
    private static let off = "A00501610300F6"

    private static func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex) ?? [] }

    private static func plan(
        _ steps: [SessionPlan.Step]? = nil, faultLimit: Int = 1, feedback: [Feedback: [SessionPlan.Transmission]] = [:]
    ) -> SessionPlan {
        SessionPlan(
            steps: steps ?? [
                SessionPlan.Step(
                    name: "firmware", send: bytes(firmware), expect: BytePattern("A0 05 ?? 72 ?? ?? ??"),
                    answer: BytePattern("A0 ?? ?? 72 ..."))
            ],
            inventory: SessionPlan.Inventory(commands: [bytes(round)], faultLimit: faultLimit), feedback: feedback,
            livenessTimeout: .seconds(4))
    }

    private static func running(_ plan: SessionPlan) -> Driven {
        let driven = Driven(plan)
        driven.open()
        driven.receive(firmwareAnswer)
        driven.wait(10)
        driven.receive(roundEnd)
        _ = driven.take()
        return driven
    }

    @Test func aReaderIsInitialisedAndAskedAgainAfterEveryRound() {
        let driven = Driven(Self.plan())
        driven.open()
        #expect(driven.take() == [Self.firmware])
        driven.receive(Self.firmwareAnswer)
        #expect(driven.take() == [Self.round])
        #expect(driven.states == [.silent(reason: "starting")])
        driven.wait(50)
        driven.receive(Self.tag)
        #expect(driven.states.last == .reading)
        driven.receive(Self.roundEnd)
        #expect(driven.take() == [Self.round])
        driven.wait(50)
        driven.receive(Self.roundEnd)
        #expect(driven.take() == [Self.round])
        #expect(driven.session.counters.rounds == 2 && driven.session.counters.readings == 1)
        #expect(driven.session.stepAnswers["firmware"] == Self.bytes(Self.firmwareAnswer))
    }

    @Test func aScannerReadsAtOnce() {
        let driven = Driven(SessionPlan(), .scannerLine(.init()))
        driven.open()
        #expect(driven.states == [.reading])
        #expect(driven.session.nextDeadline == nil)
        driven.close()
        #expect(driven.states == [.reading, .absent(reason: "unplugged")])
    }

    @Test func silenceAtTheStartIsTriedAgainAndThenFails() {
        let driven = Driven(Self.plan())
        driven.open()
        driven.wait(499)
        #expect(driven.take() == [Self.firmware])
        driven.wait(1)
        #expect(driven.take() == [Self.firmware])
        driven.wait(500)
        #expect(driven.take() == [Self.firmware])
        driven.wait(500)
        #expect(driven.take() == [])
        #expect(driven.failure == SessionFailure(step: "firmware", reason: "no answer"))
        #expect(driven.session.nextDeadline == nil)
        #expect(driven.session.counters.retries == 2)
        driven.close()
        driven.open()
        #expect(driven.take() == [Self.firmware])
    }

    @Test func aWrongAnswerIsTriedAgainAtOnce() {
        let driven = Driven(Self.plan())
        driven.open()
        // An answer to another command is not one to this.
        driven.receive("A0 04 01 74 10 D7")
        #expect(driven.take() == [Self.firmware])
        for _ in 0..<3 { driven.receive("A0 04 01 72 11 D8") }
        #expect(driven.take() == [Self.firmware, Self.firmware])
        #expect(driven.failure == SessionFailure(step: "firmware", reason: "wrong answer", received: Self.bytes("A0 04 01 72 11 D8")))
        #expect(driven.failure?.description == "step firmware: wrong answer, received A004017211D8")
    }

    @Test func anOptionalStepIsPassedOver() {
        let driven = Driven(
            Self.plan([
                SessionPlan.Step(
                    name: "output off", send: Self.bytes(Self.off), expect: BytePattern("A0 04 ?? 61 10 ??"), timeout: .milliseconds(200),
                    retries: 0,
                    isOptional: true)
            ]))
        driven.open()
        driven.wait(200)
        #expect(driven.take() == [Self.off, Self.round])
        #expect(driven.session.skippedSteps == ["output off"])
        #expect(driven.failure == nil)
    }

    @Test func aSettingIsWrittenOnlyWhenItDiffers() {
        let check = SessionPlan.Check(
            send: Self.bytes("A0030163F9"), answer: BytePattern(bytes: [0xA0, nil, nil, 0x63], allowsMore: true),
            wanted: BytePattern(bytes: [0xA0, 0x04, nil, 0x63, 0x00, nil]))
        let plan = Self.plan([
            SessionPlan.Step(name: "detector", send: Self.bytes("A0040162 00F9"), expect: BytePattern("A0 04 ?? 62 10 ??"), check: check)
        ])
        let same = Driven(plan)
        same.open()
        same.receive("A0 04 01 63 00 F8")
        #expect(same.take() == ["A0030163F9", Self.round])
        let other = Driven(plan)
        other.open()
        // A late answer to something else is none to the question.
        other.receive(Self.firmwareAnswer)
        #expect(other.sent == ["A0030163F9"])
        other.receive("A0 04 01 63 01 F7")
        #expect(other.take() == ["A0030163F9", "A004016200F9"])
        other.receive("A0 04 01 62 10 E9")
        #expect(other.take() == [Self.round])
        // No answer to the question is no reason to write.
        let mute = Driven(plan)
        mute.open()
        mute.wait(2_000)
        #expect(mute.take() == ["A0030163F9", "A0030163F9", "A0030163F9"])
        #expect(mute.failure?.reason == "no answer")
    }

    @Test func theWatchdogAsksAgainAndThenGivesUp() {
        let driven = Self.running(Self.plan())
        driven.wait(1_500)
        #expect(driven.take() == [Self.round])
        #expect(driven.session.counters.watchdogFires == 1)
        driven.receive(Self.roundEnd)
        #expect(driven.take() == [Self.round])
        driven.wait(4_000)
        #expect(driven.states.last == .silent(reason: "nothing heard for 4000 ms"))
        driven.wait(10_000)
        #expect(driven.failure?.step == "inventory")
        #expect(driven.session.counters.watchdogFires == 6)
        #expect(driven.session.nextDeadline == nil)
    }

    @Test func lifeAfterSilenceIsReading() {
        let driven = Self.running(Self.plan())
        driven.wait(4_000)
        #expect(!driven.session.state.isReading)
        driven.receive(Self.roundEnd)
        #expect(driven.session.state == .reading)
    }

    @Test func aMissingAntennaBacksOff() {
        let driven = Self.running(Self.plan())
        var commands = 0
        // A reader without an antenna answers at once; a minute of that must not be thousands of commands.
        let end = driven.now + .seconds(60)
        driven.receive(Self.antennaMissing)
        while driven.now < end {
            driven.wait(10)
            let sent = driven.take().count
            commands += sent
            if sent > 0 { driven.receive(Self.antennaMissing) }
        }
        // 0.5, 1, 2, 4, then every 5 s.
        #expect((13...16).contains(commands), "\(commands) commands")
        #expect(driven.session.state == .silent(reason: "antenna missing"))
        #expect(driven.session.counters.faults["antenna missing"] == UInt64(commands) + 1)
        driven.wait(5_000)
        driven.receive(Self.roundEnd)
        #expect(driven.session.state == .reading)
        driven.receive(Self.antennaMissing)
        _ = driven.take()
        driven.wait(500)
        #expect(driven.take() == [Self.round])
    }

    @Test func oneMissingAntennaOfSeveralDoesNotSlowDownTheOthers() {
        let missing = "A0 05 01 8A 02 22 AC"
        let end = "A0 0A 01 8A 00 00 05 00 00 00 C8 FE"
        let driven = Self.running(Self.plan(faultLimit: 2))
        driven.receive(missing)
        driven.receive(end)
        #expect(driven.take() == [Self.round])
        #expect(driven.session.state == .reading)
        driven.receive(missing + missing + end)
        #expect(driven.take() == [])
        driven.wait(500)
        #expect(driven.take() == [Self.round])
        #expect(driven.session.counters.lastFault?.meaning == "antenna missing, antenna 3")
    }

    @Test func aFaultThatStaysIsSilence() {
        let driven = Self.running(Self.plan())
        driven.receive("A0 04 01 89 41 91")
        #expect(driven.session.state == .silent(reason: "parameter refused"))
    }

    @Test func aFloodOfRoundEndsIsOneCommand() {
        let driven = Self.running(Self.plan())
        driven.receive(String(repeating: Self.roundEnd, count: 500))
        #expect(driven.take() == [Self.round])
    }

    @Test func feedbackWaitsForTheEndOfTheRound() {
        let pulse = [
            SessionPlan.Transmission(bytes: Self.bytes(Self.on)),
            SessionPlan.Transmission(pause: .milliseconds(300), bytes: Self.bytes(Self.off)),
        ]
        let driven = Self.running(Self.plan(feedback: [.accepted: pulse]))
        #expect(driven.give(.accepted))
        #expect(driven.take() == [])
        driven.wait(30)
        driven.receive(Self.roundEnd)
        // The round after it waits for the reader's answer, or for 50 ms.
        #expect(driven.take() == [Self.on])
        driven.wait(10)
        driven.receive("A0 04 01 61 10 EA")
        #expect(driven.take() == [Self.round])
        driven.wait(289)
        driven.receive(Self.roundEnd)
        #expect(driven.take() == [Self.round])
        driven.wait(1)
        driven.receive(Self.roundEnd)
        #expect(driven.take() == [Self.off])
        driven.wait(50)
        #expect(driven.take() == [Self.round])
    }

    @Test func feedbackWaitsAtMost200Milliseconds() {
        let pulse = [SessionPlan.Transmission(bytes: Self.bytes(Self.on))]
        let driven = Self.running(Self.plan(feedback: [.accepted: pulse]))
        #expect(driven.give(.accepted))
        driven.wait(199)
        #expect(driven.take() == [])
        driven.wait(1)
        #expect(driven.take() == [Self.on])
    }

    @Test func feedbackWithoutInventoryComesAtOnceAndIsCutShortByTheNext() {
        let beep = Self.bytes("42")
        let double = [SessionPlan.Transmission(bytes: [0x46]), SessionPlan.Transmission(pause: .milliseconds(400), bytes: [0x47])]
        let driven = Driven(
            SessionPlan(feedback: [.accepted: [.init(bytes: beep)], .refused: double]), .scannerLine(.init()))
        #expect(!driven.give(.accepted))
        driven.open()
        #expect(driven.give(.refused))
        #expect(driven.take() == ["46"])
        driven.wait(100)
        #expect(driven.give(.accepted))
        #expect(driven.take() == ["47", "42"])
        driven.wait(1_000)
        #expect(driven.take() == [])
        #expect(!driven.give(.exception))
        driven.close()
        #expect(!driven.give(.accepted))
    }

    private static let pulse = [
        SessionPlan.Transmission(bytes: bytes(on)), SessionPlan.Transmission(pause: .milliseconds(1_500), bytes: bytes(off)),
    ]

    @Test func aLampThatIsLitGoesOffBeforeTheDeviceIsLetGo() {
        let driven = Driven(
            SessionPlan(feedback: [.exception: Self.pulse, .accepted: Self.pulse], stop: [[0x99]]), .scannerLine(.init()))
        driven.open()
        #expect(driven.give(.exception))
        driven.wait(300)
        #expect(driven.take() == [Self.on])
        driven.release()
        #expect(driven.take() == [Self.off, "99"])
        #expect(driven.session.nextDeadline == nil)
        driven.close()
        driven.open()
        driven.wait(2_000)
        #expect(driven.take() == [])
    }

    @Test func whatReadsIsStoppedAlsoDuringTheInitialisation() {
        var plan = Self.plan()
        plan.stop = [[0x99]]
        let driven = Driven(plan)
        driven.open()
        _ = driven.take()
        driven.release()
        #expect(driven.take() == ["99"])
    }

    @Test func aLampThatIsLitGoesOffWhenTheSessionFails() {
        let slow = [Self.pulse[0], SessionPlan.Transmission(pause: .seconds(5), bytes: Self.bytes(Self.off))]
        let plan = SessionPlan(
            inventory: .init(commands: [Self.bytes(Self.round)], watchdog: .milliseconds(500)), feedback: [.exception: slow],
            livenessTimeout: .seconds(4))
        let driven = Driven(plan)
        driven.open()
        #expect(driven.give(.exception))
        driven.wait(2_499)
        #expect(driven.failure == nil && driven.take().last == Self.round)
        driven.wait(1)
        #expect(driven.failure?.step == "inventory")
        #expect(driven.take() == [Self.off])
    }

    @Test func aLampThatIsLitGoesOffAfterTheDeviceIsBack() {
        let driven = Driven(SessionPlan(feedback: [.exception: Self.pulse]), .scannerLine(.init()))
        driven.open()
        #expect(driven.give(.exception))
        _ = driven.take()
        driven.close()
        #expect(driven.take() == [])
        driven.wait(60_000)
        driven.open()
        driven.wait(1)
        #expect(driven.take() == [Self.off])
    }

    @Test func feedbackThatHadNotBegunIsForgottenWithTheDevice() {
        let driven = Self.running(Self.plan(feedback: [.exception: Self.pulse]))
        #expect(driven.give(.exception))
        #expect(driven.take() == [])
        driven.release()
        #expect(driven.take() == [])
    }

    // MARK: Antennas

    private static let select1 = "A004017400E7"
    private static let select2 = "A004017401E6"
    private static let custom = "A006018B010001CC"
    private static let customEnd = "A0 0A 01 8B 00 00 19 00 00 00 01 B0"
    private static let chosen = "A0 04 01 74 10 D7"
    private static let refused = "A0 04 01 74 47 A0"

    /// Two antennas, each with a round of its own.
    private static var perAntenna: SessionPlan {
        SessionPlan(
            inventory: SessionPlan.Inventory(
                commands: [bytes(custom), bytes(custom)], antennas: [1, 2],
                selection: .init(
                    commands: [bytes(select1), bytes(select2)], expect: BytePattern("A0 04 ?? 74 10 ??")!,
                    answer: BytePattern("A0 ?? ?? 74 ...")!)),
            feedback: [.accepted: [.init(bytes: bytes(on))]], livenessTimeout: .seconds(5))
    }

    @Test func anAntennaThatCannotBeChosenIsNotReadFrom() {
        let driven = Driven(Self.perAntenna)
        driven.open()
        #expect(driven.take() == [Self.select1])
        // The answer to something else is none to this.
        driven.receive("A0 04 01 61 10 EA")
        #expect(driven.take() == [])
        driven.receive(Self.chosen)
        #expect(driven.take() == [Self.custom])
        for round in 1...3 {
            driven.wait(50)
            driven.receive(Self.customEnd)
            #expect(driven.take() == [Self.select2])
            driven.wait(5)
            driven.receive(Self.refused)
            // Not a round with the antenna of before: the other one is next.
            #expect(driven.take() == [Self.select1])
            #expect(driven.session.counters.faults == ["antenna could not be chosen": UInt64(round)])
            #expect(driven.session.counters.failedRounds == UInt64(round))
            #expect(driven.session.state.isReading == (round < 3))
            driven.wait(5)
            driven.receive(Self.chosen)
            #expect(driven.take() == [Self.custom])
        }
        #expect(driven.session.state == .silent(reason: "antenna 2: antenna could not be chosen"))
    }

    @Test func oneSideOfAGateIsMissed() {
        let driven = Driven(Self.perAntenna)
        driven.open()
        func turn(_ second: String) {
            for end in [Self.customEnd, second] {
                driven.receive(Self.chosen)
                driven.wait(20)
                driven.receive(end)
                driven.wait(20)
            }
        }
        turn("A0 04 01 8B 22 AE")
        turn("A0 04 01 8B 22 AE")
        #expect(driven.session.state == .reading)
        turn("A0 04 01 8B 22 AE")
        #expect(driven.session.state == .silent(reason: "antenna 2: antenna missing"))
        let count = driven.states.count
        // The other antenna reads all the time, which does not make the gate whole.
        for _ in 0..<10 { turn("A0 04 01 8B 22 AE") }
        #expect(driven.states.count == count)
        turn(Self.customEnd)
        #expect(driven.session.state == .reading)
        #expect(driven.failure == nil)
    }

    @Test func anAntennaWhoseRoundsNeverEndIsMissed() {
        let driven = Driven(Self.perAntenna)
        driven.open()
        for _ in 0..<3 {
            driven.receive(Self.chosen)
            driven.wait(20)
            driven.receive(Self.customEnd)
            driven.receive(Self.chosen)
            driven.wait(1_500)
        }
        #expect(driven.session.state == .silent(reason: "antenna 2: no round ended"))
    }

    @Test func anAntennaThatFastSwitchMissesIsMissed() {
        let end = "A0 0A 01 8A 00 00 05 00 00 00 C8 FE"
        let driven = Self.running(Self.plan(faultLimit: 4))
        for round in 1...3 {
            #expect(driven.session.state == .reading)
            driven.wait(100)
            driven.receive("A0 05 01 8A 02 22 AC")
            // A tag of another antenna.
            driven.receive(Self.tag)
            driven.receive(end)
            #expect(driven.session.state.isReading == (round < 3))
        }
        #expect(driven.session.state == .silent(reason: "antenna 3: antenna missing"))
        driven.wait(100)
        driven.receive(Self.tag)
        #expect(!driven.session.state.isReading)
        driven.receive(end)
        #expect(driven.session.state == .reading)
    }

    @Test func anAntennaWithSlowRoundsIsMissedAfterTheLiveness() {
        // A turn takes 2.4 s, so that three of them would be long.
        let driven = Driven(
            SessionPlan(
                inventory: SessionPlan.Inventory(commands: [[UInt8]](repeating: Self.bytes(Self.custom), count: 3), antennas: [1, 2, 3]),
                livenessTimeout: .seconds(2)))
        driven.open()
        for turn in 1...2 {
            driven.wait(1_200)
            driven.receive(Self.customEnd)
            driven.receive("A0 04 01 8B 22 AE")
            #expect(driven.session.state.isReading == (turn == 1))
            driven.wait(1_200)
            driven.receive(Self.customEnd)
        }
        #expect(driven.session.state == .silent(reason: "antenna 2: antenna missing"))
    }

    @Test func outsideNumbersAreClamped() {
        #expect([-1, 0, 10, .max].map { SessionPlan.Step(name: "", send: [], retries: $0).retries } == [0, 0, 10, 10])
        #expect([.min, 0, 1, 64, .max].map { SessionPlan.Inventory(commands: [[0]], faultLimit: $0).faultLimit } == [1, 1, 1, 64, 64])
    }

    @Test func feedbackIsBounded() {
        let pulse = [SessionPlan.Transmission(bytes: [0x01]), SessionPlan.Transmission(pause: .seconds(1), bytes: [0x02])]
        let driven = Self.running(Self.plan(feedback: [.accepted: pulse]))
        var given = 0
        for _ in 0..<1_000 where driven.give(.accepted) { given += 1 }
        #expect(given == 32)
    }

    @Test func unpluggingInMidFrameForgetsTheFrame() {
        let driven = Self.running(Self.plan())
        driven.receive("A0 13 01 89 04 30 00 E2 00")
        driven.close()
        driven.receive("30 16 66 13 01 21 15 50 74 EF 45 BF")
        driven.open()
        driven.receive(Self.firmwareAnswer)
        driven.receive("30 16 66 13 01 21 15 50 74 EF 45 BF")
        #expect(driven.session.counters.readings == 0)
        driven.receive(Self.tag)
        #expect(driven.session.counters.readings == 1)
        #expect(driven.states.suffix(3) == [.absent(reason: "unplugged"), .silent(reason: "starting"), .reading])
    }
}
