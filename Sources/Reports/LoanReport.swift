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
        var sums = LoanSums(classes: classes)
        days = (0..<max(0, period.dayStarts.count - 1)).map { Day(day: period.dayStarts[$0].localDate, taken: 0, returned: 0) }
        for line in history.lines {
            guard line.isTimed else {
                untimed += 1
                continue
            }
            take(line, into: &sums)
        }
        for inspection in history.inspections where period.contains(inspection.time) { take(inspection, into: &sums) }
        take(history.objections.filter { period.contains($0.time) && Self.refusals.contains($0.kind) }, history.lines, into: &sums)
        finish(sums, lastOut: lastOut)
    }

    private struct Carried: Hashable {
        var item: ItemKey
        var episode: String?
    }

    private mutating func take(_ line: LoanHistory.Line, into sums: inout LoanSums) {
        let place = sums.place(line.item, line.person, line.station)
        sums.see(at: place, until: line.end.map { min($0.time, asOf.milliseconds) } ?? asOf.milliseconds)
        var change = LoanFigures()
        if let day = period.day(of: line.out) {
            change.items = 1
            days[day].taken += 1
            sums.count(loan: line.loan, at: place)
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
        sums.add(change, at: place)
    }

    /// Refusals; but the site's policy may be to raise an exception and to lend all the same.
    private mutating func take(_ objections: [LoanHistory.Objection], _ lines: [LoanHistory.Line], into sums: inout LoanSums) {
        let items = Set(objections.map(\.item))
        guard !items.isEmpty else { return }
        let lent = Set(
            lines.lazy.filter { $0.episode != nil && items.contains($0.item) }.map { Carried(item: $0.item, episode: $0.episode) })
        var change = LoanFigures()
        change.refused = 1
        for objection in objections {
            guard objection.episode == nil || !lent.contains(Carried(item: objection.item, episode: objection.episode)) else { continue }
            sums.add(change, at: sums.place(objection.item, objection.person, objection.station))
        }
    }

    private mutating func take(_ inspection: LoanHistory.Inspection, into sums: inout LoanSums) {
        guard inspection.result == "damaged" || inspection.result == "incomplete" else { return }
        damage.append(inspection)
        var change = LoanFigures()
        if inspection.result == "damaged" { change.damaged = 1 } else { change.incomplete = 1 }
        sums.add(change, at: sums.place(inspection.item, inspection.person, inspection.station))
    }

    private mutating func finish(_ sums: LoanSums, lastOut: [ItemKey: Int64]) {
        totals = sums.totals
        tools = sums.toolCount
        // A line that only touches the month may have nothing to tell of it.
        let nothing = LoanFigures()
        for (key, figures) in zip(sums.people.names.keys, sums.people.figures) where figures != nothing {
            people.append(Group(key: key, figures: figures))
        }
        people.sort { Self.isBefore($0.figures.items, $0.key?.text, $1.figures.items, $1.key?.text) }
        for (key, figures) in zip(sums.stations.names.keys, sums.stations.figures) where figures != nothing || received[key] != nil {
            stations.append(Group(key: key, figures: figures))
        }
        for key in received.keys where sums.stations.find(key) == nil { stations.append(Group(key: key, figures: nothing)) }
        stations.sort { Self.isBefore(0, $0.key, 0, $1.key) }
        for (place, name) in sums.classes.names.keys.enumerated() {
            classes.append(ClassGroup(name: name, tools: sums.tools[place], figures: sums.classes.figures[place]))
        }
        classes.sort { Self.isBefore($0.figures.items, $0.name, $1.figures.items, $1.name) }
        for (item, figures) in zip(sums.items.names.keys, sums.items.figures) where figures != nothing {
            items.append(Tool(item: item, itemClass: sums.className(of: item), figures: figures))
        }
        items.sort { one, other in
            if one.figures.wanted != other.figures.wanted { return one.figures.wanted > other.figures.wanted }
            return Self.isBefore(one.figures.use, one.item.text, other.figures.use, other.item.text)
        }
        for (item, name) in sums.known {
            let last: Int64? = sums.lastSeen(item) ?? lastOut[item]
            if (last ?? .min) < period.quiet.milliseconds { idle.append(Idle(item: item, itemClass: name, last: last)) }
        }
        // What was never out comes first.
        idle.sort { Self.isBefore(-($0.last ?? .min + 1), $0.item.text, -($1.last ?? .min + 1), $1.item.text) }
        let moment = asOf.milliseconds
        overdue.sort { Self.isBefore(-$0.due(at: moment), $0.item.text, -$1.due(at: moment), $1.item.text) }
        damage.sort { Self.isBefore(-$0.time, $0.item.text, -$1.time, $1.item.text) }
        lost.sort { Self.isBefore(-($0.end?.time ?? 0), $0.item.text, -($1.end?.time ?? 0), $1.item.text) }
    }

    /// The larger number first, then by the bytes of the text.
    private static func isBefore(_ number: Int64, _ text: String?, _ other: Int64, _ otherText: String?) -> Bool {
        if number != other { return number > other }
        return (text ?? "").utf8.lexicographicallyPrecedes((otherText ?? "").utf8)
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
