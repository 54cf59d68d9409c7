import Control
import Glibc
import OperatorText
import Readings
import SiteConfiguration

/// How the program ends; `docs/cli.md` lists them.
enum ExitStatus: Int32 {
    case done = 0
    /// The answer is no, or there is no such thing.
    case negative = 1
    case usage = 2
    case unreachable = 3
    case refused = 4
    case badInput = 5
}

/// Why a command ends without having done its work.
struct CommandFailure: Error {
    var status: ExitStatus
    /// A stable word for programs.
    var code: String
    /// What is wrong, then what to do about it.
    var lines: [Printable]

    init(_ status: ExitStatus, code: String, _ lines: [Printable]) {
        self.status = status
        self.code = code
        self.lines = lines
    }

    init(_ failure: ControlFailure, socket: String, _ language: Site.Language) {
        let place: [String: Printable] = ["socket": Printable(escaping: socket)]
        func reason(_ text: String) -> [String: Printable] { place.merging(["reason": Printable(escaping: text)]) { _, new in new } }
        switch failure {
        case .unreachable(let text):
            self.init(.unreachable, code: "unreachable", [Text.errorUnreachable(language, reason(text)), Text.hintStart(language)])
        case .mayNotOpen:
            self.init(.unreachable, code: "may_not_open", [Text.errorMayNotOpen(language, place), Text.hintGroup(language)])
        case .broken(let text): self.init(.unreachable, code: "broken", [Text.errorBroken(language, reason(text))])
        case .notUnderstood: self.init(.unreachable, code: "not_understood", [Text.errorAnswer(language)])
        case .refused(let error): self.init(error, language)
        }
    }

    private init(_ error: OperationError, _ language: Site.Language) {
        let text = Text(rawValue: "problem.\(error.code.rawValue)") ?? .problemInternal
        let title = text(language, ["detail": Printable(escaping: error.detail, limit: 400)])
        self.init(
            error.code == .notFound ? .negative : .refused, code: error.code.rawValue,
            [title] + error.problems.prefix(100).map { Printable(escaping: $0.text, limit: 400) })
    }

    /// A word on the command line that cannot be meant.
    static func usage(_ text: Printable) -> CommandFailure { CommandFailure(.usage, code: "usage", [text]) }

    /// A file that cannot be used.
    static func file(_ file: String, _ reason: String, _ language: Site.Language) -> CommandFailure {
        CommandFailure(
            .badInput, code: "bad_input",
            [Text.errorFile(language, ["file": Printable(escaping: file), "reason": Printable(escaping: reason, limit: 400)])])
    }

    /// Tells the person, or with `--json` the program, on standard error.
    func report() {
        if Invocation.wantsJSON {
            let json: JSON = [
                "error": .string(code), "exit": .integer(Int64(status.rawValue)), "lines": .array(lines.map { .string($0.text) }),
            ]
            Terminal.errors.write(json: json)
            return
        }
        for (position, line) in lines.enumerated() {
            if position == 0 {
                let prefix: Printable = "stockgate: "
                Terminal.errors.write(prefix + line, .bad)
            } else {
                Terminal.errors.write(line)
            }
        }
    }
}
