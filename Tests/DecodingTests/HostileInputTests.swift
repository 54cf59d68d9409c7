import Decoding
import Readings
import TestSupport
import Testing

/// Any bytes and keys at all: nothing traps, nothing grows, and the next good frame is read.
@Suite("Hostile input")
struct HostileInputTests {
    static let configurations: [DecoderConfiguration] = [
        .a0(.init()), .a0(.init(phaseUnitsPerTurn: 1)), .uhfReader18(.init(records: .plain)),
        .uhfReader18(.init(records: .antennaAndSignal, signalOffset: -200)), .m100(.init()), .m100(.init(framing: .aaDD)),
        .mercury(.init()),
        .em4100(.init(check: .warn)), .em4100(.init(check: .sum8)), .scannerLine(.init()),
        .pn532(.init()), .osdp(.init(bits: .all)),
        .modbus(
            .init(
                polls: [
                    .init(.discreteInputs, start: 0, count: 8, meaning: .inputs(firstLine: 250)),
                    .init(.holdingRegisters, start: 0, count: 2, meaning: .counters(.init(firstLine: 254))),
                    .init(.inputRegisters, start: 0, count: 3, meaning: .identifier(.init(output: .tag, lengthRegister: 0, byteCount: 4))),
                ], lines: [.init(debounce: .milliseconds(20))])),
        .scannerLine(.init(terminator: .crlf, text: TextRule(prefix: [0x02], aim: .required, codeIDLength: 2))),
        .scannerLine(.init(terminator: .gap, text: TextRule(separatorSubstitute: [0x7B, 0x7D]))),
        .scannerLine(
            .init(
                terminator: .etx, start: 0x02, noRead: [LinePattern("*E*")], heartbeat: [LinePattern("A0*")],
                answers: [LinePattern("*\u{1B}*")],
                endsRounds: true)),
        .hidPointOfSale(.init()), .hidPointOfSale(.init(layout: .newland, reportBytes: 32)), .ssi(.init()), .gm65(.init()),
        .keyboardWedge(.init(layout: KeyboardWedgeTests.german)),
        .keyboardWedge(.init(layout: KeyboardWedgeTests.layout, interKeyTimeout: .milliseconds(20))),
        .keyboardWedge(.init(layout: KeyboardWedgeTests.layout, terminators: [], text: TextRule(output: .badge(.init())))),
    ]

    @Test(arguments: configurations, [51, 52] as [UInt64])
    func anyInputIsSurvived(configuration: DecoderConfiguration, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var session = DeviceSession(
            plan: SessionPlan(
                steps: [.init(name: "any", send: [1], expect: BytePattern("A0 ..."), isOptional: true)],
                inventory: .init(commands: [[2]]), feedback: [.accepted: [.init(bytes: [3]), .init(pause: .milliseconds(5), bytes: [4])]],
                livenessTimeout: .seconds(3)),
            decoder: configuration.makeDecoder())
        var output = SessionOutput()
        var now = Instant.zero
        session.opened(at: now, into: &output)
        for round in 0..<3_000 {
            output.removeAll()
            switch Int.random(in: 0...9, using: &generator) {
            case 0:
                now = now + .milliseconds(.random(in: 0...2_000, using: &generator))
                session.advance(to: now, into: &output)
            case 1: _ = session.give(.accepted, at: now, into: &output)
            case 2:
                for _ in 0..<20 {
                    session.key(
                        .random(in: 0...130, using: &generator), value: .random(in: -1...3, using: &generator), at: now, into: &output)
                }
            case 3 where round % 50 == 0:
                session.closed(reason: "test", at: now, into: &output)
                session.opened(at: now, into: &output)
            default:
                let bytes = Self.bytes(&generator)
                bytes.withUnsafeBytes { session.receive($0, at: now, into: &output) }
            }
            if output.failure != nil {
                session.closed(reason: "failed", at: now, into: &output)
                session.opened(at: now, into: &output)
            }
            #expect(output.batch.readings.count <= 1_100 && output.transmissions.count <= 100, "seed \(seed), round \(round)")
            if let deadline = session.nextDeadline, deadline <= now {
                session.advance(to: now, into: &output)
                if let next = session.nextDeadline { #expect(next > now, "seed \(seed), round \(round)") }
            }
            for case .scan(let scan) in output.batch.readings { #expect(scan.data.count <= Scan.maximumLength) }
            for case .badge(let badge) in output.batch.readings { #expect(badge.credential.utf8.count <= 32) }
        }
    }

    @Test(arguments: [61, 62] as [UInt64])
    func aGoodFrameAfterAnyBytesIsRead(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let frames: [(DecoderConfiguration, [UInt8])] = [
            (.a0(.init()), Hex.bytes("A0 13 01 89 04 30 00 E2 00 30 16 66 13 01 21 15 50 74 EF 45 BF") ?? []),
            (.em4100(.init()), Hex.bytes("02 30 31 30 30 30 37 33 34 45 30 44 32 03") ?? []),
            (.pn532(.init(duplicateWindow: .zero)), Hex.bytes("00 00 FF 0F F1 D5 4B 01 01 00 44 00 07 04 16 C6 C2 D7 38 81 61 00") ?? []),
            (.osdp(.init()), Hex.bytes("FF 53 E5 10 00 05 50 00 01 1A 00 8F 80 A8 C0 C0 2A") ?? []),
            (.scannerLine(.init()), Array("]E04006381333931\r".utf8)),
            (.hidPointOfSale(.init()), HIDPointOfSaleTests.report("]E0", Array("4006381333931".utf8))),
            (.ssi(.init()), Hex.bytes("07 F3 00 00 01 4E 52 FE 65") ?? []), (.gm65(.init()), Array("]E04006381333931\r".utf8)),
        ]
        for (configuration, frame) in frames {
            for _ in 0..<200 {
                var decoded = Decoded(configuration)
                decoded.feed(bytes: (0..<Int.random(in: 0...300, using: &generator)).map { _ in .random(in: 0...255, using: &generator) })
                // After a silence longer than any frame takes, nothing of what came before is left.
                decoded.wait(.seconds(1))
                let before = decoded.batch.readings.count
                decoded.feed(bytes: frame)
                #expect(decoded.batch.readings.count == before + 1, "seed \(seed), \(configuration.protocolName)")
            }
        }
    }

    /// Pieces of good frames, their heads with wrong tails, and noise.
    private static func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
        let pieces: [[UInt8]] = [
            Hex.bytes("A0 13 01 89 04 30 00 E2 00 30 16 66 13 01 21 15 50 74 EF 45 BF") ?? [],
            Hex.bytes("A0 0A 01 89 00 00 11 00 00 00 05 B6") ?? [],
            Hex.bytes("A0 04 01 89 22 B0") ?? [], [0xA0, 0xFF, 0x01, 0x89], [0xA0, 0x00], [0xA0],
            UHFStreamTests.families[1].frames[0], UHFStreamTests.families[2].frames[0], UHFStreamTests.families[3].frames[2],
            [0xBB, 0x01, 0x22, 0x01], [0xAA, 0x02], [0xFF, 0xFF, 0x22], [0xFF, 0x00, 0x22, 0x05, 0x04], [0x40, 0x00, 0x01],
            Hex.bytes("02 30 31 30 30 30 37 33 34 45 30 44 32 03") ?? [],
            Hex.bytes("00 00 FF 0F F1 D5 4B 01 01 00 44 00 07 04 16 C6 C2 D7 38 81 61 00") ?? [], [0x00, 0x00, 0xFF, 0xFF, 0xFF],
            Hex.bytes("FF 53 E5 10 00 05 50 00 01 1A 00 8F 80 A8 C0 C0 2A") ?? [], [0x53, 0x80, 0x00, 0x01],
            [0x53, 0x80, 0x0F, 0x00, 0x08],
            Hex.bytes("07 F3 00 00 01 4E 52 FE 65") ?? [], Hex.bytes("08 F3 00 02 01 4E 52 FE 65") ?? [],
            Hex.bytes("02 00 00 01 00 33 31") ?? [], HIDPointOfSaleTests.report("]Q1", [0x41, 0x42], goesOn: true),
            [0x02], Array("]C1ABC\r\n".utf8), Array("]".utf8), [0x0D], [0x1B, 0x5B],
        ]
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...20, using: &generator) {
            if Bool.random(using: &generator), let piece = pieces.randomElement(using: &generator) {
                bytes += piece.prefix(Int.random(in: 1...64, using: &generator))
            } else {
                bytes += (0..<Int.random(in: 1...40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
        }
        return bytes
    }
}
