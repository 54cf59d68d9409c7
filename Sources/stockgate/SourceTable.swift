import OperatorText
import Readings
import SiteConfiguration

/// Where master data come from, and how fresh they are.
enum SourceTable {
    static func print(_ status: JSON, _ language: Site.Language) {
        let sources = status["master"]?["sources"]?.array ?? []
        guard !sources.isEmpty else { return }
        var table = Table([.headMasterSource, .headKind, .headState, .headAge, .headProblem], numeric: [], language)
        for source in sources {
            func text(_ member: String) -> Printable { Printable(escaping: source[member]?.string ?? "", limit: 300) }
            let state = source["state"]?.string
            let style: Terminal.Style = state == "current" || state == "asking" ? .good : state == "backing_off" ? .warning : .bad
            table.add([
                .init(text("name")), .init(text("kind")), .init(Text.code(state, of: "source", language), style),
                .init(source["age_s"]?.integer.map { TimeText.duration(seconds: $0, language) } ?? ""), .init(text("problem")),
            ])
        }
        table.print()
        Terminal.output.write("")
    }
}
