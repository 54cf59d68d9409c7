import Decoding
import Readings
import TestSupport
import Testing

@Suite("LLRP framing")
struct LLRPFramerTests {
    static let stream = LLRPMessageTests.all.flatMap { $0 }

    @Test(arguments: [[1], [2, 3], [7], [9, 1], [10], [11], [4_096], [1, 500, 2]])
    func messagesAreTheSameHoweverTheyAreCut(pieces: [Int]) {
        let whole = LLRPReportTests.decode(Self.stream)
        let cut = LLRPReportTests.decode(Self.stream, pieces: pieces)
        #expect(cut.readings == whole.readings && cut.signals == whole.signals && cut.rejects == whole.rejects)
        #expect(whole.readings.count == 4 && whole.signals.count == 5 && whole.rejects.total == 0)
    }

    @Test func noiseIsPassedOverAndCounted() {
        for pieces in [[1], [3], [4_096]] {
            let batch = LLRPReportTests.decode(
                [0xFF, 0x00, 0x55] + LLRPMessageTests.oneTag + [0xA0] + LLRPMessageTests.longEPC, pieces: pieces)
            #expect(batch.readings.count == 2)
            #expect(batch.rejects[.noise] == 4 && batch.rejects.total == 4)
        }
    }

    @Test func lengthsThatCannotBeAreCounted() {
        for header in ["043D0000000900000001", "043D0040000100000001"] {
            let batch = LLRPReportTests.decode(LLRPReportTests.bytes(header) + LLRPMessageTests.oneTag)
            #expect(batch.readings.count == 1)
            #expect(batch.rejects[.length] == 1 && batch.rejects[.noise] == 9)
        }
    }

    @Test func aMessageOfUnknownTypeIsSkippedAsAWhole() {
        let unknown = LLRPReportTests.bytes("07000000 0036 00000001") + LLRPMessageTests.oneTag
        let batch = LLRPReportTests.decode(unknown + LLRPMessageTests.longEPC)
        #expect(batch.readings.count == 1)
        #expect(batch.rejects[.unknownFrame] == 1 && batch.rejects.total == 1)
    }

    @Test func theGreatestLengthIsTakenAndOneMoreIsNot() {
        let report = LLRPMessageTests.oneTag
        #expect(LLRPReportTests.decode(report, decoder: LLRPReportDecoder(maximumLength: report.count)).readings.count == 1)
        #expect(LLRPReportTests.decode(report, decoder: LLRPReportDecoder(maximumLength: report.count - 1)).readings.isEmpty)
    }

    @Test func aMessageThatStopsInTheMiddleGivesWayToWhatStandsInIt() {
        var decoder = LLRPReportDecoder()
        var batch = DecodedBatch()
        let bytes = LLRPReportTests.bytes("043D0010000000000001") + LLRPMessageTests.oneTag + LLRPMessageTests.longEPC.dropLast()
        bytes.withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
        #expect(batch.readings.isEmpty)
        let deadline = decoder.nextDeadline
        #expect(deadline == .zero + LLRPReportDecoder.messageTimeout)
        decoder.advance(to: .zero + LLRPReportDecoder.messageTimeout, into: &batch)
        #expect(batch.readings.count == 1)
        #expect(batch.rejects[.incomplete] == 1)
        #expect(decoder.nextDeadline == nil)
        LLRPMessageTests.longEPC.withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
        #expect(batch.readings.count == 2)
    }

    /// One message of 1.4 MB in pieces of 4 KiB, then of 13 bytes: were time not linear, this would not end.
    @Test(arguments: [4_096, 13])
    func aReportOfTenThousandTagsInPieces(piece: Int) throws {
        let report = LLRPVolume.report(tags: 10_000)
        #expect(report.count > 1_400_000)
        let batch = LLRPReportTests.decode(report, pieces: [piece])
        #expect(batch.readings.count == 10_000 && batch.rejects.total == 0)
        if piece == 4_096 {
            let message = try LLRPMessage(report)
            #expect(message.parameters.count == 10_000)
            #expect(try message.encoded() == report)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func anyBytesAreSurvivedAndTheNextMessageIsRead(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<300 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                var piece = LLRPMessageTests.all.randomElement(using: &generator) ?? []
                for _ in 0..<Int.random(in: 0...4, using: &generator) {
                    piece[Int.random(in: 0..<piece.count, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                bytes += piece.prefix(Int.random(in: 1...piece.count, using: &generator))
            }
            let pieces = (0..<3).map { _ in Int.random(in: 1...40, using: &generator) }
            let whole = LLRPReportTests.decode(bytes)
            let cut = LLRPReportTests.decode(bytes, pieces: pieces)
            #expect(whole.readings == cut.readings && whole.signals == cut.signals, "seed \(seed), round \(round)")
            #expect(whole.rejects == cut.rejects, "seed \(seed), round \(round)")
            var decoder = LLRPReportDecoder()
            var batch = DecodedBatch()
            bytes.withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
            if let deadline = decoder.nextDeadline { decoder.advance(to: deadline, into: &batch) }
            let before = batch.readings.count
            LLRPMessageTests.oneTag.withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
            #expect(batch.readings.count == before + 1, "seed \(seed), round \(round)")
        }
    }
}

/// Reports as large as a warehouse makes them.
enum LLRPVolume {
    /// One RO_ACCESS_REPORT with all the standard's parameters and three of Impinj's per tag, 141 bytes each.
    static func report(tags: Int) -> [UInt8] {
        let rest = LLRPReportTests.bytes(
            """
            8900000001 8E0001 8A0001 810002 86D1 870007 820004EC2EA8354C09 840004EC2EA8354C10 880003 8C3000 8B315C 90000004D2
            03FF000E0000651A000000380400 03FF000E0000651A00000039EC46 03FF000E0000651A00000044FFE0
            015D001F 00 0001 000B E280116060001234 E280116060001234 E28011606000
            """)
        return LLRPReportTests.report(
            (0..<tags).map { [0x8D, 0x30, 0x08, 0x33, 0xB2, 0xDD, 0xD9, 0x01, 0x40] + LLRPReportTests.size($0, 4) + rest })
    }
}
