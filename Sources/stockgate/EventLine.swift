import OperatorText
import Readings
import SiteConfiguration

/// One event on one line: number, time, station, sentence.
enum EventLine {
    static func print(_ event: JSON, _ language: Site.Language) {
        let number = Printable(event["seq"]?.integer ?? 0)
        let gap: Printable = ""
        let station = Printable(escaping: event["station"]?.string ?? "", limit: 64)
        Terminal.output.write([
            (gap.padded(to: max(0, 6 - number.width)) + number + "  " + TimeText.local(event["time"]?.string) + "  ", .faint),
            (station.padded(to: 10) + "  ", .plain), (EventSentence.of(event, language), style(of: event)),
        ])
    }

    static func style(of event: JSON) -> Terminal.Style {
        if EventSentence.isConfirmation(event) { return .faint }
        return switch event["type"]?.string {
        case "exception.raised", "loan.lost", "loan.flagged", "tool.maintenance_due", "permit.rejected": .warning
        case "loan.checked_out", "loan.returned", "loan.renewed", "loan.transferred", "permit.approved", "stock.put_away", "stock.consumed":
            .good
        default: .plain
        }
    }
}
