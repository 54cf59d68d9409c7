import Ledger

/// The figures of all dimensions while they are counted. Keys become places in arrays as soon as they come: a month has many more loans than
/// people, tools and stations.
struct LoanSums {
    /// Keys in the order in which they came.
    struct Names<Key: Hashable> {
        private(set) var keys: [Key] = []
        private var places: [Key: Int] = [:]

        func find(_ key: Key) -> Int? { places[key] }

        mutating func place(of key: Key) -> Int {
            if let place = places[key] { return place }
            places[key] = keys.count
            keys.append(key)
            return keys.count - 1
        }
    }

    /// One dimension.
    struct Dimension<Key: Hashable> {
        private(set) var names = Names<Key>()
        private(set) var figures: [LoanFigures] = []
        private var counted: Set<Int> = []

        mutating func place(of key: Key) -> Int {
            let place = names.place(of: key)
            if place == figures.count { figures.append(LoanFigures()) }
            return place
        }

        mutating func add(_ change: LoanFigures, at place: Int) { figures[place].add(change) }

        /// Counts a loan once.
        mutating func count(loan: Int, at place: Int) {
            if counted.insert(loan << 32 | place).inserted { figures[place].loans += 1 }
        }

        func find(_ key: Key) -> LoanFigures? { names.find(key).map { figures[$0] } }
    }

    /// Where a line belongs.
    struct Place {
        var item: Int
        var person: Int
        var itemClass: Int
        var station: Int
    }

    let known: [ItemKey: String?]
    private(set) var totals = LoanFigures()
    private(set) var people = Dimension<PersonKey?>()
    private(set) var classes = Dimension<String?>()
    private(set) var stations = Dimension<String?>()
    private(set) var items = Dimension<ItemKey>()
    /// Tools of each class, those that only the month has seen included.
    private(set) var tools: [Int]
    /// The class of each item; of one that was not counted yet -1.
    private var classOfItem: [Int] = []
    /// When each item was out for the last time.
    private(set) var lastSeen: [Int64?] = []
    private var loans = Names<String>()
    private(set) var toolCount: Int

    init(classes known: [ItemKey: String?]) {
        self.known = known
        toolCount = known.count
        tools = []
        for name in known.values {
            let place = classes.place(of: name)
            if place == tools.count { tools.append(0) }
            tools[place] += 1
        }
    }

    func className(of item: ItemKey) -> String? { known[item] ?? nil }

    mutating func place(_ item: ItemKey, _ person: PersonKey?, _ station: String?) -> Place {
        let place = items.place(of: item)
        if place == classOfItem.count {
            let found = known[item]
            let itemClass = classes.place(of: found ?? nil)
            if itemClass == tools.count { tools.append(0) }
            // The master data do not know it any more.
            if found == nil {
                tools[itemClass] += 1
                toolCount += 1
            }
            classOfItem.append(itemClass)
            lastSeen.append(nil)
        }
        return Place(item: place, person: people.place(of: person), itemClass: classOfItem[place], station: stations.place(of: station))
    }

    mutating func add(_ change: LoanFigures, at place: Place) {
        totals.add(change)
        people.add(change, at: place.person)
        classes.add(change, at: place.itemClass)
        stations.add(change, at: place.station)
        items.add(change, at: place.item)
    }

    /// Counts a loan once wherever it belongs. An item is in a loan once.
    mutating func count(loan: String, at place: Place) {
        let before = loans.keys.count
        let number = loans.place(of: loan)
        if number == before { totals.loans += 1 }
        people.count(loan: number, at: place.person)
        classes.count(loan: number, at: place.itemClass)
        stations.count(loan: number, at: place.station)
        var one = LoanFigures()
        one.loans = 1
        items.add(one, at: place.item)
    }

    mutating func see(at place: Place, until time: Int64) { lastSeen[place.item] = max(lastSeen[place.item] ?? time, time) }

    func lastSeen(_ item: ItemKey) -> Int64? { items.names.find(item).flatMap { lastSeen[$0] } }
}
