import Identifiers
import Readings
import Simulation
import Testing

@Suite("A bench with two scanners")
struct ScanRunTests {
    private func scan(_ line: Capture.Line) -> Scan? {
        if case .scan(let scan) = line.content { scan } else { nil }
    }

    private func code(_ line: Capture.Line) -> String? { scan(line).map { String(decoding: $0.data, as: UTF8.self) } }

    @Test("The same seed gives the same lines, another one does not")
    func deterministic() {
        let (run, again, other) = (ScanRun(seed: 7), ScanRun(seed: 7), ScanRun(seed: 8))
        #expect(run.lines == again.lines && run.truth == again.truth)
        #expect(run.lines != other.lines)
    }

    @Test(
        "Decodes of one hold are 50 to 200 ms apart, and what was meant is at least 200 ms from it",
        arguments: 1...20 as ClosedRange<UInt64>)
    func decodes(seed: UInt64) {
        let run = ScanRun(seed: seed)
        #expect(run.truth.scans.count >= run.settings.scans)
        #expect(zip(run.lines, run.lines.dropFirst()).allSatisfy { $0.time <= $1.time })
        for device in ScanRun.devices {
            let lines = run.lines.filter { $0.device == device }
            let meant = run.truth.scans.filter { $0.device == device }
            let starts = Set(meant.map(\.time))
            #expect(starts.count == meant.count && starts.isSubset(of: Set(lines.map(\.time))))
            #expect(lines.first.map { starts.contains($0.time) } == true)
            for (line, next) in zip(lines, lines.dropFirst()) {
                let gap = next.time - line.time
                if !starts.contains(next.time) {
                    // One nanosecond for rounding.
                    #expect(gap >= .milliseconds(50) || gap.nanoseconds >= 49_999_999)
                    #expect(gap.nanoseconds <= 200_000_001 && scan(next) == scan(line))
                } else if scan(next) == scan(line) {
                    #expect(gap.nanoseconds >= 699_999_999)
                } else {
                    #expect(gap.nanoseconds >= 199_999_999)
                }
            }
            // Each is held for 1.5 s at most.
            for (scan, next) in zip(meant, meant.dropFirst()) {
                let own = lines.filter { $0.time >= scan.time && $0.time < next.time }
                #expect(own.allSatisfy { code($0) == scan.code && $0.time - scan.time <= .milliseconds(1_500) })
            }
        }
    }

    @Test("Codes are scanned twice on purpose, and by both within a second; scanners take turns")
    func purposes() {
        let scans = ScanRun(seed: 1).truth.scans
        let byDevice = Dictionary(grouping: scans, by: \.device)
        let twice = byDevice.values.reduce(0) { $0 + zip($1, $1.dropFirst()).count { $0.code == $1.code } }
        let both = zip(scans, scans.dropFirst()).count { $0.code == $1.code && $0.device != $1.device && $1.time - $0.time < .seconds(1) }
        #expect(byDevice.count == 2 && twice >= 5 && both >= 3)
        #expect(zip(scans, scans.dropFirst()).count { $0.device != $1.device } > scans.count / 4)
    }

    @Test("Codes are what they say: GS1-128 with a logistic unit, and places")
    func codes() {
        for line in ScanRun(seed: 3).lines {
            guard let scan = scan(line), let code = code(line) else {
                Issue.record("not a scan")
                return
            }
            if scan.symbology?.description == "]C1" {
                #expect(code.hasPrefix("00") && code.count == 20 && CheckDigit.isValid(String(code.dropFirst(2))))
            } else {
                #expect(scan.symbology?.description == "]C0" && code.hasPrefix("A-"))
            }
        }
    }

    @Test("Truth is written and read back")
    func truth() throws {
        let truth = ScanRun(seed: 4).truth
        #expect(try Truth(lines: truth.lines.map(\.canonicalBytes)) == truth)
        #expect(throws: TruthError.self) {
            try Truth(lines: [#"{"truth":1}"#, #"{"t":1,"kind":"scan","code":"A"}"#].map { Array($0.utf8) })
        }
    }
}
