import ArgumentParser
import Gateway
import Glibc
import Logging

/// The gateway daemon.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stockgated",
        abstract: "The Stockgate daemon: reads RFID readers and scanners, keeps the ledger, delivers events upstream.",
        discussion: "Signals: SIGTERM and SIGINT end it cleanly, SIGHUP reads the configuration again.",
        version: GatewayVersion.text)

    @Option(name: [.short, .customLong("config")], help: "The site file; NAME.d/*.toml beside it is read too.")
    var configuration = "/etc/stockgate/site.toml"

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    @Option(help: ArgumentHelp("For demonstrations and tests: a file with seconds that pass at once.", valueName: "file"))
    var clockAhead: String?

    func run() async throws {
        let level = logLevel
        LoggingSystem.bootstrap { label in
            var handler = JournalLogHandler(label: label)
            handler.logLevel = level
            return handler
        }
        throw ArgumentParser.ExitCode(
            await Daemon.run(
                configuration: configuration, clockAhead: clockAhead.map(ClockAhead.init), logger: Logger(label: "stockgated")
            ).rawValue)
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
