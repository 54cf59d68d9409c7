import ArgumentParser
import OperatorText
import Readings
import SiteConfiguration
import Store

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpVerify))

    @Option(name: .long, help: ArgumentHelp(.helpVerifyDirectory, value: "path"))
    var directory: String?

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        if let directory {
            let language = daemon.output.language
            let report = try storing(language) { () throws(StoreError) in
                try EventStore.verify(directory: directory) { progress in
                    show(progress.events, progress.last, language)
                    return true
                }
            }
            return try tell(report.json, language)
        }
        let connection = try daemon.connect()
        var result: JSON?
        var problem: String?
        try connection.lines(["verification"]) { line in
            result = line["result"] ?? result
            problem = line["problem"]?.string ?? problem
            if let events = line["events"]?.integer, let last = line["last"]?.integer { show(events, last, connection.language) }
            return true
        }
        guard let result else {
            let reason = Printable(escaping: problem ?? "", limit: 400)
            throw CommandFailure(.refused, code: "not_verified", [Text.errorStore(connection.language, ["reason": reason])])
        }
        try tell(result, connection.language)
    }

    private func show(_ events: Int64, _ last: Int64, _ language: Site.Language) {
        guard !daemon.json else { return }
        Terminal.errors.write(Text.verifyProgress(language, ["events": Printable(events), "last": Printable(last)]), .faint)
    }

    /// What was found, the first thing with what to do about it.
    private func tell(_ report: JSON, _ language: Site.Language) throws {
        if daemon.json { Terminal.output.write(json: report) }
        if let first = report["findings"]?.array?.first {
            func text(_ name: String) -> Printable { Printable(escaping: first[name]?.string ?? "", limit: 400) }
            let event = first["event"]?.integer.map { Printable($0) } ?? "–"
            throw CommandFailure(
                .negative, code: "not_intact",
                [
                    Text.verifyBad(language, ["problem": text("problem")]),
                    Text.verifyWhere(language, ["file": text("file"), "event": event]),
                    Text.verifyNext(language, ["step": text("next")]),
                ])
        }
        guard !daemon.json else { return }
        func number(_ name: String) -> Printable { Printable(report[name]?.integer ?? 0) }
        Terminal.output.write(
            Text.doneVerify(language, ["events": number("events"), "archived": number("archived"), "rows": number("rows")]), .good)
    }
}

/// Failures of the store, told as those of the command.
func storing<Value>(_ language: Site.Language, _ work: () throws(StoreError) -> Value) throws -> Value {
    do throws(StoreError) {
        return try work()
    } catch {
        throw CommandFailure(
            error.code == .locked ? .refused : .badInput, code: error.code.rawValue,
            [Text.errorStore(language, ["reason": Printable(escaping: error.description, limit: 400)])])
    }
}
