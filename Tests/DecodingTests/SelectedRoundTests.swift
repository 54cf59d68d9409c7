import Decoding
import Readings
import Testing

/// Rounds whose antenna is chosen first.
@Suite("Rounds with a choice before them")
struct SelectedRoundTests {
    private static let round = "A006018B010001CC"
    private static let end = "A0 0A 01 8B 00 00 19 00 00 00 01 B0"
    private static let failed = "A0 04 01 8B 22 AE"
    private static let chosen = "A0 04 01 74 10 D7"
    private static let selects = ["A004017400E7", "A004017401E6"]

    private static func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex) ?? [] }

    private static var plan: SessionPlan {
        SessionPlan(
            inventory: .init(
                commands: [bytes(round), bytes(round)], antennas: [1, 2],
                selection: .init(
                    commands: selects.map(bytes), expect: BytePattern("A0 04 ?? 74 10 ??")!, answer: BytePattern("A0 ?? ?? 74 ...")!)),
            livenessTimeout: .seconds(5))
    }

    /// The round before took longer than its watchdog, and its end comes while the next antenna is being chosen.
    @Test(arguments: [end, failed, "A0 05 01 8B 02 22 AB"])
    func aLateEndIsNotThatOfTheRoundThatHasNotBegun(late: String) {
        let driven = Driven(Self.plan)
        driven.open()
        driven.receive(Self.chosen)
        #expect(driven.take() == [Self.selects[0], Self.round])
        driven.wait(1_500)
        #expect(driven.take() == [Self.selects[1]])
        driven.wait(5)
        driven.receive(late)
        #expect(driven.take() == [])
        #expect(driven.session.counters.rounds == 0 && driven.session.counters.failedRounds == 0)
        driven.receive(Self.chosen)
        #expect(driven.take() == [Self.round])
        driven.wait(50)
        driven.receive(Self.end)
        #expect(driven.take() == [Self.selects[0]])
        #expect(driven.session.counters.rounds == 1 && driven.session.counters.failedRounds == 0)
    }
}
