import Decoding
import DeviceSimulators
import Foundation
import Identifiers
import Profiles
import Readings
import TestSupport
import Testing

/// The shipped profiles of scanners against scanners that speak their protocols: started, scanned with, told to beep, let go.
@Suite("Simulated scanners and their profiles")
struct ScannerSimulatorTests {
    private static let library = ProfileLibrary(directories: [
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("DeviceProfiles").path
    ])

    /// A session and a scanner, joined byte by byte in both directions.
    struct Bench<Scanner: SimulatedDevice> {
        var session: any DeviceSteering
        var scanner: Scanner
        var now = Instant.zero
        var readings: [Reading] = []
        var failure: SessionFailure?
        /// Bytes that are cut off on their way, as many as are counted here.
        var lostToScanner = 0

        init(_ id: String, _ scanner: Scanner) throws {
            let profile = try #require(library[id])
            session = try profile.program().makeSession()
            self.scanner = scanner
            var output = SessionOutput()
            session.opened(at: now, into: &output)
            settle(&output)
        }

        /// Carries bytes to and fro until both are silent.
        mutating func settle(_ output: inout SessionOutput) {
            for _ in 0..<100 {
                readings += output.batch.readings
                failure = failure ?? output.failure
                let sent = output.transmissions
                output.removeAll()
                var answers: [[UInt8]] = []
                for bytes in sent {
                    if lostToScanner > 0 {
                        lostToScanner -= 1
                        continue
                    }
                    answers += scanner.receive(bytes, at: now)
                }
                if answers.isEmpty { return }
                deliver(answers, into: &output)
            }
            Issue.record("the two talk without end")
        }

        private mutating func deliver(_ writes: [[UInt8]], into output: inout SessionOutput) {
            for write in writes {
                for byte in write { [byte].withUnsafeBytes { session.receive($0, at: now, into: &output) } }
            }
        }

        mutating func scan(_ text: String, aim: String = "") {
            var output = SessionOutput()
            deliver(scanner.perform(.scan(Array((aim + text).utf8)), at: now) ?? [], into: &output)
            settle(&output)
        }

        mutating func send(_ writes: [[UInt8]]) {
            var output = SessionOutput()
            deliver(writes, into: &output)
            settle(&output)
        }

        mutating func wait(_ span: Instant.Span) {
            let end = now + span
            var output = SessionOutput()
            while let due = [session.nextDeadline, scanner.nextDeadline].compactMap(\.self).min(), due <= end {
                now = max(now, due)
                if let deadline = session.nextDeadline, deadline <= now { session.advance(to: now, into: &output) }
                if let deadline = scanner.nextDeadline, deadline <= now { deliver(scanner.advance(to: now), into: &output) }
                settle(&output)
            }
            now = end
        }

        mutating func give(_ kind: Feedback) -> Bool {
            var output = SessionOutput()
            let isGiven = session.give(kind, at: now, into: &output)
            settle(&output)
            return isGiven
        }

        mutating func release() {
            var output = SessionOutput()
            session.release(at: now, into: &output)
            settle(&output)
        }

        var texts: [String] {
            readings.compactMap { reading in
                guard case .scan(let scan) = reading else { return nil }
                return (scan.symbology?.description ?? "") + String(decoding: scan.data, as: UTF8.self)
            }
        }
    }

    @Test func aHoneywellScannerOnALine() throws {
        var bench = try Bench("honeywell/cdc-scanner", SerialScannerDevice())
        bench.wait(.seconds(1))
        #expect(bench.session.state == .reading && bench.session.skippedSteps == [])
        #expect(bench.session.stepAnswers["settings of Codabar"] != nil)
        bench.scan("4006381333931", aim: "]E0")
        bench.scan("10ABC\u{1D}17251231", aim: "]C1")
        #expect(bench.texts == ["]E04006381333931", "]C110ABC\u{1D}17251231"])
        let isGiven = bench.give(.refused)
        #expect(isGiven)
        bench.wait(.seconds(1))
        #expect(bench.scanner.beeps == 2)
        #expect(bench.session.counters.rejects.total == 0)
    }

    @Test func anSSIScanner() throws {
        var bench = try Bench("zebra/ssi", SSIScannerDevice())
        #expect(bench.session.isInitialised && bench.failure == nil)
        #expect(bench.session.stepAnswers["revision"] != nil)
        bench.scan("4006381333931", aim: "]E0")
        bench.scan(String(repeating: "7", count: 600), aim: "]Q1")
        #expect(bench.texts == ["]E04006381333931", "]Q1" + String(repeating: "7", count: 600)])
        #expect(bench.scanner.acknowledged == 4 && bench.scanner.nextDeadline == nil)
        // An acknowledgement is lost: the scanner repeats its packet, and the code is read once.
        bench.lostToScanner = 1
        bench.scan("4006381333931", aim: "]E0")
        #expect(bench.scanner.nextDeadline != nil)
        bench.wait(.seconds(3))
        #expect(bench.scanner.nextDeadline == nil && bench.scanner.givenUp == 0)
        #expect(bench.texts.count == 3)
        #expect(bench.session.counters.rejects[.duplicate] == 1)
        let given = [bench.give(.accepted), bench.give(.exception)]
        #expect(given == [true, true])
        #expect(bench.scanner.beeps == [0x00, 0x0F])
    }

    @Test func aDamagedSSIPacketIsSentAgain() throws {
        var bench = try Bench("zebra/ssi", SSIScannerDevice())
        var packet = try #require(bench.scanner.perform(.scan(Array("]C0SHELF".utf8)), at: bench.now)?.first)
        packet[6] ^= 0x20
        bench.send([packet])
        #expect(bench.texts == ["]C0SHELF"])
        #expect(bench.scanner.acknowledged == 1)
    }

    @Test func aGM65Module() throws {
        var bench = try Bench("grow/gm65", GM65Device())
        #expect(bench.session.isInitialised)
        #expect(bench.session.stepAnswers["line speed"].map { Array($0[4...5]) } == [0x39, 0x01])
        bench.scan("6901234567892")
        // Its owner turns identifiers on while scans come.
        bench.send(bench.scanner.receive(Hex.bytes("7E 00 08 01 00 D0 80 F0 36") ?? [], at: bench.now))
        bench.scan("4006381333931", aim: "]E0")
        #expect(bench.texts == ["6901234567892", "]E04006381333931"])
        #expect(bench.session.counters.rejects.total == 0)
    }

    @Test func aHIDScanner() throws {
        #expect(HIDReportDescriptor(HIDPointOfSaleDevice.descriptor).usageText == "008c:0002")
        var bench = try Bench("honeywell/hid-pos", HIDPointOfSaleDevice())
        #expect(bench.session.isInitialised)
        #expect(bench.session.stepAnswers["revision"] != nil)
        bench.scan("4006381333931", aim: "]E0")
        bench.scan(String(repeating: "x", count: 500), aim: "]Q1")
        #expect(bench.texts == ["]E04006381333931", "]Q1" + String(repeating: "x", count: 500)])
        let isGiven = bench.give(.accepted)
        #expect(isGiven)
        #expect(bench.scanner.beeps == 1)
        #expect(bench.session.counters.rejects.total == 0)
    }

    @Test func aKeyenceReaderWithATrigger() throws {
        var bench = try Bench("keyence/sr", KeyenceReaderDevice())
        #expect(bench.session.isInitialised)
        bench.scan("010950600013435210ABC", aim: "]d2")
        #expect(bench.texts == ["]d2010950600013435210ABC"])
    }

    @Test func aKeyenceReaderThatIsToldToRead() throws {
        var bench = try Bench("keyence/sr-continuous", KeyenceReaderDevice(hasTrigger: false))
        #expect(bench.session.isInitialised)
        bench.scan("4006381333931", aim: "]E0")
        bench.wait(.seconds(60))
        // Nothing was there for a minute: it looked all the time, and said so.
        #expect(bench.session.state == .reading)
        #expect((25...31).contains(bench.session.counters.noReads))
        #expect(bench.session.counters.watchdogFires == 0)
        bench.scan("96385074", aim: "]E4")
        #expect(bench.texts == ["]E04006381333931", "]E496385074"])
        bench.release()
        bench.scan("4006381333931", aim: "]E0")
        #expect(bench.texts.count == 2)
    }

    @Test func aDataManReader() throws {
        var bench = try Bench("cognex/dataman", DataManDevice(heartbeat: .seconds(5)))
        #expect(bench.session.isInitialised)
        #expect(bench.session.stepAnswers["model"].map { String(decoding: $0, as: UTF8.self) } == "||0:2[0]DM370")
        bench.scan("4006381333931", aim: "]E0")
        bench.send(bench.scanner.fail())
        bench.wait(.seconds(21))
        #expect(bench.texts == ["]E04006381333931"])
        #expect(bench.session.counters.noReads == 1)
        #expect(bench.session.counters.rejects.total == 0)
    }

    @Test func aSICKScanner() throws {
        var bench = try Bench("sick/cola", SICKScannerDevice())
        #expect(bench.session.isInitialised && bench.scanner.isGateOpen)
        bench.scan("4006381333931", aim: "]E0")
        bench.send(bench.scanner.fail() + bench.scanner.beat())
        #expect(bench.texts == ["]E04006381333931"])
        #expect(bench.session.counters.noReads == 1 && bench.session.counters.rejects.total == 0)
        bench.release()
        #expect(!bench.scanner.isGateOpen)
    }

    /// Any bytes to any simulated scanner: they answer or not, and hold no more than a bounded text.
    @Test(arguments: [101, 102] as [UInt64])
    func anyCommandsAreSurvived(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var scanners: [any SimulatedDevice] = [
            SerialScannerDevice(), SSIScannerDevice(), GM65Device(), KeyenceReaderDevice(), DataManDevice(), SICKScannerDevice(),
            HIDPointOfSaleDevice(),
        ]
        for round in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                [0x02, 0x03, 0x0D, 0x16, 0x7E, 0x00, 0x04, 0xFD, UInt8.random(in: 0...255, using: &generator)].randomElement(
                    using: &generator) ?? 0
            }
            for index in scanners.indices {
                _ = scanners[index].receive(bytes, at: Instant(nanoseconds: Int64(round)))
                _ = scanners[index].advance(to: Instant(nanoseconds: Int64(round)))
            }
        }
    }
}
