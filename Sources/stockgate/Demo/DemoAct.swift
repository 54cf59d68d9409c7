import Identifiers
import Readings

/// Something that happens at the demonstration site: what a person would do with their hands.
struct DemoAct {
    enum Deed {
        /// Somebody, perhaps with a badge, carries tools through the gate.
        case walk(person: String?, items: [String], direction: Direction)
        /// Codes are scanned at the bench, one after the other.
        case scan(codes: [String])
        /// Somebody holds a badge at the cabinet, takes tools out and puts others in.
        case cabinet(person: String, take: [String], put: [String])
        /// Days pass, up to an hour of the last of them.
        case days(Int, hour: Int)
        /// What the storekeeper types.
        case command([String])
    }

    var deed: Deed
    /// What to tell the audience, by language.
    var texts: [String: String] = [:]
    /// Seconds until the next act.
    var wait: Int64 = 8

    /// One act of `story.json`, or a request of `stockgate demo walk` and the like. nil for anything else.
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
        case "cabinet":
            guard let person = request["person"]?.string else { return nil }
            func items(_ member: String) -> [String] { (request[member]?.array ?? []).compactMap(\.string) }
            deed = .cabinet(person: person, take: items("take"), put: items("put"))
        case "days":
            guard let count = request["count"]?.integer, (0...366).contains(count) else { return nil }
            let hour = request["hour"]?.integer ?? 9
            guard (0...23).contains(hour) else { return nil }
            deed = .days(Int(count), hour: Int(hour))
        case "command":
            guard let words = request["words"]?.array else { return nil }
            deed = .command(words.compactMap(\.string))
        default: return nil
        }
        for language in ["en", "zh"] { texts[language] = json[language]?.string }
        if let seconds = json["wait"]?.integer { wait = max(1, min(600, seconds)) }
    }
}
