import Identifiers
import Readings

extension Event {
    /// Items of a loan are due, or overdue: somebody is to be told. Each step of a due time is said once.
    public struct Reminder: Hashable, Sendable {
        public var loan: LoanNumber
        /// Of this loan, those that are still out; one or more.
        public var items: [ItemKey]
        public var borrower: PersonKey
        public var step: ReminderStep
        /// Whom it is for; one or more.
        public var to: [ReminderRecipient]
        public var due: WallTime

        public init(
            loan: LoanNumber, items: [ItemKey], borrower: PersonKey, step: ReminderStep, to: [ReminderRecipient], due: WallTime
        ) {
            self.loan = loan
            self.items = items
            self.borrower = borrower
            self.step = step
            self.to = to
            self.due = due
        }
    }
}

/// How far it is with a loan that comes due. In the order in which they come.
public enum ReminderStep: String, Hashable, Sendable, CaseIterable, Comparable {
    case dueSoon = "due_soon"
    case dueToday = "due_today"
    case overdueFirst = "overdue_1"
    case overdueSecond = "overdue_2"
    case overdueThird = "overdue_3"

    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    public static func < (left: ReminderStep, right: ReminderStep) -> Bool { left.order < right.order }
}

/// Whom a reminder is for.
public enum ReminderRecipient: String, Hashable, Sendable, CaseIterable {
    case borrower
    /// Of the borrower.
    case supervisor
    case storekeeper
}

extension Event.Reminder {
    var json: JSON {
        [
            "loan": .string(loan.description), "items": .array(items.map { .string($0.text) }), "borrower": .string(borrower.text),
            "step": .string(step.rawValue), "to": .array(to.map { .string($0.rawValue) }), "due": .string(due.rfc3339),
        ]
    }

    /// Reads the `data` member; nil when something is missing.
    public init?(json: JSON) {
        guard let loan = json["loan"]?.string.flatMap(LoanNumber.init), let borrower = json["borrower"]?.string.flatMap(PersonKey.init),
            let step = json["step"]?.string.flatMap(ReminderStep.init), let due = json["due"]?.string.flatMap(WallTime.init(rfc3339:))
        else { return nil }
        let items = (json["items"]?.array ?? []).compactMap { $0.string.flatMap(ItemKey.init) }
        let to = (json["to"]?.array ?? []).compactMap { $0.string.flatMap(ReminderRecipient.init) }
        guard !items.isEmpty, !to.isEmpty else { return nil }
        self.init(loan: loan, items: items, borrower: borrower, step: step, to: to, due: due)
    }
}

extension LedgerState {
    /// Notes in the loan's lines which step was said last, so that it is said once. Lines that were closed or moved in the meantime stay as
    /// they are.
    mutating func apply(_ reminder: Event.Reminder) -> [StateRow] {
        reminder.items.compactMap { item in
            guard var loan = loans[item], loan.number == reminder.loan else { return nil }
            loan.reminded = reminder.step
            loans[item] = loan
            return StateRow(key: "loan/\(item)", value: loan.row)
        }
    }
}
