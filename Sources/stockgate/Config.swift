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
                    ("sources", site.sources.count),
                ]
                let needs = ServiceNetwork.needs(of: site)
                if output.json {
                    var members: [String: JSON] = ["good": true, "problems": []]
                    for (name, count) in counts { members[name] = .integer(Int64(count)) }
                    members["network"] = .array(
                        needs.map { need in
                            [
                                "what": .string(need.what), "host": .string(need.host),
                                "addresses": .array(need.addresses.map { .string($0) }),
                            ]
                        })
                    return Terminal.output.write(json: .object(members))
                }
                var values = ["file": Printable(escaping: file)]
                for (name, count) in counts { values[name] = Printable(count) }
                Terminal.output.write(Text.doneConfig(output.language, values), .good)
                guard !needs.isEmpty else { return }
                let file = Printable(escaping: ServiceNetwork.dropInPath)
                Terminal.output.write(Text.configNetwork(output.language, ["file": file]), .warning)
                for line in ServiceNetwork.dropIn(needs) { Terminal.output.write(Printable(escaping: line, limit: 4_000)) }
            case .failure(let error):
                if output.json { Terminal.output.write(json: ["good": false, "problems": ProblemList.json(error.problems)]) }
                throw ProblemList.failure(error.problems, output.language)
            }
        }
    }
}
