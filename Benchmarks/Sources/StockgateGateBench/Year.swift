import Dispatch
import Foundation
import Identifiers
import Ledger
import Readings
import SiteConfiguration
import Store

/// A year of lending as the gates tell it to the ledger, each passage provisionally and then finally.
///
/// One month, the last that is over, has 50,000 loans; the year has 200,000.
struct Year {
    static let loans = 200_000
    static let loansOfMonth = 50_000
    private static let day: Int64 = 86_400_000
    /// Decisions on their way to the disk.
    private static let underWay = 2_000

    private(set) var ledger: Ledger
    private(set) var lent = 0
    private(set) var reminders = 0
    private(set) var exceptions = 0
    /// `2026-10`
    let month: String
    /// Milliseconds since 1970.
    let end: Int64

    private let monthStart: Int64
    private let monthEnd: Int64
    private var now: Int64
    private var random: UInt64 = 2_026
    private var decisions: UInt64 = 0
    private var free = Array(0..<Workshop.tools)
    /// Brought back then, the last first.
    private var returns: [(at: Int64, tool: Int)] = []
    private let store: EventStore
    private let waiting = DispatchSemaphore(value: underWay)

    /// - Parameter end: when the year is over, milliseconds since 1970.
    init(endingAt end: Int64, site: Site, master: MasterData, digest: String, store: EventStore) {
        self.end = end
        self.store = store
        let calendar = Self.calendar
        let today = Date(timeIntervalSince1970: Double(end) / 1_000)
        guard let thisMonth = calendar.dateInterval(of: .month, for: today),
            let lastMonth = calendar.dateInterval(of: .month, for: thisMonth.start.addingTimeInterval(-1))
        else { fatalError("the calendar has no months") }
        monthStart = Int64(lastMonth.start.timeIntervalSince1970) * 1_000
        monthEnd = Int64(lastMonth.end.timeIntervalSince1970) * 1_000
        let parts = calendar.dateComponents([.year, .month], from: lastMonth.start)
        month = String(format: "%04d-%02d", parts.year ?? 0, parts.month ?? 0)
        now = end - 365 * Self.day
        ledger = Ledger(site: site, epoch: store.epoch, master: MasterData())
        ledger.zone = SiteZone(offsetMinutes: 0)
        let plan = ledger.replaceMaster(master, digest: digest, rows: Workshop.master.count, by: nil, at: wall(now))
        take(plan)
    }

    private static var calendar: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }

    private func wall(_ milliseconds: Int64) -> WallTime {
        WallTime(
            milliseconds: milliseconds, offsetMinutes: 0, quality: .synchronised,
            boot: BootTime(boot: 0xAA, milliseconds: milliseconds - (end - 365 * Self.day)))
    }

    mutating func run() throws {
        var date = now / Self.day * Self.day
        var isMonthly = 0.0
        while date < end {
            let isBusy = monthStart <= date && date < monthEnd
            let days = isBusy ? Double(monthEnd - monthStart) / Double(Self.day) : 365 - Double(monthEnd - monthStart) / Double(Self.day)
            isMonthly += Double(isBusy ? Self.loansOfMonth : Self.loans - Self.loansOfMonth) / days
            let count = Int(isMonthly)
            isMonthly -= Double(count)
            // From seven to seven.
            let moments = (0..<count).map { _ in date + 7 * 3_600_000 + Int64(next(below: 12 * 3_600_000)) }.sorted()
            var left = count
            for moment in moments where moment < end && left > 0 {
                pass(to: moment)
                left -= borrow(atMost: left)
            }
            pass(to: min(end, date + Self.day))
            try dismissExceptions()
            date += Self.day
        }
        ledger.abandon(station: nil)
        take(ledger.settleOrphans(at: wall(now)))
        for _ in 0..<Self.underWay { waiting.wait() }
        for _ in 0..<Self.underWay { waiting.signal() }
    }

    private mutating func next(below bound: Int) -> Int {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(random >> 33) % bound
    }

    private mutating func pass(to moment: Int64) {
        while true {
            let back = returns.last?.at ?? .max
            let told = max(ledger.nextReminder ?? .max, now)
            guard min(back, told) <= moment else { break }
            now = max(now, min(back, told))
            if told <= back {
                guard let plan = ledger.planReminders(at: wall(now)) else { fatalError("nothing to tell at \(now)") }
                reminders += plan.events.count
                take(plan)
            } else if let tool = returns.popLast()?.tool {
                cross(.in, [tool], person: nil)
                free.append(tool)
            }
        }
        now = max(now, moment)
    }

    /// - Returns: how many tools.
    private mutating func borrow(atMost most: Int) -> Int {
        var tools: [Int] = []
        for _ in 0..<min(most, free.count, next(below: 4) == 0 ? 2 : 1) {
            free.swapAt(next(below: free.count), free.count - 1)
            tools.append(free.removeLast())
        }
        guard !tools.isEmpty else { return 0 }
        cross(.out, tools, person: next(below: Workshop.people))
        for tool in tools {
            let loan = ItemKey(Workshop.itemName(tool)).flatMap { ledger.state.loans[$0] }
            guard let loan else {
                free.append(tool)
                continue
            }
            lent += 1
            bringBack(tool, due: loan.due.milliseconds)
        }
        return tools.count
    }

    /// Most the same day, some in time, few late.
    private mutating func bringBack(_ tool: Int, due: Int64) {
        let dice = next(below: 100)
        let hour = Int64(3_600_000)
        let back: Int64 =
            if dice < 65 {
                now + 600_000 + Int64(next(below: Int(4 * hour)))
            } else if dice < 97 {
                max(now + hour, due - Int64(next(below: Int(2 * Self.day))))
            } else {
                due + Int64(next(below: Int(5 * Self.day)))
            }
        var (low, high) = (0, returns.count)
        while low < high {
            let middle = (low + high) / 2
            if returns[middle].at > back { low = middle + 1 } else { high = middle }
        }
        returns.insert((back, tool), at: low)
    }

    // MARK: What the gates say

    private mutating func cross(_ direction: Direction, _ tools: [Int], person: Int?) {
        decisions += 1
        let station = Workshop.gate(tools[0] % Workshop.gates)
        let crossing = Proposal.Crossing(
            direction: direction, certainty: .provisional, decision: decisions,
            tags: tools.map { sighting(Workshop.tag(ofTool: $0), direction) },
            badgeTags: person.map { [sighting(Workshop.tag(ofPerson: $0), direction)] } ?? [])
        take(ledger.plan(Proposal(station: station, content: .crossing(crossing)), at: wall(now)))
        // As after a start, many at once: a gate's own last word takes longer, and the events are the same.
        guard decisions % 16 == 0 else { return }
        ledger.abandon(station: nil)
        take(ledger.settleOrphans(at: wall(now)))
    }

    private func sighting(_ epc: EPC, _ direction: Direction) -> Sighting {
        Sighting(
            epc: epc, visit: decisions, certainty: .provisional, kind: .passed(direction), group: 1, first: .zero,
            last: Instant(nanoseconds: 1_500_000_000), inside: .init(reads: 29, strongest: -5_500),
            outside: .init(reads: 27, strongest: -6_000), firstSide: direction == .out ? .inside : .outside,
            lastSide: direction == .out ? .outside : .inside, crossed: Instant(nanoseconds: 800_000_000), odds: 21_125, threshold: 4_595,
            grounds: [.init(.position, 17_250), .init(.order, 3_875)])
    }

    private mutating func dismissExceptions() throws {
        for number in ledger.state.exceptions.keys.sorted() {
            exceptions += 1
            take(try ledger.plan(.resolveException(number: number, resolution: "dismissed", note: "seen"), by: "uid 1000", at: wall(now)))
        }
    }

    private mutating func take(_ plan: Plan) {
        let decision = ledger.commit(plan)
        ledger.settled()
        waiting.wait()
        store.commit(decision, generation: 1) { [waiting] in
            if case .failed(let error) = $0 { fatalError("\(error)") }
            waiting.signal()
        }
    }
}
