import ArgumentParser
import OperatorText
import Readings
import SiteConfiguration

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: help(.helpWatch))

    @OptionGroup var daemon: DaemonOptions

    func run() throws {
        let connection = try daemon.connect()
        let language = connection.language
        var throttle = ReadingThrottle()
        try connection.lines(["watch"]) { happening in
            if daemon.json {
                Terminal.output.write(json: happening)
                return true
            }
            let now = happening["time"]?.string.flatMap(WallTime.init(rfc3339:))?.milliseconds ?? 0
            for (shown, reads) in throttle.take(happening, at: now) { Self.print(shown, reads: reads, language) }
            return true
        }
        for (shown, reads) in throttle.end() { Self.print(shown, reads: reads, language) }
    }

    private static func print(_ happening: JSON, reads: Int, _ language: Site.Language) {
        if happening["kind"] == "watching" { return Terminal.output.write(Text.watchStarted(language), .faint) }
        guard let line = WatchLine.of(happening, count: reads, language) else { return }
        let place = happening["device"]?.string ?? happening["station"]?.string ?? happening["event"]?["station"]?.string ?? ""
        let clock = Printable(escaping: TimeText.local(happening["time"]?.string).text.suffix(8))
        Terminal.output.write([
            (clock + "  ", .faint), (Printable(escaping: place, limit: 64).padded(to: 14) + "  ", .plain), (line, style(of: happening)),
        ])
    }

    private static func style(of happening: JSON) -> Terminal.Style {
        switch happening["kind"]?.string {
        case "reading": .faint
        case "event": EventLine.style(of: happening["event"] ?? .null)
        case "device": happening["state"] == "reading" ? .good : .warning
        case "feedback":
            switch happening["feedback"]?.string {
            case "accepted", "next": .good
            case "not_recorded": .bad
            default: .warning
            }
        case "dropped": .warning
        default: .plain
        }
    }
}
