import Identifiers
import Readings
import TestSupport
import Testing

@testable import Decoding

@Suite("Modbus")
struct ModbusProtocolTests {
    typealias Configuration = ModbusProtocol.Configuration

    private static func decoded(_ configuration: Configuration) -> Decoded { Decoded(.modbus(configuration)) }

    private static let eightInputs = Configuration(polls: [.init(.discreteInputs, start: 0, count: 8, meaning: .inputs(firstLine: 0))])

    /// Lines with a sign: `+3` became active.
    private static func changes(_ decoded: Decoded) -> [String] {
        decoded.batch.readings.compactMap {
            if case .input(let change) = $0 { (change.isActive ? "+" : "-") + "\(change.line)" } else { nil }
        }
    }

    // Check values of CRC catalogues and of the frames in public manuals.
    @Test func framesForASerialLine() {
        #expect(Checksum.crcModbus(Array("123456789".utf8)) == 0x4B37)
        let request = ModbusSerialFrame(unit: 1, content: [0x03, 0x00, 0x02, 0x00, 0x02])
        #expect(request.encoded == [0x01, 0x03, 0x00, 0x02, 0x00, 0x02, 0x65, 0xCB])
        let answer: [UInt8] = [0x01, 0x03, 0x04, 0xA4, 0x1E, 0x45, 0xC6, 0x0B, 0xC7]
        #expect(request.response(in: answer)?.content == [0x03, 0x04, 0xA4, 0x1E, 0x45, 0xC6])
        #expect(request.response(in: request.encoded + [0x00] + answer + [0xFF])?.content.count == 6)
        for index in answer.indices {
            var spoilt = answer
            spoilt[index] ^= 0x10
            #expect(request.response(in: spoilt) == nil)
            #expect(request.response(in: Array(answer.prefix(index))) == nil)
        }
        // A write is no question.
        #expect(ModbusSerialFrame(unit: 1, content: [0x05, 0, 0, 0xFF, 0]).response(in: [0x01, 0x05, 0, 0, 0xFF, 0, 0x8C, 0x3A]) == nil)
    }

    // The response of `00 01 00 00 00 06 01 02 00 00 00 08`: inputs 0 and 2 (specification, section 6.2, with other values).
    @Test func theFirstResponseTellsAllInputsThenChangesFollow() {
        var decoded = Self.decoded(Self.eightInputs)
        decoded.feed("00 03 02 01 05")
        #expect(Self.changes(decoded) == ["+0", "-1", "+2", "-3", "-4", "-5", "-6", "-7"])
        #expect(decoded.batch.signals == [.alive])
        decoded.batch.removeAll()
        decoded.feed("00 03 02 01 05")
        #expect(decoded.batch.readings.isEmpty && decoded.batch.signals == [.alive])
        decoded.feed("00 03 02 01 84")
        #expect(Self.changes(decoded) == ["-0", "+7"])
        // After an opening everything is told again.
        decoded.batch.removeAll()
        decoded.decoder.reset()
        decoded.feed("00 03 02 01 84")
        #expect(Self.changes(decoded).count == 8)
    }

    // Section 6.1: coils 20-38 of the example, 19 bits in CD 6B 05.
    @Test func bitsArePackedFromTheLowestOn() {
        var decoded = Self.decoded(.init(polls: [.init(.coils, start: 0x13, count: 19, meaning: .inputs(firstLine: 20))]))
        decoded.feed("00 05 01 03 CD 6B 05")
        #expect(Self.changes(decoded).filter { $0.hasPrefix("+") } == [20, 22, 23, 26, 27, 28, 29, 31, 33, 34, 36, 38].map { "+\($0)" })
        #expect(Self.changes(decoded).count == 19)
    }

    @Test func bitsOfRegistersHaveTheHighByteFirst() {
        var decoded = Self.decoded(.init(polls: [.init(.inputRegisters, start: 0x30, count: 2, meaning: .inputs(firstLine: 0))]))
        decoded.feed("00 06 04 04 80 01 00 02")
        #expect(Self.changes(decoded).filter { $0.hasPrefix("+") } == ["+0", "+15", "+17"])
    }

    @Test func anInvertedInput() {
        var configuration = Self.eightInputs
        configuration.lines[1] = .init(isInverted: true)
        var decoded = Self.decoded(configuration)
        decoded.feed("00 03 02 01 01 00 03 02 01 03")
        #expect(Self.changes(decoded) == ["+0", "+1", "-2", "-3", "-4", "-5", "-6", "-7", "-1"])
    }

    @Test func aChangeMustLastAsLongAsItsDebounceTime() {
        var configuration = Self.eightInputs
        configuration.lines[0] = .init(debounce: .milliseconds(30))
        var decoded = Self.decoded(configuration)
        decoded.feed("00 03 02 01 00")
        decoded.batch.removeAll()
        // A contact that bounces, then stays.
        for level in ["01", "00", "01", "00", "01"] {
            decoded.feed("00 03 02 01 \(level)")
            decoded.wait(.milliseconds(10))
            #expect(decoded.batch.readings.isEmpty)
        }
        decoded.wait(.milliseconds(19))
        #expect(decoded.batch.readings.isEmpty)
        decoded.wait(.milliseconds(1))
        #expect(Self.changes(decoded) == ["+0"])
        #expect(decoded.decoder.nextDeadline == nil)
        // A short one the other way, and an input without a time beside it.
        decoded.feed("00 03 02 01 02")
        #expect(Self.changes(decoded) == ["+0", "+1"])
        decoded.feed("00 03 02 01 03")
        decoded.wait(.seconds(1))
        #expect(Self.changes(decoded) == ["+0", "+1"])
    }

    private static func withCounters(_ counters: ModbusProtocol.Counters, count: Int) -> Configuration {
        .init(polls: [
            .init(.discreteInputs, start: 0, count: 2, meaning: .inputs(firstLine: 0)),
            .init(.inputRegisters, start: 16, count: count, meaning: .counters(counters)),
        ])
    }

    @Test func aPulseThatNoLevelShowedIsTwoChanges() {
        var decoded = Self.decoded(Self.withCounters(.init(), count: 2))
        decoded.feed("00 03 02 01 00  01 06 04 04 00 05 00 09")
        decoded.batch.removeAll()
        // The counter was read after the level; the next level decides whether the rise was already over.
        decoded.feed("01 06 04 04 00 06 00 09")
        #expect(decoded.batch.readings.isEmpty)
        decoded.feed("00 03 02 01 00")
        #expect(Self.changes(decoded) == ["+0", "-0"])
        decoded.batch.removeAll()
        // A rise that the counter saw first, and the level next: one change.
        decoded.feed("01 06 04 04 00 07 00 09  00 03 02 01 01  01 06 04 04 00 07 00 09  00 03 02 01 01")
        #expect(Self.changes(decoded) == ["+0"])
        decoded.batch.removeAll()
        // A rise that the level saw first, then the counter: one change. A fall is not counted.
        decoded.feed("00 03 02 01 03  01 06 04 04 00 07 00 0A  00 03 02 01 03  00 03 02 01 01")
        #expect(Self.changes(decoded) == ["+1", "-1"])
        decoded.batch.removeAll()
        // Interrupted twice while active: off, on, off, on.
        decoded.feed("01 06 04 04 00 09 00 0A  00 03 02 01 01")
        #expect(Self.changes(decoded) == ["-0", "+0", "-0", "+0"])
    }

    @Test func countersWrapAndRestart() {
        var decoded = Self.decoded(Self.withCounters(.init(), count: 2))
        decoded.feed("00 03 02 01 00  01 06 04 04 FF FF 12 34")
        decoded.batch.removeAll()
        decoded.feed("01 06 04 04 00 00 12 34  00 03 02 01 00")
        #expect(Self.changes(decoded) == ["+0", "-0"])
        decoded.batch.removeAll()
        // The device was switched off and on: its counters begin at 0.
        decoded.feed("01 06 04 04 00 00 00 00  00 03 02 01 00")
        #expect(decoded.batch.readings.isEmpty)
        // Two registers, in both orders.
        for (isLowFirst, before, after) in [(false, "00 01 FF FF", "00 02 00 00"), (true, "FF FF 00 01", "00 00 00 02")] {
            var decoded = Self.decoded(Self.withCounters(.init(registers: 2, isLowFirst: isLowFirst), count: 2))
            decoded.feed("00 03 02 01 00  01 06 04 04 \(before)")
            decoded.batch.removeAll()
            decoded.feed("01 06 04 04 \(after)  00 03 02 01 00")
            #expect(Self.changes(decoded) == ["+0", "-0"])
        }
    }

    @Test func aFastCounterIsBounded() {
        var decoded = Self.decoded(Self.withCounters(.init(), count: 2))
        decoded.feed("00 03 02 01 00  01 06 04 04 00 00 00 00")
        decoded.batch.removeAll()
        decoded.feed("01 06 04 04 03 E8 00 00  00 03 02 01 00  00 03 02 01 00")
        #expect(Self.changes(decoded).count == 64)
    }

    @Test func exceptionsAreFaultsAndNoSignOfLife() {
        var decoded = Self.decoded(
            .init(polls: [
                .init(.discreteInputs, start: 0, count: 8, meaning: .inputs(firstLine: 0)),
                .init(.holdingRegisters, start: 0, count: 1, meaning: .life),
            ]))
        decoded.feed("01 02 83 02")
        #expect(decoded.batch.signals == [.fault(code: 2, meaning: "poll 1: illegal address", isTransient: false)])
        decoded.batch.removeAll()
        // The other poll is answered, but half a unit is not shown to be reading.
        decoded.feed("00 03 02 01 00")
        #expect(decoded.batch.signals.isEmpty && decoded.batch.readings.count == 8)
        decoded.feed("01 04 03 02 00 00")
        #expect(decoded.batch.signals == [.alive])
        decoded.batch.removeAll()
        decoded.feed("00 02 82 06  00 02 82 FF  00 02 82 FE")
        #expect(
            decoded.batch.signals == [
                .fault(code: 6, meaning: "poll 0: device busy", isTransient: true),
                .fault(code: 0xFF, meaning: "poll 0: no answer in time", isTransient: true),
                .fault(code: 0xFE, meaning: "poll 0: spoilt answer", isTransient: true),
            ])
    }

    @Test func answersToCommands() {
        var decoded = Self.decoded(Self.eightInputs)
        decoded.feed("FF 05 05 00 00 FF 00  FF 05 0F 00 00 00 08  FF 03 01 01 51  FF 02 85 03")
        #expect(
            decoded.batch.signals == [
                .answer([5, 0, 0, 0xFF, 0]), .answer([0x0F, 0, 0, 0, 8]), .answer([1, 1, 0x51]),
                .fault(code: 3, meaning: "command 5: illegal value", isTransient: true), .answer([0x85, 3]),
            ])
        #expect(decoded.rejects.isEmpty)
    }

    @Test func afterNoiseTheNextFrameIsRead() {
        var decoded = Self.decoded(Self.eightInputs)
        // An index that no poll has, a length of another poll, another function, a number of bytes that does not fit, half a frame.
        decoded.feed("01 00 04 02 00 03 03 01 00 03 02 02 00 03 02 00 03 02 01 01")
        #expect(Self.changes(decoded).first == "+0")
        #expect(decoded.rejects == ["noise": 15])
    }

    // MARK: RFID readers

    // TechnoTrade VRD-485, manual revision 1.01, page 10: registers 2 and 3 hold A4 1E 45 C6; zeros when nothing is there.
    @Test func aCardIsToldWhenItComes() {
        let reader = ModbusProtocol.Identifier(output: .badge(BadgeForm()), byteCount: 4)
        var decoded = Self.decoded(.init(polls: [.init(.holdingRegisters, start: 2, count: 2, meaning: .identifier(reader))]))
        decoded.feed("00 06 03 04 00 00 00 00  00 06 03 04 A4 1E 45 C6  00 06 03 04 A4 1E 45 C6")
        #expect(decoded.badges == ["A41E45C6"])
        decoded.feed("00 06 03 04 01 02 03 04  00 06 03 04 00 00 00 00  00 06 03 04 01 02 03 04")
        #expect(decoded.badges == ["A41E45C6", "01020304", "01020304"])
    }

    // Registers 1122 3344 5566 7788 9900 AABB, twelve bytes of them.
    @Test(arguments: [
        (false, false, "1122334455667788 9900AABB"), (true, false, "2211443366558877 0099BBAA"), (false, true, "AABB990077885566 33441122"),
        (true, true, "BBAA009988776655 44332211"),
    ])
    func byteOrders(lowByteFirst: Bool, lastRegisterFirst: Bool, expected: String) {
        let reader = ModbusProtocol.Identifier(
            output: .tag, lengthRegister: 0, byteCount: 12, firstRegister: 1, isLowByteFirst: lowByteFirst,
            isLastRegisterFirst: lastRegisterFirst)
        var decoded = Self.decoded(.init(polls: [.init(.inputRegisters, start: 0, count: 7, meaning: .identifier(reader))]))
        decoded.feed("00 10 04 0E 00 0C 11 22 33 44 55 66 77 88 99 00 AA BB")
        #expect(decoded.tags.map(\.epc.hex) == [expected.filter { $0 != " " }])
    }

    // A reader with a flag that must be cleared, as Inveo's RFID IND-M1: register 1000 is the flag, 1002 and on the identifier.
    @Test func aFlagIsAcknowledgedAndTheSameCardIsNewAfterThat() {
        let reader = ModbusProtocol.Identifier(
            output: .badge(BadgeForm()), flag: .init(register: 0), byteCount: 4, firstRegister: 2, acknowledgement: [6, 3, 0xE8, 0, 0])
        var decoded = Self.decoded(.init(polls: [.init(.holdingRegisters, start: 1_000, count: 4, meaning: .identifier(reader))]))
        let none = "00 0A 03 08 00 00 00 00 01 02 03 04 "
        let card = "00 0A 03 08 00 01 00 00 01 02 03 04 "
        decoded.feed(none + card)
        #expect(decoded.badges == ["01020304"])
        #expect(decoded.batch.signals == [.alive, .reply([6, 3, 0xE8, 0, 0]), .alive])
        decoded.batch.removeAll()
        // Not confirmed yet: what is shown is the old card, and the request is sent again.
        decoded.feed(card)
        #expect(decoded.badges.isEmpty)
        #expect(decoded.batch.signals == [.reply([6, 3, 0xE8, 0, 0]), .alive])
        decoded.feed("FF 05 06 03 E8 00 00")
        decoded.feed(card)
        #expect(decoded.badges == ["01020304"])
    }

    @Test func anIdentifierThatCannotBeIsCounted() {
        let reader = ModbusProtocol.Identifier(output: .tag, lengthRegister: 0, byteCount: 4, firstRegister: 1)
        var decoded = Self.decoded(.init(polls: [.init(.inputRegisters, start: 0, count: 3, meaning: .identifier(reader))]))
        decoded.feed("00 08 04 06 00 05 01 02 03 04  00 08 04 06 FF FF 01 02 03 04  00 08 04 06 00 00 01 02 03 04")
        #expect(decoded.tags.isEmpty)
        #expect(decoded.rejects == ["malformed": 2])
    }

    // MARK: Requests

    // Those of the specification's examples, sections 6.1 to 6.12.
    @Test(arguments: [
        "01 00 13 00 13", "02 00 C4 00 16", "03 00 6B 00 03", "04 00 08 00 01", "05 00 AC FF 00", "06 00 01 00 03",
        "0F 00 13 00 0A 02 CD 01", "10 00 01 00 02 04 00 0A 01 02",
    ])
    func wholeRequests(hex: String) {
        #expect(DecoderConfiguration.modbus(.init()).fault(ofFrame: Hex.bytes(hex) ?? []) == nil)
    }

    @Test(arguments: [
        "", "01", "01 00 13 00 00", "01 00 13 07 D1", "03 00 6B 00 7E", "05 00 AC FF", "0F 00 13 00 0A 01 CD", "0F 00 13 00 0A 02 CD",
        "10 00 01 00 02 04 00 0A 01", "10 00 01 00 00 00", "07", "01 05 00 00 FF 00 8C 3A", "2B 0E 01 00",
    ])
    func requestsThatAreNone(hex: String) {
        #expect(DecoderConfiguration.modbus(.init()).fault(ofFrame: Hex.bytes(hex) ?? []) != nil)
    }
}
