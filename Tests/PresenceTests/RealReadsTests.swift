import Foundation
import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

/// The bars on published reads, with the one set of constants that the types have. The figures are printed.
@Suite("Real reads", .enabled(if: RealReads.arePresent, "STOCKGATE_VECTORS is not set"))
struct RealReadsTests {
    private func percent(_ part: Int, _ whole: Int) -> String { CabinetScore.percent(part, whole) }

    // MARK: Passes

    @Test("Passes are counted with a mean absolute error of at most 15 % per file and tag")
    func passes() {
        var errors: [Double] = []
        for trace in RealReads.moved {
            guard let (counted, truth) = RealFigures.passes(trace) else { continue }
            errors.append(Double(abs(counted - truth)) / Double(truth))
            print("passes, \(trace.file) \(trace.epc.hex.prefix(4)): \(counted) of \(truth)")
        }
        let mean = errors.reduce(0, +) / Double(errors.count)
        print("passes: mean absolute error \((mean * 100).thousandths) % over \(errors.count) pairs of file and tag")
        #expect(errors.count >= 9)
        #expect(mean <= 0.15)
    }

    // MARK: Still or moving

    @Test("Windows of 2 s: of tags that lie still 99.5 % are still, of tags that are moved 96 % moving")
    func motion() {
        var (still, stillWindows, moving, movingWindows) = (0, 0, 0, 0)
        for trace in RealReads.moved {
            let (right, windows) = RealFigures.motion(trace)
            if RealFigures.isStill(trace) { still += right; stillWindows += windows } else { moving += right; movingWindows += windows }
            print("motion, \(trace.file) \(trace.epc.hex.prefix(4)): \(percent(right, windows)) of \(windows)")
        }
        print(
            "motion: still \(percent(still, stillWindows)) of \(stillWindows), moving \(percent(moving, movingWindows)) of \(movingWindows)"
        )
        #expect(Double(still) >= 0.995 * Double(stillWindows))
        #expect(Double(moving) >= 0.96 * Double(movingWindows))
    }

    // MARK: Stays

    @Test("A tag that lies still near a reader makes at most 4 stays and no business event")
    func stray() {
        for trace in RealReads.moved where RealFigures.isStill(trace) {
            let (stays, business) = RealFigures.stray(trace)
            print("stray, \(trace.file) \(trace.epc.hex.prefix(4)), \(trace.seconds) s: \(stays) stays, \(business) events")
            #expect(stays <= 4)
            #expect(business == 0)
        }
    }

    @Test("A tag on a body that never leaves departs at most 3 times an hour; when it does leave, that is seen within 60 s")
    func worn() {
        var worn = RealFigures.Worn()
        for (number, trace) in RealReads.worn.enumerated() { worn.add(RealFigures.worn(trace, seed: UInt64(number))) }
        let (p50, p95) = (worn.delay(percentile: 50), worn.delay(percentile: 95))
        let rate = worn.rate.thousandths
        print(
            "worn: \(worn.departures) false departures in \(worn.hours.thousandths) h, \(rate) per hour, \(worn.finals) of them not taken "
                + "back; true departures seen after p50 \(p50) s, p95 \(p95) s, longest \(worn.delays.max()!) s of \(worn.delays.count); "
                + "\(worn.absent) while absent")
        #expect(rate <= 3)
        #expect(p95 <= 60)
    }

    @Test("False departures of half of the trials, and of rooms that lack one antenna: printed, for no constant was chosen on them")
    func wornInOtherRooms() {
        func show(_ name: String, _ traces: [RealReads.Trace]) {
            var worn = RealFigures.Worn()
            for trace in traces where trace.reads.count > 1 { worn.add(RealFigures.worn(trace, cuts: 0, seed: 0)) }
            print("worn, \(name): \(worn.rate.thousandths) per hour, \(worn.finals) of \(worn.departures) not taken back")
            #expect(worn.finals * 2 <= worn.departures)
        }
        let worn = RealReads.worn
        show("even trials", worn.indices.filter { $0 % 2 == 1 }.map { worn[$0] })
        show("odd trials", worn.indices.filter { $0 % 2 == 0 }.map { worn[$0] })
        for antenna in UInt8(1)...4 {
            show(
                "without antenna \(antenna)",
                worn.map { RealReads.Trace(file: $0.file, epc: $0.epc, reads: $0.reads.filter { $0.read.antenna != antenna }) })
        }
    }
}
