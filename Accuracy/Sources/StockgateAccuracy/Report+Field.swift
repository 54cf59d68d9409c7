import Readings
import Simulation

extension Report {
    static func fieldSection(_ results: [FieldStudy.Result], runs: Int) -> [String] {
        let settings = FieldRun.Settings()
        var lines = [
            "", "## On SMURF's own ground", "",
            "Errors of \(settings.tags) tags together in an epoch of \(FieldRun.epoch.milliseconds) ms, false positives and false negatives, by behaviour and read rate of the",
            "major region: `smurf-field` of [simulation.md](simulation.md), \(runs) runs each. What a window says holds for its middle, for all windows. SMURF takes",
            "a tag's rate from the answers in an epoch: with one question the rate of an epoch with a read is always 1, and every miss looks like a departure.",
            "A place tells stays of minutes, not passes of seconds: it bridges these gaps on purpose. Its stays are taken as recorded once they are over.",
            "",
            "| questions in an epoch | method | \(FieldStudy.kinds.map(\.name).joined(separator: " | ")) |",
            "|---|---|\(FieldStudy.kinds.map { _ in "---|" }.joined())",
        ]
        for result in results {
            lines.append("| \(result.questions) | \(result.method) | \(result.errors.map { fixed($0, 2) }.joined(separator: " | ")) |")
        }
        return lines
    }
}
