import ArgumentParser
import Control
import Glibc
import OperatorText
import Readings
import SiteConfiguration

/// What must be known before the arguments are parsed: help is in the user's language too.
enum Invocation {
    /// From `--lang`, else from the locale; nil where neither says anything, so that the site's language decides.
    static let language: Site.Language? = chosenLanguage(CommandLine.arguments, environment)

    static let wantsJSON = CommandLine.arguments.contains("--json")

    static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    static func chosenLanguage(_ arguments: [String], _ environment: (String) -> String?) -> Site.Language? {
        for (position, argument) in arguments.enumerated() {
            if argument == "--lang", position + 1 < arguments.count { return Site.Language(rawValue: arguments[position + 1]) }
            if argument.hasPrefix("--lang=") { return Site.Language(rawValue: String(argument.dropFirst(7))) }
        }
        guard let locale = environment("LC_ALL") ?? environment("LC_MESSAGES") ?? environment("LANG") else { return nil }
        let name = locale.prefix { $0 != "." && $0 != "@" }
        if name == "C" || name == "POSIX" { return nil }
        return name.hasPrefix("zh") ? .chinese : .english
    }
}

/// A text of the help, in the user's language.
func help(_ text: Text) -> String { text(Invocation.language ?? .english).text }

func help(_ text: ToolText) -> String { text(Invocation.language ?? .english).text }

func help(_ text: WalkText) -> String { text(Invocation.language ?? .english).text }

func help(_ text: SceneText) -> String { text(Invocation.language ?? .english).text }

func help(_ text: LoanText) -> String { text(Invocation.language ?? .english).text }

func help(_ text: ReportText) -> String { text(Invocation.language ?? .english).text }

extension ArgumentHelp {
    init(_ text: LoanText, value: String? = nil) {
        self.init(stringLiteral: help(text))
        valueName = value
    }

    init(_ text: ReportText, value: String? = nil) {
        self.init(stringLiteral: help(text))
        valueName = value
    }

    init(_ text: WalkText, value: String? = nil) {
        self.init(stringLiteral: help(text))
        valueName = value
    }

    init(_ text: SceneText, value: String? = nil) {
        self.init(stringLiteral: help(text))
        valueName = value
    }

    init(_ text: ToolText, value: String? = nil) {
        self.init(stringLiteral: help(text))
        valueName = value
    }

    init(_ text: Text, value: String? = nil) {
        self.init(stringLiteral: help(text))
        valueName = value
    }
}

/// Options of every command.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: ArgumentHelp(.helpJSON))
    var json = false

    @Option(name: .long, help: ArgumentHelp(.helpLanguage, value: "en|zh"))
    var lang: Site.Language?

    /// The language where no daemon is asked.
    var language: Site.Language { lang ?? Invocation.language ?? .english }
}

extension Site.Language: ExpressibleByArgument {}

/// Options of every command that speaks to the daemon.
struct DaemonOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp(.helpSocket, value: "path"))
    var socket: String = Invocation.environment("STOCKGATE_SOCKET") ?? "/run/stockgate/control.sock"

    @OptionGroup var output: OutputOptions

    var json: Bool { output.json }

    func connect() throws -> Daemon { try Daemon(self) }
}

/// A connection to the daemon, whose failures are told in the user's language.
struct Daemon {
    let client: ControlClient
    let language: Site.Language

    init(_ options: DaemonOptions) throws {
        let known = options.output.lang ?? Invocation.language
        let client: ControlClient
        do throws(ControlFailure) {
            client = try ControlClient(socket: options.socket)
        } catch {
            throw CommandFailure(error, socket: options.socket, known ?? .english)
        }
        self.client = client
        // A locale that says nothing, as over ssh: the site's own language. Programs need none.
        guard known == nil, !options.json else {
            language = known ?? .english
            return
        }
        do throws(ControlFailure) {
            language = try client.get(["status"])["language"]?.string.flatMap(Site.Language.init) ?? .english
        } catch {
            throw CommandFailure(error, socket: options.socket, .english)
        }
    }

    func get(_ path: [String], _ query: [(String, String)] = []) throws -> JSON {
        try told { () throws(ControlFailure) in try client.get(path, query) }
    }

    func send(_ method: String, _ path: [String], body: JSON? = nil) throws -> JSON {
        try told { () throws(ControlFailure) in try client.send(method, path, body: body) }
    }

    func lines(_ path: [String], _ query: [(String, String)] = [], receive: (JSON) -> Bool) throws {
        try told { () throws(ControlFailure) in try client.lines(path, query, receive: receive) }
    }

    func told<Value>(_ work: () throws(ControlFailure) -> Value) throws -> Value {
        do throws(ControlFailure) {
            return try work()
        } catch {
            throw CommandFailure(error, socket: client.socket, language)
        }
    }
}
