import Decoding
import DeviceSimulators
import Readings
import Testing

@Suite("PN532 and its session")
struct PN532SessionTests {
    private static func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex) ?? [] }

    /// The plan of the shipped profile, in Swift: a test of the profile itself stands with the profiles.
    private static let plan = SessionPlan(
        steps: [
            .init(
                name: "firmware", send: bytes("55 55 00 00 00 00 00 00 FF 00 FF 00 00 00 FF 02 FE D4 02 2A 00"),
                expect: BytePattern("00 00 FF 06 FA D5 03 32 ..."), identifies: true),
            .init(
                name: "normal mode", send: bytes("00 00 FF 05 FB D4 14 01 00 00 17 00"), expect: BytePattern("00 00 FF 02 FE D5 15 16 00")),
            .init(
                name: "attempts", send: bytes("00 00 FF 06 FA D4 32 05 FF 01 10 E5 00"), expect: BytePattern("00 00 FF 02 FE D5 33 F8 00")),
        ], inventory: .init(commands: [bytes("00 00 FF 04 FC D4 4A 01 00 E1 00")], watchdog: .seconds(2)), livenessTimeout: .seconds(5),
        stop: [bytes("00 00 FF 00 FF 00"), bytes("00 00 FF 04 FC D4 32 01 00 F9 00")])

    @Test func fromWakingToCards() {
        var chip = PN532Simulator()
        var session = DeviceSession(plan: Self.plan, decoder: PN532Protocol(.init()))
        var output = SessionOutput()
        var now = Instant.zero
        var readings: [Reading] = []
        session.opened(at: now, into: &output)
        for turn in 0..<600 {
            readings += output.batch.readings
            let commands = output.transmissions
            output.removeAll()
            now = now + .milliseconds(20)
            var answer = chip.advance(to: now).flatMap(\.self)
            answer += commands.flatMap { chip.receive($0, at: now).flatMap(\.self) }
            switch turn {
            case 100: answer += chip.present(.typeA(uid: [0x04, 0x16, 0xC6, 0xC2, 0xD7, 0x38, 0x81]))
            case 200: chip.takeAway()
            case 300: answer += chip.present(.felica(id: [1, 1, 6, 1, 0xAB, 0x12, 0x34, 0x56]))
            case 305: chip.takeAway()
            case 400: answer += chip.present(.typeA(uid: [0x04, 0x16, 0xC6, 0xC2, 0xD7, 0x38, 0x81]))
            default: break
            }
            answer.withUnsafeBytes { session.receive($0, at: now, into: &output) }
            while let deadline = session.nextDeadline, deadline <= now { session.advance(to: now, into: &output) }
        }
        let badges = readings.compactMap { if case .badge(let read) = $0 { read.credential } else { nil } }
        #expect(badges == ["0416C6C2D73881", "01010601AB123456", "0416C6C2D73881"])
        #expect(session.state == .reading && session.counters.watchdogFires == 0 && session.counters.retries == 0)
        #expect(session.counters.rounds > 250 && session.stepAnswers["firmware"]?[7] == 0x32)
        #expect(chip.isFieldOn)
        output.removeAll()
        session.release(at: now, into: &output)
        _ = output.transmissions.flatMap { chip.receive($0, at: now) }
        #expect(!chip.isFieldOn)
    }

    @Test func aChipThatSleepsSaysNothing() {
        var chip = PN532Simulator()
        #expect(chip.receive(Self.bytes("00 00 FF 02 FE D4 02 2A 00"), at: .zero).isEmpty)
        #expect(
            chip.receive(Self.bytes("55 55 00 00 00 00 FF 02 FE D4 02 2A 00"), at: .zero)
                == [Self.bytes("00 00 FF 00 FF 00 00 00 FF 06 FA D5 03 32 01 06 07 E8 00")])
        // Without a limit it looks until a card comes.
        #expect(chip.receive(Self.bytes("00 00 FF 04 FC D4 4A 01 00 E1 00"), at: .zero) == [Self.bytes("00 00 FF 00 FF 00")])
        #expect(chip.present(.typeA(uid: [4, 0xA2, 0xB3, 0xC4])) == Self.bytes("00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 04 A2 B3 C4 B1 00"))
    }
}
