import ArgumentParser
import Gateway
import Glibc
import OperatorText

@main
struct Main {
    static func main() {
        do {
            var command = try Stockgate.parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            failure.report()
            exit(failure.status.rawValue)
        } catch {
            // What ArgumentParser has to say: help, or what is wrong with the arguments, with its own exit code.
            let isHelp = Stockgate.exitCode(for: error) == .success
            let message = Stockgate.fullMessage(for: error)
            // A script for a shell: nothing in it comes from outside, and escaped it would not run.
            let isScript = CommandLine.arguments.contains { $0.hasPrefix("--generate-completion-script") }
            if isHelp, isScript {
                Terminal.output.write(document: message + "\n")
                exit(ExitStatus.done.rawValue)
            }
            let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map { Printable(escaping: $0, limit: 1_000) }
            for line in lines { isHelp ? Terminal.output.write(line) : Terminal.errors.write(line) }
            exit((isHelp ? ExitStatus.done : .usage).rawValue)
        }
    }
}

struct Stockgate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stockgate", abstract: help(.helpRoot), discussion: help(.helpRootMore), version: GatewayVersion.text,
        subcommands: [
            Status.self, Devices.self, Watch.self, Events.self, Explain.self, Exceptions.self, Loans.self, LoanVerb.self,
            PermitVerb.self, ReturnVerb.self, ToolVerb.self, MayVerb.self, Report.self, Stock.self, Tag.self, Person.self, Gate.self,
            Station.self,
            Decode.self, Replay.self, Record.self, Import.self, Config.self, Profile.self, Probe.self, Reload.self,
            Verify.self, Backup.self, Restore.self,
            Sim.self, ScoreVerb.self, Demo.self,
        ])
}
