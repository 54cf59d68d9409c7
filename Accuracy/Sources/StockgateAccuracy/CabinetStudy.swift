import Presence
import Readings
import Simulation

/// Cabinets, with what comparing sets makes of the same openings.
struct CabinetStudy {
    let study: Study

    struct Result {
        var name: String
        /// One for each cabinet, of the last words.
        var final: [Score] = []
        var provisional: [Score] = []
        /// Milliseconds from closing to the provisional answer.
        var answers: [Int32] = []
        /// Tags that were left open in provisional answers.
        var undecided = 0
        var differences: [(seconds: Int64, scores: [Score])] = CabinetStudy.spans.map { ($0, []) }

        func total(_ scores: [Score]) -> Score { scores.reduce(into: Score()) { $0.add($1) } }
    }

    static let spans: [Int64] = [1, 3, 10]

    private static let kinds: [(name: String, change: @Sendable (inout CabinetRun.Settings) -> Void)] = [
        ("no bad spots", { $0.badSpots = 0 }),
        ("2 bad spots in 1,000", { $0.badSpots = 0.002 }),
        ("10 bad spots in 1,000", { $0.badSpots = 0.01 }),
        ("2 in 1,000, channels differ by 2 dB", { $0.hop = 2 }),
        ("the same, stirred by 1.5 dB at each opening", { ($0.hop, $0.stir) = (2, 1.5) }),
    ]

    func run() -> [Result] {
        Self.kinds.enumerated().map { index, kind in
            // The case of the promise gets three times as many closes as the others.
            let cabinets = study.part(index == 1 ? Study.cabinets : Study.cabinets / 3)
            progress("cabinet, \(kind.name): \(cabinets) cabinets")
            var settings = CabinetRun.Settings()
            settings.openings = Study.openings
            settings.keepsReads = false
            kind.change(&settings)
            var fixed = settings
            (fixed.keepsReads, fixed.fixedScan) = (true, .seconds(10))
            var result = Result(name: kind.name)
            let settingsNow = (driven: settings, fixed: fixed)
            for one in concurrently(cabinets, { Self.play(settingsNow.driven, settingsNow.fixed, seed: study.firstSeed &+ UInt64($0)) }) {
                result.final += one.final
                result.provisional += one.provisional
                result.answers += one.answers
                result.undecided += one.undecided
                for index in result.differences.indices { result.differences[index].scores += one.differences[index].scores }
            }
            return result
        }
    }

    private static func play(_ settings: CabinetRun.Settings, _ fixed: CabinetRun.Settings, seed: UInt64) -> Result {
        let run = CabinetRun(settings: settings, seed: seed)
        var result = Result(name: "")
        result.final = [Score(truth: run.truth, decisions: run.decisions(.final))]
        result.provisional = [Score(truth: run.truth, decisions: run.decisions(.provisional))]
        result.answers = run.answerTimes.map { Int32(clamping: $0.milliseconds) }
        result.undecided = run.words.reduce(0) { $0 + ($1.report.certainty == .provisional ? $1.report.undecided.count : 0) }
        let sets = CabinetRun(settings: fixed, seed: seed)
        for index in result.differences.indices {
            let said = sets.setDifference(within: .seconds(result.differences[index].seconds))
            result.differences[index].scores = [Score(truth: sets.truth, decisions: said)]
        }
        return result
    }
}
