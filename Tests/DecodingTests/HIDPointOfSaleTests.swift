import Decoding
import Identifiers
import Readings
import TestSupport
import Testing

@Suite("HID point-of-sale scanners")
struct HIDPointOfSaleTests {
    /// A report of the standard layout.
    static func report(_ aim: String, _ data: [UInt8], vendor: UInt8 = 0, goesOn: Bool = false, length: Int = 64) -> [UInt8] {
        let identifier = aim.isEmpty ? [0, 0, 0] : Array(aim.utf8)
        return [2, UInt8(data.count)] + identifier + data + [UInt8](repeating: 0, count: length - 8 - data.count)
            + [vendor, 0, goesOn ? 1 : 0]
    }

    private static func decoded(_ configuration: HIDPointOfSale.Configuration = .init(), _ reports: [UInt8]...) -> Decoded {
        var decoded = Decoded(.hidPointOfSale(configuration))
        for report in reports { decoded.feed(bytes: report) }
        return decoded
    }

    private static let answerStart = Array("Product Name: Voyager 1602g\r\nBoot Revision: : 8992\r\nSoft".utf8)

    @Test func publishedAnswersOfAVoyager1602g() {
        // python_hon_usbhid: first and last report of the answer to REVINF, then the acknowledgement.
        let decoded = Self.decoded(
            .init(answers: ["]Z", "]X0"]), Self.report("]X0", Self.answerStart, vendor: 0x3F, goesOn: true),
            Self.report("]X0", Array("um: N/A\r\n".utf8), vendor: 0x3F),
            Self.report("]Z6", Array("REVINF\u{6}.".utf8), vendor: 0x36))
        #expect(decoded.batch.readings.isEmpty)
        #expect(decoded.batch.rejects.total == 0)
        #expect(
            decoded.batch.signals == [
                .answer(Array("]X0".utf8) + Self.answerStart + Array("um: N/A\r\n".utf8)), .answer(Array("]Z6REVINF\u{6}.".utf8)),
            ])
    }

    @Test func scansOfSeveralReports() {
        let first = Array("M1GATHERGOOD/MICHAEL  EXYZ123 LHRJFKBA 0175 326J001A0025".utf8)
        let decoded = Self.decoded(
            .init(), Self.report("]Q0", first, vendor: 0x73, goesOn: true), Self.report("]Q0", Array(" 100".utf8), vendor: 0x73))
        #expect(first.count == 56)
        #expect(decoded.texts == ["]Q0" + String(decoding: first, as: UTF8.self) + " 100"])
    }

    @Test func newland() {
        let report: [UInt8] = [2, 5] + Array("12345".utf8) + [UInt8](repeating: 0, count: 57)
        #expect(Self.decoded(.init(layout: .newland), report).texts == ["12345"])
        let prefixed: [UInt8] = [2, 8] + Array("]C110ABC".utf8) + [UInt8](repeating: 0, count: 54)
        #expect(Self.decoded(.init(layout: .newland), prefixed).texts == ["]C110ABC"])
        #expect(Self.decoded(.init(layout: .newland, text: TextRule(aim: .required)), report).rejects == ["malformed": 1])
        let full: [UInt8] = [2, 56] + [UInt8](repeating: 0x37, count: 56) + [0, 0, 0, 0, 3, 1]
        let decoded = Self.decoded(.init(layout: .newland), full, report)
        #expect(decoded.texts == [String(repeating: "7", count: 56) + "12345"])
    }

    @Test func shifted() {
        let report: [UInt8] = [2, 3, 0] + Array("]C1ABC".utf8) + [UInt8](repeating: 0, count: 55)
        #expect(Self.decoded(.init(layout: .shifted), report).texts == ["]C1ABC"])
        // Under another layout it is no scan; the device says so once.
        let decoded = Self.decoded(.init(), report, report, Self.report("]E0", Array("4006381333931".utf8)))
        #expect(decoded.texts == ["]E04006381333931"])
        #expect(decoded.rejects == ["malformed": 2])
        #expect(
            decoded.batch.signals == [
                .fault(code: 0, meaning: "reports have the layout shifted, the profile says standard", isTransient: false)
            ])
        let other = Self.decoded(.init(layout: .newland), Self.report("]E0", Array("4006381333931".utf8)))
        #expect(other.texts.isEmpty && other.batch.signals.count == 1)
    }

    @Test func withoutAnIdentifier() throws {
        let report = Self.report("", Array("ABC".utf8), vendor: 0x49)
        #expect(Self.decoded(.init(), report).texts == ["ABC"])
        #expect(Self.decoded(.init(text: TextRule(aim: .required)), report).rejects == ["malformed": 1])
        let identifier = try #require(AIMIdentifier("]C1"))
        #expect(Self.decoded(.init(text: TextRule(codeIDs: [[0x49]: identifier])), report).texts == ["]C1ABC"])
        #expect(Self.decoded(.init(), Self.report("]C1", [])).batch.readings.isEmpty)
    }

    @Test func aLostReportTimesOut() {
        var decoded = Self.decoded(.init(), Self.report("]Q1", [0x41], goesOn: true))
        decoded.wait(.milliseconds(199))
        #expect(decoded.batch.rejects.total == 0)
        decoded.wait(.milliseconds(1))
        #expect(decoded.rejects == ["incomplete": 1])
        decoded.feed(bytes: Self.report("]Q1", [0x42]))
        #expect(decoded.texts == ["]Q1B"])
        // Another code begins before the end of the one before.
        decoded.feed(bytes: Self.report("]Q1", [0x43], goesOn: true) + Self.report("]E0", Array("4006381333931".utf8)))
        #expect(decoded.texts.last == "]E04006381333931")
        #expect(decoded.rejects == ["incomplete": 2])
        // After lost input the rest of a scan is no scan.
        decoded.decoder.inputLost(at: decoded.now, into: &decoded.batch)
        decoded.feed(bytes: Self.report("]Q1", [0x44]))
        #expect(decoded.rejects == ["incomplete": 3])
    }

    @Test func theLengthIsBounded() {
        var decoded = Self.decoded()
        for _ in 0..<1_000 { decoded.feed(bytes: Self.report("]Q1", [UInt8](repeating: 0x37, count: 56), goesOn: true)) }
        decoded.feed(bytes: Self.report("]Q1", [0x37]) + Self.report("]Q1", [0x41]))
        #expect(decoded.texts == ["]Q1A"])
        #expect(decoded.rejects == ["tooLong": 1])
    }

    @Test func otherLengths() {
        let long = Array("0123456789".utf8)
        #expect(Self.decoded(.init(reportBytes: 32), Self.report("]C0", long, length: 32)).texts == ["]C00123456789"])
    }

    @Test func badges() {
        let rule = TextRule(output: .badge(.init(notation: .hexadecimal, byteCount: 4)))
        #expect(Self.decoded(.init(text: rule), Self.report("", Array("004A9939".utf8))).badges == ["0004888889"])
    }

    /// Any reports: nothing traps, what is read is what stands in the report.
    @Test(arguments: HIDPointOfSale.Layout.allCases, [81, 82] as [UInt64])
    func anyReportsAreSurvived(layout: HIDPointOfSale.Layout, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var decoded = Decoded(.hidPointOfSale(.init(layout: layout)))
        for round in 0..<3_000 {
            var report = Self.report(
                ["", "]E0", "]Q1", "]Z6"].randomElement(using: &generator) ?? "",
                (0..<Int.random(in: 0...56, using: &generator)).map { _ in .random(in: 0x20...0x7E, using: &generator) },
                goesOn: .random(using: &generator))
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                report[Int.random(in: 0..<64, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            decoded.feed(bytes: Array(report.prefix(Bool.random(using: &generator) ? 64 : .random(in: 0...64, using: &generator))))
            if round.isMultiple(of: 7) { decoded.wait(.milliseconds(.random(in: 0...300, using: &generator))) }
            for scan in decoded.scans { #expect(scan.data.count <= Scan.maximumLength, "seed \(seed)") }
            decoded.batch.removeAll()
        }
        decoded.wait(.seconds(1))
        decoded.batch.removeAll()
        let good: [UInt8] =
            switch layout {
            case .standard: Self.report("", [0x41])
            case .shifted: [2, 1, 0, 0x5D, 0x45, 0x30, 0x41] + [UInt8](repeating: 0, count: 57)
            case .newland: [2, 1, 0x41] + [UInt8](repeating: 0, count: 61)
            }
        decoded.feed(bytes: good)
        #expect(decoded.scans.map(\.data) == [[0x41]], "seed \(seed)")
    }
}

@Suite("HID report descriptors")
struct HIDReportDescriptorTests {
    /// The boot keyboard of the Device Class Definition for HID 1.11, appendix B.1.
    private static let keyboard = """
        05 01 09 06 A1 01 05 07 19 E0 29 E7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 01 95 05 75 01 05 08 19 01 29 05 91 02 95 01
        75 03 91 01 95 06 75 08 15 00 25 65 05 07 19 00 29 65 81 00 C0
        """.replacing("\n", with: " ")
    /// The boot mouse of appendix B.2.
    private static let mouse = """
        05 01 09 02 A1 01 09 01 A1 00 05 09 19 01 29 03 15 00 25 01 95 03 75 01 81 02 95 01 75 05 81 01 05 01 09 30 09 31 15 81 25 7F
        75 08 95 02 81 06 C0 C0
        """.replacing("\n", with: " ")
    /// A bar code scanner: report 2 of 63 bytes in, report 4 of 63 bytes out.
    private static let scanner = "05 8C 09 02 A1 01 85 02 09 12 A1 02 75 08 95 3F 81 02 C0 85 04 09 00 75 08 95 3F 91 02 C0"

    private static func descriptor(_ hex: String) -> HIDReportDescriptor { HIDReportDescriptor(Hex.bytes(hex) ?? []) }

    @Test func theKeyboardAndTheMouseOfTheStandard() throws {
        let keyboard = Self.descriptor(Self.keyboard)
        #expect(keyboard.usageText == "0001:0006")
        let report = try #require(keyboard.applications.first?.reports.first)
        #expect(keyboard.applications.count == 1 && keyboard.applications.first?.reports.count == 1)
        #expect(report.id == 0 && report.inputBytes == 8 && report.outputBytes == 1 && report.featureBits == 0)
        let mouse = Self.descriptor(Self.mouse)
        #expect(mouse.usageText == "0001:0002")
        #expect(mouse.applications.first?.reports.first?.inputBytes == 3)
    }

    @Test func aScanner() {
        let scanner = Self.descriptor(Self.scanner)
        #expect(scanner.usageText == "008c:0002")
        #expect(scanner.applications.first?.reports.map(\.id) == [2, 4])
        #expect(scanner.applications.first?.reports.map(\.inputBytes) == [64, 0])
        #expect(scanner.applications.first?.reports.map(\.outputBytes) == [0, 64])
    }

    @Test func severalApplications() {
        let both = Self.descriptor(Self.keyboard + " " + Self.scanner)
        #expect(both.applications.map(\.usagePage) == [0x01, 0x8C])
        #expect(both.usageText == "0001:0006")
        // Page and usage in one item, and a long item before.
        #expect(Self.descriptor("FE 02 10 AA BB 0B 02 00 8C 00 A1 01 C0").usageText == "008c:0002")
        // Push and pop keep the page.
        #expect(Self.descriptor("05 8C A4 05 01 B4 09 02 A1 01 C0").usageText == "008c:0002")
        // A collection that is no application.
        #expect(Self.descriptor("05 8C 09 02 A1 00 C0").usageText == nil)
        #expect(Self.descriptor("").applications.isEmpty)
    }

    @Test(arguments: [91, 92, 93] as [UInt64])
    func anyBytesAreSurvived(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let good = Hex.bytes(Self.keyboard + " " + Self.scanner) ?? []
        for _ in 0..<5_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 0...10, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let descriptor = HIDReportDescriptor(bytes.prefix(.random(in: 0...bytes.count, using: &generator)))
            #expect(descriptor.applications.count <= 64)
            let random = HIDReportDescriptor((0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) })
            #expect(random.applications.allSatisfy { $0.reports.count <= 256 }, "seed \(seed)")
        }
        // As deep, as many and as long as they can be.
        for hex in ["A1 01", "A4", "05 8C 09 02 A1 01 C0", "75 FF 96 FF FF 81 02", "85 01 81 02"] {
            let piece = Hex.bytes(hex) ?? []
            _ = HIDReportDescriptor((0..<100_000).lazy.map { piece[$0 % piece.count] })
        }
    }
}
