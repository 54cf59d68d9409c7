import ArgumentParser
import Glibc
import OperatorText
import Profiles
import Readings

struct ProfileCheck: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "check", abstract: help(.helpProfileCheck))

    @Argument(help: ArgumentHelp(.helpPaths))
    var paths: [String]

    @OptionGroup var folders: ProfileFolders
    @OptionGroup var output: OutputOptions

    func run() throws {
        var count = 0
        var problems: [ProfileProblem] = []
        for path in paths {
            if path.hasSuffix(".toml") {
                var library = ProfileLibrary(directories: Self.layer(around: path), layoutDirectories: folders.directories)
                if library.profiles.contains(where: { $0.file == path }) {
                    count += 1
                } else if !library.problems.contains(where: { $0.file == path }), library.load(path) != nil {
                    count += 1
                }
                problems += library.problems.filter { $0.file == path }
            } else {
                let library = ProfileLibrary(directories: [path], layoutDirectories: folders.directories)
                count += library.profiles.count
                problems += library.problems
                if library.profiles.isEmpty, library.problems.isEmpty {
                    problems.append(
                        ProfileProblem(file: path, line: nil, key: "", reason: "no profile.toml is in it or in the folders below"))
                }
            }
        }
        if output.json {
            Terminal.output.write(json: [
                "good": .bool(problems.isEmpty), "profiles": .integer(Int64(count)), "problems": ProblemList.json(problems),
            ])
        }
        guard problems.isEmpty else { throw ProblemList.failure(problems, output.language) }
        if !output.json { Terminal.output.write(Text.doneProfiles(output.language, ["count": Printable(count)]), .good) }
    }

    /// The layer that a file stands in, `<layer>/<vendor>/<model>/profile.toml`, for the sake of its keyboard layouts.
    private static func layer(around file: String) -> [String] {
        let folders = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        return folders.isEmpty ? [] : [folders]
    }
}
