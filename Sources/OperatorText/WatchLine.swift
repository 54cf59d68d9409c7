import Identifiers
import Readings
import SiteConfiguration

/// One line for one happening of `GET /v1/watch`.
public enum WatchLine {
    /// - Parameters:
    ///   - happening: one object of the stream.
    ///   - count: how many reads of the same tag it stands for.
    /// - Returns: nil for a kind that this program does not know.
    public static func of(_ happening: JSON, count: Int = 1, _ language: Site.Language) -> Printable? {
        switch happening["kind"]?.string {
        case "reading": reading(happening, count: count, language)
        case "sighting": sighting(happening, language)
        case "event": EventSentence.of(happening["event"] ?? .null, language)
        case "test":
            Text.watchTestOnly(
                language,
                [
                    "what": (happening["events"]?.array ?? []).prefix(16).map { EventSentence.of($0, language) }
                        .joined(separator: Text.listSeparator(language))
                ])
        case "feedback": Text.code(happening["feedback"]?.string, of: "feedback", language)
        case "device":
            Text.watchDevice(
                language,
                [
                    "device": Printable(escaping: happening["device"]?.string ?? "", limit: 64),
                    "state": Text.code(happening["state"]?.string, of: "device", language),
                    "reason": Printable(escaping: happening["reason"]?.string ?? ""),
                ])
        case "dropped": Text.watchDropped(language, ["count": Printable(happening["count"]?.integer ?? 0)])
        default: nil
        }
    }

    private static func reading(_ happening: JSON, count: Int, _ language: Site.Language) -> Printable? {
        let naming = Naming(language)
        let bearer = naming.bearer(happening["bearer"])
        if let tag = happening["tag"] ?? happening["late"] {
            var signal: Printable = ""
            if let rssi = tag["rssi"] { signal = Printable(escaping: rssi.canonicalText, limit: 12) + " dBm" }
            if count > 1 { signal = signal + " · " + Text.watchTimes(language, ["count": Printable(count)]) }
            let text = happening["tag"] == nil ? Text.watchLate : Text.watchTag
            return text(
                language,
                [
                    "epc": Printable(escaping: tag["epc"]?.string ?? "", limit: 124), "what": bearer.isEmpty ? "" : bearer + " ",
                    "antenna": Printable(tag["ant"]?.integer ?? 0), "rssi": signal,
                ])
        }
        if let scan = happening["scan"] {
            let symbology = scan["aim"]?.string.flatMap { AIMIdentifier($0) }?.symbology
            let tail = [Printable(escaping: symbology ?? "", limit: 32), bearer].filter { !$0.isEmpty }.joined(separator: " · ")
            return Text.watchScan(language, ["code": Printable(escaping: scan["text"]?.string ?? "", limit: 96), "symbology": tail])
        }
        if let badge = happening["badge"]?.string {
            let name = happening["bearer"].map { naming.person($0["person"], name: $0["name"]) } ?? ""
            return Text.watchBadge(language, ["badge": Printable(escaping: badge, limit: 32), "name": name])
        }
        guard let input = happening["input"] else { return nil }
        return Text.watchInput(
            language, ["line": Printable(input["line"]?.integer ?? 0), "level": Printable(input["active"] == true ? 1 : 0)])
    }

    private static func sighting(_ happening: JSON, _ language: Site.Language) -> Printable {
        var what = Naming(language).bearer(happening["bearer"])
        if what.isEmpty { what = Text.tagWord(language, ["epc": Printable(escaping: happening["epc"]?.string ?? "", limit: 124)]) }
        let word = happening["sighting"]?.string ?? ""
        guard let text = Text(rawValue: "sighting.\(word)") else { return Printable(escaping: word, limit: 64) + " " + what }
        let line = text(language, ["what": what])
        return happening["certainty"] == "provisional" ? Text.provisional(language, ["what": line]) : line
    }
}
