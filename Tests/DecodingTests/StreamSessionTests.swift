import Decoding
import Readings
import Testing

/// Devices that read until they are told to stop, and rounds that go from antenna to antenna.
@Suite("Sessions of streams and turns")
struct StreamSessionTests {
    private static let stop = "FF032F0000025E86"
    private static let version = "FF00031D0C"
    private static let start = "FF102F00000122000005072210001B03E801FFDD2B"
    private static let alive = "FF 00 22 04 00 84 E0"
    private static let tag = MercuryProtocolTests.published[1]

    private static func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex) ?? [] }

    private static func frame(_ hex: String) -> String {
        let frame = bytes(hex)
        return Hex.text(frame + (DecoderConfiguration.mercury(.init()).check(behind: frame) ?? []))
    }

    private static let plan = SessionPlan(
        steps: [
            SessionPlan.Step(name: "stop", send: bytes(stop), settle: .milliseconds(200)),
            SessionPlan.Step(
                name: "version", send: bytes(version), expect: BytePattern("FF ?? 03 00 00 ..."), answer: BytePattern("FF ?? 03 ...")),
        ],
        inventory: SessionPlan.Inventory(.stream, commands: [bytes(start)], watchdog: .seconds(3)),
        livenessTimeout: .seconds(6), stop: [bytes(stop)])

    private static func running() -> Driven {
        let driven = Driven(plan, .mercury(.init()))
        driven.open()
        driven.wait(200)
        driven.receive(frame("FF 04 03 00 00 01 02 03 04"))
        driven.receive(frame("FF 00 2F 00 00"))
        _ = driven.take()
        return driven
    }

    @Test func itIsStoppedAndDrainedFirst() {
        let driven = Driven(Self.plan, .mercury(.init()))
        driven.open()
        #expect(driven.take() == [Self.stop])
        // It still sends what it was asked for before; an answer that comes now is to nothing.
        driven.wait(100)
        driven.receive(Self.tag)
        driven.receive(Self.frame("FF 00 03 01 01"))
        #expect(driven.take() == [])
        driven.wait(99)
        #expect(driven.take() == [])
        driven.wait(1)
        #expect(driven.take() == [Self.version])
        driven.receive(Self.frame("FF 04 03 00 00 01 02 03 04"))
        #expect(driven.take() == [Self.start])
        #expect(!driven.session.state.isReading)
        driven.receive(Self.tag)
        #expect(driven.session.state == .reading)
    }

    @Test func signsOfLifeKeepTheWatchdogQuiet() {
        let driven = Self.running()
        for _ in 0..<20 {
            driven.wait(1_000)
            driven.receive(Self.alive)
        }
        #expect(driven.take() == [] && driven.session.state == .reading && driven.session.counters.watchdogFires == 0)
        driven.receive(Self.tag)
        driven.wait(2_999)
        #expect(driven.take() == [])
        driven.wait(1)
        #expect(driven.take() == [Self.start])
        #expect(driven.session.counters.watchdogFires == 1)
        driven.receive(Self.alive)
        #expect(driven.session.state == .reading)
    }

    @Test func silenceIsToldAndInTheEndTheDeviceIsOpenedAnew() {
        let driven = Self.running()
        driven.wait(1_000)
        driven.receive(Self.alive)
        driven.wait(6_000)
        #expect(driven.states.last == .silent(reason: "nothing heard for 6000 ms"))
        driven.wait(20_000)
        #expect(driven.failure?.step == "inventory")
        #expect(driven.session.nextDeadline == nil)
    }

    @Test func releaseSendsStopAndNothingAfterIt() {
        let driven = Self.running()
        driven.release()
        #expect(driven.take() == [Self.stop])
        driven.receive(Self.tag)
        driven.wait(60_000)
        #expect(driven.take() == [] && driven.session.nextDeadline == nil)
        // A module that has read since before its initialisation is stopped, too.
        let starting = Driven(Self.plan, .mercury(.init()))
        starting.open()
        _ = starting.take()
        starting.release()
        #expect(starting.take() == ["FF032F0000025E86"])
    }

    @Test func aHotModuleIsAskedAgainAfterAPause() {
        let driven = Self.running()
        driven.receive(Self.frame("FF 00 22 05 04"))
        #expect(driven.take() == [])
        driven.wait(500)
        #expect(driven.take() == [Self.start])
        driven.receive(Self.frame("FF 00 22 05 04"))
        driven.wait(999)
        #expect(driven.take() == [])
        driven.wait(1)
        #expect(driven.take() == [Self.start])
        driven.receive(Self.frame("FF 00 22 05 04"))
        #expect(driven.session.state == .silent(reason: "too hot (0504)"))
        // It cools down: as long as it takes, it is not opened anew.
        for _ in 0..<50 {
            driven.wait(5_000)
            driven.receive(Self.frame("FF 00 22 05 04"))
        }
        #expect(driven.failure == nil)
        driven.wait(5_000)
        driven.receive(Self.tag)
        #expect(driven.session.state == .reading)
    }

    @Test func aModuleThatRestartedWithoutItsSettingsIsInitialisedAgain() {
        let driven = Self.running()
        driven.wait(3_000)
        var starts = 0
        while driven.failure == nil, starts < 10 {
            guard !driven.take().isEmpty else {
                driven.wait(100)
                continue
            }
            starts += 1
            driven.receive(Self.frame("FF 00 2F 01 0B"))
        }
        #expect(starts == 5)
        #expect(driven.failure == SessionFailure(step: "inventory", reason: "region refused (010B), 5 times"))
    }

    // MARK: Rounds in turn

    private static let select = ["A004017400E7", "A004017401E6"]
    private static let round = "A006018B010001CC"
    private static let end = "A0 0A 01 8B 00 00 19 00 00 00 01 B0"
    private static let missing = "A0 04 01 8B 22 AE"

    private static func turns() -> Driven {
        let inventory = SessionPlan.Inventory(
            commands: [bytes(round), bytes(round)],
            selection: .init(
                commands: select.map(bytes), expect: BytePattern("A0 04 ?? 74 10 ??")!, answer: BytePattern("A0 ?? ?? 74 ...")!))
        let driven = Driven(SessionPlan(inventory: inventory, livenessTimeout: .seconds(4)))
        driven.open()
        return driven
    }

    @Test func theAntennaIsChosenBeforeEachRound() {
        let driven = Self.turns()
        for turn in 0..<5 {
            #expect(driven.take() == [Self.select[turn % 2]])
            // What comes before the answer is no round end of this round; a flood of answers is one command.
            driven.receive(String(repeating: "A004017410D7", count: 3))
            #expect(driven.take() == [Self.round])
            driven.wait(10)
            driven.receive(Self.end)
        }
        #expect(driven.session.counters.rounds == 5)
        // No answer: the watchdog chooses the next antenna.
        _ = driven.take()
        driven.wait(1_500)
        #expect(driven.take() == [Self.select[0]])
    }

    @Test func oneMissingAntennaDoesNotSlowDownTheOthers() {
        let driven = Self.turns()
        var sent = 0
        for turn in 0..<40 {
            sent += driven.take().count
            driven.receive("A004017410D7")
            sent += driven.take().count
            driven.wait(10)
            driven.receive(turn % 2 == 0 ? Self.missing : Self.end)
        }
        #expect(sent == 80 && driven.session.state == .reading)
        // All are missing: pauses.
        _ = driven.take()
        for _ in 0..<2 {
            driven.receive("A004017410D7")
            driven.wait(1)
            driven.receive(Self.missing)
        }
        _ = driven.take()
        driven.wait(499)
        #expect(driven.take() == [])
        driven.wait(1)
        #expect(driven.take().count == 1)
    }
}
