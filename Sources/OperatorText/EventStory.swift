import Readings
import SiteConfiguration

/// An event told as a story: what, who, when, where, why, and how it was delivered.
public struct EventStory: Sendable {
    /// The event in one sentence.
    public var title: Printable
    /// Lines with a label; a line that continues the one before it has an empty label.
    public var lines: [(label: Printable, text: Printable)]

    /// - Parameters:
    ///   - answer: what `GET /v1/events/{event}` gives: `event`, `delivery` and the daemon's `time`.
    public init(_ answer: JSON, _ language: Site.Language) {
        let event = answer["event"] ?? .null
        let naming = Naming(language)
        title = EventSentence.of(event, language)
        lines = []
        func text(_ member: String, limit: Int = 128) -> Printable { Printable(escaping: event[member]?.string ?? "", limit: limit) }

        let certainty = Text.code(event["certainty"]?.string, of: "certainty", language)
        add(Text.labelWhat(language), [text("type"), certainty, text("id")].joined(separator: " · "))
        for subject in event["subject"]?.array ?? [] { add("", Printable(escaping: subject.string ?? "")) }
        if let corrected = event["corrects"]?.integer {
            add(Text.labelCorrects(language), Text.correctsEvent(language, ["number": Printable(corrected)]))
        }
        add(Text.labelWho(language), naming.actor(event["actor"]))
        add(
            Text.labelWhen(language),
            Text.whenClock(
                language,
                ["time": TimeText.local(event["time"]?.string), "quality": Text.code(event["clock"]?.string, of: "clock", language)]))
        if let recorded = event["recorded"]?.string { add(Text.labelRecorded(language), TimeText.local(recorded)) }
        add(Text.labelWhere(language), Self.place(of: event, language))
        if event["place"]?.string != nil { add("", text("place", limit: 200)) }
        addReasons(event, language)
        addDelivery(answer["delivery"]?.array ?? [], now: answer["time"]?.string, language)
    }

    private mutating func add(_ label: Printable, _ text: Printable) {
        lines.append((label, text))
    }

    private static func place(of event: JSON, _ language: Site.Language) -> Printable {
        guard let station = event["station"]?.string else { return Text.whereGateway(language) }
        let name = Printable(escaping: station, limit: 64)
        guard let episode = event["episode"]?.string else { return Text.whereStationOnly(language, ["station": name]) }
        return Text.whereStation(language, ["station": name, "episode": Printable(escaping: episode, limit: 80)])
    }

    private mutating func addReasons(_ event: JSON, _ language: Site.Language) {
        var reasons: [Printable] = []
        if let permit = event["data"]?["permit"]?.string {
            reasons.append(Self.pair(Text.labelPermit(language), Printable(escaping: permit, limit: 64), language))
        }
        let evidence = (event["evidence"]?.object ?? [:]).sorted { $0.key < $1.key }
        for (key, value) in evidence {
            // The side of the first and last read is a word of ours, everything else is a value.
            let isSide = key == "first" || key == "last"
            let text = isSide ? Text.code(value.string, of: "evidence", language) : Self.plain(value, language)
            reasons.append(Self.pair(Text.code(key, of: "evidence", language), text, language))
        }
        if evidence.isEmpty { reasons.append(Text.whyNothing(language)) }
        if let version = event["master"]?.integer { reasons.append(Text.whyMaster(language, ["version": Printable(version)])) }
        for (position, reason) in reasons.enumerated() { add(position == 0 ? Text.labelWhy(language) : "", reason) }
    }

    private mutating func addDelivery(_ deliveries: [JSON], now: String?, _ language: Site.Language) {
        if deliveries.isEmpty { return add(Text.labelDelivery(language), Text.deliveryNone(language)) }
        for (position, delivery) in deliveries.enumerated() {
            let name = Printable(escaping: delivery["destination"]?.string ?? "", limit: 64)
            var state = Text.code(delivery["state"]?.string, of: "delivery", language)
            if let time = delivery["time"]?.string {
                state = Text.withMore(language, ["text": state, "more": TimeText.relative(time, now: now, language)])
            }
            if let reason = delivery["reason"]?.string {
                state = Text.withMore(language, ["text": state, "more": Printable(escaping: reason)])
            }
            add(position == 0 ? Text.labelDelivery(language) : "", Self.pair(name, state, language))
        }
    }

    private static func pair(_ label: Printable, _ text: Printable, _ language: Site.Language) -> Printable {
        Text.labelled(language, ["label": label, "text": text])
    }

    /// A JSON value without braces and quotes; nesting is flattened to `a=1 b=2`.
    static func plain(_ value: JSON, _ language: Site.Language) -> Printable {
        switch value {
        case .string(let text): Printable(escaping: text, limit: 128)
        case .array(let elements):
            elements.prefix(32).map { plain($0, language) }.joined(separator: Text.listSeparator(language))
        case .object(let members):
            members.sorted { $0.key < $1.key }.prefix(32)
                .map { Text.code($0.key, of: "evidence", language) + " " + plain($0.value, language) }.joined(
                    separator: Text.listSeparator(language))
        default: Printable(escaping: value.canonicalText)
        }
    }
}
