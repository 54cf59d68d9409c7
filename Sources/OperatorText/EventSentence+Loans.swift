import Readings
import SiteConfiguration

extension EventSentence {
    /// What becomes of loans, tools and requests after the checkout.
    static func loanLife(_ type: String, _ event: JSON, _ data: JSON, _ naming: Naming) -> Printable {
        let language = naming.language
        func value(_ member: String) -> Printable { Printable(escaping: data[member]?.string ?? "", limit: 128) }
        func number(_ member: String) -> Printable { Printable(data[member]?.integer ?? 0) }
        let values: [String: Printable] = [
            "client": naming.actor(event["actor"]), "item": naming.item(of: data), "loan": value("loan"), "permit": value("permit"),
            "person": naming.person(data["person"], name: data["name"]),
            "borrower": naming.person(data["borrower"], name: data["borrower_name"]), "due": TimeText.minute(data["due"]?.string),
            "result": Text.code(data["result"]?.string, of: "result", language),
            "reason": Text.code(data["reason"]?.string, of: "flag", language), "uses": number("uses"), "hours": number("hours"),
            "level": number("level"), "levels": number("levels"), "what": naming.subject(ofRequest: data),
        ]
        switch type {
        case "loan.renewed":
            var renewed = values
            renewed["person"] = values["borrower"]
            return Text.eventRenewed(language, renewed)
        case "loan.transferred": return Text.eventTransferred(language, values)
        case "loan.inspected": return Text.eventInspected(language, values)
        case "loan.lost": return Text.eventLost(language, values)
        case "loan.flagged": return Text.eventFlagged(language, values)
        case "tool.found": return Text.eventFound(language, values)
        case "tool.maintenance_due": return Text.eventMaintenanceDue(language, values)
        case "tool.serviced": return Text.eventServiced(language, values)
        case "permit.requested": return Text.eventPermitRequested(language, values)
        case "permit.approved": return Text.eventPermitApproved(language, values)
        case "permit.rejected": return Text.eventPermitRejected(language, values)
        case "permit.withdrawn": return Text.eventPermitWithdrawn(language, values)
        default: return Text.eventUnknown(language, ["type": Printable(escaping: type, limit: 64)])
        }
    }
}
