import Identifiers
import Readings
import SiteConfiguration

/// Somebody who borrows, returns, puts away or looks after.
public struct Person: Hashable, Sendable {
    public var key: PersonKey
    /// What the site calls this person: an employee number.
    public var number: String?
    public var name: String
    /// A blocked person borrows nothing; returning is always possible.
    public var isBlocked: Bool
    /// Open loans allowed; nil: the site's policy.
    public var quota: Int?
    /// What this person may do, and the last day of it; nil: for ever.
    public var certificates: [String: CivilDate?] = [:]
    /// Where reminders go; nil: nowhere.
    public var email: MailAddress?
    /// Of mails; nil: the destination's.
    public var language: Site.Language?
    /// Who is told too when this person keeps something too long.
    public var supervisor: PersonKey?
}

/// A class of tools: what its items have in common.
public struct ItemClass: Hashable, Sendable {
    public var name: String
    /// Days until due; nil: the site's policy.
    public var dueDays: Int?
    /// Whether those days are working days.
    public var countsWorkingDays = false
    /// In the smallest unit of money, for items without a value of their own.
    public var value: Int64?
    /// Open loans of this class that one person may have; nil: no limit.
    public var quota: Int?
    /// What a person must hold.
    public var certificates: Swift.Set<String> = []
    /// Whether a tool that came back must be inspected before it is lent again.
    public var needsInspection = false
    /// Whether everybody may borrow without an approved request.
    public var isStanding = false
    public var needsSecondPerson = false
    /// How often a loan may be renewed; nil: the site's policy.
    public var renewals: Int?
    /// After so many loans, or hours out, a tool needs maintenance; nil: never.
    public var maintenanceUses: Int64?
    public var maintenanceHours: Int64?
}

/// One tool or instrument: lent, returned, one of its kind.
public struct Item: Hashable, Sendable {
    public var key: ItemKey
    public var name: String
    /// The class that rules and permits speak of, for example `power-tool`.
    public var itemClass: String?
    /// Days until due; nil: by its class or the site's policy.
    public var dueDays: Int?
    /// The canonical GS1 Digital Link or other URI, where the item has one.
    public var uri: String?
    /// In the smallest unit of money; nil: by its class.
    public var value: Int64?
    /// What a person must hold, beside what the class demands.
    public var certificates: Swift.Set<String> = []
    /// The last day on which its calibration holds; nil: it needs none.
    public var calibrationDue: CivilDate?
    /// What belongs to it, where it is a kit.
    public var parts: [ItemKey] = []
    /// Where it belongs.
    public var home: LocationKey?
}

/// A kind of goods that is counted, not lent.
public struct Product: Hashable, Sendable {
    public var key: ProductKey
    public var name: String
    /// GTIN-14, where there is one.
    public var gtin: String?
}

/// A shelf, bin, crib or dock.
public struct Location: Hashable, Sendable {
    public var key: LocationKey
    public var name: String
    /// The GS1 Digital Link of its GLN, where it has one.
    public var uri: String?
}

/// An approved request 借入申请 that a checkout fulfils.
public struct Permit: Hashable, Sendable {
    public var key: PermitKey
    public var person: PersonKey
    /// Items that it names; an item of these or of `classes` is covered.
    public var items: Set<ItemKey>
    public var classes: Set<String>
    /// Checkouts that it allows in all, 1 or more.
    public var quantity: Int
    /// First and last day on which a checkout may happen, in the site's time; nil: no bound.
    public var from: CivilDate?
    public var until: CivilDate?
    /// The planned day of return; nil: by item and policy.
    public var due: CivilDate?
    public var purpose: String?
    /// Who approved it, as the owner's system names them.
    public var approvers: [String] = []
}

/// What a tag, barcode or badge belongs to.
public enum Bearer: Hashable, Sendable {
    case item(ItemKey)
    case person(PersonKey)
    case product(ProductKey)
    case location(LocationKey)

    /// `item DRILL-01`
    public var description: String {
        switch self {
        case .item(let key): "item \(key)"
        case .person(let key): "person \(key)"
        case .product(let key): "product \(key)"
        case .location(let key): "location \(key)"
        }
    }
}

/// Everything that the site's owner knows and the gateway only reads: replaced and extended from upstream or by import.
///
/// Built from rows (`MasterRow`); a row that was deleted stays as a tombstone while something refers to it.
public struct MasterData: Hashable, Sendable {
    /// Counts applied changes; stored with every event that relied on it.
    public var version: Int64 = 0
    public internal(set) var people: [PersonKey: Person] = [:]
    public internal(set) var items: [ItemKey: Item] = [:]
    public internal(set) var products: [ProductKey: Product] = [:]
    public internal(set) var locations: [LocationKey: Location] = [:]
    public internal(set) var permits: [PermitKey: Permit] = [:]
    public internal(set) var classes: [String: ItemClass] = [:]
    /// Days on which people work though their weekday is free, and the other way round.
    public internal(set) var days: [CivilDate: Bool] = [:]
    /// Badge numbers as the reader profiles normalise them.
    public internal(set) var credentials: [String: PersonKey] = [:]
    /// Tags that the owner bound.
    public internal(set) var tags: [EPC: Bearer] = [:]
    /// Barcodes as text, and canonical URIs of items, products and locations.
    public internal(set) var codes: [String: Bearer] = [:]
    /// Codes that stand in the row of the thing itself; they come and go with it.
    var ownCodes: [Bearer: [String]] = [:]
    /// Codes that have a row of their own.
    var listedCodes: Set<String> = []

    public init() {}

    public func contains(_ bearer: Bearer) -> Bool {
        switch bearer {
        case .item(let key): items[key] != nil
        case .person(let key): people[key] != nil
        case .product(let key): products[key] != nil
        case .location(let key): locations[key] != nil
        }
    }
}
