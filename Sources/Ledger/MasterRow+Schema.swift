/// One member that rows of a set may have. `docs/master-data.md` is the document of record.
public struct MasterMember: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// At most so many bytes.
        case text(Int)
        case key
        /// A person's key or number.
        case person
        case item
        case product
        case location
        case integer(ClosedRange<Int64>)
        case boolean
        /// `YYYY-MM-DD`
        case date
        /// 8, 12, 13 or 14 digits with a right check digit.
        case gtin
        /// 13 digits with a right check digit.
        case gln
        /// `https:`, `http:` or `urn:`.
        case uri
        /// A GS1 element string with brackets, or a Digital Link.
        case gs1
        /// One text or a list of texts, as scanned.
        case codes
        case items
        case classes
        /// A key, or a list of keys, of certificates.
        case certificates
        /// An object: certificates and the last day of each, `null` where it never expires.
        case held
        /// `local@domain`
        case email
        /// `en` or `zh`
        case language
    }

    public var name: String
    public var kind: Kind
    public var isRequired: Bool

    init(_ name: String, _ kind: Kind, required: Bool = false) {
        self.name = name
        self.kind = kind
        isRequired = required
    }
}

extension MasterRow.Set {
    /// What rows of this set may hold besides `set`, `id` and `deleted`.
    public var members: [MasterMember] { Self.schema[self] ?? [] }

    private static let schema: [Self: [MasterMember]] = {
        let bearers = [
            MasterMember("item", .item), MasterMember("person", .person), MasterMember("product", .product),
            MasterMember("location", .location),
        ]
        return [
            .people: [
                MasterMember("key", .key), MasterMember("name", .text(256), required: true), MasterMember("blocked", .boolean),
                MasterMember("quota", .integer(0...10_000)), MasterMember("certificates", .held),
                MasterMember("email", .email), MasterMember("language", .language), MasterMember("supervisor", .person),
            ],
            .credentials: [MasterMember("person", .person, required: true)],
            .classes: [
                MasterMember("name", .text(256), required: true), MasterMember("due_days", .integer(1...3_650)),
                MasterMember("working_days", .boolean), MasterMember("value", .integer(0...1_000_000_000_000)),
                MasterMember("quota", .integer(0...10_000)), MasterMember("certificates", .certificates),
                MasterMember("inspect", .boolean), MasterMember("standing", .boolean), MasterMember("second_person", .boolean),
                MasterMember("renewals", .integer(0...1_000)), MasterMember("maintenance_uses", .integer(1...1_000_000)),
                MasterMember("maintenance_hours", .integer(1...1_000_000)),
            ],
            .items: [
                MasterMember("name", .text(256), required: true), MasterMember("class", .key),
                MasterMember("due_days", .integer(1...3_650)), MasterMember("value", .integer(0...1_000_000_000_000)),
                MasterMember("certificates", .certificates), MasterMember("calibration_due", .date), MasterMember("parts", .items),
                MasterMember("home", .location),
                MasterMember("uri", .uri), MasterMember("gs1", .gs1), MasterMember("code", .codes),
            ],
            .products: [MasterMember("name", .text(256), required: true), MasterMember("gtin", .gtin), MasterMember("code", .codes)],
            .locations: [
                MasterMember("name", .text(256), required: true), MasterMember("uri", .uri), MasterMember("gs1", .gs1),
                MasterMember("gln", .gln), MasterMember("code", .codes),
            ],
            .permits: [
                MasterMember("person", .person, required: true), MasterMember("items", .items), MasterMember("classes", .classes),
                MasterMember("quantity", .integer(1...100_000)), MasterMember("from", .date), MasterMember("until", .date),
                MasterMember("due", .date), MasterMember("purpose", .text(256)), MasterMember("approvers", .classes),
            ],
            .days: [MasterMember("working", .boolean, required: true), MasterMember("name", .text(256))],
            .tags: bearers, .codes: bearers,
        ]
    }()
}
