import Ledger
import Readings

extension JSON {
    /// This answer with names beside keys, at every depth.
    ///
    /// `person` gets `name`; `item`, `product`, `location`, `from` and `borrower` get `item_name` and so on; `items`, `missing`,
    /// `candidates` and `persons` get `item_names`, `missing_names`, `candidate_names` and `person_names`, arrays of the same length with
    /// null where no name is known. A `bearer` has its name in `name`,
    /// whatever it is. What has no name gets no member.
    /// - Parameter lookup: the name of a person, item, product or location; nil when it is not known, or erased.
    public func naming(_ lookup: (Bearer) -> String?) -> JSON {
        switch self {
        case .array(let elements): return .array(elements.map { $0.naming(lookup) })
        case .object(var members):
            for (member, value) in members {
                switch value {
                case .object(var inner):
                    if member == "bearer" {
                        inner["name"] = Bearer(json: value).flatMap(lookup).map(JSON.string)
                        members[member] = .object(inner)
                    } else {
                        members[member] = value.naming(lookup)
                    }
                case .array(let elements):
                    // Of keys; a list of objects may have the same name, and its elements have names of their own.
                    if let (target, kind) = Self.listNames[member], elements.allSatisfy({ $0.object == nil }) {
                        let names = elements.map { kind($0.string).flatMap(lookup).map(JSON.string) ?? .null }
                        if names.contains(where: { !$0.isNull }) { members[target] = .array(names) }
                    } else {
                        members[member] = value.naming(lookup)
                    }
                case .string(let key):
                    guard let (target, kind) = Self.keyNames[member], let name = kind(key).flatMap(lookup) else { continue }
                    members[target] = .string(name)
                default: continue
                }
            }
            return .object(members)
        default: return self
        }
    }

    private typealias Kind = @Sendable (String?) -> Bearer?

    private static let person: Kind = { $0.flatMap(PersonKey.init).map(Bearer.person) }
    private static let item: Kind = { $0.flatMap(ItemKey.init).map(Bearer.item) }
    private static let location: Kind = { $0.flatMap(LocationKey.init).map(Bearer.location) }
    private static let product: Kind = { $0.flatMap(ProductKey.init).map(Bearer.product) }

    private static let keyNames: [String: (String, Kind)] = [
        "person": ("name", person), "borrower": ("borrower_name", person), "item": ("item_name", item),
        "product": ("product_name", product),
        "location": ("location_name", location), "from": ("from_name", location),
    ]

    private static let listNames: [String: (String, Kind)] = [
        "items": ("item_names", item), "missing": ("missing_names", item), "candidates": ("candidate_names", person),
        "persons": ("person_names", person),
    ]
}
