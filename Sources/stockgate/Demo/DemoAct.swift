import Identifiers
import Readings

/// Something that happens at the demonstration site: what a person would do with their hands.
struct DemoAct {
    enum Deed {
        /// Somebody, perhaps with a badge, carries tools through the gate.
        case walk(person: String?, items: [String], direction: Direction)
        /// Codes are scanned at the bench, one after the other.
        case scan(codes: [String])
    }

    var deed: Deed
    /// What to tell the audience, by language.
    var texts: [String: String] = [:]
    /// Seconds until the next act.
    var wait: Int64 = 8

    /// One act of `story.json`, or a request of `stockgate demo walk`. nil for anything else.
    init?(json: JSON) {
        let request = json["do"] ?? json
        switch request["act"]?.string {
        case "walk":
            guard let direction = request["direction"]?.string.flatMap(Direction.init), let items = request["items"]?.array else {
                return nil
            }
            deed = .walk(person: request["person"]?.string, items: items.compactMap(\.string), direction: direction)
        case "scan":
            guard let codes = request["codes"]?.array else { return nil }
            deed = .scan(codes: codes.compactMap(\.string))
        default: return nil
        }
        for language in ["en", "zh"] { texts[language] = json[language]?.string }
        if let seconds = json["wait"]?.integer { wait = max(1, min(600, seconds)) }
    }
}
