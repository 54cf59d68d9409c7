import Readings

/// What the log says of one borrower beside open loans: the last twelve months, from which the credit score follows.
///
/// A loan is counted when it is closed, in the month in which it began.
public struct BorrowerRecord: Hashable, Sendable {
    public struct Month: Hashable, Sendable {
        /// Months since the year 0: year · 12 + month − 1.
        public var number: Int64
        public var loans: Int64 = 0
        public var late: Int64 = 0
        /// Days late, of all late ones; a begun day counts.
        public var lateDays: Int64 = 0
        public var damaged: Int64 = 0
        public var lost: Int64 = 0

        var isEmpty: Bool { loans == 0 && late == 0 && lateDays == 0 && damaged == 0 && lost == 0 }
    }

    /// In the order of time, at most `maximumMonths`.
    public private(set) var months: [Month] = []
    /// Days since 1970 on which something came back late, the latest last.
    public private(set) var lateReturns: [Int64] = []
    /// Loans by the local hour at which they began, 24 of them.
    public private(set) var hours = [Int64](repeating: 0, count: 24)

    static let maximumMonths = 13
    static let maximumLateReturns = 16
    private static let largest: Int64 = 1_000_000_000

    public static func month(of day: CivilDate) -> Int64 { Int64(day.year) * 12 + Int64(day.month) - 1 }

    // MARK: Counting

    /// A loan was closed, or, with a negative sign, was not closed after all.
    /// - Parameter lateDays: 0: in time.
    mutating func count(_ loan: Loan, on day: CivilDate, lateDays: Int64, sign: Int64) {
        change(Self.month(of: loan.since.localDate)) { month in
            month.loans += sign
            if lateDays > 0 {
                month.late += sign
                month.lateDays += sign * lateDays
            }
        }
        let hour = Int(loan.since.minuteOfDay / 60)
        hours[hour] = max(0, min(Self.largest, hours[hour] + sign))
        guard lateDays > 0 else { return }
        if sign > 0 {
            lateReturns = (lateReturns + [day.daysSince1970]).suffix(Self.maximumLateReturns)
        } else if let place = lateReturns.lastIndex(of: day.daysSince1970) {
            lateReturns.remove(at: place)
        }
    }

    mutating func countDamage(on day: CivilDate) { change(Self.month(of: day)) { $0.damaged += 1 } }

    mutating func countLoss(on day: CivilDate) { change(Self.month(of: day)) { $0.lost += 1 } }

    private mutating func change(_ number: Int64, _ body: (inout Month) -> Void) {
        if let place = months.firstIndex(where: { $0.number == number }) {
            body(&months[place])
        } else {
            var month = Month(number: number)
            body(&month)
            months.append(month)
            months.sort { $0.number < $1.number }
        }
        for place in months.indices { months[place].bound(to: Self.largest) }
        months = months.filter { !$0.isEmpty }.suffix(Self.maximumMonths)
    }

    // MARK: What follows

    /// Loans that began in a month and are closed.
    public func loans(in month: Int64) -> Int64 { months.first { $0.number == month }?.loans ?? 0 }

    /// 0...100: 100, less 4 for each late return, 1 for each day late (at most 30), 15 for each damage and 30 for each loss, plus 1 for every
    /// ten loans brought back in time, all of the twelve months up to now.
    /// - Parameter overdue: by how many days each tool is late that is out now: it counts as brought back at this moment.
    public func credit(in month: Int64, overdue: [Int64] = []) -> Int {
        var score = 100 - 4 * Int64(overdue.count)
        var lateDays = overdue.reduce(0, &+)
        var inTime: Int64 = 0
        for entry in months where entry.number > month - 12 && entry.number <= month {
            score -= 4 * entry.late + 15 * entry.damaged + 30 * entry.lost
            lateDays += entry.lateDays
            inTime += entry.loans - entry.late
        }
        score += inTime / 10 - min(30, lateDays)
        return Int(max(0, min(100, score)))
    }

    /// The day from which on a person who brought things back late too often may borrow again; nil: now.
    /// - Parameter open: tools that are overdue now, each of which counts as brought back late today.
    public func blockedUntil(count: Int, days: Int, blockDays: Int, on today: CivilDate, open: Int = 0) -> CivilDate? {
        let lateReturns = lateReturns + Array(repeating: today.daysSince1970, count: min(open, count))
        guard count > 0, lateReturns.count >= count else { return nil }
        // The latest late return that is the last of so many within the period decides.
        let ends = lateReturns.indices.filter { $0 >= count - 1 && lateReturns[$0] - lateReturns[$0 - count + 1] < Int64(days) }
        guard let last = ends.last else { return nil }
        let end = CivilDate(daysSince1970: lateReturns[last]).advanced(by: Int64(blockDays))
        return today < end ? end : nil
    }

    // MARK: Row

    /// The row `borrower/PERSON`.
    public var row: JSON {
        [
            "months": .array(
                months.map { month in
                    .array([month.number, month.loans, month.late, month.lateDays, month.damaged, month.lost].map(JSON.integer))
                }),
            "late": .array(lateReturns.map(JSON.integer)), "hours": .array(hours.map(JSON.integer)),
        ]
    }

    init() {}

    init?(row: JSON) {
        guard let months = row["months"]?.array, let late = row["late"]?.array, let hours = row["hours"]?.array, hours.count == 24 else {
            return nil
        }
        func bounded(_ value: JSON) -> Int64? { value.integer.flatMap { (0...Self.largest).contains($0) ? $0 : nil } }
        for entry in months.suffix(Self.maximumMonths) {
            let numbers = (entry.array ?? []).compactMap(bounded)
            guard numbers.count == 6 else { return nil }
            self.months.append(
                Month(
                    number: numbers[0], loans: numbers[1], late: numbers[2], lateDays: numbers[3], damaged: numbers[4], lost: numbers[5]))
        }
        lateReturns = late.suffix(Self.maximumLateReturns).compactMap(bounded)
        self.hours = hours.compactMap(bounded)
        guard self.hours.count == 24 else { return nil }
    }
}

extension BorrowerRecord.Month {
    fileprivate mutating func bound(to largest: Int64) {
        func bounded(_ value: Int64) -> Int64 { Swift.max(0, Swift.min(largest, value)) }
        (loans, late, lateDays) = (bounded(loans), bounded(late), bounded(lateDays))
        (damaged, lost) = (bounded(damaged), bounded(lost))
    }
}

extension WallTime {
    /// By the site's clocks, 0...1439.
    var minuteOfDay: Int64 {
        let local = milliseconds &+ Int64(offsetMinutes) * 60_000
        let rest = local % 86_400_000
        return (rest < 0 ? rest + 86_400_000 : rest) / 60_000
    }
}

extension Loan {
    /// Whole days, begun ones counted, that it came back late; 0: in time, or nobody knew the time.
    func lateDays(at time: WallTime) -> Int64 {
        guard time.quality != .unknown, due.quality != .unknown, time.milliseconds > due.milliseconds else { return 0 }
        return (time.milliseconds - due.milliseconds - 1) / 86_400_000 + 1
    }
}
