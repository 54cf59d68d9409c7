import Readings
import SiteConfiguration

/// A loan told as a story: what happened, one line after the other, and on what ground it was lent.
public struct LoanStory: Sendable {
    public struct Entry: Sendable {
        /// The number of its event.
        public var number: Int64
        /// `2026-11-21 10:13`
        public var time: Printable
        /// The event in one sentence.
        public var sentence: Printable
        public var event: JSON
        /// On what ground, which rules were let pass, who asked for it.
        public var reasons: [Printable]
    }

    public var title: Printable
    public var entries: [Entry]
    /// What is still out, each with its due time.
    public var lines: [(text: Printable, due: String?)]

    /// - Parameter answer: what `GET /v1/loans/{loan}` gives.
    public init(_ answer: JSON, _ language: Site.Language) {
        let naming = Naming(language)
        let events = answer["events"]?.array ?? []
        let open = answer["lines"]?.array ?? []
        let number = Printable(escaping: answer["loan"]?.string ?? "", limit: 40)
        // Who has it: of an open line, else of the event that began it.
        let beginning = events.first { $0["data"]?["loan"] == answer["loan"] && $0["data"]?["person"] != nil }
        let holder = open.first ?? beginning?["data"]
        let person = holder.map { naming.person($0["person"], name: $0["name"]) } ?? LoanText.personUnknown(language)
        let values = ["loan": number, "person": person, "count": Printable(open.count)]
        title = (open.isEmpty ? LoanText.storyClosed : .storyTitle)(language, values)
        lines = open.map { line in
            let count = line["renewals"]?.integer ?? 0
            let values = ["item": naming.item(of: line), "due": TimeText.minute(line["due"]?.string), "count": Printable(count)]
            return ((count > 0 ? LoanText.stillOutRenewed : .stillOut)(language, values), line["due"]?.string)
        }
        entries = events.map { event in
            Entry(
                number: event["seq"]?.integer ?? 0, time: TimeText.minute(event["time"]?.string),
                sentence: EventSentence.of(event, language), event: event, reasons: Self.reasons(event, naming))
        }
    }

    private static func reasons(_ event: JSON, _ naming: Naming) -> [Printable] {
        let language = naming.language
        let evidence = event["evidence"] ?? .null
        var reasons: [Printable] = []
        switch event["type"]?.string {
        case "loan.checked_out", "loan.transferred":
            if let code = evidence["rule"]?.string {
                let ground = RuleText.ground(code, permit: event["data"]?["permit"]?.string, language)
                reasons.append(LoanText.ground(language, ["ground": ground]))
            }
        case "loan.returned":
            if evidence["rule"] == "by_hand" { reasons.append(LoanText.byHand(language)) }
        default: break
        }
        if let flags = evidence["flags"]?.array, !flags.isEmpty {
            let rules = flags.prefix(16).map { LoanText.code($0.string, of: "rule", language) }
            reasons.append(LoanText.flagged(language, ["rules": rules.joined(separator: Text.listSeparator(language))]))
        }
        if event["actor"]?["client"] != nil { reasons.append(LoanText.doneBy(language, ["client": naming.actor(event["actor"])])) }
        return reasons
    }
}
