import Decoding
import Readings
import Testing

/// Packets of LibOSDP's tests and packets built by the standard's rules.
@Suite("OSDP packets")
struct OSDPDecoderTests {
    private static func decode(_ packets: String..., configuration: OSDPSession.Configuration = .init()) -> Decoded {
        var decoded = Decoded(.osdp(configuration))
        for packet in packets { decoded.feed(packet) }
        return decoded
    }

    private static func reply(_ sequence: UInt8, _ code: UInt8, _ data: String, address: UInt8 = 0) -> String {
        Hex.text(OSDPPacket(address: address, isReply: true, sequence: sequence, code: code, data: Hex.bytes(data) ?? []).encoded)
    }

    @Test func commandsAsPublished() {
        func text(_ packet: OSDPPacket) -> [UInt8] { packet.encoded }
        func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex) ?? [] }
        #expect(text(.init(address: 101, sequence: 0, code: 0x60)) == bytes("FF 53 65 08 00 04 60 60 90"))
        #expect(text(.init(address: 101, sequence: 0, code: 0x61, data: [0])) == bytes("FF 53 65 09 00 04 61 00 D9 7A"))
        #expect(text(.init(address: 0, sequence: 0, code: 0x60)) == bytes("FF 53 00 08 00 04 60 EB AA"))
        #expect(text(.init(address: 0, sequence: 0, check: .checksum, code: 0x60)) == bytes("FF 53 00 07 00 00 60 46"))
        #expect(
            text(.init(address: 0, sequence: 1, code: 0x6A, data: [0, 2, 5, 5, 1])) == bytes("FF 53 00 0D 00 05 6A 00 02 05 05 01 DC 56"))
        #expect(
            text(.init(address: 101, isReply: true, sequence: 1, check: .checksum, code: 0x40)) == bytes("FF 53 E5 07 00 01 40 80"))
    }

    @Test func repliesAsPublished() {
        #expect(Self.decode("FF 53 E5 07 00 01 40 80").batch.signals == [.alive])
        #expect(
            Self.decode("FF 53 E5 09 00 05 41 01 0E 8F").batch.signals == [
                .fault(code: 1, meaning: "the reader received a wrong check", isTransient: true)
            ])
        let card = "FF 53 E5 10 00 05 50 00 01 1A 00 8F 80 A8 C0 C0 2A"
        #expect(Self.decode(card, configuration: .init(form: BadgeForm(notation: .facilityAndNumber))).badges == ["031,00337"])
        #expect(Self.decode(card).badges == ["1F0151"])
        #expect(Self.decode(card, configuration: .init(bits: .all)).badges == ["023E02A3"])
        // The commands of the panel are passed over.
        let commands = Self.decode("FF 53 65 08 00 04 60 60 90", "FF 53 00 07 00 00 60 46")
        #expect(commands.batch.readings.isEmpty && commands.batch.signals.isEmpty && commands.rejects.isEmpty)
    }

    @Test func aRepeatedReplyIsOneBadge() {
        let card = Self.reply(2, 0x50, "00 01 1A 00 8F 80 A8 C0")
        let repeated = Self.decode(card, card)
        #expect(repeated.badges == ["1F0151"])
        #expect(repeated.rejects == ["duplicate": 1])
        // The same card held once more comes with another number.
        #expect(Self.decode(card, Self.reply(3, 0x40, ""), Self.reply(1, 0x50, "00 01 1A 00 8F 80 A8 C0")).badges.count == 2)
    }

    @Test func statesAndInputs() {
        var decoded = Self.decode(Self.reply(1, 0x49, "00 01"), Self.reply(2, 0x49, "00 01"), Self.reply(3, 0x49, "01 01"))
        #expect(
            decoded.batch.readings == [
                .input(InputChange(line: 0, isActive: false)), .input(InputChange(line: 1, isActive: true)),
                .input(InputChange(line: 0, isActive: true)),
            ])
        decoded = Self.decode(Self.reply(1, 0x48, "01 00"), Self.reply(2, 0x48, "01 00"), Self.reply(3, 0x48, "00 01"))
        let faults = decoded.batch.signals.filter { if case .fault = $0 { true } else { false } }
        #expect(faults.count == 2)
    }

    @Test func cardsOfOtherForms() {
        #expect(Self.decode(Self.reply(1, 0x51, "00 00 0A 30 30 30 34 38 38 38 38 38 39")).badges == ["0004888889"])
        #expect(Self.decode(Self.reply(1, 0x51, "00 00 02 30 0A")).rejects == ["malformed": 1])
        #expect(Self.decode(Self.reply(1, 0x50, "00 00 20 00 04 A2 B3 C4")).badges == ["04A2B3C4"])
        #expect(Self.decode(Self.reply(1, 0x50, "00 00 20 00 04 A2 B3")).rejects == ["malformed": 1])
        #expect(Self.decode(Self.reply(1, 0x50, "00 00 C8 00" + String(repeating: " 11", count: 25))).rejects == ["tooLong": 1])
        let wrongParity = Self.decode(Self.reply(1, 0x50, "00 01 1A 00 8F 80 A8 80"))
        #expect(wrongParity.badges.isEmpty && wrongParity.rejects == ["checksum": 1] && wrongParity.batch.signals.count == 1)
    }

    @Test func brokenPackets() {
        let card = "FF 53 E5 10 00 05 50 00 01 1A 00 8F 80 A8 C0 C0 2A"
        for index in 1..<17 {
            var bytes = Hex.bytes(card) ?? []
            bytes[index] ^= 0x10
            var decoded = Decoded(.osdp(.init()))
            decoded.feed(bytes: bytes)
            decoded.wait(.seconds(1))
            #expect(decoded.batch.readings.isEmpty && decoded.batch.signals.isEmpty, "byte \(index)")
            decoded.feed(card)
            #expect(decoded.badges.count == 1, "byte \(index)")
        }
        // A reply in the secure channel: its type is 16, its data cannot be read.
        let secured = OSDPPacket(address: 0, isReply: true, sequence: 1, securityBlock: [0x16], code: 0x50, data: [1, 2, 3, 4, 5])
        var decoded = Decoded(.osdp(.init()))
        decoded.feed(bytes: secured.encoded)
        #expect(decoded.batch.readings.isEmpty && decoded.rejects == ["unknownFrame": 1])
    }

    @Test(arguments: [
        ("6A 00 02 01 00 01", true), ("69 00 00 02 0A 00 02 00 0A 00 00 00 00 00 00", true), ("68 00 05 0A 00", true),
        ("6B 00 02 00 01 01 02 48 49", true), ("80 5C 26 80 01", true), ("6A 00 02 01 00", false), ("69 00 00 02", false), ("60", false),
        ("6B 00 02 00 01 01 03 48 49", false), ("75 01 10", false), ("", false), ("68", false),
    ])
    func commandsOfProfiles(command: String, isGood: Bool) {
        #expect((DecoderConfiguration.osdp(.init()).fault(ofFrame: Hex.bytes(command) ?? []) == nil) == isGood)
    }
}
