import OperatorText
import Profiles
import Readings
import SiteConfiguration

/// What is wrong with TOML files, all at once.
enum ProblemList {
    static func json(_ problems: [TOMLProblem]) -> JSON {
        .array(
            problems.map { problem in
                .compact([
                    "file": .string(problem.file), "line": problem.line.map { .integer(Int64($0)) }, "key": .string(problem.key),
                    "reason": .string(problem.reason),
                ])
            })
    }

    static func failure(_ problems: [TOMLProblem], _ language: Site.Language) -> CommandFailure {
        CommandFailure(.badInput, code: "bad_input", problems.prefix(200).map { line($0, language) })
    }

    private static func line(_ problem: TOMLProblem, _ language: Site.Language) -> Printable {
        let reason = Printable(escaping: problem.reason, limit: 400)
        let key: Printable = problem.key.isEmpty ? "" : Printable(escaping: problem.key, limit: 128) + ": "
        let file = Printable(escaping: problem.file)
        guard let line = problem.line else { return Text.errorFile(language, ["file": file, "reason": key + reason]) }
        return Text.errorFileLine(language, ["file": file, "line": Printable(line), "key": key, "reason": reason])
    }
}
