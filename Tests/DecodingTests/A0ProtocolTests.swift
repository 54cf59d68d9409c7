import Decoding
import Identifiers
import Readings
import TestSupport
import Testing

@Suite("A0 protocol")
struct A0ProtocolTests {
    private static func decode(_ hex: String, _ configuration: A0Protocol.Configuration = .init()) -> Decoded {
        var decoded = Decoded(.a0(configuration))
        decoded.feed(hex)
        return decoded
    }

    // Frames from the unit tests of rust-invelion and from README files of other clients.
    @Test(
        arguments: [
            ("A0 13 01 89 04 30 00 E2 00 30 16 66 13 01 21 15 50 74 EF 45 BF", "E200301666130121155074EF", 1, -6_000, 865_500),
            ("A0 13 01 89 74 30 00 E2 00 40 74 85 0A 01 03 16 30 70 E1 36 29", "E2004074850A0103163070E1", 1, -7_500, 913_000),
            ("A0 13 01 89 8C 30 00 30 08 33 B2 DD D9 01 40 00 00 00 01 37 BB", "300833B2DDD9014000000001", 1, -7_400, 916_000),
            ("A0 13 01 8B 10 30 00 30 09 66 37 81 DB 02 97 48 76 FC 6A 67 2B", "3009663781DB02974876FC6A", 1, -2_600, 867_000),
        ] as [(String, String, UInt8, Int16, UInt32)])
    func publishedTagReads(frame: String, epc: String, antenna: UInt8, rssi: Int16, frequency: UInt32) throws {
        let decoded = Self.decode(frame)
        #expect(decoded.tags == [TagRead(epc: try #require(EPC(hex: epc)), antenna: antenna, rssi: rssi, frequency: frequency)])
        #expect(decoded.batch.rejects.total == 0)
        #expect(decoded.batch.signals.isEmpty)
    }

    @Test func wrongPublishedCheckIsRejected() {
        let decoded = Self.decode("A0 0A 01 89 00 00 1D 00 00 00 01 BC")
        #expect(decoded.batch.readings.isEmpty && decoded.batch.signals.isEmpty)
        #expect(decoded.rejects == ["checksum": 1, "noise": 11])
    }

    @Test func endsOfRounds() {
        #expect(Self.decode("A0 0A 01 89 00 00 11 00 00 00 05 B6").batch.signals == [.roundEnded])
        #expect(Self.decode("A0 0A 01 8B 00 00 19 00 00 00 01 B0").batch.signals == [.roundEnded])
        #expect(Self.decode("A0 0A 01 8A 00 00 05 00 00 00 C8 FE").batch.signals == [.roundEnded])
        // Error 36, no tag, is how some firmware ends an empty round.
        #expect(Self.decode("A0 04 01 89 36 9C").batch.signals == [.roundEnded])
    }

    @Test func faults() {
        #expect(
            Self.decode("A0 04 01 89 22 B0").batch.signals == [
                .fault(code: 0x22, meaning: "antenna missing", isTransient: true), .roundFailed,
            ])
        // Fast antenna switch: the third antenna is missing, the round goes on.
        #expect(
            Self.decode("A0 05 01 8A 02 22 AC").batch.signals == [
                .fault(code: 0x22, meaning: "antenna missing, antenna 3", isTransient: true),
                .antennaFault(antenna: 3, meaning: "antenna missing"),
            ])
        #expect(
            Self.decode("A0 04 01 8A 41 90").batch.signals == [
                .fault(code: 0x41, meaning: "parameter refused", isTransient: false), .roundFailed,
            ])
    }

    @Test func answersComeWhole() {
        let answer = "A0 05 01 72 01 09 DE"
        #expect(Self.decode(answer).batch.signals == [.answer(Hex.bytes(answer) ?? [])])
        let read = "A0 21 01 81 00 01 18 30 00 30 39 60 62 C3 95 0D 40 00 11 B8 97 CD 0B E2 80 68 90 20 00 50 01 08 0B 01 8D"
        #expect(Self.decode(read).batch.signals == [.answer(Hex.bytes(read) ?? [])])
        #expect(Self.decode("A0 03 01 10 4C").rejects == ["unknownFrame": 1])
    }

    /// The record of the buffer: tags in it, length, PC, EPC, CRC, signal, frequency and antenna, reads.
    @Test func theBufferIsARoundOfSoManyRecords() {
        func frame(_ command: UInt8, _ hex: String) -> String {
            let data = Hex.bytes(hex) ?? []
            let frame = [0xA0, UInt8(data.count + 3), 0x01, command] + data
            return Hex.text(frame + [0 &- frame.reduce(0, &+)])
        }
        // PC, EPC and CRC of a published answer to a read command.
        let tag = "30 00 30 39 60 62 C3 95 0D 40 00 11 B8 97 CD 0B"
        var decoded = Self.decode(frame(0x80, "00 00 02 00 20 00 00 00 05"))
        #expect(decoded.batch.signals == [.roundEnded])
        decoded.feed(frame(0x91, "00 02 10 \(tag) 45 0B 03"))
        #expect(decoded.batch.signals.count == 1)
        decoded.feed(frame(0x91, "00 02 10 \(tag) C0 08 01"))
        #expect(decoded.batch.signals == [.roundEnded, .roundEnded])
        #expect(decoded.tags.map(\.epc.hex) == ["30396062C3950D400011B897", "30396062C3950D400011B897"])
        #expect(decoded.tags.map(\.antenna) == [4, 5] && decoded.tags.map(\.rssi) == [-6_000, -6_500])
        #expect(decoded.tags.map(\.frequency) == [866_000, 866_000])
        // An empty buffer is no fault; a record whose CRC is wrong is none.
        #expect(Self.decode(frame(0x90, "38")).batch.signals == [.roundEnded])
        #expect(Self.decode(frame(0x90, "00 01 10 \(tag.dropLast(2))0C 45 0B 03")).rejects == ["checksum": 1])
        #expect(Self.decode(frame(0x90, "00 01 11 \(tag) 45 0B 03")).rejects == ["malformed": 1])
    }

    @Test func frequenciesCountedFrom865() {
        let configuration = A0Protocol.Configuration(countsFrequencyFrom865: true)
        let decoded = Self.decode("A0 13 01 89 74 30 00 E2 00 40 74 85 0A 01 03 16 30 70 E1 36 29", configuration)
        #expect(decoded.tags.first?.frequency == 879_500)
    }

    @Test func phaseIsGivenWhereItsScaleIsKnown() {
        // Phase 0x0400 of 4096 is a quarter of a turn.
        let frame = "A0 15 01 8A 8D 30 00 E2 80 11 60 60 00 02 09 4C 4C 8B 1A 3C 04 00 48"
        #expect(Self.decode(frame).tags.first?.phase == nil)
        #expect(Self.decode(frame, .init(phaseUnitsPerTurn: 4_096)).tags.first?.phase == 16_384)
    }

    @Test func headBytesInsideAnEPCAreData() {
        // The EPC holds a whole frame (A0 04 01 89 22 B0) and the head of another.
        let decoded = Self.decode("A0 17 01 8A 8D 40 00 A0 04 01 89 22 B0 0A A0 01 89 00 00 11 00 00 00 3C 70")
        #expect(decoded.tags.map(\.epc.hex) == ["A004018922B00AA00189000011000000"])
        #expect(decoded.batch.signals.isEmpty)
    }

    @Test func afterABadFrameTheSearchGoesOnAtTheNextByte() {
        // A head that claims 16 bytes more than it has swallows nothing.
        let good = "A0 13 01 89 04 30 00 E2 00 30 16 66 13 01 21 15 50 74 EF 45 BF"
        #expect(Self.decode("A0 10" + good).tags.count == 1)
        #expect(Self.decode("A0 02" + good).tags.count == 1)
        // Read as a length, the next head is 160 bytes that must first come.
        var decoded = Self.decode("A0" + good + good)
        #expect(decoded.tags.isEmpty)
        for _ in 0..<8 { decoded.feed(good) }
        #expect(decoded.tags.count == 10)
    }

    @Test func aHeadWithoutItsFrameIsGivenUp() {
        let good = "A0 13 01 89 04 30 00 E2 00 30 16 66 13 01 21 15 50 74 EF 45 BF"
        var decoded = Self.decode("A0 FF" + good)
        #expect(decoded.tags.isEmpty)
        decoded.wait(.seconds(1))
        #expect(decoded.tags.count == 1)
        #expect(decoded.decoder.nextDeadline == nil)
    }

    @Test func aHalfFrameIsForgottenOnReset() {
        var decoded = Self.decode("A0 13 01 89 04 30 00 E2 00")
        decoded.decoder.reset()
        decoded.feed("30 16 66 13 01 21 15 50 74 EF 45 BF")
        #expect(decoded.tags.isEmpty)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func anyCutsGiveTheSameReads(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var stream: [UInt8] = []
        for _ in 0..<200 {
            switch Int.random(in: 0...5, using: &generator) {
            case 0: stream += (0..<Int.random(in: 1...30, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
            case 1: stream += Hex.bytes("A0 0A 01 89 00 00 11 00 00 00 05 B6") ?? []
            default: stream += Self.tagFrame(&generator)
            }
        }
        var whole = Decoded(.a0(.init()))
        whole.feed(bytes: stream)
        var cut = Decoded(.a0(.init()))
        var start = 0
        while start < stream.count {
            let end = min(stream.count, start + Int.random(in: 1...40, using: &generator))
            cut.feed(bytes: Array(stream[start..<end]))
            start = end
        }
        for _ in 0..<2 {
            #expect(cut.batch.readings == whole.batch.readings, "seed \(seed)")
            #expect(cut.batch.signals == whole.batch.signals, "seed \(seed)")
            #expect(cut.batch.rejects == whole.batch.rejects, "seed \(seed)")
            whole.wait(.seconds(1))
            cut.wait(.seconds(1))
        }
        #expect(whole.tags.count > 100, "seed \(seed)")
    }

    @Test func profileCommandsAreChecked() {
        #expect(A0Protocol.fault(ofFrame: Hex.bytes("A0 05 01 61 03 01 F5") ?? []) == nil)
        #expect(A0Protocol.fault(ofFrame: Hex.bytes("A0 05 01 61 03 01 F4") ?? []) == "its last byte, the check, must be F5")
        #expect(A0Protocol.fault(ofFrame: Hex.bytes("A0 04 01 61 03 01 F5") ?? []) == "its length byte must be 05")
        #expect(A0Protocol.fault(ofFrame: [0xA0, 0x01]) != nil)
        #expect(A0Protocol.fault(ofFrame: []) != nil)
    }

    static func tagFrame(_ generator: inout SeededGenerator) -> [UInt8] {
        let words = UInt8.random(in: 1...31, using: &generator)
        var frame: [UInt8] = [0xA0, words * 2 + 7, 0x01, 0x89, .random(in: 0...255, using: &generator), words << 3, 0]
        for _ in 0..<(words * 2 + 1) { frame.append(.random(in: 0...255, using: &generator)) }
        frame.append(0 &- frame.reduce(0, &+))
        return frame
    }
}
