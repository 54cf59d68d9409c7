import Foundation
import Identifiers
import Readings
import TestSupport
import Testing

@testable import Presence

/// The bars on published reads, with the one set of constants that the types have. The figures are printed.
@Suite("Real reads", .enabled(if: RealReads.arePresent, "STOCKGATE_VECTORS is not set"))
struct RealReadsTests {
    private func isStatic(_ trace: RealReads.Trace) -> Bool { trace.file.contains("static") }

    private func percent(_ part: Int, _ whole: Int) -> String { CabinetScore.percent(part, whole) }

    // MARK: Passes

    @Test("Passes are counted with a mean absolute error of at most 15 % per file and tag")
    func passes() {
        var errors: [Double] = []
        for trace in RealReads.moved {
            guard let truth = RealReads.passes[trace.file]?[trace.epc.hex.lowercased()] else { continue }
            var counter = MotionPassCounter()
            for (at, read) in trace.reads {
                _ = counter.advance(to: at)
                _ = counter.observe(read, at: at)
            }
            _ = counter.finish()
            errors.append(Double(abs(counter.count - truth)) / Double(truth))
            print("passes, \(trace.file) \(trace.epc.hex.prefix(4)): \(counter.count) of \(truth)")
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
        // The place of the windows is chance: every trace is tried at five.
        for trace in RealReads.moved {
            var (right, windows) = (0, 0)
            for shift in stride(from: Int64(0), to: 2_000, by: 400) {
                var test = MotionTest(windowsFrom: trace.reads[0].at + .milliseconds(-shift))
                var verdicts: [MotionTest.Verdict] = []
                for (at, read) in trace.reads { if let verdict = test.observe(read, at: at) { verdicts.append(verdict) } }
                if let verdict = test.finishWindow() { verdicts.append(verdict) }
                windows += verdicts.count
                right += verdicts.count { $0 == (isStatic(trace) ? .still : .moving) }
            }
            if isStatic(trace) { still += right; stillWindows += windows } else { moving += right; movingWindows += windows }
            print("motion, \(trace.file) \(trace.epc.hex.prefix(4)): \(percent(right, windows)) of \(windows)")
        }
        print(
            "motion: still \(percent(still, stillWindows)) of \(stillWindows), moving \(percent(moving, movingWindows)) of \(movingWindows)"
        )
        #expect(Double(still) >= 0.995 * Double(stillWindows))
        #expect(Double(moving) >= 0.96 * Double(movingWindows))
    }

    // MARK: Stays

    private func run(_ trace: RealReads.Trace, until cut: Instant? = nil) -> (events: [DwellEvent], decided: [Instant]) {
        var presence = DwellPresence()
        var (events, decided): ([DwellEvent], [Instant]) = ([], [])
        func collect(_ new: [DwellEvent], at now: Instant) {
            events += new
            decided += new.map { _ in now }
        }
        for (at, read) in trace.reads {
            if let cut, at > cut { break }
            while let deadline = presence.nextDeadline, deadline <= at { collect(presence.advance(to: deadline), at: deadline) }
            collect(presence.observe(read, at: at), at: at)
        }
        if cut != nil {
            let end = (cut ?? .zero) + .seconds(1_000)
            while let deadline = presence.nextDeadline, deadline <= end {
                collect(presence.advance(to: deadline), at: deadline)
            }
        }
        return (events, decided)
    }

    @Test("A tag that lies still near a reader makes at most 4 stays and no business event")
    func stray() {
        for trace in RealReads.moved where isStatic(trace) {
            let events = run(trace).events
            let stays = events.count { $0.kind == .noticed }
            let business = events.count { $0.isBusiness }
            print("stray, \(trace.file) \(trace.epc.hex.prefix(4)), \(trace.seconds) s: \(stays) stays, \(business) events")
            #expect(stays <= 4)
            #expect(business == 0)
        }
    }

    @Test("A tag on a body that never leaves departs at most 3 times an hour; when it does leave, that is seen within 60 s")
    func worn() {
        var (departures, finals, hours) = (0, 0, 0.0)
        var delays: [Double] = []
        var absent = 0
        for (number, trace) in RealReads.worn.enumerated() {
            hours += trace.seconds / 3_600
            let ends = run(trace).events.filter { [.departed, .lost, .passed].contains($0.kind) }
            finals += ends.count { $0.certainty == .final }
            // A stay that nobody heard of ends at once for good when its time-out is the longest.
            departures += Set(ends.map(\.last)).count
            var random = SeededGenerator(seed: UInt64(number))
            for _ in 0..<20 {
                let span = (trace.reads.last!.at - trace.reads[0].at).nanoseconds
                let cut = trace.reads[0].at + .init(nanoseconds: Int64.random(in: 0..<span, using: &random))
                let (events, decided) = run(trace, until: cut)
                // The first word of the end of the last stay: the provisional one, unless there was none.
                guard let last = events.last(where: { [.departed, .lost, .passed].contains($0.kind) }),
                    let word = events.firstIndex(where: { $0.last == last.last && $0.kind == last.kind }), decided[word] >= cut
                else {
                    absent += 1
                    continue
                }
                delays.append(Double((decided[word] - cut).milliseconds) / 1_000)
            }
        }
        delays.sort()
        let rate = (Double(departures) / hours).thousandths
        let (p50, p95) = (delays[delays.count / 2], delays[min(delays.count - 1, delays.count * 95 / 100)])
        print(
            "worn: \(departures) false departures in \(hours.thousandths) h, \(rate) per hour, \(finals) of them not taken back; ",
            terminator: "")
        print(
            "true departures seen after p50 \(p50) s, p95 \(p95) s, longest \(delays.last!) s of \(delays.count); \(absent) while absent"
        )
        #expect(rate <= 3)
        #expect(p95 <= 60)
    }

    @Test("False departures of half of the trials, and of rooms that lack one antenna: printed, for no constant was chosen on them")
    func wornInOtherRooms() {
        func show(_ name: String, _ traces: [RealReads.Trace]) {
            var (departures, finals, hours) = (0, 0, 0.0)
            for trace in traces where trace.reads.count > 1 {
                hours += trace.seconds / 3_600
                let ends = run(trace).events.filter { [.departed, .lost, .passed].contains($0.kind) }
                departures += Set(ends.map(\.last)).count
                finals += ends.count { $0.certainty == .final }
            }
            print("worn, \(name): \((Double(departures) / hours).thousandths) per hour, \(finals) of \(departures) not taken back")
            #expect(finals * 2 <= departures)
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
