import Identifiers
import Readings
import Simulation
import Testing

@Suite("The field on which SMURF was measured")
struct FieldRunTests {
    private func settings(_ behaviour: FieldRun.Behaviour, _ change: (inout FieldRun.Settings) -> Void = { _ in }) -> FieldRun.Settings {
        var settings = FieldRun.Settings()
        settings.behaviour = behaviour
        settings.epochs = 800
        change(&settings)
        return settings
    }

    @Test("The same seed gives the same reads and truth, another one does not", arguments: FieldRun.Behaviour.allCases)
    func deterministic(behaviour: FieldRun.Behaviour) {
        let (run, again) = (FieldRun(settings: settings(behaviour), seed: 7), FieldRun(settings: settings(behaviour), seed: 7))
        #expect(run.reads == again.reads && run.truth == again.truth)
        let other = FieldRun(settings: settings(behaviour), seed: 8)
        #expect(run.reads.map(\.time) != other.reads.map(\.time) && run.truth.presences != other.truth.presences)
    }

    @Test(
        "Reads are in the order of time, one at most for each tag and epoch, and only of tags in the field",
        arguments: 1...4 as ClosedRange<UInt64>)
    func reads(seed: UInt64) {
        for behaviour in FieldRun.Behaviour.allCases {
            let run = FieldRun(settings: settings(behaviour), seed: seed)
            #expect(!run.reads.isEmpty)
            #expect(zip(run.reads, run.reads.dropFirst()).allSatisfy { $0.time <= $1.time })
            let asked = run.reads.map { [$0.read.epc.hex, String($0.time.nanoseconds / FieldRun.epoch.nanoseconds)] }
            #expect(Set(asked).count == asked.count)
            let presences = Dictionary(grouping: run.truth.presences, by: \.epc)
            for read in run.reads {
                #expect(presences[read.read.epc]?.contains { $0.start <= read.time && read.time < $0.end } == true)
            }
            for intervals in presences.values {
                #expect(intervals.allSatisfy { $0.start < $0.end && $0.end - .zero <= run.truth.duration })
                #expect(zip(intervals, intervals.dropFirst()).allSatisfy { $0.end < $1.start })
            }
        }
    }

    /// A field that is major throughout: each of n questions is answered at the rate, with a deviation of √(n·p·(1−p)).
    @Test("In the major region the rate is flat", arguments: [0.95, 0.8], FieldRun.Behaviour.allCases)
    func major(rate: Double, behaviour: FieldRun.Behaviour) {
        let run = FieldRun(
            settings: settings(behaviour) {
                $0.readRate = rate
                $0.majorShare = 1
            }, seed: 3)
        let asked = run.truth.presences.reduce(0.0) { $0 + Double(($1.end - $1.start).nanoseconds / FieldRun.epoch.nanoseconds) }
        #expect(asked > 2_000)
        let deviation = (asked * rate * (1 - rate)).squareRoot()
        #expect((Double(run.reads.count) - asked * rate).magnitude < 4 * deviation)
    }

    @Test("Several questions in an epoch are answered each by itself, in its part of the epoch")
    func questions() {
        let run = FieldRun(
            settings: settings(.pallet) {
                ($0.questions, $0.readRate, $0.majorShare) = (4, 0.8, 1)
            }, seed: 3)
        let part = FieldRun.epoch.nanoseconds / 4
        let parts = run.reads.map { [$0.read.epc.hex, String($0.time.nanoseconds / part)] }
        #expect(Set(parts).count == parts.count)
        let asked = 4 * run.truth.presences.reduce(0.0) { $0 + Double(($1.end - $1.start).nanoseconds / FieldRun.epoch.nanoseconds) }
        #expect((Double(run.reads.count) - asked * 0.8).magnitude < 4 * (asked * 0.8 * 0.2).squareRoot())
    }

    @Test("In the minor region the rate falls to nothing at the edge")
    func minor() {
        let settings = settings(.pallet) { ($0.range, $0.majorShare, $0.readRate) = (4, 0.5, 0.8) }
        #expect(settings.rate(at: 0) == 0.8 && settings.rate(at: 2) == 0.8)
        #expect((settings.rate(at: 3) - 0.4).magnitude < 1e-12)
        #expect(settings.rate(at: 4) == 0 && settings.rate(at: 5) == 0)
        // Half of the way is major, on the other half the mean is half the rate: 0.6 of all questions of tags that pass evenly.
        let run = FieldRun(settings: settings, seed: 5)
        let asked = run.truth.presences.reduce(0.0) { $0 + Double(($1.end - $1.start).nanoseconds / FieldRun.epoch.nanoseconds) }
        #expect((Double(run.reads.count) / asked - 0.6).magnitude < 0.02)
    }

    @Test("All tags of a pallet are in the field for the same time; tags of their own are not together")
    func behaviours() {
        let pallet = FieldRun(settings: settings(.pallet), seed: 2)
        // 9 m at 0.3 m in an epoch, where neither the beginning nor the end of the scene cuts.
        let end = Instant.zero + pallet.truth.duration
        let lengths = pallet.truth.presences.filter { $0.start > .zero && $0.end < end }
            .map { ($0.end - $0.start).nanoseconds / FieldRun.epoch.nanoseconds }
        #expect(!lengths.isEmpty && lengths.allSatisfy { (29...31).contains($0) })
        let fido = FieldRun(settings: settings(.fido), seed: 2)
        let spans = Set(fido.truth.presences.map { ($0.end - $0.start).nanoseconds / FieldRun.epoch.nanoseconds })
        #expect(spans.count > 10)
    }

    @Test("Truth is written and read back", arguments: FieldRun.Behaviour.allCases)
    func truth(behaviour: FieldRun.Behaviour) throws {
        let truth = FieldRun(settings: settings(behaviour), seed: 4).truth
        #expect(try Truth(lines: truth.lines.map(\.canonicalBytes)) == truth)
        #expect(truth.scenario == behaviour.scenario)
    }

    @Test("Errors are counted by epoch: too early, too late, of no such tag")
    func score() {
        let (here, never) = (EPC(hex: "3476451FD400000000000001")!, EPC(hex: "3476451FD400000000000002")!)
        func interval(_ epc: EPC, _ from: Int64, _ to: Int64) -> Truth.Presence {
            Truth.Presence(epc: epc, start: .zero + .milliseconds(from), end: .zero + .milliseconds(to))
        }
        var truth = Truth(scenario: "smurf-field", seed: 1, duration: .milliseconds(2_500))
        truth.presences = [interval(here, 500, 1_500)]
        #expect(FieldScore(truth.presences, against: truth).errorsPerEpoch == 0)
        #expect(FieldScore([], against: truth) == FieldScore([interval(here, 600, 600)], against: truth))
        #expect(FieldScore([], against: truth).falseNegatives == 4 && FieldScore([], against: truth).epochs == 10)
        // The middle of an epoch decides: that of 500 to 750 ms is 625 ms.
        #expect(FieldScore([interval(here, 625, 1_500)], against: truth).falseNegatives == 0)
        #expect(FieldScore([interval(here, 626, 1_500)], against: truth).falseNegatives == 1)
        let late = FieldScore([interval(here, 750, 2_000), interval(here, 1_000, 1_750)], against: truth)
        #expect(late.falseNegatives == 1 && late.falsePositives == 2 && late.errorsPerEpoch == 0.3)
        let wrong = FieldScore(truth.presences + [interval(never, -500, 100_000)], against: truth)
        #expect(wrong.falsePositives == 10 && wrong.errorsPerEpoch == 1)
        #expect(
            FieldScore([Truth.Presence(epc: here, start: Instant(nanoseconds: .min), end: Instant(nanoseconds: .max))], against: truth)
                .falsePositives == 6)
    }
}
