import Identifiers
import Readings

extension MasterData {
    /// Takes a batch of rows in, all or none.
    ///
    /// People may be named by number or key. New people need a `key`: see `MasterData.mintingKeys`. A delete of something that is not
    /// there is no problem: upstream repeats itself.
    /// - Throws: `MasterRefusal` with everything that is wrong with the batch.
    public func applying(_ rows: [MasterRow]) throws(MasterRefusal) -> MasterData {
        var application = MasterApplication(self)
        application.apply(rows)
        guard application.problems.isEmpty else {
            let sorted = application.problems.sorted { ($0.row, $0.description) < ($1.row, $1.description) }
            throw MasterRefusal(problems: Array(sorted.prefix(MasterRefusal.limit)))
        }
        application.data.version += 1
        return application.data
    }

    /// Gives every new person a random key, and known ones the key that they have, so that what is recorded and stored says it all.
    /// - Parameter generator: 64 random bits.
    public func mintingKeys(for rows: [MasterRow], generator: () -> UInt64) -> [MasterRow] {
        var known: [String: PersonKey] = [:]
        for person in people.values { if let number = person.number { known[number] = person.key } }
        var used = Swift.Set(people.keys)
        return rows.map { row in
            guard row.set == .people, !row.isDeleted, row.body["key"] == nil else { return row }
            var key = known[row.id]
            while key == nil {
                let digits = String(generator(), radix: 16)
                guard let drawn = PersonKey("p-" + String(repeating: "0", count: 16 - digits.utf8.count) + digits) else { continue }
                if used.insert(drawn).inserted { key = drawn }
            }
            var row = row
            row.body["key"] = key.map { .string($0.text) }
            return row
        }
    }
}

/// One batch on its way into a copy of the master data.
struct MasterApplication {
    var data: MasterData
    var problems: [MasterProblem] = []
    /// People by employee number, those of the batch included.
    var numbers: [String: PersonKey] = [:]
    /// The row of the batch that speaks of a bearer: to name it in a problem.
    private var deletedBearers: [Bearer: Int] = [:]

    init(_ data: MasterData) {
        self.data = data
        for person in data.people.values { if let number = person.number { numbers[number] = person.key } }
    }

    /// Everything that the rows replace or delete goes first, so that a code or tag can move within one batch; then what others name,
    /// then what names it.
    mutating func apply(_ rows: [MasterRow]) {
        findDuplicates(rows)
        for (index, row) in rows.enumerated() { withdraw(row, index) }
        for (index, row) in rows.enumerated() where !row.isDeleted { takeBearer(row, index) }
        for (index, row) in rows.enumerated() where !row.isDeleted { takeReference(row, index) }
        findCycles(rows)
        if !deletedBearers.isEmpty { findDangling() }
    }

    mutating func add(_ code: MasterProblem.Code, _ row: MasterRow, _ index: Int, _ member: String?, _ message: String) {
        problems.append(MasterProblem(row: index, set: row.set, id: row.id, member: member, code: code, message: message))
    }

    private mutating func findDuplicates(_ rows: [MasterRow]) {
        struct Identity: Hashable {
            var set: MasterRow.Set
            var id: String
        }
        var seen: [Identity: Int] = [:]
        for (index, row) in rows.enumerated() {
            guard MasterRow.isValid(id: row.id, in: row.set) else {
                add(.badValue, row, index, "id", "empty, too long, or with characters that cannot be seen")
                continue
            }
            // An EPC in other letters is the same tag.
            let id = row.set == .tags ? EPC(hex: row.id)?.hex ?? row.id : row.id
            guard let first = seen.updateValue(index, forKey: Identity(set: row.set, id: id)) else { continue }
            let bearers = [rows[first], row].compactMap { Self.bearerText($0) }
            if bearers.count == 2, bearers[0] != bearers[1] {
                add(.boundTwice, row, index, nil, "bound to \(bearers[0]) and to \(bearers[1])")
            } else {
                add(.duplicate, row, index, nil, "stands twice: also in row \(first + 1)")
            }
        }
    }

    private static func bearerText(_ row: MasterRow) -> String? {
        guard row.set == .tags || row.set == .codes || row.set == .credentials else { return nil }
        for name in ["item", "person", "product", "location"] { if let key = row.body[name]?.string { return "\(name) \(key)" } }
        return nil
    }

    /// Takes out what the row replaces or deletes.
    private mutating func withdraw(_ row: MasterRow, _ index: Int) {
        switch row.set {
        case .people:
            guard let key = numbers[row.id] else { return }
            withdraw(.person(key), row, index)
            if row.isDeleted { data.people[key] = nil }
        case .items:
            guard let key = ItemKey(row.id) else { return }
            withdraw(.item(key), row, index)
            if row.isDeleted { data.items[key] = nil }
        case .products:
            guard let key = ProductKey(row.id) else { return }
            withdraw(.product(key), row, index)
            if row.isDeleted { data.products[key] = nil }
        case .locations:
            guard let key = LocationKey(row.id) else { return }
            withdraw(.location(key), row, index)
            if row.isDeleted { data.locations[key] = nil }
        case .classes: data.classes[row.id] = nil
        case .days:
            if let day = CivilDate(row.id) { data.days[day] = nil }
        case .credentials: data.credentials[row.id] = nil
        case .permits:
            if let key = PermitKey(row.id) { data.permits[key] = nil }
        case .tags:
            if let epc = EPC(hex: row.id) { data.tags[epc] = nil }
        case .codes:
            guard data.listedCodes.remove(row.id) != nil, let bearer = data.codes[row.id] else { return }
            if data.ownCodes[bearer]?.contains(row.id) != true { data.codes[row.id] = nil }
        }
    }

    private mutating func withdraw(_ bearer: Bearer, _ row: MasterRow, _ index: Int) {
        for code in data.ownCodes.removeValue(forKey: bearer) ?? [] where !data.listedCodes.contains(code) { data.codes[code] = nil }
        if row.isDeleted, data.contains(bearer) { deletedBearers[bearer] = index }
    }

    private mutating func findDangling() {
        func name(_ bearer: Bearer, _ referrer: String, _ found: inout [(Bearer, String)]) {
            if deletedBearers[bearer] != nil { found.append((bearer, referrer)) }
        }
        var found: [(Bearer, String)] = []
        for (number, person) in data.credentials { name(.person(person), "credential \(number)", &found) }
        for (epc, bearer) in data.tags { name(bearer, "tag \(epc.hex)", &found) }
        for (code, bearer) in data.codes { name(bearer, "code \(code)", &found) }
        for item in data.items.values {
            for part in item.parts { name(.item(part), "kit \(item.key)", &found) }
            if let home = item.home { name(.location(home), "item \(item.key)", &found) }
        }
        for person in data.people.values {
            if let supervisor = person.supervisor { name(.person(supervisor), "person \(person.number ?? person.key.text)", &found) }
        }
        for permit in data.permits.values {
            name(.person(permit.person), "permit \(permit.key)", &found)
            for item in permit.items { name(.item(item), "permit \(permit.key)", &found) }
        }
        for (bearer, referrer) in found {
            guard let index = deletedBearers[bearer] else { continue }
            let (set, id) = identity(of: bearer)
            problems.append(
                MasterProblem(row: index, set: set, id: id, member: nil, code: .stillReferenced, message: "still named by \(referrer)"))
        }
    }

    private func identity(of bearer: Bearer) -> (MasterRow.Set, String) {
        switch bearer {
        case .item(let key): (.items, key.text)
        case .product(let key): (.products, key.text)
        case .location(let key): (.locations, key.text)
        case .person(let key): (.people, numbers.first { $0.value == key }?.key ?? key.text)
        }
    }
}
