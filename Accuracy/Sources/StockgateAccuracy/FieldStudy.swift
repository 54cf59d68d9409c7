import Identifiers
import Presence
import Readings
import Simulation

/// Who is in a reader's field: fixed windows, SMURF and the product's place, on the model on which SMURF was measured.
struct FieldStudy {
    let study: Study

    struct Result {
        var questions: Int
        var method: String
        /// One for each of `kinds`, errors of all tags together in an epoch.
        var errors: [Double]
    }

    static let runs = 20
    /// SMURF estimates a tag's rate from several questions in an epoch; with one, the rate of an epoch with a read is 1.
    static let questions = [1, 4]
    static let kinds: [(name: String, behaviour: FieldRun.Behaviour, readRate: Double)] = [
        ("pallet, 0.95", .pallet, 0.95), ("pallet, 0.8", .pallet, 0.8), ("fido, 0.95", .fido, 0.95), ("fido, 0.8", .fido, 0.8),
    ]
    /// Beyond the end of a scene the longest time-out is over.
    private static let rest = Instant.Span.seconds(400)

    private struct Method: Sendable {
        var name: String
        var say: @Sendable (FieldRun) -> [Truth.Presence]
    }

    private static func window(of epochs: Int) -> Method {
        Method(name: "window of \(epochs) epochs") { $0.presences { heldOver($0.keys, window: epochs, through: $1) } }
    }

    private static let methods: [Method] = [
        window(of: 2), window(of: 5), window(of: 10), window(of: 25),
        Method(name: "SMURF, δ 0.05") { run in
            run.presences { smurf($0, questions: run.settings.questions, through: $1) }
        },
        Method(name: "Stockgate, `kind = \"dwell\"`") { stays($0, DwellPresence.Settings()) },
        Method(name: "the same with time-outs of 1 to 5 s") { stays($0, hasty) },
    ]

    /// Settings that no site can choose: a place that is left and entered all the time.
    private static var hasty: DwellPresence.Settings {
        var settings = DwellPresence.Settings()
        (settings.shortestTimeout, settings.longestTimeout) = (.seconds(1), .seconds(5))
        settings.flips = 10_000
        return settings
    }

    func run() -> [Result] { Self.questions.flatMap { run(questions: $0) } }

    private func run(questions: Int) -> [Result] {
        progress("a reader's field, questions in an epoch: \(questions)")
        let runs = study.part(Self.runs)
        var results = Self.methods.map { Result(questions: questions, method: $0.name, errors: []) }
        for kind in Self.kinds {
            var settings = FieldRun.Settings()
            (settings.behaviour, settings.readRate, settings.questions) = (kind.behaviour, kind.readRate, questions)
            let (played, seed) = (settings, study.firstSeed)
            let scores = concurrently(runs) { number in
                let run = FieldRun(settings: played, seed: seed &+ UInt64(number))
                return Self.methods.map { FieldScore($0.say(run), against: run.truth).errorsPerEpoch }
            }
            for index in results.indices {
                results[index].errors.append(scores.reduce(0) { $0 + $1[index] } / Double(max(scores.count, 1)))
            }
        }
        return results
    }

    /// A tag was there if it was read anywhere in the window around an epoch.
    private static func heldOver(_ epochs: some Sequence<Int>, window: Int, through end: Int) -> [Bool] {
        var present = Array(repeating: false, count: end)
        for epoch in epochs {
            // The middle of each window of so many epochs that ends at `epoch` or later and still has it.
            for last in epoch..<(epoch + window) where (0..<end).contains(last - window / 2) { present[last - window / 2] = true }
        }
        return present
    }

    /// Where a window shrinks, its middle leaps ahead: what lies between belongs to the window before, in which the tag was read.
    private static func smurf(_ answers: [Int: Int], questions: Int, through end: Int) -> [Bool] {
        var present = Array(repeating: false, count: end)
        var before: SmurfBaseline.Window?
        // Windows that end later have their middle within.
        for window in SmurfBaseline(epoch: FieldRun.epoch).windows(answers, asked: questions, from: 0, through: end + 60) {
            let isNext = before.map { $0.end + 1 == window.end && $0.middle < window.middle } ?? false
            let from = isNext ? before.map { $0.middle + 1 } ?? window.middle : window.middle
            for epoch in from...window.middle where present.indices.contains(epoch) { present[epoch] = true }
            before = window
        }
        return present
    }

    /// Stays as they are recorded once they are over: from the first read to the last, in whole epochs.
    private static func stays(_ run: FieldRun, _ settings: DwellPresence.Settings) -> [Truth.Presence] {
        var presence = DwellPresence(settings: settings)
        var events: [DwellEvent] = []
        for read in run.reads {
            while let deadline = presence.nextDeadline, deadline <= read.time { events += presence.advance(to: deadline) }
            events += presence.observe(read.read, at: read.time)
        }
        let end = Instant.zero + run.truth.duration + rest
        while let deadline = presence.nextDeadline, deadline <= end { events += presence.advance(to: deadline) }
        let length = FieldRun.epoch.nanoseconds
        return events.compactMap { event in
            guard [.departed, .lost, .passed].contains(event.kind), event.certainty == .final else { return nil }
            return Truth.Presence(
                epc: event.epc, start: Instant(nanoseconds: event.first.nanoseconds / length * length),
                end: Instant(nanoseconds: (event.last.nanoseconds / length + 1) * length))
        }
    }
}

extension FieldRun {
    /// What a method says of each tag, epoch by epoch, from the tag's reads in each epoch and the number of epochs.
    fileprivate func presences(_ say: ([Int: Int], Int) -> [Bool]) -> [Truth.Presence] {
        let length = Self.epoch.nanoseconds
        let count = Int(truth.duration.nanoseconds / length)
        let byTag = Dictionary(grouping: reads, by: \.read.epc).mapValues { reads in
            Dictionary(reads.map { (Int($0.time.nanoseconds / length), 1) }, uniquingKeysWith: +)
        }
        return byTag.sorted { $0.key < $1.key }.flatMap { epc, epochs in
            say(epochs, count).enumerated().filter(\.element).map { number, _ in
                let start = Instant(nanoseconds: Int64(number) * length)
                return Truth.Presence(epc: epc, start: start, end: start + Self.epoch)
            }
        }
    }
}
