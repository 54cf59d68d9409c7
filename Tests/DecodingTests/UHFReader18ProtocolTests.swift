import Decoding
import Identifiers
import Readings
import Testing

@Suite("UHFReader18 protocol")
struct UHFReader18ProtocolTests {
    private static let zeros = "00 00 00 00 00 00 00 00 00 00"

    private static func decode(_ hex: String, _ records: UHFReader18Protocol.Configuration.Records = .plain, offset: Int16? = nil)
        -> Decoded
    {
        var decoded = Decoded(.uhfReader18(.init(records: records, signalOffset: offset)))
        decoded.feed(hex)
        return decoded
    }

    // Frames of the unit tests of chafon-rfid.
    @Test func publishedRecordsWithoutAntenna() {
        let one = Self.decode("13 00 01 03 01 0C \(Self.zeros) 03 13 3F 39")
        #expect(one.tags == [TagRead(epc: EPC(hex: "000000000000000000000313")!)])
        // More frames follow.
        #expect(one.batch.signals.isEmpty && one.batch.rejects.total == 0)
        let two = Self.decode("20 00 01 03 02 0C \(Self.zeros) 03 13 0C \(Self.zeros) 03 14 9A C9")
        #expect(two.tags.map(\.epc.hex) == ["000000000000000000000313", "000000000000000000000314"])
    }

    @Test(
        arguments: [
            ("15 00 01 03 01 01 0C 00 00 00 00 00 00 00 00 00 00 03 13 6B B1 A5", "000000000000000000000313", 1, 0x6B),
            ("15 00 01 03 04 01 0C 49 44 00 00 00 00 00 00 0A 00 03 34 64 25 C0", "49440000000000000A000334", 3, 0x64),
            ("0D 00 01 03 01 01 04 00 32 30 38 6D A3 D2", "00323038", 1, 0x6D),
            // The reader tells by itself.
            ("14 00 EE 00 01 0C E2 00 68 15 00 00 50 08 14 70 0A 55 55 7C EB", "E20068150000500814700A55", 1, 0x55),
        ] as [(String, String, UInt8, Int16)])
    func publishedRecordsWithAntenna(frame: String, epc: String, antenna: UInt8, signal: Int16) throws {
        let id = try #require(EPC(hex: epc))
        // Without a measured offset the signal has no unit and is not told.
        #expect(Self.decode(frame, .antennaAndSignal).tags == [TagRead(epc: id, antenna: antenna)])
        #expect(
            Self.decode(frame, .antennaAndSignal, offset: -160).tags == [TagRead(epc: id, antenna: antenna, rssi: (signal - 160) * 100)])
    }

    /// Published frames of readers of the one kind, read as of the other.
    @Test(
        arguments: [
            ("15 00 01 03 01 01 0C 00 00 00 00 00 00 00 00 00 00 03 13 6B B1 A5", .plain),
            ("15 00 01 03 04 01 0C 49 44 00 00 00 00 00 00 0A 00 03 34 64 25 C0", .plain),
            ("0D 00 01 03 01 01 04 00 32 30 38 6D A3 D2", .plain),
            ("13 00 01 03 01 0C 00 00 00 00 00 00 00 00 00 00 03 13 3F 39", .antennaAndSignal),
            ("20 00 01 03 02 0C 00 00 00 00 00 00 00 00 00 00 03 13 0C 00 00 00 00 00 00 00 00 00 00 03 14 9A C9", .antennaAndSignal),
        ] as [(String, UHFReader18Protocol.Configuration.Records)])
    func recordsOfTheOtherKindAreNoTags(frame: String, records: UHFReader18Protocol.Configuration.Records) {
        let decoded = Self.decode(frame, records)
        #expect(decoded.batch.readings.isEmpty)
        #expect(decoded.rejects == ["malformed": 1])
    }

    @Test func aFrameThatTurnsOutWrongGivesNothing() {
        // The second of two records is longer than the frame; there are bytes behind the last one.
        for body: [UInt8] in [[2, 2, 0xAA, 0xBB, 4, 0xCC], [1, 2, 0xAA, 0xBB, 0x00]] {
            let decoded = Self.decode(Hex.text(Self.frame([0, 0x01, 0x01] + body)))
            #expect(decoded.batch.readings.isEmpty && decoded.rejects == ["malformed": 1])
        }
        // What came before the frame stays.
        let good = Self.frame([0, 0x01, 0x03, 1, 2, 0xAA, 0xBB])
        #expect(Self.decode(Hex.text(good + Self.frame([0, 0x01, 0x01, 1, 4, 0xCC, 0xDD]))).tags.map(\.epc.hex) == ["AABB"])
    }

    @Test func aTagWithoutEPCDoesNotHideTheOthers() {
        let decoded = Self.decode(Hex.text(Self.frame([0, 0x01, 0x01, 1, 3, 0, 0x50, 2, 0xAA, 0xBB, 0x51, 0, 0x52])), .antennaAndSignal)
        #expect(decoded.tags.map(\.epc.hex) == ["AABB"])
        #expect(decoded.rejects == ["malformed": 2])
        #expect(decoded.batch.signals == [.roundEnded])
    }

    @Test func wrongPublishedCRCIsRejected() {
        let decoded = Self.decode("15 00 01 03 01 01 0C \(Self.zeros) 03 13 6B B1 A6", .antennaAndSignal)
        #expect(decoded.batch.readings.isEmpty && decoded.batch.signals.isEmpty)
        // Without a head, bytes of the frame that look like a length are tried too.
        #expect(decoded.rejects["checksum", default: 0] >= 1)
    }

    @Test func endsOfRounds() {
        #expect(Self.decode("07 00 01 01 01 00 1E 4B", .antennaAndSignal).batch.signals == [.roundEnded])
        // No tag, out of time, out of memory, figures about the round.
        for status: UInt8 in [0xFB, 0x02, 0x04, 0x26] {
            let decoded = Self.decode(Hex.text(Self.frame([0, 0x01, status])))
            #expect(decoded.batch.signals == [.roundEnded] && decoded.batch.rejects.total == 0, "\(status)")
        }
        let withTag = Self.decode(Hex.text(Self.frame([0, 0x01, 0x02, 1, 2, 0xAA, 0xBB])))
        #expect(withTag.tags.map(\.epc.hex) == ["AABB"] && withTag.batch.signals == [.roundEnded])
    }

    @Test(arguments: [(0xF8, true), (0xF9, true), (0xFA, true), (0xFD, false), (0xFE, false), (0xFF, false)] as [(UInt8, Bool)])
    func faults(status: UInt8, isTransient: Bool) {
        for command: UInt8 in [0x01, 0x00] {
            let signals = Self.decode(Hex.text(Self.frame([0, command, status]))).batch.signals
            guard case .fault(let code, _, let isPassing) = signals.first else {
                Issue.record("no fault")
                continue
            }
            #expect(code == status && isPassing == isTransient && signals.last == .roundFailed)
        }
    }

    @Test func answersComeWhole() {
        let info = "11 00 21 00 00 16 0C 03 4E 00 1E 0A 01 00 00 00 E6 51"
        #expect(Self.decode(info).batch.signals == [.answer(Hex.bytes(info) ?? [])])
    }

    @Test func recordsThatDoNotFitAreMalformed() {
        // Two tags are announced, one is there; a record longer than the frame; bytes behind the last; phase or TID behind the EPC.
        for data: [UInt8] in [[2, 2, 0xAA, 0xBB], [1, 9, 0xAA, 0xBB], [1, 2, 0xAA, 0xBB, 0], [1, 0x42, 0xAA, 0xBB]] {
            let decoded = Self.decode(Hex.text(Self.frame([0, 0x01, 0x03] + data)))
            #expect(decoded.rejects == ["malformed": 1], "\(data)")
        }
    }

    @Test(arguments: [
        "04 00 21 D9 6A", "04 00 01 DB 4B", "0D 00 01 0F 00 01 00 00 00 00 80 14 5D EA", "05 00 2F 1E 72 34", "06 00 22 31 80 E1 96",
        "06 00 22 4E 00 E5 61", "07 00 33 01 01 01 13 2F", "05 00 50 00 81 BE", "04 00 51 5E 19",
    ])
    func commandsAreChecked(frame: String) {
        let bytes = Hex.bytes(frame) ?? []
        let configuration = DecoderConfiguration.uhfReader18(.init())
        #expect(configuration.fault(ofFrame: bytes) == nil)
        #expect(configuration.check(behind: bytes.dropLast(2)) == Array(bytes.suffix(2)))
        #expect(configuration.fault(ofFrame: bytes.dropLast() + [bytes[bytes.count - 1] ^ 1])?.contains("CRC") == true)
        #expect(configuration.fault(ofFrame: bytes + [0])?.contains("length byte must be") == true)
        #expect(configuration.fault(ofFrame: []) != nil)
    }

    static func frame(_ body: [UInt8]) -> [UInt8] {
        let frame = [UInt8(body.count + 2)] + body
        return frame + (DecoderConfiguration.uhfReader18(.init()).check(behind: frame) ?? [])
    }
}
