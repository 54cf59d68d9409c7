import Decoding
import Readings
import Testing

@Suite("Zebra SSI")
struct SSIProtocolTests {
    private static let acknowledgement = Signal.reply([0x04, 0xD0, 0x04, 0x00, 0xFF, 0x28])
    private static let refusal = Signal.reply([0x05, 0xD1, 0x04, 0x00, 0x01, 0xFF, 0x25])

    /// A packet of a scanner.
    static func packet(_ opcode: UInt8, _ data: [UInt8], status: UInt8 = 0) -> [UInt8] {
        let body = [UInt8(data.count + 4), opcode, 0x00, status] + data
        let sum = body.reduce(0) { $0 + Int($1) }
        let check = (65_536 - sum) & 0xFFFF
        return body + [UInt8(check >> 8), UInt8(check & 0xFF)]
    }

    private static func decoded(_ packets: [UInt8]...) -> Decoded {
        var decoded = Decoded(.ssi(.init()))
        for packet in packets { decoded.feed(bytes: packet) }
        return decoded
    }

    @Test func publishedPackets() {
        // Unit tests of motorola-ssi-scanner and enioka_scan.
        var decoded = Decoded(.ssi(.init()))
        decoded.feed("07 F3 00 00 01 4E 52 FE 65")
        #expect(decoded.texts == ["]A0NR"])
        #expect(decoded.batch.signals == [Self.acknowledgement])
        decoded.batch.removeAll()
        decoded.feed("04 D0 00 80 FE AC 05 F6 00 00 20 FE E5 09 C6 00 00 FF 01 00 9C 07 FD 8E")
        #expect(
            decoded.batch.signals == [
                .answer([0x04, 0xD0, 0x00, 0x80, 0xFE, 0xAC]), Self.acknowledgement, .alive,
                .answer([0x09, 0xC6, 0x00, 0x00, 0xFF, 0x01, 0x00, 0x9C, 0x07, 0xFD, 0x8E]),
            ])
        #expect(decoded.batch.rejects.total == 0)
    }

    @Test(arguments: [
        (0x01, "]A0"), (0x02, "]F0"), (0x03, "]C0"), (0x08, "]E0"), (0x0A, "]E4"), (0x0B, "]E0"), (0x0F, "]C1"), (0x1B, "]d1"),
        (0x1C, "]Q1"),
        (0x2D, "]z0"), (0x30, "]e0"), (0x32, "]e0"), (0x09, "]X0"), (0x7E, ""),
    ])
    func types(type: Int, aim: String) {
        #expect(Self.decoded(Self.packet(0xF3, [UInt8(type)] + Array("12345670".utf8))).texts == [aim + "12345670"])
    }

    @Test func anIdentifierInTheDataGoesFirst() {
        #expect(Self.decoded(Self.packet(0xF3, [0x1B] + Array("]d2010950600013435210A".utf8))).texts == ["]d2010950600013435210A"])
    }

    @Test func aWrongCheckIsAskedForAgain() {
        var bad = Self.packet(0xF3, [0x0B] + Array("4006381333931".utf8))
        bad[10] ^= 0x01
        var decoded = Self.decoded(bad)
        #expect(decoded.batch.signals == [Self.refusal])
        decoded.wait(.seconds(1))
        // The repetition is the first that was understood.
        decoded.feed(bytes: Self.packet(0xF3, [0x0B] + Array("4006381333931".utf8), status: 0x01))
        #expect(decoded.texts == ["]E04006381333931"])
        #expect(decoded.batch.signals == [Self.refusal, Self.acknowledgement])
    }

    @Test func garbageIsRefusedOnce() {
        // Packets inside packets, all with a wrong check.
        let heads = [UInt8]((0..<60).flatMap { _ in [0x08, 0xF3, 0x00, 0x00] as [UInt8] }) + [UInt8](repeating: 0, count: 12)
        var decoded = Decoded(.ssi(.init()))
        decoded.feed(bytes: heads)
        #expect(decoded.rejects["checksum", default: 0] > 50)
        #expect(decoded.batch.signals == [Self.refusal])
    }

    // MARK: Segments

    /// A segment of a scanner: 02 in the place of the source in the first, as published.
    private static func segment(_ number: UInt8, _ content: [UInt8], status: UInt8 = 0x00) -> [UInt8] {
        let body = [UInt8(content.count + 5), 0x73, number == 0 ? 0x02 : 0x00, status, number] + content
        let check = (65_536 - body.reduce(0) { $0 + Int($1) }) & 0xFFFF
        return body + [UInt8(check >> 8), UInt8(check & 0xFF)]
    }

    private static let segmentAcknowledgement = Signal.reply([0x04, 0x74, 0x04, 0x00, 0xFF, 0x84])

    /// A QR code of 500 characters in full segments; the head is the published one, FF 73 02 00 00 F3 00 00 01 F7 1C 01 01 F4.
    private static let long: (text: String, segments: [[UInt8]]) = {
        let text = String(decoding: (0..<500).map { UInt8(65 + $0 % 26) }, as: UTF8.self)
        var content: [UInt8] = [0xF3, 0x00, 0x00, 0x01, 0xF7, 0x1C, 0x01, 0x01, 0xF4] + Array(text.utf8)
        var segments: [[UInt8]] = []
        while !content.isEmpty {
            segments.append(segment(UInt8(segments.count), Array(content.prefix(250))))
            content.removeFirst(min(250, content.count))
        }
        return (text, segments)
    }()

    /// However the bytes are cut: a packet that seems to begin in a damaged one is no second packet to ask for.
    @Test func damageIsRefusedOnceHoweverItIsCut() {
        var bytes: [UInt8] = [0x08, 0xF3, 0x00, 0x00, 0x20, 0xF3, 0x00, 0x00, 0x00, 0x00]
        bytes += Array(repeating: 0x41, count: 0x20)
        for cut in 1..<bytes.count {
            let decoded = Self.decoded(Array(bytes[..<cut]), Array(bytes[cut...]))
            #expect(decoded.batch.signals == [Self.refusal], "cut after \(cut)")
        }
        // A whole packet shows that the line is in step again: the next damage is asked for again.
        let good = Self.packet(0xF3, [0x01] + Array("NR".utf8))
        let decoded = Self.decoded(bytes, good, bytes)
        #expect(decoded.batch.signals == [Self.refusal, Self.acknowledgement, Self.refusal])
    }

    @Test func aLongCodeInSegments() {
        #expect(Self.long.segments[0].prefix(14) == [0xFF, 0x73, 0x02, 0x00, 0x00, 0xF3, 0x00, 0x00, 0x01, 0xF7, 0x1C, 0x01, 0x01, 0xF4])
        var decoded = Decoded(.ssi(.init()))
        for segment in Self.long.segments { decoded.feed(bytes: segment) }
        #expect(decoded.texts == ["]Q1" + Self.long.text])
        #expect(decoded.batch.signals == [Self.segmentAcknowledgement, Self.segmentAcknowledgement, Self.acknowledgement])
        #expect(decoded.batch.rejects.total == 0)
        // An ordinary code after it.
        decoded.feed("07 F3 00 00 01 4E 52 FE 65")
        #expect(decoded.texts.last == "]A0NR")
    }

    @Test func segmentsThatAreLostOrComeTwice() {
        let segments = Self.long.segments
        var twice = Decoded(.ssi(.init()))
        for segment in [segments[0], segments[0], segments[1], segments[1], segments[2]] { twice.feed(bytes: segment) }
        #expect(twice.texts == ["]Q1" + Self.long.text] && twice.rejects == ["duplicate": 2])
        var lost = Decoded(.ssi(.init()))
        for segment in [segments[0], segments[2]] { lost.feed(bytes: segment) }
        lost.feed("07 F3 00 00 01 4E 52 FE 65")
        #expect(lost.texts == ["]A0NR"] && lost.rejects == ["incomplete": 1])
        // Every segment is answered, so that the scanner does not wait.
        #expect(lost.batch.signals == [Self.segmentAcknowledgement, Self.segmentAcknowledgement, Self.acknowledgement])
        var half = Decoded(.ssi(.init()))
        half.feed(bytes: segments[0])
        half.feed("07 F3 00 00 01 4E 52 FE 65")
        #expect(half.texts == ["]A0NR"] && half.rejects == ["incomplete": 1])
        var silent = Decoded(.ssi(.init()))
        silent.feed(bytes: segments[0])
        silent.wait(.seconds(5))
        #expect(silent.texts.isEmpty && silent.rejects == ["incomplete": 1])
        // The rest of a code whose beginning was not seen.
        var rest = Decoded(.ssi(.init()))
        rest.feed(bytes: segments[1])
        #expect(rest.rejects == ["unknownFrame": 1] && rest.batch.signals == [Self.segmentAcknowledgement])
    }

    @Test func theLastSegmentMayComeTwice() {
        let segments = Self.long.segments
        var decoded = Decoded(.ssi(.init()))
        for segment in segments + [segments[2]] { decoded.feed(bytes: segment) }
        #expect(decoded.texts.count == 1 && decoded.rejects == ["duplicate": 1])
        #expect(decoded.batch.signals.suffix(2) == [Self.acknowledgement, Self.acknowledgement])
        // The same code read again begins with its first segment.
        for segment in segments { decoded.feed(bytes: segment) }
        #expect(decoded.texts.count == 2)
        // Later it belongs to nothing.
        decoded.wait(.seconds(5))
        decoded.feed(bytes: segments[2])
        #expect(decoded.rejects == ["duplicate": 1, "unknownFrame": 1])
    }

    /// 01 in a status byte says that the scanner repeats itself: its own, or that of the content.
    @Test(arguments: [true, false])
    func aCodeInOneSegmentMayComeTwice(isInner: Bool) {
        let content: [UInt8] = [0xF3, 0x00, 0x00, 0x00, 0x08, 0x1C, 0x01, 0x00, 0x04, 0x41, 0x42, 0x43, 0x44]
        var repeated = content
        if isInner { repeated[2] = 0x01 }
        var decoded = Decoded(.ssi(.init()))
        decoded.feed(bytes: Self.segment(0, content))
        decoded.feed(bytes: Self.segment(0, repeated, status: isInner ? 0x00 : 0x01))
        #expect(decoded.texts == ["]Q1ABCD"] && decoded.rejects == ["duplicate": 1])
        #expect(decoded.batch.signals == [Self.acknowledgement, Self.acknowledgement])
        // The same label scanned again.
        decoded.feed(bytes: Self.segment(0, content))
        #expect(decoded.texts == ["]Q1ABCD", "]Q1ABCD"])
    }

    @Test func aRepetitionIsAcknowledgedAndNotReadTwice() {
        let data: [UInt8] = [0x0B] + Array("4006381333931".utf8)
        var decoded = Self.decoded(Self.packet(0xF3, data), Self.packet(0xF3, data, status: 0x01))
        #expect(decoded.texts.count == 1)
        #expect(decoded.rejects == ["duplicate": 1])
        #expect(decoded.batch.signals == [Self.acknowledgement, Self.acknowledgement])
        // The same code scanned again is a scan.
        decoded.feed(bytes: Self.packet(0xF3, data))
        #expect(decoded.texts.count == 2)
    }

    @Test func codesOfSeveralPackets() {
        let decoded = Self.decoded(Self.packet(0xF3, [0x1C] + Array("AB".utf8), status: 0x02), Self.packet(0xF3, [0x1C] + Array("CD".utf8)))
        #expect(decoded.texts == ["]Q1ABCD"])
        #expect(decoded.batch.signals.count == 2)
        var lost = Self.decoded(Self.packet(0xF3, [0x1C, 0x41], status: 0x02))
        lost.wait(.seconds(4))
        #expect(lost.rejects == ["incomplete": 1])
        var endless = Self.decoded()
        for _ in 0..<100 { endless.feed(bytes: Self.packet(0xF3, [UInt8](repeating: 0x1C, count: 240), status: 0x02)) }
        endless.feed(bytes: Self.packet(0xF3, [0x1C, 0x41]))
        #expect(endless.rejects == ["tooLong": 1])
    }

    @Test func anExtendedLengthIsNoData() {
        #expect(Self.decoded(Self.packet(0xF3, [0x1C, 0x01, 0x00, 0x03] + Array("ABC".utf8))).texts == ["]Q1ABC"])
    }

    @Test func refusals() {
        let packet = Self.packet(0xD1, [0x06])
        #expect(
            Self.decoded(packet).batch.signals == [
                .answer(packet), .fault(code: 0x06, meaning: "command is not allowed", isTransient: true),
            ])
    }

    @Test func withoutHandshake() {
        var decoded = Decoded(.ssi(.init(acknowledges: false)))
        decoded.feed("07 F3 00 00 01 4E 52 FE 65")
        #expect(decoded.texts == ["]A0NR"] && decoded.batch.signals.isEmpty)
    }

    @Test(
        arguments: [
            ("04 E4 04 00 FF 14", nil), ("04 E9 04 08 FF 07", nil), ("04 D0 04 00 FF 28", nil), ("05 E6 04 00 00 FF 11", nil), ("00", nil),
            ("04 A3 04 00 FF 56", "its last two bytes, the check, must be FF55"),
            ("05 A3 04 00 FF 55", "its first byte, the length without the check, must be 4"),
            ("04 A3 00 00 FF 59", "its third byte, the source, must be 04"), ("04 A3", "is shorter than a packet, 6 bytes"),
        ] as [(String, String?)])
    func commands(hex: String, fault: String?) {
        #expect(DecoderConfiguration.ssi(.init()).fault(ofFrame: Hex.bytes(hex) ?? []) == fault)
    }
}

@Suite("GM65 modules")
struct GM65ProtocolTests {
    @Test func answersBetweenScans() {
        var decoded = Decoded(.gm65(.init()))
        decoded.feed(text: "6901234567892\r")
        // The published answer to the trigger command, in the middle of a scan and cut.
        decoded.feed(text: "SHE")
        for byte in ["02", "00 00", "01 00 33", "31"] { decoded.feed(byte) }
        decoded.feed(text: "LF\r")
        #expect(decoded.texts == ["6901234567892", "SHELF"])
        #expect(decoded.batch.signals == [.answer([0x02, 0x00, 0x00, 0x01, 0x00, 0x33, 0x31])])
        #expect(decoded.batch.rejects.total == 0)
    }

    @Test func whatOnlyLooksLikeAnAnswer() {
        var decoded = Decoded(.gm65(.init(line: .init(text: TextRule(prefix: [0x02])))))
        decoded.feed(text: "\u{2}A1\r")
        #expect(decoded.texts == ["A1"])
        decoded.feed("02 00 00 01 00 33 32 0D")
        decoded.feed("02 00 00 FF 41")
        decoded.wait(.seconds(1))
        #expect(decoded.rejects == ["controlCharacter": 1, "incomplete": 1])
        decoded.feed(text: "\u{2}B2\r")
        #expect(decoded.texts == ["A1", "B2"])
    }

    @Test(
        arguments: [
            ("7E 00 08 01 00 02 01 AB CD", nil), ("7E 00 08 01 00 02 01 02 DA", nil), ("7E 00 08 01 00 02 00 12 FB", nil),
            ("7E 00 09 01 00 00 00 DE C8", nil),
            ("7E 00 08 02 00 2A 39 01 A7 EA", nil), ("7E 00 07 01 00 2A 02 D8 0F", nil), ("7E 00 08 01 00 D0 80 F0 36", nil),
            ("7E 00 08 01 00 D9 50 81 D3", nil),
            ("7E 00 07 01 00 2A 02 D8 0E", "its last two bytes, the check, must be D80F or ABCD"),
            ("7E 01", "must begin with 7E 00 and have at least 8 bytes"),
            ("7E 00 07 02 00 2A 02 D8 0F", "its length byte says 10 bytes, there are 9"),
        ] as [(String, String?)])
    func commands(hex: String, fault: String?) {
        #expect(DecoderConfiguration.gm65(.init()).fault(ofFrame: Hex.bytes(hex) ?? []) == fault)
    }
}
