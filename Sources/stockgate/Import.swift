import ArgumentParser
import Control
import Ledger
import MasterImport
import OperatorText
import Readings
import SiteConfiguration

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpImport))

    @Argument(help: ArgumentHelp(.helpFiles))
    var files: [String]

    @Option(name: .long, help: ArgumentHelp(.helpSet))
    var set: String?

    @Flag(name: .long, help: ArgumentHelp(.helpDryRun))
    var dryRun = false

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let imported = try MasterFiles.read(files, set: set, daemon.output.language)
        let connection = try daemon.connect()
        let answer: JSON
        do throws(ControlFailure) {
            answer = try connection.client.importMaster(imported.rows, dryRun: dryRun)
        } catch {
            throw failure(error, imported, connection)
        }
        if daemon.json { return Terminal.output.write(json: answer) }
        print(answer, connection.language)
    }

    /// A refusal of rows is told at the places where they stand in the files.
    private func failure(_ failure: ControlFailure, _ imported: ImportedMaster, _ connection: Daemon) -> CommandFailure {
        guard case .refused(let error) = failure, error.code == .invalid, !error.problems.isEmpty else {
            return CommandFailure(failure, socket: connection.client.socket, connection.language)
        }
        let language = connection.language
        let lines = error.problems.prefix(100).map { problem -> Printable in
            let reason = Printable(escaping: problem.text, limit: 400)
            guard let row = problem.row, imported.origins.indices.contains(row) else { return reason }
            let origin = imported.origins[row]
            return Text.errorFileLine(
                language, ["file": Printable(escaping: origin.file), "line": Printable(origin.line), "key": "", "reason": reason])
        }
        return CommandFailure(.badInput, code: "bad_input", lines + [Text.errorFileBad(language)])
    }

    private func print(_ answer: JSON, _ language: Site.Language) {
        let changes = answer["changes"]?.array ?? []
        for change in changes {
            func text(_ member: String) -> Printable { Printable(escaping: change[member]?.string ?? "", limit: 80) }
            let kind = change["change"]?.string
            let sign: Printable = kind == "added" ? "+ " : kind == "removed" ? "- " : "~ "
            var line: Printable = sign + text("set") + " " + text("id")
            if kind == "changed" {
                let members = (change["members"]?.array ?? []).map { member in
                    func value(_ name: String) -> Printable {
                        Printable(escaping: member[name]?.string ?? member[name]?.canonicalText ?? "–", limit: 48)
                    }
                    return value("name") + ": " + value("old") + " → " + value("new")
                }
                line = line + "  " + members.joined(separator: Text.listSeparator(language))
            }
            Terminal.output.write(line, kind == "added" ? .good : kind == "removed" ? .bad : .warning)
        }
        var table = Table([.headSet, .headAdded, .headChanged, .headRemoved, .headUnchanged], numeric: [1, 2, 3, 4], language)
        var changed: Int64 = 0
        for set in answer["sets"]?.array ?? [] {
            for member in ["added", "changed", "removed"] { changed += set[member]?.integer ?? 0 }
            table.add([
                .init(Printable(escaping: set["set"]?.string ?? "", limit: 32)), .number(set["added"]?.integer),
                .number(set["changed"]?.integer),
                .number(set["removed"]?.integer), .number(set["unchanged"]?.integer),
            ])
        }
        table.print()
        let text: Text = answer["dry_run"] == true ? .doneImportDry : changed == 0 ? .doneImportSame : .doneImport
        Terminal.output.write(text(language, ["version": Printable(answer["version"]?.integer ?? 0)]), .good)
    }
}

/// Master data from files, all or none.
enum MasterFiles {
    /// - Throws: `CommandFailure` with everything that is wrong in all files.
    static func read(_ files: [String], set: String?, _ language: Site.Language) throws -> ImportedMaster {
        var expected: MasterRow.Set?
        if let set {
            expected = MasterRow.Set(rawValue: set)
            if expected == nil {
                let sets = MasterRow.Set.allCases.map { Printable(escaping: $0.rawValue) }.joined(separator: ", ")
                throw CommandFailure.usage(Text.errorSet(language, ["text": Printable(escaping: set, limit: 32), "sets": sets]))
            }
        }
        var all = ImportedMaster()
        var problems: [Printable] = []
        let tongue: ImportLanguage = language == .chinese ? .chinese : .english
        for file in files {
            let bytes: [UInt8]
            do throws(FileFailure) {
                bytes = try FileFailure.contents(of: file)
            } catch {
                problems.append(
                    Text.errorFile(language, ["file": Printable(escaping: file), "reason": Printable(escaping: error.description)]))
                continue
            }
            do throws(ImportRefusal) {
                all.append(try MasterImport.read(bytes, file: String(file.split(separator: "/").last ?? "-"), set: expected))
            } catch {
                for problem in error.problems.prefix(100) {
                    problems.append(Printable(escaping: problem.text(in: tongue), limit: 400))
                    if let hint = problem.hint(in: tongue) { problems.append("    " + Printable(escaping: hint, limit: 400)) }
                }
            }
        }
        guard problems.isEmpty else { throw CommandFailure(.badInput, code: "bad_input", problems + [Text.errorFileBad(language)]) }
        return all
    }
}
