import Foundation
import Identifiers
import Readings
import TestSupport

@testable import Presence

/// What the published reads show, counted trace by trace, so that it can be asked for any choice of traces and for changed ones.
enum RealFigures {
    typealias Trace = RealReads.Trace

    static func isStill(_ trace: Trace) -> Bool { trace.file.contains("static") }

    /// Windows with the right verdict. The place of the windows is chance: every trace is tried at five.
    static func motion(_ trace: Trace) -> (right: Int, windows: Int) {
        var (right, windows) = (0, 0)
        for shift in stride(from: Int64(0), to: 2_000, by: 400) {
            var test = MotionTest(windowsFrom: trace.reads[0].at + .milliseconds(-shift))
            var verdicts: [MotionTest.Verdict] = []
            for (at, read) in trace.reads { if let verdict = test.observe(read, at: at) { verdicts.append(verdict) } }
            if let verdict = test.finishWindow() { verdicts.append(verdict) }
            windows += verdicts.count
            right += verdicts.count { $0 == (isStill(trace) ? .still : .moving) }
        }
        return (right, windows)
    }

    /// nil where nobody counted.
    static func passes(_ trace: Trace) -> (counted: Int, truth: Int)? {
        guard let truth = RealReads.passes[trace.file]?[trace.epc.hex.lowercased()] else { return nil }
        var counter = MotionPassCounter()
        for (at, read) in trace.reads {
            _ = counter.advance(to: at)
            _ = counter.observe(read, at: at)
        }
        _ = counter.finish()
        return (counter.count, truth)
    }

    static func dwell(_ trace: Trace, until cut: Instant? = nil) -> (events: [DwellEvent], decided: [Instant]) {
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
        if let cut {
            while let deadline = presence.nextDeadline, deadline <= cut + .seconds(1_000) {
                collect(presence.advance(to: deadline), at: deadline)
            }
        }
        return (events, decided)
    }

    static func stray(_ trace: Trace) -> (stays: Int, business: Int) {
        let events = dwell(trace).events
        return (events.count { $0.kind == .noticed }, events.count { $0.isBusiness })
    }

    /// A tag that is worn and never leaves.
    struct Worn {
        var hours = 0.0
        /// Departures told, if only provisionally, and those told for good.
        var departures = 0
        var finals = 0
        /// Seconds from a cut to the first word of the departure, and cuts at which the tag counted as absent already.
        var delays: [Double] = []
        var absent = 0

        mutating func add(_ other: Worn) {
            hours += other.hours
            departures += other.departures
            finals += other.finals
            delays += other.delays
            absent += other.absent
        }

        var rate: Double { Double(departures) / hours }
        var finalRate: Double { Double(finals) / hours }

        func delay(percentile: Int) -> Double {
            let sorted = delays.sorted()
            return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * percentile / 100)]
        }
    }

    private static let ends: Set<DwellEvent.Kind> = [.departed, .lost, .passed]

    /// - Parameter cuts: instants, drawn with `seed`, at which the tag is made to leave.
    static func worn(_ trace: Trace, cuts: Int = 20, seed: UInt64) -> Worn {
        var worn = Worn(hours: trace.seconds / 3_600)
        let told = dwell(trace).events.filter { ends.contains($0.kind) }
        worn.finals = told.count { $0.certainty == .final }
        // A stay that nobody heard of ends at once for good when its time-out is the longest.
        worn.departures = Set(told.map(\.last)).count
        var random = SeededGenerator(seed: seed)
        for _ in 0..<cuts {
            let span = (trace.reads.last!.at - trace.reads[0].at).nanoseconds
            let cut = trace.reads[0].at + .init(nanoseconds: Int64.random(in: 0..<max(1, span), using: &random))
            let (events, decided) = dwell(trace, until: cut)
            // The first word of the end of the last stay: the provisional one, unless there was none.
            guard let last = events.last(where: { ends.contains($0.kind) }),
                let word = events.firstIndex(where: { $0.last == last.last && $0.kind == last.kind }), decided[word] >= cut
            else {
                worn.absent += 1
                continue
            }
            worn.delays.append(Double((decided[word] - cut).milliseconds) / 1_000)
        }
        return worn
    }
}
