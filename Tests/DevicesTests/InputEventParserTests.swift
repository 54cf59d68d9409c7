import CLinux
import Readings
import TestSupport
import Testing

@testable import Devices

@Suite struct InputEventParserTests {
    private typealias Record = InputEventParser.Record

    private func parse(_ bytes: [UInt8], cutAt cuts: [Int] = []) -> [InputEventParser.Record] {
        var parser = InputEventParser()
        var records: [InputEventParser.Record] = []
        var start = 0
        for cut in cuts + [bytes.count] {
            Array(bytes[start..<cut]).withUnsafeBytes { parser.parse($0) { records.append($0) } }
            start = cut
        }
        return records
    }

    private func record(_ type: UInt16, _ code: UInt16, _ value: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: clinux_input_event_size())
        clinux_make_input_event(clinux_input_event(type: type, code: code, value: value), &bytes)
        return bytes
    }

    /// The first three records of a recording of a real USB keyboard (umockdev project, usbkbd): scan code 0x70004, KEY_A pressed,
    /// report; 24 bytes each, with 64-bit time stamps.
    @Test func readsARecordingOfAKeyboard() throws {
        let recording: [UInt8] = [
            0xA3, 0x49, 0xE6, 0x51, 0, 0, 0, 0, 0x3D, 0x6E, 0x0B, 0, 0, 0, 0, 0, 0x04, 0x00, 0x04, 0x00, 0x04, 0x00, 0x07, 0x00,
            0xA3, 0x49, 0xE6, 0x51, 0, 0, 0, 0, 0x3D, 0x6E, 0x0B, 0, 0, 0, 0, 0, 0x01, 0x00, 0x1E, 0x00, 0x01, 0x00, 0x00, 0x00,
            0xA3, 0x49, 0xE6, 0x51, 0, 0, 0, 0, 0x3D, 0x6E, 0x0B, 0, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        ]
        try #require(clinux_input_event_size() == 24)
        #expect(parse(recording) == [.key(code: 30, value: 1)])
        for cut in 0...recording.count { #expect(parse(recording, cutAt: [cut]) == [.key(code: 30, value: 1)], "cut at \(cut)") }
        #expect(parse(recording, cutAt: Array(1..<recording.count)) == [.key(code: 30, value: 1)])
    }

    @Test func passesOnPressReleaseAndRepeat() {
        let bytes = record(1, 28, 1) + record(1, 28, 2) + record(1, 28, 0)
        #expect(parse(bytes) == [.key(code: 28, value: 1), .key(code: 28, value: 2), .key(code: 28, value: 0)])
    }

    /// linux/Documentation/input/event-codes.rst: after SYN_DROPPED, everything up to and including the next SYN_REPORT is ignored.
    @Test func reportsAnOverrunOnceAndSkipsItsRest() {
        let bytes = record(1, 30, 1) + record(0, 3, 0) + record(1, 31, 1) + record(0, 0, 0) + record(1, 32, 1)
        #expect(parse(bytes) == [.key(code: 30, value: 1), .overrun, .key(code: 32, value: 1)])
    }

    @Test func skipsWhatIsNoKey() {
        #expect(parse(record(2, 0, 5) + record(4, 4, 458_756) + record(17, 1, 1) + record(0, 0, 0)) == [])
    }

    @Test func survivesAnyBytesHoweverTheyAreCut() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...500, using: &generator)).map { _ in UInt8.random(in: 0...3, using: &generator) }
            let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            #expect(parse(bytes, cutAt: cuts) == parse(bytes), "seed \(seed)")
        }
    }
}
