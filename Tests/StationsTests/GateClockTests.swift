import Identifiers
import Readings
import Simulation
import SiteConfiguration
import Testing

@testable import Stations

@Suite("Gate station: a reader's clock that is set, and a network")
struct GateClockTests {
    private struct Fact: Hashable {
        var epc: EPC
        var direction: Direction
        var time: Instant
    }

    /// What is final of a simulated scene whose reads come over `reports`.
    private func facts(_ run: GateRun, over reports: ReportLayer) -> [Fact] {
        var gate = GateStation(
            name: "gate",
            settings: .init(
                antennas: run.layout.antennas.map { .init(device: "uhf", port: $0.port, side: $0.side) }, badgeReaders: [],
                geometry: .angled),
            index: { $0 == "uhf" ? DeviceIndex(0) : nil }, startingAt: .zero)
        gate.deviceChanged(DeviceIndex(0), isReading: true, at: .zero)
        var proposals: [Proposal] = []
        let recorded = run.truth.recorded
        func known(_ epc: EPC) -> Known { recorded[epc].map { .item(isOut: $0 == .outside) } ?? .person }
        func advance(to now: Instant) {
            while let deadline = gate.nextDeadline, deadline <= now { proposals += gate.advance(to: deadline, known: known).proposals }
        }
        for read in reports.arrivals(of: run.reads, seed: 1) {
            advance(to: read.time)
            gate.observe(read.read, from: DeviceIndex(0), at: read.time)
        }
        advance(to: .zero + .seconds(86_400))
        return proposals.flatMap { proposal -> [Fact] in
            guard case .crossing(let crossing) = proposal.content, crossing.certainty == .final else { return [] }
            return crossing.tags.map { Fact(epc: $0.epc, direction: crossing.direction, time: $0.crossed ?? .zero) }
        }.sorted { $0.epc < $1.epc }
    }

    @Test("A reader's clock that is set by an hour or a second in the middle of a walk changes nothing", arguments: [1, 2] as [UInt64])
    func clockSteps(seed: UInt64) {
        let run = GateRun(.pass, layout: .angled, seed: seed)
        let straight = facts(run, over: .none)
        #expect(!straight.isEmpty, "seed \(seed)")
        guard let first = run.reads.first?.time, let last = run.reads.last?.time else { return }
        let middle = first + Instant.Span(nanoseconds: (last - first).nanoseconds / 2)
        for step in [Instant.Span.seconds(3_600), .seconds(-3_600), .seconds(1), .seconds(-1), nil] as [Instant.Span?] {
            let stepped = facts(run, over: ReportLayer(steps: [.init(time: middle, by: step)]))
            #expect(stepped.map(\.epc) == straight.map(\.epc), "seed \(seed), \(step as Any)")
            #expect(stepped.map(\.direction) == straight.map(\.direction), "seed \(seed), \(step as Any)")
            // Set by so little, it cannot be told from a delay at once.
            let tolerance = step.map { $0.milliseconds.magnitude == 1_000 ? 1_000 : 10 } ?? 10
            for (one, other) in zip(stepped, straight) { #expect((one.time - other.time).milliseconds.magnitude <= tolerance) }
        }
    }

    @Test("A reader's clock that is set back while nobody walks loses nobody", arguments: [1, 2] as [UInt64], [-3, -30] as [Int64])
    func setBackBefore(seed: UInt64, seconds: Int64) {
        let run = GateRun(.clock, layout: .angled, seed: seed)
        let straight = facts(run, over: .none)
        // After each of the first walks, when nobody is at the gate.
        let quiet = zip(run.reads, run.reads.dropFirst()).filter { $1.time - $0.time > .seconds(8) }.map { $0.0.time + .seconds(6) }
        #expect(quiet.count > 3, "seed \(seed)")
        let stepped = facts(run, over: ReportLayer(steps: quiet.prefix(4).map { .init(time: $0, by: .seconds(seconds)) }))
        #expect(stepped.map(\.epc) == straight.map(\.epc), "seed \(seed)")
        #expect(stepped.map(\.direction) == straight.map(\.direction), "seed \(seed)")
    }

    @Test("A network that gathers, delays and repeats reports changes no crossing", arguments: [3, 4] as [UInt64])
    func network(seed: UInt64) {
        let run = GateRun(.crowd, layout: .angled, seed: seed)
        let straight = facts(run, over: .none)
        let delayed = facts(
            run, over: ReportLayer(batching: .milliseconds(100), delay: .milliseconds(20), clockOffset: .milliseconds(300), drift: 50))
        #expect(!straight.isEmpty)
        #expect(delayed.map(\.epc) == straight.map(\.epc), "seed \(seed)")
        #expect(delayed.map(\.direction) == straight.map(\.direction), "seed \(seed)")
        for (one, other) in zip(delayed, straight) { #expect((one.time - other.time).milliseconds.magnitude <= 250) }
    }
}
