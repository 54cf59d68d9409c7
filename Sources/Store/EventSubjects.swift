import Readings

/// What an event can be found by.
enum EventSubjects {
    /// Which members of an event's `data` and `actor` name what. Read at every depth, alone or in lists.
    static let kinds = [
        "item": "item", "items": "item", "person": "person", "borrower": "person", "candidates": "person", "product": "product",
        "location": "location", "from": "location", "epc": "epc", "epcs": "epc", "loan": "loan", "from_loan": "loan", "missing": "item",
        "permit": "permit",
        "exception": "exception",
    ]

    /// `item/DRILL-01`, `person/p-0123456789abcdef`, `epc/3034…`, `loan/CRIB1-7QK3-00042-T`, `location/A-01`, `exception/17`, and the URIs
    /// of the event's subjects and place as they are.
    static func all(in event: JSON) -> Set<String> {
        var subjects: Set<String> = []
        for member in ["data", "actor"] { collect(event[member] ?? .null, into: &subjects) }
        // The first day of a request stands under the name of a location.
        if event["type"] == "permit.requested", let day = event["data"]?["from"]?.string { subjects.remove("location/\(day)") }
        for uri in event["subject"]?.array ?? [] { if let text = uri.string { subjects.insert(text) } }
        if let place = event["place"]?.string { subjects.insert(place) }
        // An exception is numbered by the event that raised it first; one that confirms it names it.
        if event["type"] == "exception.raised", event["data"]?["exception"] == nil, let number = event["seq"]?.integer {
            subjects.insert("exception/\(number)")
        }
        if event["type"] == "crossing.retracted", event["data"]?["type"] == "exception.raised", event["data"]?["data"]?["exception"] == nil,
            let number = event["corrects"]?.integer
        {
            subjects.insert("exception/\(number)")
        }
        return subjects
    }

    private static func collect(_ value: JSON, into subjects: inout Set<String>) {
        if let elements = value.array {
            for element in elements { collect(element, into: &subjects) }
        }
        for (name, member) in value.object ?? [:] {
            if let kind = kinds[name] {
                for entry in member.array ?? [member] {
                    if let text = entry.string ?? entry.integer.map(String.init) { subjects.insert("\(kind)/\(text)") }
                }
            }
            collect(member, into: &subjects)
        }
    }
}
