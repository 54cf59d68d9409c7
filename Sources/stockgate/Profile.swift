import ArgumentParser
import OperatorText
import Readings
import SiteConfiguration

struct Profile: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: help(.helpProfile), subcommands: [ProfileList.self, ProfileCheck.self, Explain.self, ProfileNew.self, ProfileRules.self])

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: help(.helpProfileExplain))

        @Argument(help: ArgumentHelp(.helpDeviceName))
        var device: String

        @OptionGroup var daemon: DaemonOptions

        func run() throws {
            let connection = try daemon.connect()
            let answer = try connection.get(["devices", device, "profile"])
            let language = connection.language
            if daemon.json {
                Terminal.output.write(json: answer)
            } else {
                print(answer, language)
            }
            if answer["profile"] == nil {
                throw CommandFailure(
                    .negative, code: "no_profile", [Text.profileNone(language, ["device": Printable(escaping: device, limit: 64)])])
            }
        }

        private func print(_ answer: JSON, _ language: Site.Language) {
            if let profile = answer["profile"]?.string {
                Terminal.output.write(
                    Text.profileMatched(
                        language, ["device": Printable(escaping: device, limit: 64), "profile": Printable(escaping: profile, limit: 64)]),
                    .good)
            }
            if let reason = answer["reason"]?.string { Terminal.output.write(Printable(escaping: reason)) }
            let candidates = answer["candidates"]?.array ?? []
            guard !candidates.isEmpty else { return }
            var table = Table([.headProfile, .headReason], language)
            for candidate in candidates {
                func text(_ member: String) -> Printable { Printable(escaping: candidate[member]?.string ?? "", limit: 128) }
                let reason: Printable
                switch candidate["result"]?.string {
                case "matched": reason = Text.profileAgrees(language, ["count": Printable(candidate["properties"]?.integer ?? 0)])
                case "bind_only": reason = Text.profileBindOnly(language)
                default:
                    reason = Text.profileMismatch(
                        language,
                        [
                            "property": text("property"), "expected": text("expected"),
                            "found": candidate["found"] == nil ? Text.absentValue(language) : text("found"),
                        ])
                }
                table.add([.init(text("profile"), candidate["result"] == "matched" ? .good : .plain), .init(reason)])
            }
            table.print()
        }
    }
}
