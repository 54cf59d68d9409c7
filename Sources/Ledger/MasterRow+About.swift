import Readings

extension [MasterRow] {
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
