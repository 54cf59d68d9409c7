import Decoding
import Identifiers
import Readings
import TestSupport
import Testing

@Suite("LLRP reports")
struct LLRPReportTests {
    static func bytes(_ hex: String) -> [UInt8] { Hex.bytes(hex) ?? [] }

    /// What a decoder makes of bytes, cut into pieces of the given sizes in turn.
    static func decode(_ bytes: [UInt8], pieces: [Int] = [.max], decoder: LLRPReportDecoder = LLRPReportDecoder()) -> DecodedBatch {
        var decoder = decoder
        var batch = DecodedBatch()
        var position = 0
        var piece = 0
        while position < bytes.count {
            let end = position + min(pieces[piece % pieces.count], bytes.count - position)
            bytes[position..<end].withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
            position = end
            piece += 1
        }
        return batch
    }

    static func tags(_ bytes: [UInt8], decoder: LLRPReportDecoder = LLRPReportDecoder()) -> [TagRead] {
        decode(bytes, decoder: decoder).readings.compactMap { if case .tag(let read) = $0 { read } else { nil } }
    }

    /// A report of one tag with the given parameters.
    static func report(_ parameters: String) -> [UInt8] { report([bytes(parameters)]) }

    static func report(_ tags: [[UInt8]]) -> [UInt8] {
        var body: [UInt8] = []
        for tag in tags { body += [0x00, 0xF0] + size(tag.count + 4, 2) + tag }
        return [0x04, 61] + size(body.count + 10, 4) + [0, 0, 0, 1] + body
    }

    static func size(_ count: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) }
    }

    static let epc = "8D3005FB63AC1F3841EC880467"

    @Test func aTagReport() throws {
        let read = try #require(Self.tags(LLRPMessageTests.oneTag).first)
        #expect(read.epc == EPC(Self.bytes("3005FB63AC1F3841EC880467")))
        #expect(read.antenna == 1)
        #expect(read.rssi == -5_000)
        #expect(read.readerTime == 1_385_585_041_558_537)
        #expect(read.phase == nil && read.frequency == 0)
    }

    @Test func anEPCOf144Bits() throws {
        let read = try #require(Self.tags(LLRPMessageTests.longEPC).first)
        #expect(read.epc == EPC(Self.bytes("1FB41F712AC9C37AB79D618173188324001A")))
        #expect(read.rssi == -1_700)
    }

    @Test func impinjsSignalLevelAndPhaseComeFirst() throws {
        let decoder = LLRPReportDecoder(channels: (0..<16).map { 920_625 + 250 * $0 })
        let read = try #require(Self.tags(LLRPMessageTests.impinjTag, decoder: decoder).first)
        #expect(read.rssi == -5_050)
        // 1024 of 4096 is a quarter of a turn.
        #expect(read.phase == 16_384)
        // Channel 10.
        #expect(read.frequency == 922_875)
    }

    /// The bytes of MotoTagPhase: a published capture of an FX9600.
    @Test func zebrasPhaseIsATurnOf65536() throws {
        let read = try #require(Self.tags(Self.report(Self.epc + "03FF000E000000A1000002C5A0D4")).first)
        #expect(read.phase == 0xA0D4)
    }

    @Test func parametersComeInAnyOrder() throws {
        let parts = [
            "810002", "86D1", "870003", "820004EC2EA8354C09", "8C3000", "8B315C", "90000004D2", "8802E4", Self.epc, "8900000001",
            "03FF000E0000651A00000039EC46", "9200010002", "931234", "015D000D 00 0001 0002 12345678",
        ]
        let expected = try #require(Self.tags(Self.report(parts.joined())).first)
        #expect(expected.antenna == 2 && expected.rssi == -5_050 && expected.readerTime == 0x0004_EC2E_A835_4C09)
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let order = parts.shuffled(using: &generator)
            #expect(Self.tags(Self.report(order.joined())) == [expected], "\(order)")
        }
    }

    /// LLRP 1.0.1, section 13.2.3: what is left out is as it was last, also across messages and tags.
    @Test func whatIsLeftOutIsAsItWasLast() {
        let first = Self.report([
            Self.bytes(Self.epc + "810002 86CE 870001 82 0000000000000010"), Self.bytes("8D000000000000000000000002"),
            Self.bytes("8D000000000000000000000003 810003"),
        ])
        let second = Self.report("8D000000000000000000000004 86D8")
        let reads = Self.tags(first + second, decoder: LLRPReportDecoder(channels: [865_700]))
        #expect(reads.map(\.antenna) == [2, 2, 3, 3])
        #expect(reads.map(\.rssi) == [-5_000, -5_000, -5_000, -4_000])
        #expect(reads.map(\.frequency) == [865_700, 865_700, 865_700, 865_700])
        #expect(reads.map(\.readerTime) == [16, 16, 16, 16])
    }

    @Test func aVendorsParametersAreNotCarriedOver() {
        let reads = Self.tags(
            Self.report([
                Self.bytes(Self.epc + "86CE 03FF000E0000651A000000380400 03FF000E0000651A00000039EC46"), Self.bytes(Self.epc),
            ]))
        #expect(reads.map(\.phase) == [16_384, nil])
        #expect(reads.map(\.rssi) == [-5_050, -5_000])
    }

    @Test func nothingIsCarriedOverAReset() {
        var decoder = LLRPReportDecoder()
        var batch = DecodedBatch()
        LLRPMessageTests.oneTag.withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
        decoder.reset()
        batch.removeAll()
        Self.report(Self.epc).withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
        #expect(batch.readings == [.tag(TagRead(epc: EPC(Self.bytes("3005FB63AC1F3841EC880467"))!))])
    }

    @Test func theFirstTimeSeenIsTold() {
        #expect(Self.tags(Self.report(Self.epc + "840000000000000020 820000000000000010")).first?.readerTime == 16)
        #expect(Self.tags(Self.report(Self.epc + "850000000000000020")).first?.readerTime == 32)
        #expect(Self.tags(Self.report(Self.epc + "830000000000000030")).first?.readerTime == 48)
    }

    @Test func bitsBeyondTheEPCAreNotPartOfIt() {
        let reads = Self.tags(Self.report([Self.bytes("00F10008 000C ABCF"), Self.bytes("00F10008 000C ABC0")]))
        #expect(reads.map(\.epc) == [EPC([0xAB, 0xC0])!, EPC([0xAB, 0xC0])!])
    }

    @Test(arguments: [
        // No EPC, an EPC of no bits, an antenna that cannot be, a TLV beyond the end, a bit count that does not agree.
        ("810001", RejectReason.malformed), ("00F100060000", .malformed), (epc + "810100", .malformed), (epc + "00F20009", .malformed),
        ("00F10008 0030 ABCD", .malformed), ("8D3005", .malformed),
        ("00F10046 0200 " + String(repeating: "AB", count: 64), .tooLong),
        // Without an EPC before it, nothing is left of a report with an unknown TV parameter.
        (epc + "FF0102", .unknownFrame),
    ])
    func whatCannotBeUsedIsCounted(parameters: String, reason: RejectReason) {
        let batch = Self.decode(Self.report(parameters) + LLRPMessageTests.oneTag)
        #expect(batch.rejects[reason] == 1)
        #expect(batch.rejects.total == 1)
        #expect(batch.readings.count == (reason == .unknownFrame ? 2 : 1))
    }

    @Test func keepAliveIsASignOfLifeAndAnswered() throws {
        let batch = Self.decode(Self.bytes("043E0000000A12345678"))
        #expect(batch.signals == [.reply(Self.bytes("04480000000A12345678")), .alive])
        #expect(Self.decode(Self.bytes("083E0000000A00000001")).signals.first == .reply(Self.bytes("08480000000A00000001")))
        #expect(try LLRPMessage(Self.bytes("04480000000A12345678")).name == "KEEPALIVE_ACK")
    }

    @Test func inputsAreReadings() {
        let batch = Self.decode(
            Self.bytes("043F0000002100000001 00F60017 0080000C0004F8535BAADAFF 00F80007 0001 80")
                + Self.bytes("043F0000002100000002 00F60017 0080000C0004F8535BAADAFF 00F80007 0004 00"))
        #expect(batch.readings == [.input(InputChange(line: 0, isActive: true)), .input(InputChange(line: 3, isActive: false))])
        #expect(batch.rejects.total == 0)
    }

    @Test func otherMessagesAreAnswersAndHoppingIsNot() {
        let hopping = Self.bytes("043F00000022 00000001 00F60018 0080000C0004F8535BAADAFF 00F70008 0000 0005")
        let batch = Self.decode(LLRPMessageTests.connected + hopping + LLRPMessageTests.refused)
        #expect(batch.signals == [.answer(LLRPMessageTests.connected), .alive, .answer(LLRPMessageTests.refused)])
    }

    /// What the reader leaves out after it took a new inventory is not what it said before: right behind the answer, in the same bytes.
    @Test func theAnswerToANewInventoryEndsWhatWasReported() throws {
        func report(_ parameters: [LLRPParameter]) throws -> [UInt8] {
            let epc = try LLRPParameter("EPC_96", fields: ["EPC": LLRPValue(Self.bytes("3005FB63AC1F3841EC880467"))])
            return try LLRPMessage(
                "RO_ACCESS_REPORT", id: 1, parameters: [LLRPParameter("TagReportData", parameters: [epc] + parameters)]
            ).encoded()
        }
        let antenna = try LLRPParameter("AntennaID", fields: ["AntennaID": 3])
        func answer(_ code: UInt16) throws -> [UInt8] {
            try LLRPMessage(
                "ADD_ROSPEC_RESPONSE", id: 2, parameters: [LLRPParameter("LLRPStatus", fields: ["StatusCode": LLRPValue(code)])]
            ).encoded()
        }
        let bytes = try report([antenna]) + report([]) + answer(105) + report([]) + answer(0) + report([])
        for pieces in [[Int.max], [1], [13]] {
            let antennas = Self.decode(bytes, pieces: pieces).readings.map { reading -> UInt8 in
                if case .tag(let read) = reading { read.antenna } else { 255 }
            }
            #expect(antennas == [3, 3, 3, 0])
        }
    }
}
