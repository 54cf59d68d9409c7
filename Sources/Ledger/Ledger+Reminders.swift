import Readings
import SiteConfiguration

/// When people are told that something is due: reckoned from the open loans, once for each step of a due time.
extension Ledger {
    /// When the next reminder is due, in milliseconds since 1970; nil: there is none to come.
    ///
    /// Cheap to ask: the engine asks after every input.
    public var nextReminder: Int64? { reminders.first }

    /// The reminders that are due at a time. Steps that were missed, because nobody knew the time or the machine was off, are said once: the
    /// last of them.
    public func planReminders(at time: WallTime) -> Plan? {
        guard time.quality != .unknown else { return nil }
        var draft = Draft(ledger: self, station: nil, at: time)
        // Lines of one loan that are due together are one reminder.
        struct Group: Hashable {
            var loan: LoanNumber
            var step: ReminderStep
            var due: Int64
        }
        var groups: [Group: [Loan]] = [:]
        for item in reminders.due(at: time.milliseconds) {
            guard let loan = state.loans[item], let step = step(of: loan, at: time.milliseconds) else { continue }
            groups[Group(loan: loan.number, step: step, due: loan.due.milliseconds), default: []].append(loan)
        }
        // The rest is due at once, when the gate had a chance to speak.
        let round = groups.sorted(by: { ($0.key.due, $0.key.loan) < ($1.key.due, $1.key.loan) }).prefix(Self.longestRound)
        for (group, loans) in round {
            guard let first = loans.first else { continue }
            draft.add(
                .reminded(
                    .init(
                        loan: group.loan, items: loans.map(\.item).sorted(), borrower: first.person, step: group.step,
                        to: group.step.recipients, due: first.due.calendar)), evidence: .null)
        }
        let plan = draft.plan(feedback: nil)
        return plan.events.isEmpty ? nil : plan
    }

    /// So many are said in one decision: people who stand at a gate at eight o'clock do not wait for hundreds to be written down.
    static let longestRound = 100

    /// The step that a loan has reached and of which nobody was told.
    private func step(of loan: Loan, at milliseconds: Int64) -> ReminderStep? {
        steps(of: loan).last { $0.at <= milliseconds }.flatMap { step in loan.reminded.map { $0 < step.step } ?? true ? step.step : nil }
    }

    /// When the next step of a loan is due.
    func nextStep(of loan: Loan) -> Int64? {
        steps(of: loan).first { step in loan.reminded.map { $0 < step.step } ?? true }?.at
    }

    /// In the order of time.
    private func steps(of loan: Loan) -> [(step: ReminderStep, at: Int64)] {
        guard loan.due.quality != .unknown else { return [] }
        let policy = site.policy.reminders
        let zone = zone ?? SiteZone(offsetMinutes: loan.due.offsetMinutes)
        let day = loan.due.localDate
        func moment(_ days: Int) -> Int64 {
            zone.time(on: day.advanced(by: Int64(days)), minute: policy.hour * 60, quality: loan.due.quality).milliseconds
        }
        var steps: [(step: ReminderStep, at: Int64)] = []
        // A loan that is shorter than the warning needs none.
        if policy.soonDays > 0, moment(-policy.soonDays) > loan.since.milliseconds { steps.append((.dueSoon, moment(-policy.soonDays))) }
        if policy.onDay, moment(0) > loan.since.milliseconds { steps.append((.dueToday, moment(0))) }
        for (step, days) in zip([ReminderStep.overdueFirst, .overdueSecond, .overdueThird], policy.overdueDays) {
            // At the hour of the day, and never before the loan is late.
            steps.append((step, max(moment(days), loan.due.milliseconds)))
        }
        return steps
    }
}

extension ReminderStep {
    /// Whom it is for.
    public var recipients: [ReminderRecipient] {
        switch self {
        case .dueSoon, .dueToday, .overdueFirst: [.borrower]
        case .overdueSecond: [.borrower, .supervisor]
        case .overdueThird: [.borrower, .supervisor, .storekeeper]
        }
    }
}

/// Items of open loans by when somebody is to be told next: a heap whose entries are looked at again when they come up.
struct ReminderQueue: Sendable {
    private struct Entry {
        var at: Int64
        var item: ItemKey
    }

    private var heap: [Entry] = []
    /// What stands for an item now; other entries of it are old.
    private var current: [ItemKey: Int64] = [:]

    var first: Int64? { heap.first?.at }

    /// - Parameter at: nil: there is nothing to be told any more.
    mutating func set(_ item: ItemKey, at: Int64?) {
        guard current[item] != at else { return }
        current[item] = at
        if let at { push(Entry(at: at, item: item)) }
        while let first = heap.first, current[first.item] != first.at { pop() }
    }

    /// What is due at a time, in the order of time.
    func due(at milliseconds: Int64) -> [ItemKey] {
        guard let first, first <= milliseconds else { return [] }
        return current.filter { $0.value <= milliseconds }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
    }

    private mutating func push(_ entry: Entry) {
        heap.append(entry)
        var place = heap.count - 1
        while place > 0, heap[place].at < heap[(place - 1) / 2].at {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].at < heap[least].at { least = child }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }
}
