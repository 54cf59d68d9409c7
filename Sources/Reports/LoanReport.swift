import Ledger
import Readings

/// What happened with loans in one month: the figures, from what the log says and what the master data say now.
public struct LoanReport: Hashable, Sendable {
    /// One of a dimension: a person, a class, a station. `key` is nil for what has none.
    public struct Group<Key: Hashable & Sendable>: Hashable, Sendable {
        public var key: Key?
        public var figures: LoanFigures
    }

    public struct ClassGroup: Hashable, Sendable {
        public var name: String?
        /// How many tools of it the master data know or the month has seen.
        public var tools: Int
        public var figures: LoanFigures
    }

    public struct Tool: Hashable, Sendable {
        public var item: ItemKey
        public var itemClass: String?
        public var figures: LoanFigures
    }

    public struct Day: Hashable, Sendable {
        public var day: CivilDate
        public var taken: Int64
        public var returned: Int64
    }

    public struct Idle: Hashable, Sendable {
        public var item: ItemKey
        public var itemClass: String?
        /// When it was out for the last time; nil: the log knows of no time.
        public var last: Int64?
    }

    public let period: ReportPeriod
    /// The moment to which open loans are looked at: the end of the month, or now.
    public let asOf: WallTime
    public let deadMonths: Int
    public private(set) var totals = LoanFigures()
    /// How many tools there are.
    public private(set) var tools = 0
    /// By how many items they took; then by key.
    public private(set) var people: [Group<PersonKey>] = []
    public private(set) var classes: [ClassGroup] = []
    /// With what came back there, wherever it had been taken.
    public private(set) var stations: [Group<String>] = []
    public private(set) var received: [String?: Int64] = [:]
    /// Every item with something to tell of this month; the most wanted first.
    public private(set) var items: [Tool] = []
    public private(set) var days: [Day] = []
    /// Items of the master data that nobody had in `deadMonths`; those that rest longest first.
    public private(set) var idle: [Idle] = []
    /// Lines that are open and past due, the longest first.
    public private(set) var overdue: [LoanHistory.Line] = []
    /// What was found damaged or incomplete, in the order of time.
    public private(set) var damage: [LoanHistory.Inspection] = []
    /// Lines that were given up in the month.
    public private(set) var lost: [LoanHistory.Line] = []
    /// Lines of a machine that did not know the time: they are in no figure.
    public private(set) var untimed: Int64 = 0

    /// Kinds of exceptions that say that a rule was against lending: who carried the item, and that it went out, was clear.
    public static let refusals: Set<String> = [
        "not_permitted", "over_quota", "person_blocked", "person_overdue", "low_credit", "not_available", "calibration_due",
        "certificate_missing", "second_person_missing", "over_value", "monthly_limit", "outside_hours", "master_old",
    ]

    /// - Parameters:
    ///   - now: the gateway's time.
    ///   - history: all that touches the month.
    ///   - classes: the items of the master data, and the class of each.
    ///   - lastOut: when items that are in no line of the history were out for the last time before the end of the month.
    public init(
        period: ReportPeriod, now: WallTime, deadMonths: Int, history: LoanHistory, classes: [ItemKey: String?],
        lastOut: [ItemKey: Int64]
    ) {
        self.period = period
        self.deadMonths = deadMonths
        asOf = now.milliseconds < period.end.milliseconds ? now : period.end
        var sums = Sums(classes: classes)
        days = (0..<max(0, period.dayStarts.count - 1)).map { Day(day: period.dayStarts[$0].localDate, taken: 0, returned: 0) }
        var lastSeen: [ItemKey: Int64] = [:]
        for line in history.lines {
            guard line.isTimed else {
                untimed += 1
                continue
            }
            let last = line.end.map { min($0.time, asOf.milliseconds) } ?? asOf.milliseconds
            lastSeen[line.item] = max(lastSeen[line.item] ?? last, last)
            take(line, into: &sums)
        }
        for inspection in history.inspections where period.contains(inspection.time) { take(inspection, into: &sums) }
        let lent = Set(history.lines.lazy.filter { $0.episode != nil }.map { Carried(item: $0.item, episode: $0.episode) })
        for objection in history.objections where period.contains(objection.time) && Self.refusals.contains(objection.kind) {
            // The site's policy may be to raise an exception and to lend all the same.
            guard objection.episode == nil || !lent.contains(Carried(item: objection.item, episode: objection.episode)) else { continue }
            sums.add(objection.person, objection.item, objection.station) { $0.refused += 1 }
        }
        finish(sums, lastSeen: lastSeen, lastOut: lastOut)
    }

    private struct Carried: Hashable {
        var item: ItemKey
        var episode: String?
    }

    private mutating func take(_ line: LoanHistory.Line, into sums: inout Sums) {
        var change = LoanFigures()
        if let day = period.day(of: line.out) {
            change.items = 1
            days[day].taken += 1
            sums.note(loan: line.loan, of: line)
        }
        change.renewed = Int64(line.renewals.count { period.contains($0.time) })
        if let end = line.end, period.contains(end.time) {
            switch end.how {
            case .returned:
                if end.time <= line.due(at: end.time) { change.onTime = 1 } else { change.late = 1 }
                change.spanOut = max(0, end.time - line.out)
            case .transferred: change.transferred = 1
            case .lost:
                change.lost = 1
                lost.append(line)
            case .superseded: break
            }
        }
        if let back = line.back, let day = period.day(of: back) {
            days[day].returned += 1
            received[line.backStation, default: 0] += 1
            if line.end?.how == .lost { change.found = 1 }
        }
        if line.isOpen(at: asOf.milliseconds), line.due(at: asOf.milliseconds) < asOf.milliseconds {
            change.overdue = 1
            overdue.append(line)
        }
        change.use = max(0, min(line.end?.time ?? .max, asOf.milliseconds) - max(line.out, period.start.milliseconds))
        if change != LoanFigures() { sums.add(line.person, line.item, line.station) { $0.add(change) } }
    }

    private mutating func take(_ inspection: LoanHistory.Inspection, into sums: inout Sums) {
        guard inspection.result == "damaged" || inspection.result == "incomplete" else { return }
        damage.append(inspection)
        sums.add(inspection.person, inspection.item, inspection.station) {
            if inspection.result == "damaged" { $0.damaged += 1 } else { $0.incomplete += 1 }
        }
    }

    private mutating func finish(_ sums: Sums, lastSeen: [ItemKey: Int64], lastOut: [ItemKey: Int64]) {
        totals = sums.totals
        tools = sums.toolCount
        people = sums.people.map { Group(key: $0.key, figures: $0.value) }
            .sorted { ($1.figures.items, $0.key?.text ?? "") < ($0.figures.items, $1.key?.text ?? "") }
        stations = sums.stations.map { Group(key: $0.key, figures: $0.value) }.sorted { $0.key ?? "" < $1.key ?? "" }
        for station in received.keys where sums.stations[station] == nil { stations.append(Group(key: station, figures: LoanFigures())) }
        classes = sums.classes.map { ClassGroup(name: $0.key, tools: sums.tools[$0.key] ?? 0, figures: $0.value) }
            .sorted { ($1.figures.items, $0.name ?? "") < ($0.figures.items, $1.name ?? "") }
        items = sums.items.map { Tool(item: $0.key, itemClass: sums.className(of: $0.key), figures: $0.value) }
            .sorted {
                ($1.figures.wanted, $1.figures.use, $0.item) < ($0.figures.wanted, $0.figures.use, $1.item)
            }
        let quiet = period.quiet.milliseconds
        idle = sums.known.compactMap { item, name in
            let last = lastSeen[item] ?? lastOut[item]
            return last ?? .min >= quiet ? nil : Idle(item: item, itemClass: name, last: last)
        }.sorted { ($0.last ?? .min, $0.item) < ($1.last ?? .min, $1.item) }
        overdue.sort { ($0.due(at: asOf.milliseconds), $0.opened) < ($1.due(at: asOf.milliseconds), $1.opened) }
        damage.sort { ($0.time, $0.item) < ($1.time, $1.item) }
        lost.sort { ($0.end?.time ?? 0, $0.opened) < ($1.end?.time ?? 0, $1.opened) }
    }
}

extension LoanFigures {
    mutating func add(_ other: LoanFigures) {
        loans += other.loans
        items += other.items
        onTime += other.onTime
        late += other.late
        spanOut += other.spanOut
        transferred += other.transferred
        renewed += other.renewed
        overdue += other.overdue
        damaged += other.damaged
        incomplete += other.incomplete
        lost += other.lost
        found += other.found
        refused += other.refused
        use += other.use
    }
}

/// The figures of all dimensions while they are counted.
private struct Sums {
    let known: [ItemKey: String?]
    var totals = LoanFigures()
    var people: [PersonKey?: LoanFigures] = [:]
    var classes: [String?: LoanFigures] = [:]
    var stations: [String?: LoanFigures] = [:]
    var items: [ItemKey: LoanFigures] = [:]
    /// Tools by class, those that only the month has seen included.
    var tools: [String?: Int] = [:]
    private var strangers: Set<ItemKey> = []
    private var counted: [Counted: Set<String>] = [:]

    private enum Counted: Hashable {
        case all
        case person(PersonKey)
        case `class`(String?)
        case station(String?)
    }

    init(classes known: [ItemKey: String?]) {
        self.known = known
        for name in known.values { tools[name, default: 0] += 1 }
        for name in tools.keys { classes[name] = LoanFigures() }
    }

    var toolCount: Int { known.count + strangers.count }

    func className(of item: ItemKey) -> String? { known[item] ?? nil }

    mutating func add(_ person: PersonKey?, _ item: ItemKey, _ station: String?, _ change: (inout LoanFigures) -> Void) {
        let name = className(of: item)
        change(&totals)
        change(&people[person, default: .init()])
        change(&classes[name, default: .init()])
        change(&stations[station, default: .init()])
        change(&items[item, default: .init()])
        if known[item] == nil, strangers.insert(item).inserted { tools[name, default: 0] += 1 }
    }

    /// Counts a loan once wherever it belongs.
    mutating func note(loan: String, of line: LoanHistory.Line) {
        let name = className(of: line.item)
        if counted[.all, default: []].insert(loan).inserted { totals.loans += 1 }
        if counted[.person(line.person), default: []].insert(loan).inserted { people[line.person, default: .init()].loans += 1 }
        if counted[.class(name), default: []].insert(loan).inserted { classes[name, default: .init()].loans += 1 }
        if counted[.station(line.station), default: []].insert(loan).inserted { stations[line.station, default: .init()].loans += 1 }
        items[line.item, default: .init()].loans += 1
    }
}
