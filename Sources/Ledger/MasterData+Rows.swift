import Identifiers
import Readings

extension MasterApplication {
    /// People, items, products and locations: what other rows name.
    mutating func takeBearer(_ row: MasterRow, _ index: Int) {
        var reader = MasterRowReader(row: row, index: index)
        switch row.set {
        case .people: takePerson(row, index, &reader)
        case .classes:
            let itemClass = ItemClass(&reader)
            if reader.finish() { data.classes[row.id] = itemClass }
        case .days:
            let isWorking = reader.boolean("working")
            _ = reader.text("name")
            let day = CivilDate(row.id)
            if day == nil { add(.badValue, row, index, "id", "must be a day as YYYY-MM-DD") }
            if let day, let isWorking, reader.finish() { data.days[day] = isWorking }
        case .items:
            let uri = reader.canonicalURI()
            let item = ItemKey(row.id).map { Item($0, uri: uri.canonical, &reader) }
            let codes = uri.codes + reader.texts("code")
            if let item, reader.finish() {
                data.items[item.key] = item
                bind(codes, to: .item(item.key), row, index)
            }
        case .products:
            let name = reader.text("name") ?? ""
            let gtin = reader.gtin("gtin")
            let codes = MasterCodes.forms(gtin: gtin) + reader.texts("code")
            if let key = ProductKey(row.id), reader.finish() {
                data.products[key] = Product(key: key, name: name, gtin: gtin)
                bind(codes, to: .product(key), row, index)
            }
        case .locations:
            let name = reader.text("name") ?? ""
            let gln = reader.gln("gln")
            let uri = reader.canonicalURI()
            let codes =
                uri.codes + (gln.map { [$0] } ?? []) + (gln.flatMap(MasterCodes.uri(gln:)).map { [$0] } ?? []) + reader.texts("code")
            if let key = LocationKey(row.id), reader.finish() {
                data.locations[key] = Location(key: key, name: name, uri: uri.canonical ?? gln.flatMap(MasterCodes.uri(gln:)))
                bind(codes, to: .location(key), row, index)
            }
        case .credentials, .permits, .tags, .codes: return
        }
        problems += reader.problems
    }

    private mutating func takePerson(_ row: MasterRow, _ index: Int, _ reader: inout MasterRowReader) {
        let name = reader.text("name") ?? ""
        let isBlocked = reader.boolean("blocked") ?? false
        let quota = reader.integer("quota").map(Int.init)
        let given = reader.text("key").flatMap(PersonKey.init)
        let certificates = reader.held("certificates")
        let (email, language) = (reader.email("email"), reader.language("language"))
        guard reader.finish() else { return }
        let known = numbers[row.id]
        if let known, let given, known != given {
            return add(.changedKey, row, index, "key", "the key of this person is \(known) and cannot become \(given)")
        }
        guard let key = given ?? known else { return add(.missingKey, row, index, "key", "a new person has no key") }
        if let other = data.people[key]?.number, other != row.id {
            return add(.boundTwice, row, index, "key", "\(key) is the key of \(other) already")
        }
        data.people[key] = Person(
            key: key, number: row.id, name: name, isBlocked: isBlocked, quota: quota, certificates: certificates, email: email,
            language: language)
        numbers[row.id] = key
    }

    /// Credentials, tags, codes and permits: what names other rows.
    mutating func takeReference(_ row: MasterRow, _ index: Int) {
        var reader = MasterRowReader(row: row, index: index)
        switch row.set {
        case .credentials:
            let reference = reader.text("person")
            if reader.finish(), let person = person(reference, row, index) { data.credentials[row.id] = person }
        case .tags:
            let bearer = bearer(&reader, row, index)
            guard let epc = EPC(hex: row.id) else {
                add(.badValue, row, index, "id", "an EPC is written with an even number of hexadecimal digits, at most 124")
                break
            }
            if reader.finish(), let bearer { data.tags[epc] = bearer }
        case .codes:
            let bearer = bearer(&reader, row, index)
            guard reader.finish(), let bearer else { break }
            if let other = data.codes[row.id], other != bearer {
                add(.boundTwice, row, index, nil, "bound to \(other.description) and to \(bearer.description)")
            } else {
                data.codes[row.id] = bearer
                data.listedCodes.insert(row.id)
            }
        case .permits: takePermit(row, index, &reader)
        // What an item names may stand in a later row of the batch.
        case .items: return takeParts(row, index)
        case .people: return takeSupervisor(row, index)
        case .classes, .products, .locations, .days: return
        }
        problems += reader.problems
    }

    /// When all people of the batch are there: the one who is named may stand further down.
    private mutating func takeSupervisor(_ row: MasterRow, _ index: Int) {
        guard let reference = row.body["supervisor"], !reference.isNull, let key = numbers[row.id] else { return }
        guard let text = reference.string, PersonKey(text) != nil else {
            return add(.wrongType, row, index, "supervisor", "must be the number or key of a person")
        }
        guard let supervisor = person(text, row, index, "supervisor") else { return }
        guard supervisor != key else { return add(.badValue, row, index, "supervisor", "is the person itself") }
        data.people[key]?.supervisor = supervisor
    }

    private mutating func takePermit(_ row: MasterRow, _ index: Int, _ reader: inout MasterRowReader) {
        let reference = reader.text("person")
        let items = reader.texts("items").compactMap(ItemKey.init)
        let classes = reader.texts("classes")
        let quantity = reader.integer("quantity").map(Int.init) ?? 1
        let (from, until, due) = (reader.date("from"), reader.date("until"), reader.date("due"))
        let (purpose, approvers) = (reader.text("purpose"), reader.texts("approvers"))
        if items.isEmpty, classes.isEmpty { reader.add(.missingMember, "items", "a permit names items or classes") }
        if let from, let until, until < from { reader.add(.badValue, "until", "\(until) is before \(from)") }
        if let from, let due, due < from { reader.add(.badValue, "due", "\(due) is before \(from)") }
        let unknown = items.filter { data.items[$0] == nil }
        for item in unknown { add(.unknownReference, row, index, "items", "there is no item \(item)") }
        guard reader.finish(), let person = person(reference, row, index), unknown.isEmpty, let key = PermitKey(row.id) else { return }
        data.permits[key] = Permit(
            key: key, person: person, items: Set(items), classes: Set(classes), quantity: quantity, from: from, until: until, due: due,
            purpose: purpose, approvers: approvers)
    }

    private mutating func takeParts(_ row: MasterRow, _ index: Int) {
        guard let key = ItemKey(row.id), let item = data.items[key] else { return }
        for part in item.parts where data.items[part] == nil {
            add(.unknownReference, row, index, "parts", "there is no item \(part)")
        }
        if let home = item.home, data.locations[home] == nil { add(.unknownReference, row, index, "home", "there is no location \(home)") }
    }

    /// No kit is a part of itself, by however many steps.
    ///
    /// Every item is taken away whose parts are all taken away, which costs one look at each part; what is left goes round in a circle, or
    /// has parts that do.
    mutating func findCycles(_ rows: [MasterRow]) {
        guard rows.contains(where: { $0.set == .items && !$0.isDeleted && $0.body["parts"] != nil }) else { return }
        var kits: [ItemKey: [ItemKey]] = [:]
        var missing: [ItemKey: Int] = [:]
        for item in data.items.values where !item.parts.isEmpty {
            let parts = Set(item.parts)
            missing[item.key] = parts.count
            for part in parts { kits[part, default: []].append(item.key) }
        }
        var whole = kits.keys.filter { missing[$0] == nil }
        while let part = whole.popLast() {
            for kit in kits[part] ?? [] {
                guard let left = missing[kit] else { continue }
                missing[kit] = left > 1 ? left - 1 : nil
                if left == 1 { whole.append(kit) }
            }
        }
        guard !missing.isEmpty else { return }
        for (index, row) in rows.enumerated() where row.set == .items && !row.isDeleted && row.body["parts"] != nil {
            guard let key = ItemKey(row.id), missing[key] != nil else { continue }
            add(.badValue, row, index, "parts", "the kit is a part of itself, or of a part of it")
        }
    }

    /// A person by key or by number.
    private mutating func person(_ text: String?, _ row: MasterRow, _ index: Int, _ member: String = "person") -> PersonKey? {
        guard let text else { return nil }
        if let key = numbers[text], data.people[key] != nil { return key }
        if let key = PersonKey(text), data.people[key] != nil { return key }
        add(.unknownReference, row, index, member, "there is no person \(text)")
        return nil
    }

    /// The one thing that a tag or code is bound to.
    private mutating func bearer(_ reader: inout MasterRowReader, _ row: MasterRow, _ index: Int) -> Bearer? {
        let given = ["item", "person", "product", "location"].compactMap { name in reader.text(name).map { (name: name, text: $0) } }
        guard reader.problems.isEmpty else { return nil }
        guard let (name, text) = given.first, given.count == 1 else {
            reader.add(
                given.isEmpty ? .missingMember : .boundTwice, nil,
                given.isEmpty
                    ? "needs one of item, person, product and location"
                    : "bound to " + given.map { "\($0.name) \($0.text)" }.joined(separator: " and to "))
            return nil
        }
        if name == "person" { return person(text, row, index).map(Bearer.person) }
        let bearer: Bearer? =
            switch name {
            case "item": ItemKey(text).map(Bearer.item)
            case "product": ProductKey(text).map(Bearer.product)
            default: LocationKey(text).map(Bearer.location)
            }
        guard let bearer, data.contains(bearer) else {
            add(.unknownReference, row, index, name, "there is no \(name) \(text)")
            return nil
        }
        return bearer
    }

    /// Binds the codes that stand in the row of the thing itself.
    private mutating func bind(_ codes: [String], to bearer: Bearer, _ row: MasterRow, _ index: Int) {
        var own: [String] = []
        for code in codes where !own.contains(code) {
            if let other = data.codes[code], other != bearer {
                add(.boundTwice, row, index, nil, "the code \(code) is bound to \(other.description) and to \(bearer.description)")
                continue
            }
            data.codes[code] = bearer
            own.append(code)
        }
        if !own.isEmpty { data.ownCodes[bearer] = own }
    }
}

/// The codes under which a thing with a GS1 key is scanned.
enum MasterCodes {
    // Element strings of keys hold no dates, so that the year which two-digit years are read against does not matter.
    static let options = GS1Message.Options(referenceYear: 2_000)

    /// The number with all widths that scanners send, and the Digital Link. `gtin`: 14 digits.
    static func forms(gtin: String?) -> [String] {
        guard let gtin else { return [] }
        let widths = [14, 13, 12, 8].filter { width in gtin.prefix(14 - width).allSatisfy { $0 == "0" } }
        let link = (try? GS1Message(bracketed: "(01)\(gtin)", options: options))?.identityURI
        return widths.map { String(gtin.suffix($0)) } + (link.map { [$0] } ?? [])
    }

    static func uri(gln: String) -> String? {
        (try? GS1Message(bracketed: "(414)\(gln)", options: options))?.identityURI
    }
}

extension Item {
    fileprivate init(_ key: ItemKey, uri: String?, _ reader: inout MasterRowReader) {
        self.init(
            key: key, name: reader.text("name") ?? "", itemClass: reader.text("class"), dueDays: reader.integer("due_days").map(Int.init),
            uri: uri)
        value = reader.integer("value")
        certificates = Set(reader.texts("certificates"))
        calibrationDue = reader.date("calibration_due")
        parts = reader.texts("parts").compactMap(ItemKey.init)
        home = reader.text("home").flatMap(LocationKey.init)
    }
}

extension ItemClass {
    fileprivate init(_ reader: inout MasterRowReader) {
        self.init(name: reader.text("name") ?? "")
        dueDays = reader.integer("due_days").map(Int.init)
        countsWorkingDays = reader.boolean("working_days") ?? false
        value = reader.integer("value")
        quota = reader.integer("quota").map(Int.init)
        certificates = Set(reader.texts("certificates"))
        needsInspection = reader.boolean("inspect") ?? false
        isStanding = reader.boolean("standing") ?? false
        needsSecondPerson = reader.boolean("second_person") ?? false
        renewals = reader.integer("renewals").map(Int.init)
        maintenanceUses = reader.integer("maintenance_uses")
        maintenanceHours = reader.integer("maintenance_hours")
    }
}
