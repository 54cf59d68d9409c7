/// The loans that are open, by item, and by person: an item is in one open loan at most.
public struct OpenLoans: Hashable, Sendable, Sequence {
    private var byItem: [ItemKey: Loan] = [:]
    private var byPerson: [PersonKey: Set<ItemKey>] = [:]

    init() {}

    public subscript(item: ItemKey) -> Loan? {
        get { byItem[item] }
        set {
            if let old = byItem[item] {
                byPerson[old.person]?.remove(item)
                if byPerson[old.person]?.isEmpty == true { byPerson[old.person] = nil }
            }
            byItem[item] = newValue
            if let newValue { byPerson[newValue.person, default: []].insert(item) }
        }
    }

    public var values: some Collection<Loan> { byItem.values }
    public var count: Int { byItem.count }
    public var isEmpty: Bool { byItem.isEmpty }

    /// What a person has, in no order.
    public func of(_ person: PersonKey) -> [Loan] { byPerson[person, default: []].compactMap { byItem[$0] } }

    public func makeIterator() -> some IteratorProtocol<(key: ItemKey, value: Loan)> { byItem.makeIterator() }
}
