import ArgumentParser
import OperatorText
import Profiles
import Readings

struct ProfileList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: help(.helpProfileList))

    @Flag(name: .long, help: ArgumentHelp(.helpMarkdown))
    var markdown = false

    @OptionGroup var folders: ProfileFolders
    @OptionGroup var output: OutputOptions

    func run() throws {
        let library = folders.library
        let language = output.language
        if markdown {
            guard library.problems.isEmpty else { throw ProblemList.failure(library.problems, language) }
            return Terminal.output.write(document: library.markdown)
        }
        if output.json { return Terminal.output.write(json: library.json) }
        var table = Table(
            headings: [
                Text.headProfile(language), ToolText.headConnection(language), ToolText.headSupport(language),
                ToolText.headModels(language),
            ],
            numeric: [2])
        for entry in library.summaries {
            table.add([
                .init(Printable(escaping: entry.id)), .init(Printable(escaping: entry.connection)), .init(Printable(entry.support)),
                .init(Printable(escaping: entry.models.joined(separator: "; "))),
            ])
        }
        table.print()
    }
}

struct ProfileRules: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rules", abstract: help(.helpProfileRules))

    @OptionGroup var folders: ProfileFolders
    @OptionGroup var output: OutputOptions

    func run() throws {
        let library = folders.library
        guard library.problems.isEmpty else { throw ProblemList.failure(library.problems, output.language) }
        Terminal.output.write(document: library.udevRules)
    }
}
