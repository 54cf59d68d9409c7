import ArgumentParser
import Gateway
import OperatorText
import Readings
import SiteConfiguration

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpConfig), subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpConfigCheck))

        @Argument(help: ArgumentHelp(.helpConfigOption))
        var file: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            switch SiteFile.load(path: file).flatMap(SiteCheck.checked) {
            case .success(let site):
                let counts: [(String, Int)] = [
                    ("devices", site.devices.count), ("stations", site.stations.count), ("destinations", site.destinations.count),
                ]
                if output.json {
                    var members: [String: JSON] = ["good": true, "problems": []]
                    for (name, count) in counts { members[name] = .integer(Int64(count)) }
                    return Terminal.output.write(json: .object(members))
                }
                var values = ["file": Printable(escaping: file)]
                for (name, count) in counts { values[name] = Printable(count) }
                Terminal.output.write(Text.doneConfig(output.language, values), .good)
            case .failure(let error):
                if output.json { Terminal.output.write(json: ["good": false, "problems": ProblemList.json(error.problems)]) }
                throw ProblemList.failure(error.problems, output.language)
            }
        }
    }
}
