import Readings

extension [MasterRow] {
    /// Rows of other people that name a person as their supervisor, without that: what they are when the person is erased.
    /// - Parameter person: the employee number or the random key.
    public func rows(supervisedBy person: String) -> [MasterRow] {
        let people = filter { $0.set == .people && ($0.id == person || $0.body["key"]?.string == person) }
        let names = Set([person] + people.map(\.id) + people.compactMap { $0.body["key"]?.string })
        return compactMap { row in
            guard row.set == .people, let supervisor = row.body["supervisor"]?.string, names.contains(supervisor),
                !people.contains(where: { $0.id == row.id })
            else { return nil }
            var row = row
            row.body["supervisor"] = nil
            return row
        }
    }

    /// Every row that is about a person: the person's own, and those that name the person by number or key.
    /// - Parameter person: the employee number or the random key.
    public func rows(about person: String) -> [MasterRow] {
        let people = filter { $0.set == .people && ($0.id == person || $0.body["key"]?.string == person) }
        let names = Set([person] + people.map(\.id) + people.compactMap { $0.body["key"]?.string })
        return filter { row in
            switch row.set {
            case .people: people.contains { $0.id == row.id }
            case .credentials, .tags, .codes, .permits: row.body["person"]?.string.map { names.contains($0) } ?? false
            case .items, .classes, .products, .locations, .days: false
            }
        }
    }
}
