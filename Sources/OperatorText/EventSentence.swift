import Readings
import SiteConfiguration

/// One event in one sentence.
public enum EventSentence {
    /// - Parameter event: an event as the API gives it, with names beside keys.
    public static func of(_ event: JSON, _ language: Site.Language) -> Printable {
        let sentence = plain(event, language)
        if event["certainty"] == "provisional", event["type"] != "crossing.retracted" {
            return Text.provisional(language, ["what": sentence])
        }
        return isConfirmation(event) ? Text.confirmed(language, ["what": sentence]) : sentence
    }

    /// Whether an event only makes final what an earlier one said provisionally.
    public static func isConfirmation(_ event: JSON) -> Bool {
        event["certainty"] == "final" && event["corrects"] != nil && event["type"] != "crossing.retracted"
    }

    private static func retracted(_ event: JSON, _ data: JSON, _ language: Site.Language) -> Printable {
        var members = event.object ?? [:]
        members["type"] = data["type"]?.string.flatMap { $0 == "crossing.retracted" ? nil : JSON.string($0) }
        members["data"] = data["data"]
        members["seq"] = data["data"]?["exception"] ?? event["corrects"]
        return Text.eventRetracted(language, ["what": plain(.object(members), language)])
    }

    private static func plain(_ event: JSON, _ language: Site.Language) -> Printable {
        let naming = Naming(language)
        let data = event["data"] ?? .null
        func value(_ member: String) -> Printable { Printable(escaping: data[member]?.string ?? "", limit: 128) }
        func number(_ member: String) -> Printable { Printable(data[member]?.integer ?? 0) }
        let client = naming.actor(event["actor"])
        switch event["type"]?.string {
        case "loan.checked_out":
            return Text.eventCheckedOut(
                language,
                [
                    "person": naming.person(data["person"], name: data["name"]), "item": naming.item(of: data), "loan": value("loan"),
                    "due": TimeText.minute(data["due"]?.string),
                ])
        case "loan.returned": return returned(event, data, naming)
        case "loan.reminded": return reminded(data, naming)
        case let type? where type.hasPrefix("loan.") || type.hasPrefix("tool.") || type.hasPrefix("permit."):
            return loanLife(type, event, data, naming)
        case "stock.put_away": return putAway(event, data, naming)
        case "stock.consumed": return consumed(event, data, naming)
        case "cabinet.opened", "cabinet.closed": return door(event, data, naming)
        case "cabinet.unlocked":
            let somebody = Text.cabinetSomebody(language)
            return Text.eventCabinetUnlocked(
                language,
                [
                    "client": client, "station": Printable(escaping: event["station"]?.string ?? "", limit: 64), "note": value("note"),
                    "person": data["person"] == nil ? somebody : naming.person(data["person"], name: data["name"]),
                ])
        case "cabinet.refused":
            let somebody = Text.cabinetSomebody(language)
            return Text.eventCabinetRefused(
                language,
                [
                    "station": Printable(escaping: event["station"]?.string ?? "", limit: 64),
                    "person": data["person"] == nil ? somebody : naming.person(data["person"], name: data["name"]),
                    "reason": data["reason"] == "unknown_badge"
                        ? Text.exceptionUnknownBadge(language) : LoanText.code(data["reason"]?.string, of: "rule", language),
                ])
        case "exception.raised":
            return Text.eventExceptionRaised(
                language,
                [
                    "number": Printable((data["exception"] ?? event["seq"])?.integer ?? 0),
                    "kind": Text.code(data["kind"]?.string, of: "exception", language),
                    "what": naming.subject(ofException: data), "owner": value("owner"),
                    "deadline": TimeText.minute(data["deadline"]?.string),
                ])
        case "crossing.retracted": return retracted(event, data, language)
        case "exception.assigned":
            return Text.eventExceptionAssigned(language, ["client": client, "number": number("exception"), "owner": value("owner")])
        case "exception.resolved":
            let note = value("note")
            return (note.isEmpty ? Text.eventExceptionResolved : .eventExceptionResolvedNote)(
                language, ["client": client, "number": number("exception"), "resolution": value("resolution"), "note": note])
        case "tag.bound":
            return Text.eventTagBound(language, ["client": client, "epc": value("epc"), "bearer": naming.bearer(data["bearer"])])
        case "tag.unbound":
            return Text.eventTagUnbound(language, ["client": client, "epc": value("epc"), "bearer": naming.bearer(data["bearer"])])
        case "tag.observed_late": return observedLate(data, naming)
        case "station.mode_changed":
            return Text.eventModeChanged(
                language,
                [
                    "client": client, "station": Printable(escaping: event["station"]?.string ?? "", limit: 64),
                    "mode": Text.code(data["mode"]?.string, of: "mode", language),
                ])
        case "master.applied":
            return Text.eventMasterApplied(language, ["version": number("version"), "rows": number("rows")])
        case "clock.corrected":
            let shift = Printable(escaping: Self.span(milliseconds: data["shift_ms"]?.integer ?? 0), limit: 40)
            return Text.eventClockCorrected(language, ["first": number("first"), "shift": shift])
        default:
            return Text.eventUnknown(language, ["type": Printable(escaping: event["type"]?.string ?? "", limit: 64)])
        }
    }

    /// `-1:00:00.000`, `20779 d 08:15:30.123`.
    private static func span(milliseconds: Int64) -> String {
        let size = milliseconds.magnitude
        func padded(_ number: UInt64, _ count: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
        }
        let (days, rest) = size.quotientAndRemainder(dividingBy: 86_400_000)
        let clock =
            "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1_000 % 60, 2)).\(padded(rest % 1_000, 3))"
        return (milliseconds < 0 ? "-" : "") + (days > 0 ? "\(days) d " : "") + clock
    }

    private static func returned(_ event: JSON, _ data: JSON, _ naming: Naming) -> Printable {
        let values: [String: Printable] = [
            "item": naming.item(of: data), "loan": Printable(escaping: data["loan"]?.string ?? "", limit: 40),
            "borrower": naming.person(data["borrower"], name: data["borrower_name"]), "person": naming.actor(event["actor"]),
        ]
        guard let person = event["actor"]?["person"] else { return Text.eventCameBack(naming.language, values) }
        return (person == data["borrower"] ? Text.eventReturned : .eventReturnedFor)(naming.language, values)
    }

    private static func reminded(_ data: JSON, _ naming: Naming) -> Printable {
        Text.eventReminded(
            naming.language,
            [
                "items": naming.list(data["items"], names: data["item_names"]) { naming.thing($0, name: $1) },
                "loan": Printable(escaping: data["loan"]?.string ?? "", limit: 40),
                "borrower": naming.person(data["borrower"], name: data["borrower_name"]),
                "step": Text.code(data["step"]?.string, of: "reminder", naming.language),
                "to": naming.list(data["to"], names: nil) { code, _ in Text.code(code.string, of: "recipient", naming.language) },
                "due": TimeText.minute(data["due"]?.string),
            ])
    }

    private static func observedLate(_ data: JSON, _ naming: Naming) -> Printable {
        let tag = Text.tagWord(naming.language, ["epc": Printable(escaping: data["epc"]?.string ?? "", limit: 124)])
        let bearer = naming.bearer(data["bearer"])
        let values: [String: Printable] = [
            "device": Printable(escaping: data["device"]?.string ?? "", limit: 64), "what": bearer.isEmpty ? tag : bearer,
            "reads": Printable(data["reads"]?.integer ?? 0), "first": TimeText.local(data["first"]?.string),
            "last": TimeText.local(data["last"]?.string),
        ]
        return (data["first"] == nil ? Text.eventObservedLateUntimed : .eventObservedLate)(naming.language, values)
    }

    private static func consumed(_ event: JSON, _ data: JSON, _ naming: Naming) -> Printable {
        let subject = Text.thingQuantity(
            naming.language, ["quantity": Printable(data["quantity"]?.integer ?? 0), "thing": naming.stock(data)])
        let values: [String: Printable] = [
            "subject": subject, "location": naming.location(of: data), "person": naming.person(data["person"], name: data["name"]),
        ]
        return (data["person"] == nil ? Text.eventConsumed : .eventConsumedBy)(naming.language, values)
    }

    private static func door(_ event: JSON, _ data: JSON, _ naming: Naming) -> Printable {
        let people = naming.list(data["persons"], names: data["person_names"]) { naming.person($0, name: $1) }
        let milliseconds = data["open_ms"]?.integer
        let values: [String: Printable] = [
            "station": Printable(escaping: event["station"]?.string ?? "", limit: 64),
            "reason": Text.code(data["reason"]?.string, of: "opening", naming.language),
            "people": people.isEmpty ? Text.cabinetNobody(naming.language) : people,
            "time": milliseconds.map { Printable(($0 + 500) / 1_000) } ?? "?",
            "client": Printable(escaping: data["client"]?.string ?? "", limit: 64),
            "note": Printable(escaping: data["note"]?.string ?? "", limit: 128),
        ]
        if event["type"] == "cabinet.opened", data["client"] != nil { return Text.eventCabinetOpenedByCommand(naming.language, values) }
        return (event["type"] == "cabinet.opened" ? Text.eventCabinetOpened : .eventCabinetClosed)(naming.language, values)
    }

    private static func putAway(_ event: JSON, _ data: JSON, _ naming: Naming) -> Printable {
        var subject = naming.stock(data["stock"] ?? .null)
        if data["stock"]?["product"] != nil {
            subject = Text.thingQuantity(naming.language, ["quantity": Printable(data["quantity"]?.integer ?? 0), "thing": subject])
        }
        let values: [String: Printable] = [
            "subject": subject, "location": naming.location(of: data), "from": naming.location(of: data, "from"),
            "person": naming.actor(event["actor"]),
        ]
        if data["from"] != nil, data["from"] != data["location"] { return Text.eventPutAwayFrom(naming.language, values) }
        return (event["actor"]?["person"] == nil ? Text.eventPutAway : .eventPutAwayBy)(naming.language, values)
    }
}
