import Readings
import SiteConfiguration

/// How answers name people and things: keys with names beside them, as the daemon resolved them (`docs/api.yaml`, "Names").
public struct Naming: Sendable {
    public let language: Site.Language

    public init(_ language: Site.Language) {
        self.language = language
    }

    /// `Drill 18 V (DRILL-01)`; the key alone where no name is known.
    public func thing(_ key: JSON?, name: JSON?) -> Printable {
        guard let key = key?.string else { return "" }
        guard let name = name?.string, name != key else { return Printable(escaping: key, limit: 64) }
        return Text.namedThing(language, ["name": Printable(escaping: name, limit: 64), "key": Printable(escaping: key, limit: 64)])
    }

    /// A person's name alone: the key is random and says nothing.
    public func person(_ key: JSON?, name: JSON?) -> Printable {
        Printable(escaping: name?.string ?? key?.string ?? "", limit: 64)
    }

    public func item(of json: JSON) -> Printable { thing(json["item"], name: json["item_name"]) }

    public func location(of json: JSON, _ member: String = "location") -> Printable { thing(json[member], name: json["\(member)_name"]) }

    /// An item, or a product with its lot.
    public func stock(_ json: JSON) -> Printable {
        if json["item"] != nil { return item(of: json) }
        let product = thing(json["product"], name: json["product_name"])
        guard let lot = json["lot"]?.string else { return product }
        return Text.thingWithLot(language, ["thing": product, "lot": Printable(escaping: lot, limit: 64)])
    }

    /// `item Drill 18 V (DRILL-01)`; a bearer has its name in `name`, whatever it is.
    public func bearer(_ json: JSON?) -> Printable {
        guard let json else { return "" }
        func named(_ member: String) -> Printable { thing(json[member], name: json["name"]) }
        if json["item"] != nil { return Text.bearerItem(language, ["what": named("item")]) }
        if json["person"] != nil { return Text.bearerPerson(language, ["what": person(json["person"], name: json["name"])]) }
        if json["product"] != nil { return Text.bearerProduct(language, ["what": named("product")]) }
        if json["location"] != nil { return Text.bearerLocation(language, ["what": named("location")]) }
        return ""
    }

    public func actor(_ json: JSON?) -> Printable {
        guard let json else { return Text.actorUnknown(language) }
        if json["person"] != nil { return person(json["person"], name: json["name"]) }
        if let client = json["client"]?.string { return Printable(escaping: client, limit: 64) }
        return (json == "gateway" ? Text.actorGateway : .actorUnknown)(language)
    }

    /// The members of an array, at most `limit`, with the names that stand in a parallel array.
    public func list(_ keys: JSON?, names: JSON?, limit: Int = 8, each: (JSON, JSON?) -> Printable) -> Printable {
        let keys = keys?.array ?? []
        let names = names?.array ?? []
        var shown = keys.prefix(limit).enumerated().map { position, key in each(key, position < names.count ? names[position] : nil) }
        if keys.count > limit { shown.append(Printable(escaping: "…(+\(keys.count - limit))")) }
        return shown.joined(separator: Text.listSeparator(language))
    }

    /// What an exception is about: items, tags, a code, a loan, people.
    /// What a request is about: items, and classes by their keys.
    public func subject(ofRequest data: JSON) -> Printable {
        let items = list(data["items"], names: data["item_names"]) { thing($0, name: $1) }
        let classes = list(data["classes"], names: nil) { key, _ in Printable(escaping: key.string ?? "", limit: 64) }
        let parts = [items, classes].filter { !$0.isEmpty }
        return parts.isEmpty ? Text.nothingNamed(language) : parts.joined(separator: Text.listSeparator(language))
    }

    public func subject(ofException data: JSON) -> Printable {
        var parts: [Printable] = []
        let items = list(data["items"], names: data["item_names"]) { thing($0, name: $1) }
        if !items.isEmpty { parts.append(items) }
        // A tag that belongs to a named item says nothing more.
        if items.isEmpty, data["epcs"] != nil {
            let tags = list(data["epcs"], names: nil, limit: 3) { key, _ in Printable(escaping: key.string ?? "", limit: 64) }
            parts.append(Text.tagWord(language, ["epc": tags]))
        }
        if let code = data["code"]?.string { parts.append(Text.codeWord(language, ["code": Printable(escaping: code, limit: 64)])) }
        if let loan = data["loan"]?.string { parts.append(Text.loanWord(language, ["loan": Printable(escaping: loan, limit: 40)])) }
        let people = list(data["candidates"], names: data["candidate_names"]) { person($0, name: $1) }
        if !people.isEmpty { parts.append(Text.candidates(language, ["people": people])) }
        if let direction = data["direction"]?.string { parts.append(Text.code(direction, of: "direction", language)) }
        return parts.isEmpty ? Text.nothingNamed(language) : parts.joined(separator: Text.listSeparator(language))
    }
}
